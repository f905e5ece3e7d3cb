"""Activations to proposals: interpolate, cut into runs, score by outer-inner contrast, thin out.

The arithmetic is that of the published post-processing, operation by operation, so that float32
activations give the same bits; `reference` is its definition, in plain Python. T snippets,
N = T * scale steps, P proposals.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wsal_bench.localization.interpolation import Floats, Indices, step_borders
from wsal_bench.localization.nms import falling_order, suppress
from wsal_bench.localization.proposal_recipe import ProposalRecipe
from wsal_bench.localization.rules import RUN_SCORES, ClassRule, GateList, Nms
from wsal_bench.localization.sequences import (
    check_sequences,
    scored_snippets,
    snippets,
    thresholds_of,
)
from wsal_bench.types import Activations, FloatArray, Proposals


@dataclass(frozen=True, eq=False)
class Rows:
    """Proposals of a video, as columns [P]: by class, then list, threshold and time.

    Args:
        first: first step.
        stop: the step after the last one; may be one beyond the video's border N.
        start: seconds.
        end: seconds; may lie beyond the video with `stop`.
        label: class index.
        score: higher is surer.
        stream: index into the recipe's streams.
    """

    first: Indices
    stop: Indices
    start: Floats
    end: Floats
    label: Indices
    score: Floats
    stream: Indices

    def taken(self, rows: Indices, score: Floats) -> Rows:
        """Some of the rows, with new scores."""
        steps = (self.first[rows], self.stop[rows])
        seconds = (self.start[rows], self.end[rows])
        return Rows(*steps, *seconds, self.label[rows], score, self.stream[rows])


def localize(activations: Activations, recipe: ProposalRecipe) -> Proposals:
    """Cuts a video's activations into proposals.

    Args:
        activations: what a method says of the video.
        recipe: how to cut.

    Returns:
        Proposals inside [times[0], times[-1]] (but for `clip=False`): class after class by rising
        index, each in the order in which NMS picks, which is by falling score (`partial-soft`:
        what it kept, then what it dropped; `none`: as `propose`). Empty where no run is long enough
        or no class is taken.

    Raises:
        UsageError: the recipe names a gate or a score that the activations do not have.
    """
    rows = _cut(activations, recipe)
    if recipe.fuse is None:
        rows = _suppress(rows, rows.label, recipe.nms, recipe.scale)
    else:
        group = rows.label * len(recipe.streams) + rows.stream
        rows = _suppress(rows, group, recipe.nms, recipe.scale)
        rows = _suppress(rows, rows.label, recipe.fuse, recipe.scale)
    if recipe.max_per_video is not None:
        best = np.sort(falling_order(rows.score)[: recipe.max_per_video])
        rows = rows.taken(best, rows.score[best])
    # N * (snippet / scale) may round to just beyond T * snippet
    end = np.minimum(rows.end, activations.times[-1]) if recipe.clip else rows.end
    return Proposals(rows.start, end, rows.label, rows.score)


def propose(activations: Activations, recipe: ProposalRecipe) -> Proposals:
    """All proposals before NMS: by class, then gate list, then threshold, then time.

    Ends are the products that the published pipelines compute: that of the last step may round to
    one bit beyond times[-1], and `one_step_more` goes one step beyond.

    Args:
        activations: what a method says of the video.
        recipe: how to cut; its NMS is not looked at.

    Raises:
        UsageError: the recipe names a gate or a score that the activations do not have.
    """
    rows = _cut(activations, recipe)
    return Proposals(rows.start, rows.end, rows.label, rows.score)


def class_scores(activations: Activations, recipe: ProposalRecipe) -> Floats:
    """[C] what decides which classes are taken; -inf where the video is too short to say."""
    ratio = recipe.classes.pooled_ratio
    if not ratio:
        return np.asarray(activations.video_scores, dtype=np.float64)
    name, num_classes = recipe.lists[0].score, len(activations.video_scores)
    found = activations.gates if name in activations.gates else activations.scores
    values = np.asarray(found[name], dtype=np.float64).reshape(len(activations.times) - 1, -1)
    values = np.broadcast_to(values, (len(values), num_classes))  # a gate may be one for all
    num = len(values) // ratio
    if not num:
        return np.full(num_classes, -np.inf)
    best: Floats = np.sort(values, axis=0)[-num:].mean(axis=0)
    return best


def select_classes(scores: FloatArray, rule: ClassRule) -> NDArray[np.intp]:
    """Indices of the classes that get proposals, rising; see `ClassRule` and `class_scores`."""
    above = scores > rule.threshold if rule.strict else scores >= rule.threshold
    taken = np.flatnonzero(above)
    if rule.fallback and not len(taken):
        taken = np.asarray([np.argmax(scores)], dtype=np.intp)
    return taken[:0] if rule.skips_lone_first and not taken.any() else taken


def class_bonus(entry: GateList, rule: ClassRule, class_score: float) -> float:
    """What is added to the score of a class's proposals."""
    return entry.class_bonus * (1.0 if rule.binarised else class_score)


