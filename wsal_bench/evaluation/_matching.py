"""Which detection hits which truth, compiled. `scoring` calls it, `reference` is its definition.

Truths come sorted by class, inside a class by video, inside a video in file order. A set of
thresholds is the bits of one integer, so that one pass over the detections serves all of them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from wsal_bench.compiling import compiled


@compiled
def _find(video: Any, begin: int, end: int, wanted: int) -> int:
    """The first of the sorted videos begin..end that is not below the wanted one."""
    while begin < end:
        middle = (begin + end) // 2
        if video[middle] < wanted:
            begin = middle + 1
        else:
            end = middle
    return begin


@compiled
def _overlap(start: float, end: float, truth_start: float, truth_end: float) -> float:
    return max(min(end, truth_end) - max(start, truth_start), 0.0)


@compiled
def _ratio(overlap: float, union: float, single: bool, empty_hits: bool) -> float:
    """The tIoU; 0 / 0 is infinite where it hits."""
    if union == 0.0:
        return np.inf if empty_hits else 0.0
    ratio = overlap / union
    return np.float64(np.float32(ratio)) if single else ratio


@compiled
def _reached(
    tiou: float, overlap: float, union: float, tious: Any, fractions: Any, strict: bool
) -> int:
    """How many of the increasing thresholds a tIoU reaches.

    `fractions` [K, 2], numerators and denominators, are used where there are any.
    """
    count = 0
    for index in range(len(tious)):
        if len(fractions) and tiou != np.inf:
            ours, theirs = overlap * fractions[index, 1], fractions[index, 0] * union
            hit = union > 0.0 and (ours > theirs if strict else ours >= theirs)
        else:
            hit = tiou > tious[index] if strict else tiou >= tious[index]
        if not hit:
            break
        count += 1
    return count


@compiled
def match_by_score(
    order: Any,
    first: Any,
    video: Any,
    start: Any,
    end: Any,
    truth_first: Any,
    truth_video: Any,
    truth_start: Any,
    truth_end: Any,
    tious: Any,
    fractions: Any,
    best_first: bool,
    later_truth_first: bool,
    single: bool,
    empty_hits: bool,
    hits: Any,
) -> None:
    """Detections take truths in order of score.

    Args:
        order: [S] rows, class by class, best first.
        first: [C + 1] where classes begin in `order`.
        video: [P] index of the video, negative outside.
        start: [P].
        end: [P].
        truth_first: [C + 1] where classes begin among the truths.
        truth_video: [M].
        truth_start: [M].
        truth_end: [M].
        tious: [K] increasing.
        fractions: [K, 2] or [0, 2]: thresholds as exact fractions.
        best_first: by tIoU, else in file order.
        later_truth_first: the order of equal tIoU.
        single: tIoU in single precision.
        empty_hits: what 0 / 0 is.
        hits: [P] filled with bits.
    """
    taken = np.zeros(len(truth_video), np.int64)
    tiou_of, level_of = np.empty(len(truth_video)), np.empty(len(truth_video), np.int64)
    candidate = np.empty(len(truth_video), np.int64)
    everything = (np.int64(1) << len(tious)) - 1
    least = 0.999 * tious[0]  # a little less, so that rounding never decides here
    num_videos = truth_video.max() + 1
    # where the truths of the class begin and end in each video
    begins, ends = np.zeros(num_videos, np.int64), np.zeros(num_videos, np.int64)
    for label in range(len(first) - 1):
        for truth in range(truth_first[label], truth_first[label + 1]):
            if not ends[truth_video[truth]]:
                begins[truth_video[truth]] = truth
            ends[truth_video[truth]] = truth + 1
        for position in range(first[label], first[label + 1]):
            row = order[position]
            if video[row] < 0 or video[row] >= num_videos or not ends[video[row]]:
                continue
            count = 0
            begin_at, end_at = start[row], end[row]
            for truth in range(begins[video[row]], ends[video[row]]):
                low, high = truth_start[truth], truth_end[truth]
                overlap = min(end_at, high) - max(begin_at, low)
                if overlap < 0.0:
                    overlap = 0.0
                union = (high - low) + (end_at - begin_at) - overlap
                if overlap < least * union or (overlap == 0.0 and union != 0.0):
                    continue  # most truths: below every threshold, told without a division
                tiou = _ratio(overlap, union, single, empty_hits)
                level = _reached(tiou, overlap, union, tious, fractions, False)
                if level:
                    at = count
                    while (
                        best_first
                        and at
                        and (
                            tiou_of[at - 1] < tiou
                            or (later_truth_first and tiou_of[at - 1] == tiou)
                        )
                    ):
                        tiou_of[at], level_of[at] = tiou_of[at - 1], level_of[at - 1]
                        candidate[at] = candidate[at - 1]
                        at -= 1
                    tiou_of[at], level_of[at], candidate[at] = tiou, level, truth
                    count += 1
            needed = everything
            for at in range(count):
                found = ((np.int64(1) << level_of[at]) - 1) & needed & ~taken[candidate[at]]
                taken[candidate[at]] |= found
                needed &= ~found
                if not needed:
                    break
            hits[row] = everything & ~needed
        for truth in range(truth_first[label], truth_first[label + 1]):
            ends[truth_video[truth]] = 0


@compiled
def match_by_truth(
    grouped: Any,
    label: Any,
    video: Any,
    start: Any,
    end: Any,
    truth_first: Any,
    truth_video: Any,
    truth_start: Any,
    truth_end: Any,
    tious: Any,
    fractions: Any,
    single: bool,
    empty_hits: bool,
    span: bool,
    hits: Any,
) -> None:
    """Truths take detections in file order.

    `grouped` [S] are rows by class and video, best first, `label` [P] their class; `span`: the
    union goes from the earlier start to the later end. The others are those of `match_by_score`.
    """
    begin = 0
    while begin < len(grouped):
        row = grouped[begin]
        stop = begin + 1
        while (
            stop < len(grouped)
            and label[grouped[stop]] == label[row]
            and video[grouped[stop]] == video[row]
        ):
            stop += 1
        if video[row] >= 0:
            last = truth_first[label[row] + 1]
            truth = _find(truth_video, truth_first[label[row]], last, video[row])
            tiou_of, level_of = np.empty(stop - begin), np.empty(stop - begin, np.int64)
            while truth < last and truth_video[truth] == video[row]:
                for at in range(stop - begin):
                    other = grouped[begin + at]
                    overlap = _overlap(
                        start[other], end[other], truth_start[truth], truth_end[truth]
                    )
                    length = truth_end[truth] - truth_start[truth]
                    union = length + (end[other] - start[other]) - overlap
                    if span and overlap > 0.0:
                        low = min(start[other], truth_start[truth])
                        union = max(end[other], truth_end[truth]) - low
                    tiou_of[at] = _ratio(overlap, union, single, empty_hits)
                    level_of[at] = _reached(tiou_of[at], overlap, union, tious, fractions, True)
                for index in range(len(tious)):
                    best = -1
                    for at in range(stop - begin):
                        free = not (hits[grouped[begin + at]] >> index) & 1
                        if free and (best < 0 or tiou_of[at] > tiou_of[best]):
                            best = at
                    if best >= 0 and level_of[best] > index:
                        hits[grouped[begin + best]] |= np.int64(1) << index
                truth += 1
        begin = stop


@compiled
def touches(
    video: Any, start: Any, end: Any, first: Any, unsure_start: Any, unsure_end: Any, touched: Any
) -> None:
    """Which rows overlap one of the stretches of their video; those come sorted by video."""
    for row in range(len(video)):
        if video[row] < 0:
            continue
        for at in range(first[video[row]], first[video[row] + 1]):
            if _overlap(start[row], end[row], unsure_start[at], unsure_end[at]) > 0:
                touched[row] = True
                break
