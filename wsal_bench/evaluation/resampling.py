"""Average precision of a re-weighted set of videos, without matching again.

A video that counts twice brings its detections and its truths twice. Matching never crosses
videos, so what hit still hits; only the depth of the ranking and the number of truths move.
"""

from __future__ import annotations

import numpy as np

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
        ValueError: `scores` came without matches, or under rules that rank the detections
            differently at each threshold.
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
    result = np.empty((len(weights), len(scores.tiou), num_classes))
    weighted_average_precision(
        np.searchsorted(matches.label[ranked], np.arange(num_classes + 1)),
        np.append(unit, num_units)[matches.video[ranked]],  # video -1 is the appended one
        matches.hits[ranked],
        np.ascontiguousarray(np.concatenate([weights, outside], axis=1)),
        weights @ _truths(support, unit, num_units, num_classes),
        len(scores.tiou),
        _RULES[scores.protocol.ap_rule],
        result,
    )
    return result


def obstacle(scores: Scores) -> str:
    """Why these scores cannot be resampled; empty: they can."""
    rules = scores.protocol
    if scores.matches is None or scores.support is None:
        return "these scores came without matches: evaluate the detections again"
    if rules.ties == "true-positives-first" or rules.ambiguous == "drop-false-positives":
        return f"{rules.name} ranks the detections differently at each threshold"
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
