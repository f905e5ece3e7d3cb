"""The loops of the diagnosis, compiled: who meets whom, who owns whom, areas under curves.

A compiled function calls only compiled functions of this file, so that the cache is honest.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from wsal_bench.compiling import compiled

DROPPED, FALSE, TRUE = 0, 1, 2  # states of a ranked detection


@compiled
def _tiou(
    start: float, end: float, other_start: float, other_end: float, empty_hits: bool
) -> float:
    """Overlap as the ActivityNet code computes it; 0 / 0 is inf where it hits, else 0."""
    overlap = max(min(end, other_end) - max(start, other_start), 0.0)
    union = (other_end - other_start) + (end - start) - overlap
    if union == 0.0:
        return math.inf if empty_hits else 0.0
    return overlap / union


@compiled
def meet(
    start: Any, end: Any, label: Any, video: Any,
    truth: Any, truth_label: Any, first: Any, empty_hits: bool,
) -> Any:  # fmt: skip
    """What each detection overlaps best, and what overlaps each truth best.

    Args:
        start: [P] seconds.
        end: [P] seconds.
        label: [P] class, -1: the row is not scored and meets nothing.
        video: [P] video, -1 outside.
        truth: [2, M] starts and ends, video after video, in file order inside.
        truth_label: [M] class.
        first: [V + 1] truths of video v are `first[v]:first[v + 1]`.
        empty_hits: 0 / 0 is a hit.

    Returns:
        best [P] tIoU with any truth of the video, best_label [P] of the first truth that has it
        (-1: there is none), own [P] the best tIoU with a truth of its own class, same [M] the best
        tIoU that a detection of the truth's class has with it, other [M] that of other classes.
    """
    best, own = np.zeros(len(start)), np.zeros(len(start))
    best_label = np.full(len(start), -1)
    same, other = np.zeros(truth.shape[1]), np.zeros(truth.shape[1])
    for row in range(len(start)):
        if video[row] < 0 or label[row] < 0:
            continue
        for one in range(first[video[row]], first[video[row] + 1]):
            tiou = _tiou(start[row], end[row], truth[0, one], truth[1, one], empty_hits)
            if tiou > best[row]:
                best[row] = tiou
                best_label[row] = truth_label[one]
            if truth_label[one] == label[row]:
                own[row] = max(own[row], tiou)
                same[one] = max(same[one], tiou)
            else:
                other[one] = max(other[one], tiou)
    return best, best_label, own, same, other


@compiled
def own(
    start: Any, end: Any, label: Any, video: Any, hits: Any,
    truth: Any, truth_label: Any, first: Any, tious: Any, empty_hits: bool, later_first: bool,
) -> Any:  # fmt: skip
    """Which truth each hit took: rows that do not hit take none, so only hits are played again.

    Args:
        start: [S] seconds, best-ranked first inside each class.
        end: [S] seconds.
        label: [S] class.
        video: [S] video.
        hits: [S] bit k is 1 where the row hits at `tious[k]`.
        truth: as in `meet`.
        truth_label: as in `meet`.
        first: as in `meet`.
        tious: [K] thresholds.
        empty_hits: 0 / 0 is a hit.
        later_first: of truths with equal tIoU the later one is taken, else the earlier one.

    Returns:
        [K, S] the truth's position, -1 where the row does not hit, -2 where a hit finds no truth:
        the bits come from another rule or truth.
    """
    owner = np.full((len(tious), len(start)), -1)
    locked = np.zeros(truth.shape[1], np.int64)
    for row in range(len(start)):
        if hits[row] == 0:
            continue
        for k in range(len(tious)):
            if not hits[row] >> k & 1:
                continue
            taken, top = -2, -1.0
            for one in range(first[video[row]], first[video[row] + 1]):
                if truth_label[one] != label[row] or locked[one] >> k & 1:
                    continue
                tiou = _tiou(start[row], end[row], truth[0, one], truth[1, one], empty_hits)
                better = tiou >= top if later_first else tiou > top
                if tiou >= tious[k] and better:
                    taken, top = one, tiou
            owner[k, row] = taken
            if taken >= 0:
                locked[taken] |= np.int64(1) << k
    return owner


@compiled
def areas(state: Any, first: Any, num_truths: Any, normal: float) -> Any:
    """Average precision and its normalised form, per threshold and class.

    Args:
        state: [K, S] DROPPED, FALSE or TRUE, class by class and best first.
        first: [C + 1] rows of class c are `first[c]:first[c + 1]`.
        num_truths: [C] truths to find.
        normal: truths that a class is taken to have in the normalised precision.

    Returns:
        [2, K, C]: plain and normalised; NaN for a class without a truth.
    """
    num_classes = len(num_truths)
    area = np.full((2, len(state), num_classes), np.nan)
    precision = np.empty((2, state.shape[1] + 1))
    for k in range(len(state)):
        for label in range(num_classes):
            total = num_truths[label]
            if total == 0:
                continue
            found, wrong = 0, 0
            for row in range(first[label], first[label + 1]):
                if state[k, row] == TRUE:
                    usual = found + 1
                    scaled = usual / total * normal
                    precision[0, found] = usual / (usual + wrong)
                    precision[1, found] = scaled / (scaled + wrong)
                    found += 1
                elif state[k, row] == FALSE:
                    wrong += 1
            for kind in range(2):
                top, total_area = 0.0, 0.0
                for hit in range(found - 1, -1, -1):
                    top = max(top, precision[kind, hit])
                    total_area += top
                area[kind, k, label] = total_area / total
    return area


@compiled
def precisions(state: Any, first: Any, num_truths: Any, recalls: Any) -> Any:
    """Interpolated precision at given recalls: the best one at that recall or above.

    Args:
        state: as in `areas`.
        first: as in `areas`.
        num_truths: as in `areas`, each at least 1.
        recalls: [R] increasing, in [0, 1].

    Returns:
        [K, C, R]; 0 at a recall that is not reached.
    """
    curve = np.zeros((len(state), len(num_truths), len(recalls)))
    for k in range(len(state)):
        for label in range(len(num_truths)):
            found, depth, at = 0, 0, 0
            for row in range(first[label], first[label + 1]):
                if state[k, row] == DROPPED:
                    continue
                depth += 1
                if state[k, row] != TRUE:
                    continue
                found += 1
                # the recalls that this hit is the first to reach
                while at < len(recalls) and recalls[at] * num_truths[label] <= found + 1e-9:
                    curve[k, label, at] = found / depth
                    at += 1
                if at:
                    curve[k, label, at - 1] = max(curve[k, label, at - 1], found / depth)
            for r in range(at - 2, -1, -1):
                curve[k, label, r] = max(curve[k, label, r], curve[k, label, r + 1])
    return curve


@compiled
def first_ranks(
    start: Any, end: Any, rank: Any, video: Any,
    truth: Any, first: Any, tious: Any, empty_hits: bool,
) -> Any:  # fmt: skip
    """How far down its video's list one must go to find each truth, whatever its class.

    Args:
        start: [P] seconds.
        end: [P] seconds.
        rank: [P] position in the list of its video, 0 for the best.
        video: [P] video, -1 outside.
        truth: as in `meet`.
        first: as in `meet`.
        tious: [K] increasing thresholds.
        empty_hits: 0 / 0 is a hit.

    Returns:
        [K, M] rank of the first detection that reaches the threshold; -1: none does.
    """
    found = np.full((len(tious), truth.shape[1]), -1)
    for row in range(len(start)):
        if video[row] < 0:
            continue
        for one in range(first[video[row]], first[video[row] + 1]):
            tiou = _tiou(start[row], end[row], truth[0, one], truth[1, one], empty_hits)
            for k in range(len(tious)):
                if tiou < tious[k]:
                    break
                if found[k, one] < 0 or rank[row] < found[k, one]:
                    found[k, one] = rank[row]
    return found
