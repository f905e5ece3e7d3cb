"""Activations to proposals: interpolate, cut into runs, score by outer-inner contrast, thin out.

The arithmetic is that of the published post-processing, operation by operation, so that float32
activations give the same bits; `reference` is its definition, in plain Python. T snippets,
N = T * scale steps, P proposals.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsal_bench.localization.interpolation import Floats, step_borders
from wsal_bench.localization.nms import Indices, falling_order, suppress
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
    """Proposals of a video in steps, as columns [P]: by class, then list, threshold and time.

    Args:
        first: first step.
        stop: the step after the last one; may be one beyond the video's border N.
        label: class index.
        score: higher is surer.
        stream: index into the recipe's streams.
    """

    first: Indices
    stop: Indices
    label: Indices
    score: Floats
    stream: Indices

    @classmethod
    def concatenate(cls, parts: list[Rows]) -> Rows:
        """All rows of `parts`, in order."""
        if not parts:
            none = np.empty(0, dtype=np.int64)
            return cls(none, none, none, np.empty(0), none)
        names = ("first", "stop", "label", "score", "stream")
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))

    def taken(self, rows: Indices, score: Floats) -> Rows:
        """Some of the rows, with new scores."""
        columns = (self.first[rows], self.stop[rows], self.label[rows])
        return Rows(*columns, score, self.stream[rows])


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
    borders = _borders(activations.times, recipe)
    if recipe.fuse is None:
        rows = _suppress(rows, rows.label, recipe.nms, borders, recipe.scale)
    else:
        group = rows.label * len(recipe.streams) + rows.stream
        rows = _suppress(rows, group, recipe.nms, borders, recipe.scale)
        rows = _suppress(rows, rows.label, recipe.fuse, borders, recipe.scale)
    if recipe.max_per_video is not None:
        best = np.sort(falling_order(rows.score)[: recipe.max_per_video])
        rows = rows.taken(best, rows.score[best])
    end = borders[rows.stop]
    if recipe.clip:
        # N * (snippet / scale) may round to just beyond T * snippet
        end = np.minimum(end, activations.times[-1])
    return Proposals(borders[rows.first], end, rows.label, rows.score)


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
    borders = _borders(activations.times, recipe)
    return Proposals(borders[rows.first], borders[rows.stop], rows.label, rows.score)


def select_classes(video_scores: FloatArray, rule: ClassRule) -> NDArray[np.intp]:
    """Indices of the classes that get proposals, rising; see `ClassRule`."""
    scores = np.asarray(video_scores, dtype=np.float64)
    above = scores > rule.threshold if rule.strict else scores >= rule.threshold
    taken = np.flatnonzero(above)
    if rule.fallback and not len(taken):
        taken = np.asarray([np.argmax(scores)], dtype=np.intp)
    return taken[:0] if rule.skips_lone_first and not taken.any() else taken


def class_bonus(entry: GateList, rule: ClassRule, video_score: float) -> float:
    """What is added to the score of a class's proposals."""
    return entry.class_bonus * (1.0 if rule.binarised else float(video_score))


def _cut(activations: Activations, recipe: ProposalRecipe) -> Rows:
    from wsal_bench.localization._cutting import cut

    check_sequences(activations, recipe)
    classes = select_classes(activations.video_scores, recipe.classes)
    curves = _Curves(activations, recipe, classes)
    nothing = np.empty(0)
    parts = []
    for row, label in enumerate(classes.tolist()):
        for entry in recipe.lists:
            gate = curves.steps(entry.gate, row)
            other = entry.blend if entry.blend is not None and entry.blend.kind == "sum" else None
            first, stop, score = cut(
                gate,
                curves.scored(entry, row),
                nothing if other is None else curves.steps(other.name, row),
                1.0 if other is None else other.own_weight,
                0.0 if other is None else other.other_weight,
                entry.zero_below and entry.score == entry.gate,
                entry.zero_below and other is not None and other.name == entry.gate,
                thresholds_of(entry, curves.snippets(entry.gate, row)),
                entry.strict,
                entry.positive,
                recipe.scale,
                recipe.min_steps,
                recipe.one_step_more,
                recipe.skips_lone_first_step,
                RUN_SCORES.index(entry.run_score),
                entry.outer_weight,
                recipe.inflation,
            )
            bonus = class_bonus(entry, recipe.classes, activations.video_scores[label])
            labels = np.full(len(first), label, dtype=np.int64)
            streams = np.full(len(first), recipe.streams.index(entry.stream), dtype=np.int64)
            parts.append(Rows(first, stop, labels, score + bonus, streams))
    return Rows.concatenate(parts)


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

        steps: Floats = upsample_rows(curves, self.recipe.scale)
        return steps


def _row(curves: NDArray[Any], row: int) -> NDArray[Any]:
    """One class's row; a sequence without classes has one row for all."""
    one: NDArray[Any] = curves[row if len(curves) > 1 else 0]
    return one


def _suppress(rows: Rows, group: Indices, nms: Nms, borders: Floats, scale: int) -> Rows:
    if nms.unit == "seconds":
        start, end = borders[rows.first], borders[rows.stop]
    else:
        start, end = rows.first / scale, rows.stop / scale
    left = suppress(start, end, rows.score, group, nms)
    return rows.taken(left.rows, left.score)


def _borders(times: FloatArray, recipe: ProposalRecipe) -> Floats:
    borders = step_borders(times, recipe.scale)
    # where a proposal takes one step more there is one border more, beyond the video
    return np.append(borders, 2 * borders[-1] - borders[-2]) if recipe.one_step_more else borders
