"""Rankings and the areas under their curves, compiled. `reference` is their definition."""

from __future__ import annotations

from typing import Any

import numpy as np

from wsal_bench.compiling import compiled

ALL_POINTS, NON_INTERPOLATED, ELEVEN_POINTS = 0, 1, 2


@compiled
def distribute(
    by_score: Any, label: Any, score: Any, first: Any, later_first: bool, order: Any, rank: Any
) -> int:
    """Rows by score -> `order`: class by class, best first, ties by row; says how many are tied.

    Args:
        by_score: [P] rows, best first, ties in any order; put right in place.
        label: [P] class, -1 for rows that are left out.
        score: [P].
        first: [C + 1] where the rows of each class begin in `order`.
        later_first: of equal scores the later row ranks first.
        order: [S] filled.
        rank: [P] filled for the rows that are not left out.
    """
    num_rows = len(by_score)
    begin = 0
    while begin < num_rows:
        end, value = begin + 1, score[by_score[begin]]
        while end < num_rows and score[by_score[end]] == value:
            end += 1
        if end - begin > 1:
            run = by_score[begin:end]
            run.sort()
            if later_first:
                by_score[begin:end] = run[::-1].copy()
        begin = end
    place = first.copy()
    tied = 0
    for position in range(num_rows):
        row = by_score[position]
        group = label[row]
        if group < 0:
            continue
        at = place[group]
        order[at] = row
        rank[row] = at - first[group]
        place[group] = at + 1
        if at > first[group] and score[order[at - 1]] == score[row]:
            # the first of a run is counted together with its second
            alone = at - 1 == first[group] or score[order[at - 2]] != score[row]
            tied += 2 if alone else 1
    return tied


@compiled
def _positions(
    hits: Any, unsure: Any, score: Any, begin: int, end: int, bit: int, hits_first: bool, depth: Any
) -> int:
    """Depth of every hit of a class at a threshold in `depth`; returns how many there are."""
    at, passed, found = begin, 0, 0
    while at < end:
        stop = at + 1
        while hits_first and stop < end and score[stop] == score[at]:
            stop += 1
        missed = 0
        for position in range(at, stop):
            if (hits[position] >> bit) & 1:
                passed += 1
                depth[found] = passed
                found += 1
            elif not unsure[position]:
                missed += 1
        passed += missed
        at = stop
    return found


@compiled
def areas(
    hits: Any,
    unsure: Any,
    score: Any,
    first: Any,
    num_truths: Any,
    rule: int,
    recalls: Any,
    hits_first: bool,
    table: Any,
) -> None:
    """Average precision of every threshold and class.

    Args:
        hits: [S] bits, class by class, best first.
        unsure: [S] rows that do not count where they miss.
        score: [S].
        first: [C + 1] where classes begin.
        num_truths: [C].
        rule: one of the constants above.
        recalls: the recalls of ELEVEN_POINTS, increasing from 0.
        hits_first: of equal scores the hits come first.
        table: [K, C] filled.
    """
    depth = np.empty(num_truths.max(), np.int64)
    simple = not hits_first and not unsure.any()
    hit_rows = np.empty(len(hits), np.int64)
    for label in range(len(first) - 1):
        num_hit_rows = 0
        for position in range(first[label], first[label + 1]):
            if simple and hits[position]:
                hit_rows[num_hit_rows] = position
                num_hit_rows += 1
        for bit in range(len(table)):
            found = 0
            if simple:  # rows in between count one each
                for at in range(num_hit_rows):
                    if (hits[hit_rows[at]] >> bit) & 1:
                        depth[found] = hit_rows[at] - first[label] + 1
                        found += 1
            else:
                found = _positions(
                    hits, unsure, score, first[label], first[label + 1], bit, hits_first, depth
                )
            best, area, point = 0.0, 0.0, len(recalls) - 1
            for hit in range(found - 1, -1, -1):
                precision = (hit + 1) / depth[hit]
                best = max(best, precision)
                if rule == ELEVEN_POINTS:
                    # points above this recall have had their best among deeper hits
                    while point > 0 and recalls[point] > (hit + 1) / num_truths[label]:
                        point -= 1
                    while point > 0 and recalls[point] > hit / num_truths[label]:
                        area += best
                        point -= 1
                else:
                    area += precision if rule == NON_INTERPOLATED else best
            if rule == ELEVEN_POINTS:
                table[bit, label] = (area + best) / len(recalls)  # recall 0 is every hit
            else:
                table[bit, label] = area / num_truths[label]
