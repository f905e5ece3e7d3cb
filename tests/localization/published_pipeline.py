"""The published ACM-Net / FTCL post-processing, written down from its formulas, loops and all.

Slow on purpose: one step, one run, one pair of segments at a time. Numbers are those of THUMOS14.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Row = list[float]  # score, start, end

CAS_THRESHOLDS = np.arange(0.15, 0.25, 0.05)
ATTENTION_THRESHOLDS = np.arange(0.15, 1.00, 0.05)
SCALE = 20


@dataclass(frozen=True, eq=False)
class Published:
    """Rows (score, start, end) by class, before NMS and after."""

    before_nms: dict[int, list[Row]]
    final: dict[int, list[Row]]


def interpolate(values: NDArray[np.floating]) -> Floats:
    """What scipy's linear `interp1d` with `fill_value="extrapolate"` gives at i / 20."""
    length = len(values)
    steps = []
    for position in np.arange(0, length, 1 / SCALE):
        right = min(max(int(np.ceil(position)), 1), length - 1)
        difference = values[right] - values[right - 1]  # in the dtype of the values
        steps.append(float(difference) * (position - (right - 1)) + float(values[right - 1]))
    return np.asarray(steps)


def runs_of(active: NDArray[np.bool_]) -> list[tuple[int, int]]:
    runs = []
    first = None
    for step, on in enumerate([*active, False]):
        if on and first is None:
            first = step
        elif not on and first is not None:
            if step - first >= 2:
                runs.append((first, step - 1))
            first = None
    return runs


def contrast(score: Floats, first: int, last: int) -> float:
    length = last - first + 1
    outer_first = max(0, int(first - 0.2 * length))
    outer_last = min(len(score) - 1, int(last + 0.2 * length))
    outer = [*range(outer_first, first), *range(last + 1, outer_last + 1)]
    inner_mean = float(np.mean(score[list(range(first, last + 1))]))
    return inner_mean - (float(np.mean(score[outer])) if outer else 0.0)


def suppress(rows: list[Row], *, threshold: float = 0.55, plus: float = 1.0) -> list[Row]:
    kept: list[Row] = []
    for index in np.argsort([row[0] for row in rows], kind="stable")[::-1]:
        row = rows[index]
        if all(overlap(other, row, plus) < threshold for other in kept):
            kept.append(row)
    return kept


def overlap(one: Row, other: Row, plus: float) -> float:
    shared = max(0.0, min(one[2], other[2]) - max(one[1], other[1]) + plus)
    return shared / ((one[2] - one[1] + plus) + (other[2] - other[1] + plus) - shared)


def published_pipeline(
    cas: NDArray[np.floating],
    attention: NDArray[np.floating],
    video_scores: NDArray[np.floating],
    num_snippets: int,
) -> Published:
    """Proposals of a video of `num_snippets` snippets of 16 frames at 25 fps, sampled to len(cas).

    Args:
        cas: [T, C].
        attention: [T].
        video_scores: [C].
        num_snippets: of the whole video, >= T.
    """
    seconds = 16 * num_snippets / (25 * SCALE * len(cas))
    classes = np.flatnonzero(video_scores > 0.25)
    if not len(classes):
        classes = np.asarray([np.argmax(video_scores)])
    where = interpolate(attention)
    before: dict[int, list[Row]] = {}
    for label in classes.tolist():
        curve = interpolate(cas[:, label])
        rows = []
        for threshold in CAS_THRESHOLDS:
            zeroed = np.where(curve < threshold, 0.0, curve)
            for first, last in runs_of(curve >= threshold):
                rows.append([contrast(zeroed, first, last), first * seconds, (last + 1) * seconds])
        for threshold in ATTENTION_THRESHOLDS:
            for first, last in runs_of(where >= threshold):
                rows.append([contrast(curve, first, last), first * seconds, (last + 1) * seconds])
        before[label] = rows
    return Published(before, {label: suppress(rows) for label, rows in before.items()})
