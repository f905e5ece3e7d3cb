"""Compiled NMS: all groups (a class of a video) of a table in one call.

Imports numba: imported by the functions that need it, when they need it.
"""

from __future__ import annotations

from math import exp

import numpy as np

from wsal_bench.compiling import compiled
from wsal_bench.localization.interpolation import Floats, Indices

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
    # columns of what is in play, by falling score; closed up when a fourth is gone
    rest = members.copy()
    first, last, length = np.empty(total), np.empty(total), np.empty(total)
    gone = np.zeros(total, np.bool_)
    for i in range(total):
        first[i], last[i] = start[rest[i]], end[rest[i]]
        length[i] = last[i] - first[i] + plus
    late_rows, late_scores = np.empty(total, np.int64), np.empty(total)
    # below it an overlap is below the threshold, whatever is rounded: spares the division
    surely = threshold * (1.0 - 1e-9)
    kept = late = best = lost = 0
    while best < total:
        if gone[best]:
            best += 1
            continue
        rows[kept], scores[kept] = rest[best], score[rest[best]]
        kept += 1
        best_first, best_last, best_length = first[best], last[best], length[best]
        for i in range(best + 1, total):
            shared = min(best_last, last[i]) - max(best_first, first[i]) + plus
            whole = length[i] if kind == CONTAINMENT else best_length + length[i] - shared
            if shared < surely * whole or gone[i]:
                continue
            overlap = max(shared, 0.0) / whole if whole > 0.0 else 0.0
            if overlap < threshold or (overlap == threshold and not drops_equal):
                continue
            gone[i] = True
            lost += 1
            if kind == PARTIAL_SOFT:
                late_rows[late] = rest[i]
                late_scores[late] = score[rest[i]] * exp(-(overlap * overlap) / sigma)
                late += 1
        best += 1
        if 4 * lost > total - best:
            left = 0
            for i in range(best, total):
                if not gone[i]:
                    rest[left], first[left], last[left] = rest[i], first[i], last[i]
                    length[left] = length[i]
                    left += 1
            gone[:left] = False
            total, best, lost = left, 0, 0
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
