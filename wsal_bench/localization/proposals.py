"""Activations to proposals: interpolate, cut into runs, score by outer-inner contrast, thin out.

The arithmetic is that of the published ACM-Net / FTCL post-processing, operation by operation, so
that float32 activations give the same bits; only the loops are gone. T snippets, N = T * scale
steps, K thresholds, P runs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wsal_bench.errors import UsageError, did_you_mean
from wsal_bench.localization.interpolation import Floats, min_max, step_borders, upsample
from wsal_bench.localization.nms import hard_nms
from wsal_bench.localization.recipe import ClassRule, GateList, ProposalRecipe
from wsal_bench.types import Activations, FloatArray, Proposals

Indices = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Runs:
    """Maximal stretches of steps above a threshold, as columns [P].

    Args:
        first: first step.
        last: last step, included.
        threshold: index of the threshold, rising; per threshold the runs go forward in time.
    """

    first: Indices
    last: Indices
    threshold: Indices


def localize(activations: Activations, recipe: ProposalRecipe) -> Proposals:
    """Cuts a video's activations into proposals.

    Args:
        activations: what a method says of the video.
        recipe: how to cut.

    Returns:
        Proposals inside [times[0], times[-1]]: class after class by rising index, each by falling
        score. Empty where no run is long enough or no class is taken.

    Raises:
        UsageError: the recipe names a gate or a score that the activations do not have.
    """
    rows = propose(activations, recipe)
    kept = []
    for label in np.unique(rows.label):
        of_class = np.flatnonzero(rows.label == label)
        best = hard_nms(
            rows.start[of_class],
            rows.end[of_class],
            rows.score[of_class],
            threshold=recipe.nms.threshold,
            plus=recipe.nms.plus,
        )
        kept.append(of_class[best])
    if not kept:
        return rows
    index = np.concatenate(kept)
    # N * (snippet / scale) may round to just beyond T * snippet
    end = np.minimum(rows.end[index], activations.times[-1])
    return Proposals(rows.start[index], end, rows.label[index], rows.score[index])


def propose(activations: Activations, recipe: ProposalRecipe) -> Proposals:
    """All proposals before NMS: by class, then gate list, then threshold, then time.

    Ends are the products that the published pipelines compute: that of the last step may round to
    one bit beyond times[-1].

    Args:
        activations: what a method says of the video.
        recipe: how to cut; its NMS is not looked at.

    Raises:
        UsageError: the recipe names a gate or a score that the activations do not have.
    """
    classes = select_classes(activations.video_scores, recipe.classes)
    borders = step_borders(activations.times, recipe.scale)
    used = {name for entry in recipe.lists for name in (entry.gate, entry.score)}
    curves = {name: _steps(name, activations, recipe, classes) for name in sorted(used)}
    parts = []
    for row, label in enumerate(classes):
        class_score = float(activations.video_scores[label])
        for entry in recipe.lists:
            score, runs = _list_of_class(entry, curves, row, recipe)
            score = score + entry.class_bonus * class_score
            labels = np.full(len(score), label, dtype=np.int64)
            parts.append(Proposals(borders[runs.first], borders[runs.last + 1], labels, score))
    return Proposals.concatenate(parts)


def select_classes(video_scores: FloatArray, rule: ClassRule) -> Indices:
    """Indices of the classes that get proposals, rising; see `ClassRule`."""
    scores = np.asarray(video_scores, dtype=np.float64)
    above = scores > rule.threshold if rule.strict else scores >= rule.threshold
    if rule.fallback and not above.any():
        return np.asarray([np.argmax(scores)], dtype=np.intp)
    return np.flatnonzero(above)


def find_runs(gate: Floats, thresholds: FloatArray, *, strict: bool, min_steps: int) -> Runs:
    """Maximal runs of a gate [N] at or above (`strict`: above) each of the thresholds [K]."""
    limits = np.asarray(thresholds, dtype=np.float64)[:, None]
    width = len(gate) + 1
    # all thresholds in one line, each row closed by a False: every run then begins and ends with
    # a change, and the changes alternate
    line = np.zeros(len(limits) * width + 1, dtype=np.bool_)
    above = line[1:].reshape(len(limits), width)[:, :-1]
    (np.greater if strict else np.greater_equal)(gate, limits, out=above)
    changes = np.flatnonzero(line[1:] != line[:-1])
    begin, stop = changes[0::2], changes[1::2]
    long_enough = stop - begin >= min_steps
    begin, stop = begin[long_enough], stop[long_enough]
    row = begin // width
    return Runs(first=begin - row * width, last=stop - row * width - 1, threshold=row)


def outer_inner_contrast(
    score: Floats,
    first: Indices,
    last: Indices,
    *,
    inflation: float,
    zero_below: FloatArray | None = None,
) -> Floats:
    """Mean of each run minus the mean of what surrounds it (0 where nothing does).

    The surroundings are `inflation` times the run's length on each side, bounds truncated to whole
    steps and cut at the ends of the sequence.

    Args:
        score: [N].
        first: [P] first steps.
        last: [P] last steps, included.
        inflation: share of a run's length, >= 0.
        zero_below: [P] values of the score below it count as 0; None: none do.

    Returns:
        [P] contrasts.
    """
    length = last - first + 1
    # truncation towards 0 is the published int(); below 0 both end at the border
    reach = inflation * length
    outer_first = np.maximum((first - reach).astype(np.intp), 0)
    outer_last = np.minimum((last + reach).astype(np.intp), len(score) - 1)
    before, after = first - outer_first, outer_last - last
    inner = _sum_ranges(score, first, length, zero_below=zero_below)
    outer = _sum_ranges(
        score, outer_first, before + after, skip=(first, length), zero_below=zero_below
    )
    contrast: Floats = inner / length - outer / np.maximum(before + after, 1)
    return contrast


def _list_of_class(
    entry: GateList, curves: dict[str, Floats], row: int, recipe: ProposalRecipe
) -> tuple[Floats, Runs]:
    gates, score = curves[entry.gate], curves[entry.score][row]
    # a gate [T] is shared by all classes
    gate = gates[row if len(gates) > 1 else 0]
    thresholds = np.asarray(entry.thresholds)
    runs = find_runs(gate, thresholds, strict=entry.strict, min_steps=recipe.min_steps)
    contrast = outer_inner_contrast(
        score,
        runs.first,
        runs.last,
        inflation=recipe.inflation,
        zero_below=thresholds[runs.threshold] if entry.zero_below else None,
    )
    return contrast, runs


def _steps(name: str, activations: Activations, recipe: ProposalRecipe, classes: Indices) -> Floats:
    """The upsampled sequence of that name: [classes, N], or [1, N] of a gate without classes."""
    if name in activations.gates:
        gate = np.asarray(activations.gates[name])
        return upsample(gate[:, None] if gate.ndim == 1 else gate[:, classes], recipe.scale)
    if name not in activations.scores:
        known = (*activations.scores, *activations.gates)
        raise UsageError(
            f"recipe {recipe.name!r} cuts {name!r}, which the activations do not have",
            hint=did_you_mean(name, known),
        )
    score = np.asarray(activations.scores[name])[:, classes]
    return upsample(min_max(score) if recipe.normalisation == "min-max" else score, recipe.scale)


def _sum_ranges(
    values: Floats,
    first: Indices,
    count: Indices,
    *,
    skip: tuple[Indices, Indices] | None = None,
    zero_below: FloatArray | None = None,
) -> Floats:
    """Sums [P] of `count` values from `first` on, leaving out the stretch `skip` (first, length).

    Each sum has the bits of `np.sum` on the gathered values: `np.add.reduceat` adds its first
    value to the pairwise sum of the others, so a 0 is put in front.
    """
    slots = count + 1
    stops = np.cumsum(slots)
    heads = stops - slots
    index = np.arange(slots.sum()) + np.repeat(first - 1 - heads, slots)
    if skip is not None:
        index += np.where(index >= np.repeat(skip[0], slots), np.repeat(skip[1], slots), 0)
    index[heads] = 0
    gathered = values[index]
    if zero_below is not None:
        gathered[gathered < np.repeat(zero_below, slots)] = 0.0
    gathered[heads] = 0.0
    sums: Floats = np.add.reduceat(gathered, heads) if len(heads) else np.empty(0)
    return sums
