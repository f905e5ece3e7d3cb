"""`propose` and NMS for any recipe, by the book: one sequence, one run, one pair at a time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from wsal_bench.localization import GateList, ProposalRecipe
from wsal_bench.types import Activations

Floats = NDArray[np.float64]
Row = tuple[int, float, float, float]  # label, start, end, score


def plain_propose(activations: Activations, recipe: ProposalRecipe) -> list[Row]:
    """All proposals before NMS, in the order of `propose`."""
    length = len(activations.times) - 1
    borders = np.interp(
        np.arange(length * recipe.scale + 1) / recipe.scale,
        np.arange(length + 1),
        activations.times,
    )
    rows: list[Row] = []
    for label in plain_classes(activations.video_scores, recipe):
        for entry in recipe.lists:
            gate = plain_steps(entry.gate, label, activations, recipe)
            score = plain_steps(entry.score, label, activations, recipe)
            bonus = entry.class_bonus * float(activations.video_scores[label])
            for threshold in entry.thresholds:
                for first, stop in plain_runs(gate, threshold, entry, recipe.min_steps):
                    seen = np.where(score < threshold, 0, score) if entry.zero_below else score
                    value = plain_contrast(seen, first, stop, recipe.inflation) + bonus
                    rows.append((label, borders[first], borders[stop], value))
    return rows


def plain_classes(video_scores: NDArray[np.floating], recipe: ProposalRecipe) -> list[int]:
    rule = recipe.classes
    taken = [
        label
        for label, score in enumerate(video_scores.tolist())
        if score > rule.threshold or (score == rule.threshold and not rule.strict)
    ]
    return taken or ([int(np.argmax(video_scores))] if rule.fallback else [])


def plain_steps(name: str, label: int, activations: Activations, recipe: ProposalRecipe) -> Floats:
    """A sequence at each step: interpolated, and carried on beyond the last snippet."""
    if name in activations.gates:
        gate = np.asarray(activations.gates[name], dtype=np.float64)
        samples = gate if gate.ndim == 1 else gate[:, label]
    else:
        samples = np.asarray(activations.scores[name][:, label], dtype=np.float64)
        if recipe.normalisation == "min-max":
            width = np.ptp(samples)
            samples = (samples - samples.min()) / width if width else np.ones(len(samples))
            samples = samples.round(6)
    if len(samples) > 1:
        samples = np.append(samples, 2 * samples[-1] - samples[-2])
    length = len(activations.times) - 1
    steps = np.arange(length * recipe.scale) / recipe.scale
    return np.interp(steps, np.arange(len(samples)), samples)


def plain_runs(
    gate: Floats, threshold: float, entry: GateList, min_steps: int
) -> list[tuple[int, int]]:
    """(first step, step after the last) of each run."""
    on = [value > threshold or (value == threshold and not entry.strict) for value in gate]
    begins = [i for i in range(len(on)) if on[i] and not (i and on[i - 1])]
    stops = [i + 1 for i in range(len(on)) if on[i] and not (i + 1 < len(on) and on[i + 1])]
    pairs = zip(begins, stops, strict=True)
    return [(begin, stop) for begin, stop in pairs if stop - begin >= min_steps]


def plain_contrast(score: Floats, first: int, stop: int, inflation: float) -> float:
    length = stop - first
    left = max(0, int(first - inflation * length))
    right = min(len(score) - 1, int(stop - 1 + inflation * length)) + 1
    outer = np.append(score[left:first], score[stop:right])
    return float(score[first:stop].mean() - (outer.mean() if len(outer) else 0.0))


def plain_nms(rows: list[Row], threshold: float, plus: float) -> list[Row]:
    """What is kept, class by class and by falling score; of equal scores the later row first."""
    kept: list[Row] = []
    for row in sorted(reversed(rows), key=lambda row: (row[0], -row[3])):
        rivals = [other for other in kept if other[0] == row[0]]
        if all(plain_tiou(other, row, plus) < threshold for other in rivals):
            kept.append(row)
    return kept


def plain_tiou(one: Row, other: Row, plus: float) -> float:
    shared = max(0.0, min(one[2], other[2]) - max(one[1], other[1]) + plus)
    return shared / (one[2] - one[1] + other[2] - other[1] + 2 * plus - shared)
