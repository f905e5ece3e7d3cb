"""Average precision of a re-weighted set of videos, without matching again.

A video that counts twice brings its detections and its truths twice. Matching never crosses
videos, so what hit still hits; only the depth of the ranking and the number of truths move.
"""

from __future__ import annotations

import numpy as np

from wsal_bench.evaluation._protocol import Protocol
from wsal_bench.evaluation.scores import Matches, Scores, Support
from wsal_bench.types import FloatArray, IntArray

_RULES = {"all-points": 0, "voc-11-points": 1, "non-interpolated": 2}


def resampled_average_precision(scores: Scores, unit: IntArray, weights: FloatArray) -> FloatArray:
    """Average precision under many weightings of the videos at once.

    Equal to evaluating data in which videos are repeated, where no two scores of a class are
    equal. Detections in videos outside the truth count once in every weighting.

    Args:
        scores: an evaluation, with its matches and support.
        unit: [V] the column of `weights` that each video of the truth follows: videos that are
            resampled together share one.
        weights: [R, U] how often each unit counts, >= 0; whole numbers where precision is not
            interpolated.

    Returns:
        [R, K, C] in 0..1; NaN for a class without a truth in the weighting.

    Raises:
        ValueError: `scores` came without matches.
    """
    from wsal_bench.evaluation._resampling import weighted_average_precision  # imports numba

    matches, support = _parts(scores)
    if len(unit) != len(support.groups):
        raise ValueError(f"{len(unit)} units for {len(support.groups)} videos")
    weights = np.asarray(weights, dtype=np.float64)
    if scores.protocol.ap_rule == "non-interpolated" and (weights % 1).any():
        raise ValueError("average precision without interpolation needs whole weights")
    num_units, num_classes = weights.shape[1], len(scores.class_names)
    outside = np.ones((len(weights), 1))
    ranked = np.flatnonzero(matches.label >= 0)
    ranked = ranked[np.lexsort((matches.rank[ranked], matches.label[ranked]))]
    first = np.searchsorted(matches.label[ranked], np.arange(num_classes + 1))
    units = np.append(unit, num_units)  # video -1 is the appended one
    fixed = (
        np.ascontiguousarray(np.concatenate([weights, outside], axis=1)),
        weights @ _truths(support, unit, num_units, num_classes),
    )

    def areas(rows: IntArray, first: IntArray, hits: IntArray, num_tious: int) -> FloatArray:
        result = np.empty((len(weights), num_tious, num_classes))
        at = units[matches.video[rows]]
        rule = _RULES[scores.protocol.ap_rule]
        weighted_average_precision(first, at, hits, *fixed, num_tious, rule, result)
        return result

    if not _ranked_anew(scores.protocol):
        return areas(ranked, first, matches.hits[ranked], len(scores.tiou))
    parts = []
    for bit in range(len(scores.tiou)):
        rows, begins = at_threshold(matches, ranked, first, bit)
        parts.append(areas(rows, begins, matches.hits[rows] >> bit & 1, 1))
    return np.concatenate(parts, axis=1)


def at_threshold(
    matches: Matches, rows: IntArray, first: IntArray, bit: int
) -> tuple[IntArray, IntArray]:
    """Ranked rows as one threshold orders them, where rules rank anew at each.

    Of equal scores the hits come first, and misses that do not count are left out.

    Args:
        matches: what became of all rows.
        rows: [S] class by class, best first.
        first: [C + 1] where classes begin in `rows`.
        bit: which threshold.

    Returns:
        The rows that count there, in order, and where classes begin among them.
    """
    group = np.repeat(np.arange(len(first) - 1), np.diff(first))
    missed = 1 - (matches.hits[rows] >> bit & 1)
    level = matches.rank if matches.level is None else matches.level
    order = np.lexsort((missed, level[rows], group))
    if matches.unsure is not None:
        order = order[(missed * np.asarray(matches.unsure, np.int64)[rows])[order] == 0]
    return rows[order], np.searchsorted(group[order], np.arange(len(first)))


def _ranked_anew(rules: Protocol) -> bool:
    """Whether each threshold has a ranking of its own."""
    return rules.ties == "true-positives-first" or rules.ambiguous == "drop-false-positives"


def obstacle(scores: Scores) -> str:
    """Why these scores cannot be resampled; empty: they can."""
    rules = scores.protocol
    if scores.matches is None or scores.support is None:
        return "these scores came without matches: evaluate the detections again"
    if rules.ties == "true-positives-first" and scores.matches.level is None:
        return "these scores came without levels of equal scores: evaluate the detections again"
    if rules.missing_class == "all-zero" and not scores.ap.any():
        return f"under {rules.name} a class without a detection made all scores 0"
    return ""


def _truths(support: Support, unit: IntArray, num_units: int, num_classes: int) -> FloatArray:
    """[U, C] true segments of each unit."""
    counts = np.zeros((num_units, num_classes))
    np.add.at(counts, (unit[support.video], support.label), 1.0)
    return counts


def _parts(scores: Scores) -> tuple[Matches, Support]:
    problem = obstacle(scores)
    if problem or scores.matches is None or scores.support is None:
        raise ValueError(problem)
    return scores.matches, scores.support
