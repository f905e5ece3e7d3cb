"""The published ACM-Net / FTCL post-processing, written down from its formulas, loops and all.

Slow on purpose: one step, one run, one pair of segments at a time. Numbers are those of THUMOS14.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Row = list[float]  # label, score, start, end
SCALE = 20


def interpolate(values: NDArray[Any]) -> Floats:
    """What scipy's linear `interp1d` with `fill_value="extrapolate"` gives at i / 20."""
    length = len(values)
    steps = []
    for position in np.arange(0, length, 1 / SCALE):
        right = min(max(int(np.ceil(position)), 1), length - 1)
        difference = values[right] - values[right - 1]  # in the dtype of the values
        steps.append(float(difference) * (position - (right - 1)) + float(values[right - 1]))
    return np.asarray(steps)


def runs_of(active: NDArray[np.bool_]) -> list[list[int]]:
    borders = np.flatnonzero(np.diff(np.concatenate([[0], active.astype(int), [0]])))
    pairs = borders.reshape(-1, 2) - [0, 1]
    return [pair for pair in pairs.tolist() if pair[1] > pair[0]]


def contrast(score: Floats, first: int, last: int) -> float:
    length = last - first + 1
    outer_first = max(0, int(first - 0.2 * length))
    outer_last = min(len(score) - 1, int(last + 0.2 * length))
    outer = [*range(outer_first, first), *range(last + 1, outer_last + 1)]
    inner_mean = float(np.mean(score[first : last + 1]))
    return inner_mean - (float(np.mean(score[outer])) if outer else 0.0)


def suppress(rows: list[Row]) -> list[Row]:
    kept: list[Row] = []
    for index in np.argsort([row[1] for row in rows], kind="stable")[::-1]:
        if all(overlap(other, rows[index]) < 0.55 for other in kept):
            kept.append(rows[index])
    return kept


def overlap(one: Row, other: Row) -> float:
    shared = max(0.0, min(one[3], other[3]) - max(one[2], other[2]) + 1)
    return shared / ((one[3] - one[2] + 1) + (other[3] - other[2] + 1) - shared)


def published_acm(
    cas: NDArray[Any], attention: NDArray[Any], video_scores: NDArray[Any], num_snippets: int
) -> tuple[Floats, Floats]:
    """Rows [P, 4] before and after NMS, of a video of `num_snippets` snippets of 16 frames.

    Args:
        cas: [T, C], sampled from the video.
        attention: [T].
        video_scores: [C].
        num_snippets: of the whole video, at 25 frames per second.
    """
    seconds = 16 * num_snippets / (25 * SCALE * len(cas))
    classes = np.flatnonzero(video_scores > 0.25).tolist() or [int(np.argmax(video_scores))]
    where = interpolate(attention)
    before, after = [], []
    for label in classes:
        curve = interpolate(cas[:, label])
        cuts = [(curve, np.where(curve < t, 0, curve), t) for t in np.arange(0.15, 0.25, 0.05)]
        cuts += [(where, curve, t) for t in np.arange(0.15, 1.00, 0.05)]
        rows: list[Row] = [
            [label, contrast(scored, first, last), first * seconds, (last + 1) * seconds]
            for gate, scored, threshold in cuts
            for first, last in runs_of(gate >= threshold)
        ]
        before += rows
        after += suppress(rows)
    return tuple(np.asarray(rows).reshape(-1, 4) for rows in (before, after))  # type: ignore[return-value]
