"""Average precision of a re-weighted set of videos, without matching again.

A video that counts twice brings its detections and its truths twice. Matching never crosses
videos, so what hit still hits; only the depth of the ranking and the number of truths move.
"""

from __future__ import annotations

import numpy as np

from wsal_bench.evaluation.average_precision import average_precision
from wsal_bench.evaluation.scores import Matches, Scores
from wsal_bench.types import FloatArray, GroundTruth, IntArray


def resampled_average_precision(
    scores: Scores, truth: GroundTruth, unit: IntArray, weights: FloatArray
) -> FloatArray:
    """Average precision under many weightings of the videos at once.

    Equal to evaluating data in which videos are repeated, where no two scores of a class are
    equal. Detections in videos outside the truth count once in every weighting.

    Args:
        scores: an evaluation against `truth`, with its matches.
        truth: what it was evaluated against.
        unit: [V] the column of `weights` that each video of the truth follows: videos that are
            resampled together share one.
        weights: [R, U] how often each unit counts, >= 0.

    Returns:
        [R, K, C] in 0..1; NaN for a class without a truth in the weighting.

    Raises:
        ValueError: `scores` came without matches, or from another truth.
    """
    matches = _matches(scores, truth)
    num_units = weights.shape[1]
    outside = np.ones((len(weights), 1))
    weights = np.concatenate([np.asarray(weights, dtype=np.float64), outside], axis=1)
    unit_of_row = np.append(unit, num_units)[matches.video]  # video -1 is the appended one

    index = {name: position for position, name in enumerate(scores.class_names)}
    position = np.array([index.get(name, -1) for name in truth.class_names])
    result = np.empty((len(weights), len(scores.tiou), len(scores.class_names)))
    for label in range(len(scores.class_names)):
        of_truth = unit[truth.video[position[truth.label] == label]]
        num_truths = weights @ np.bincount(of_truth, minlength=num_units + 1)
        rows = np.flatnonzero(matches.label == label)
        rows = rows[np.argsort(matches.rank[rows])]
        result[:, :, label] = _of_class(
            unit_of_row[rows], matches.hits[rows], weights, num_truths, len(scores.tiou)
        )
    return result


def _of_class(
    unit: IntArray, hits: IntArray, weights: FloatArray, num_truths: FloatArray, num_tious: int
) -> FloatArray:
    """[R, K] from the rows of one class, best first: their unit [P] and bits [P]."""
    at = np.flatnonzero(hits)  # only these rows can change the area
    stretch = np.searchsorted(at, np.arange(len(unit)))  # which hit each row comes before, or is
    counts = np.zeros((len(at) + 1, weights.shape[1]))
    np.add.at(counts, (stretch, unit), 1.0)
    depth = weights @ np.cumsum(counts[:-1], axis=0).T  # [R, hits]
    weight = weights[:, unit[at]]
    result = np.empty((len(weights), num_tious))
    for bit in range(num_tious):
        hit = (hits[at] >> bit & 1).astype(bool)
        result[:, bit] = average_precision(weight[:, hit], depth[:, hit], num_truths)
    return result


def _matches(scores: Scores, truth: GroundTruth) -> Matches:
    if scores.matches is None:
        raise ValueError("these scores came without matches: evaluate the detections again")
    known = set(scores.class_names) <= set(truth.class_names)
    if not known or scores.counts.truths != len(truth):
        raise ValueError("these scores were made with another truth")
    if scores.matches.video.max(initial=-1) >= len(truth.video_ids):
        raise ValueError("these scores were made with another truth")
    return scores.matches
