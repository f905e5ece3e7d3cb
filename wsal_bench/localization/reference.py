"""The definition of localization: one class, one threshold, one run, one pair at a time.

Plain Python and numpy, slow on purpose, and the order of operations that published code has: the
compiled functions must give the same bits. It shares with them how sequences of snippets are
prepared (`sequences`, `interpolation`) and which classes are taken; all else is written twice.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import exp

import numpy as np

from wsal_bench.localization.interpolation import Floats, step_borders, upsample
from wsal_bench.localization.proposal_recipe import ProposalRecipe
from wsal_bench.localization.proposals import class_bonus, class_scores, select_classes
from wsal_bench.localization.rules import GateList, Nms
from wsal_bench.localization.sequences import (
    check_sequences,
    scored_snippets,
    snippets,
    thresholds_of,
)
from wsal_bench.types import Activations, FloatArray, Proposals


@dataclass(frozen=True)
class Row:
    """A proposal: label, stream, borders in steps, and borders in the unit that NMS counts in."""

    label: int
    stream: str
    first: int
    stop: int
    score: float
    start: float = 0.0
    end: float = 0.0


def reference_localize(activations: Activations, recipe: ProposalRecipe) -> Proposals:
    """`localize`, by the book."""
    rows = _all_rows(activations, recipe)
    times = _border_times(activations, recipe)
    kept: list[Row] = []
    for label in sorted({row.label for row in rows}):
        of_class = [row for row in rows if row.label == label]
        if recipe.fuse is None:
            kept += _thinned(of_class, recipe.nms, times, recipe.scale)
            continue
        pool: list[Row] = []
        for stream in recipe.streams:
            of_stream = [row for row in of_class if row.stream == stream]
            pool += _thinned(of_stream, recipe.nms, times, recipe.scale)
        kept += _thinned(pool, recipe.fuse, times, recipe.scale)
    if recipe.max_per_video is not None:
        best = sorted(range(len(kept)), key=lambda i: (kept[i].score, i))[-recipe.max_per_video :]
        kept = [kept[i] for i in sorted(best)]
    found = _proposals(kept, times)
    if not recipe.clip:
        return found
    return replace(found, end=np.minimum(found.end, activations.times[-1]))


def reference_propose(activations: Activations, recipe: ProposalRecipe) -> Proposals:
    """`propose`, by the book."""
    return _proposals(_all_rows(activations, recipe), _border_times(activations, recipe))


def _proposals(rows: list[Row], times: list[float]) -> Proposals:
    return Proposals(
        start=np.asarray([times[row.first] for row in rows], dtype=np.float64),
        end=np.asarray([times[row.stop] for row in rows], dtype=np.float64),
        label=np.asarray([row.label for row in rows], dtype=np.int64),
        score=np.asarray([row.score for row in rows], dtype=np.float64),
    )


def _border_times(activations: Activations, recipe: ProposalRecipe) -> list[float]:
    steps = (len(activations.times) - 1) * recipe.scale
    times: list[float] = step_borders(
        activations.times, recipe.scale, np.arange(steps + 2)
    ).tolist()
    return times


def _all_rows(activations: Activations, recipe: ProposalRecipe) -> list[Row]:
    check_sequences(activations, recipe)
    rows: list[Row] = []
    for label in select_classes(class_scores(activations, recipe), recipe.classes).tolist():
        for entry in recipe.lists:
            rows += _rows_of_list(entry, label, activations, recipe)
    return rows


def _rows_of_list(
    entry: GateList, label: int, activations: Activations, recipe: ProposalRecipe
) -> list[Row]:
    one = np.asarray([label])
    coarse = snippets(entry.gate, activations, recipe, one)
    gate = _steps(coarse, recipe)
    own = _steps(scored_snippets(entry, activations, recipe, one), recipe)
    bonus = class_bonus(entry, recipe.classes, float(class_scores(activations, recipe)[label]))
    rows = []
    for threshold in thresholds_of(entry, coarse[0]).tolist():
        score = np.where(own < threshold, 0.0, own) if _zeroes(entry, entry.score) else own
        blend = entry.blend
        if blend is not None and blend.kind == "sum":
            other = _steps(snippets(blend.name, activations, recipe, one), recipe)
            if _zeroes(entry, blend.name):
                other = np.where(other < threshold, 0.0, other)
            score = blend.own_weight * score + blend.other_weight * other
        active = gate > threshold if entry.strict else gate >= threshold
        if entry.positive:
            active = active & (gate > 0)
        steps = np.flatnonzero(active)
        if recipe.skips_lone_first_step and not steps.any():
            continue
        for run in np.split(steps, np.flatnonzero(np.diff(steps) != 1) + 1):
            if len(run) >= recipe.min_steps:
                value = _run_score(score, int(run[0]), int(run[-1]), entry, recipe)
                stop = int(run[-1]) + (2 if recipe.one_step_more else 1)
                rows.append(Row(label, entry.stream, int(run[0]), stop, value + bonus))
    return rows


def _zeroes(entry: GateList, name: str) -> bool:
    return entry.zero_below and name == entry.gate


def _steps(curves: FloatArray, recipe: ProposalRecipe) -> Floats:
    steps: Floats = upsample(curves.T, recipe.scale)[0]
    return steps


def _run_score(
    score: Floats, first: int, last: int, entry: GateList, recipe: ProposalRecipe
) -> float:
    length = last - first + 1
    after = last + 1 if recipe.one_step_more else last
    inner = score[first : after + 1]
    if entry.run_score == "maximum":
        return float(inner.max())
    if entry.run_score == "mean":
        return float(np.mean(inner))
    final = len(score) - 1 - int(recipe.one_step_more)
    outer_first = max(0, int(first - recipe.inflation * length))
    outer_last = min(final, int(after + recipe.inflation * length))
    outer = [*range(outer_first, first), *range(after + 1, outer_last + 1)]
    around = float(np.mean(score[outer])) if outer else 0.0
    return float(np.mean(inner)) - entry.outer_weight * around


def _thinned(rows: list[Row], nms: Nms, times: list[float], scale: int) -> list[Row]:
    if nms.unit == "seconds":
        rows = [replace(row, start=times[row.first], end=times[row.stop]) for row in rows]
    else:
        rows = [replace(row, start=row.first / scale, end=row.stop / scale) for row in rows]
    if nms.kind == "none":
        return rows
    return _soft(rows, nms) if nms.kind == "soft" else _greedy(rows, nms)


def _greedy(rows: list[Row], nms: Nms) -> list[Row]:
    # by rising score, of equal ones the earlier first; the best is the last
    rest = [rows[i] for i in np.argsort([row.score for row in rows], kind="stable")]
    kept: list[Row] = []
    dropped: list[Row] = []
    while rest:
        best = rest.pop()
        kept.append(best)
        left = []
        for row in reversed(rest):
            overlap = _overlap(best, row, nms)
            if overlap < nms.threshold or (overlap == nms.threshold and not nms.drops_equal):
                left.append(row)
            else:
                dropped.append(_lowered(row, overlap, nms))
        rest = left[::-1]
    return kept + dropped if nms.kind == "partial-soft" else kept


def _soft(rows: list[Row], nms: Nms) -> list[Row]:
    rest, picked = list(rows), []
    while rest:
        best = int(np.argmax([row.score for row in rest]))
        rest[0], rest[best] = rest[best], rest[0]
        picked.append(rest[0])
        rest = [_lowered(row, _overlap(picked[-1], row, nms), nms) for row in rest[1:]]
    return picked


def _overlap(best: Row, row: Row, nms: Nms) -> float:
    shared = max(0.0, min(best.end, row.end) - max(best.start, row.start) + nms.plus)
    length = row.end - row.start + nms.plus
    if nms.kind == "containment":
        return shared / length
    return shared / ((best.end - best.start + nms.plus) + length - shared)


def _lowered(row: Row, overlap: float, nms: Nms) -> Row:
    return replace(row, score=row.score * exp(-(overlap * overlap) / nms.sigma))
