"""Compiled NMS: all groups (a class of a video) of a table in one call.

Imports numba: imported by the functions that need it, when they need it.
"""

from __future__ import annotations

from math import exp

import numpy as np

from wsal_bench.compiling import compiled
from wsal_bench.localization.nms import Floats, Indices

HARD, SOFT, PARTIAL_SOFT, CONTAINMENT, NONE = range(5)


@compiled
def thin_groups(
    start: Floats,
    end: Floats,
    score: Floats,
    order: Indices,
    stops: Indices,
    kind: int,
    threshold: float,
    plus: float,
    sigma: float,
    drops_equal: bool,
) -> tuple[Indices, Floats, Indices]:
    """NMS of each group.

    Args:
        start: [P] in the unit of `plus`.
        end: [P].
        score: [P].
        order: [P] rows, group after group; within one by falling score, but as they came in for
            `soft` and `none`.
        stops: [G] where each group ends in `order`.
        kind: one of the constants above.
        threshold: as in `rules.Nms`.
        plus: as there.
        sigma: as there.
        drops_equal: as there.

    Returns:
        [K] rows that are left, group after group, [K] their scores, and [G] where each group ends.
    """
    rows = np.empty(len(order), np.int64)
    scores = np.empty(len(order), np.float64)
    ends = np.empty(len(stops), np.int64)
    begin = kept = 0
    for group in range(len(stops)):
        stop = stops[group]
        members = order[begin:stop]
        if kind == SOFT:
            _soft(start, end, score, members, plus, sigma, rows[kept:], scores[kept:])
            kept += stop - begin
        elif kind == NONE:
            for i in range(stop - begin):
                rows[kept + i] = members[i]
                scores[kept + i] = score[members[i]]
            kept += stop - begin
        else:
            kept += _greedy(
                start,
                end,
                score,
                members,
                kind,
                threshold,
                plus,
                sigma,
                drops_equal,
                rows[kept:],
                scores[kept:],
            )
        ends[group] = kept
        begin = stop
    return rows[:kept], scores[:kept], ends


@compiled
def _greedy(
    start: Floats,
    end: Floats,
    score: Floats,
    members: Indices,
    kind: int,
    threshold: float,
    plus: float,
    sigma: float,
    drops_equal: bool,
    rows: Indices,
    scores: Floats,
) -> int:
    """Keeps the best, drops what overlaps it, and so on; returns how many rows it wrote."""
    total = len(members)
    # what is still in play, by falling score; compacted as it goes
    rest = members.copy()
    first = np.empty(total)
    last = np.empty(total)
    length = np.empty(total)
    for i in range(total):
        first[i], last[i] = start[rest[i]], end[rest[i]]
        length[i] = last[i] - first[i] + plus
    late_rows = np.empty(total, np.int64)
    late_scores = np.empty(total)
    kept = late = 0
    while total > 0:
        best_first, best_last, best_length = first[0], last[0], length[0]
        rows[kept], scores[kept] = rest[0], score[rest[0]]
        kept += 1
        left = 0
        for i in range(1, total):
            shared = min(best_last, last[i]) - max(best_first, first[i]) + plus
            if shared <= 0.0:
                overlap = 0.0
            elif kind == CONTAINMENT:
                overlap = shared / length[i]
            else:
                overlap = shared / (best_length + length[i] - shared)
            if overlap < threshold or (overlap == threshold and not drops_equal):
                rest[left], first[left], last[left] = rest[i], first[i], last[i]
                length[left] = length[i]
                left += 1
            elif kind == PARTIAL_SOFT:
                late_rows[late] = rest[i]
                late_scores[late] = score[rest[i]] * exp(-(overlap * overlap) / sigma)
                late += 1
        total = left
    for i in range(late):
        rows[kept + i], scores[kept + i] = late_rows[i], late_scores[i]
    return kept + late


@compiled
def _soft(
    start: Floats,
    end: Floats,
    score: Floats,
    members: Indices,
    plus: float,
    sigma: float,
    rows: Indices,
    scores: Floats,
) -> None:
    """Takes the best, lowers the scores of all others by their overlap with it, and so on."""
    total = len(members)
    for i in range(total):
        rows[i], scores[i] = members[i], score[members[i]]
    for done in range(total):
        best = done
        for i in range(done + 1, total):
            if scores[i] > scores[best]:
                best = i
        # they change places, which is seen in the order of equal scores
        rows[done], rows[best] = rows[best], rows[done]
        scores[done], scores[best] = scores[best], scores[done]
        first, last = start[rows[done]], end[rows[done]]
        length = last - first + plus
        for i in range(done + 1, total):
            row = rows[i]
            shared = min(last, end[row]) - max(first, start[row]) + plus
            if shared > 0.0:
                overlap = shared / (length + (end[row] - start[row] + plus) - shared)
                scores[i] *= exp(-(overlap * overlap) / sigma)
