"""Compiled: average precision under many weightings of the videos."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsal_bench.compiling import compiled

ALL_POINTS, ELEVEN_POINTS, NON_INTERPOLATED = range(3)
Array = NDArray[Any]


@compiled
def weighted_average_precision(
    first: Array,
    unit: Array,
    hits: Array,
    weights: Array,
    num_truths: Array,
    num_tious: int,
    rule: int,
    result: Array,
) -> None:
    """Fills `result` [R, K, C]; NaN where a class has no truth in a weighting.

    Args:
        first: [C + 1] the rows of class c are first[c]:first[c + 1], best-ranked first.
        unit: [S] column of `weights` that each row follows.
        hits: [S] bits of the thresholds that each row hits.
        weights: [R, U].
        num_truths: [R, C].
        num_tious: K.
        rule: one of the constants above.
        result: [R, K, C].
    """
    depth = np.empty(first[-1])
    found = np.empty(first[-1])
    some = np.flatnonzero(hits)  # the other rows matter through the depth alone
    some_first = np.searchsorted(some, first)
    for r in range(len(weights)):
        for c in range(len(first) - 1):
            total = num_truths[r, c]
            if total <= 0.0:
                result[r, :, c] = np.nan
                continue
            counted = 0.0
            for i in range(first[c], first[c + 1]):
                counted += weights[r, unit[i]]
                depth[i] = counted
            rows = some[some_first[c] : some_first[c + 1]]
            for k in range(num_tious):
                hit = 0.0
                for i in rows:
                    if hits[i] >> k & 1:
                        hit += weights[r, unit[i]]
                        found[i] = hit
                area = 0.0
                best = 0.0
                level = 10
                for i in rows[::-1]:
                    weight = weights[r, unit[i]]
                    if not (hits[i] >> k & 1) or weight == 0.0:
                        continue
                    if rule == NON_INTERPOLATED:
                        # each copy of a repeated video is a row of its own
                        for copy in range(int(weight)):
                            area += (found[i] - copy) / (depth[i] - copy)
                        continue
                    if rule == ELEVEN_POINTS:
                        # the levels of recall above this hit: no later hit will change them
                        while 0.1 * level > found[i] / total:
                            area += best
                            level -= 1
                    best = max(best, found[i] / depth[i])
                    if rule == ALL_POINTS:
                        area += weight * best
                if rule == ELEVEN_POINTS:
                    result[r, k, c] = (area + (level + 1) * best) / 11.0
                else:
                    result[r, k, c] = area / total