def _cut(activations: Activations, recipe: ProposalRecipe) -> Rows:
    check_sequences(activations, recipe)
    scores = class_scores(activations, recipe)
    classes = select_classes(scores, recipe.classes)
    curves = _Curves(activations, recipe, classes)
    found = [
        _cut_list(entry, curves, row, float(scores[label]))
        for row, label in enumerate(classes.tolist())
        for entry in recipe.lists
    ]
    if not found:
        none = np.empty(0, dtype=np.int64)
        return Rows(none, none, np.empty(0), np.empty(0), none, np.empty(0), none)
    counts = np.asarray([len(part.first) for part in found]).reshape(len(classes), -1)
    streams = np.asarray([recipe.streams.index(entry.stream) for entry in recipe.lists])
    first = np.concatenate([part.first for part in found])
    stop = np.concatenate([part.stop for part in found])
    borders = step_borders(activations.times, recipe.scale, np.concatenate([first, stop]))
    return Rows(
        first=first,
        stop=stop,
        start=borders[: len(first)],
        end=borders[len(first) :],
        label=np.repeat(classes.astype(np.int64), counts.sum(axis=1)),
        score=np.concatenate([part.score for part in found]),
        stream=np.repeat(np.tile(streams, len(classes)), counts.ravel()),
    )


@dataclass(frozen=True, eq=False)
class _Runs:
    """Runs of one list and class as columns, scored."""

    first: Indices
    stop: Indices
    score: Floats


def _cut_list(entry: GateList, curves: _Curves, row: int, class_score: float) -> _Runs:
    from wsal_bench.localization._cutting import cut

    recipe = curves.recipe
    blend = entry.blend if entry.blend is not None and entry.blend.kind == "sum" else None
    gate = curves.steps(entry.gate, row)
    thresholds = thresholds_of(entry, curves.snippets(entry.gate, row))
    first, stop, score = cut(
        gate,
        curves.scored(entry, row),
        np.empty(0) if blend is None else curves.steps(blend.name, row),
        1.0 if blend is None else blend.own_weight,
        0.0 if blend is None else blend.other_weight,
        entry.zero_below and entry.score == entry.gate,
        entry.zero_below and blend is not None and blend.name == entry.gate,
        thresholds,
        _limits(entry, thresholds),
        recipe.scale,
        recipe.min_steps,
        recipe.one_step_more,
        recipe.skips_lone_first_step,
        RUN_SCORES.index(entry.run_score),
        entry.outer_weight,
        recipe.inflation,
        _SCRATCH.take(0, 2 * len(gate)),
    )
    return _Runs(first, stop, score + class_bonus(entry, recipe.classes, class_score))


def _limits(entry: GateList, thresholds: Floats) -> Floats:
    """Least values that are above each threshold [K]."""
    limits = np.nextafter(thresholds, np.inf) if entry.strict else thresholds
    return np.maximum(limits, np.nextafter(0.0, 1.0)) if entry.positive else limits


class _Scratch(threading.local):
    """Memory that a thread keeps from video to video: fresh pages cost more than filling them."""

    def __init__(self) -> None:
        self.blocks: dict[int, Floats] = {}

    def take(self, which: int, size: int) -> Floats:
        """[size] numbers of any value; the same ones again for the same `which`."""
        if which not in self.blocks or len(self.blocks[which]) < size:
            self.blocks[which] = np.empty(size)
        return self.blocks[which][:size]


_SCRATCH: Final = _Scratch()


class _Curves:
    """The sequences of a video, each interpolated once for all its lists.

    Args:
        activations: of the video.
        recipe: how they are prepared.
        classes: [K] that get proposals; sequences are asked for by position in it.
    """

    def __init__(
        self, activations: Activations, recipe: ProposalRecipe, classes: NDArray[np.intp]
    ) -> None:
        self.activations, self.recipe, self.classes = activations, recipe, classes
        self._snippets: dict[str, FloatArray] = {}
        self._steps: dict[Hashable, Floats] = {}

    def snippets(self, name: str, row: int) -> FloatArray:
        """[T] of one class."""
        if name not in self._snippets:
            self._snippets[name] = snippets(name, self.activations, self.recipe, self.classes)
        return _row(self._snippets[name], row)

    def steps(self, name: str, row: int) -> Floats:
        """[N] of one class."""
        if name not in self._steps:
            self.snippets(name, row)
            self._steps[name] = self._upsampled(self._snippets[name])
        return _row(self._steps[name], row)

    def scored(self, entry: GateList, row: int) -> Floats:
        """[N] of one class: what a list's proposals are scored on, but for a blend's sum."""
        product = entry.blend if entry.blend is not None and entry.blend.kind == "product" else None
        if product is None and entry.weight == 1.0:
            return self.steps(entry.score, row)
        key = (entry.score, entry.weight, product)
        if key not in self._steps:
            curves = scored_snippets(entry, self.activations, self.recipe, self.classes)
            self._steps[key] = self._upsampled(curves)
        return _row(self._steps[key], row)

    def _upsampled(self, curves: FloatArray) -> Floats:
        from wsal_bench.localization._cutting import upsample_rows

        rows, length = curves.shape
        size = length * self.recipe.scale
        steps = _SCRATCH.take(1 + len(self._steps), rows * size).reshape(rows, size)
        upsample_rows(curves, self.recipe.scale, steps)
        return steps


def _row(curves: NDArray[Any], row: int) -> NDArray[Any]:
    """One class's row; a sequence without classes has one row for all."""
    one: NDArray[Any] = curves[row if len(curves) > 1 else 0]
    return one


def _suppress(rows: Rows, group: Indices, nms: Nms, scale: int) -> Rows:
    in_seconds = nms.unit == "seconds"
    start = rows.start if in_seconds else rows.first / scale
    end = rows.end if in_seconds else rows.stop / scale
    left = suppress(start, end, rows.score, group, nms)
    return rows.taken(left.rows, left.score)
