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
    matches, support = _parts(scores)
    if len(unit) != len(support.groups):
        raise ValueError(f"{len(unit)} units for {len(support.groups)} videos")
    weights = np.asarray(weights, dtype=np.float64)
    if scores.protocol.ap_rule == "non-interpolated" and (weights % 1).any():
        raise ValueError("average precision without interpolation needs whole weights")
    rows, first = _ranked(scores, matches)
    truths = _truths(support, unit, weights.shape[1], len(scores.class_names))
    return _weighted(scores, unit, rows, first, weights, truths)


def left_out_average_precision(scores: Scores, unit: IntArray, num_units: int) -> FloatArray:
    """Average precision without each unit in turn: its videos, their detections and truths.

    Equal to `resampled_average_precision` under weights that are 0 for one unit and 1 for the
    others; a class is ranked again only without units that have detections or truths of it.

    Args:
        scores: an evaluation, with its matches and support.
        unit: [V] the unit of each video of the truth.
        num_units: U.

    Returns:
        [U, K, C] in 0..1; NaN for a class without a truth in what is left.

    Raises:
        ValueError: as for `resampled_average_precision`.
    """
    matches, support = _parts(scores)
    result = np.repeat(scores.ap[None], num_units, axis=0)
    truths = _truths(support, unit, num_units, len(scores.class_names))
    rows, first = _ranked(scores, matches)
    units = np.append(unit, num_units)[matches.video[rows]]  # video -1 is the appended one
    for label in range(len(scores.class_names)):
        of_class = slice(first[label], first[label + 1])
        touched = np.union1d(units[of_class], np.flatnonzero(truths[:, label]))
        touched = touched[touched < num_units]
        weights = np.ones((len(touched), num_units))
        weights[np.arange(len(touched)), touched] = 0.0
        part = _weighted(
            scores,
            unit,
            rows[of_class],
            np.array([0, first[label + 1] - first[label]]),
            weights,
            truths[:, [label]],
        )
        result[touched, :, label] = part[:, :, 0]
    return result


def _ranked(scores: Scores, matches: Matches) -> tuple[IntArray, IntArray]:
    """Rows that count, the classes one after another, each best first; where each class begins."""
    rows = np.flatnonzero(matches.label >= 0)
    label, rank = (np.asarray(part[rows], dtype=np.int64) for part in (matches.label, matches.rank))
    rows = rows[np.argsort(label * (rank.max(initial=0) + 1) + rank)]
    return rows, np.searchsorted(matches.label[rows], np.arange(len(scores.class_names) + 1))


def _weighted(
    scores: Scores,
    unit: IntArray,
    rows: IntArray,
    first: IntArray,
    weights: FloatArray,
    truths: FloatArray,
) -> FloatArray:
    """[R, K, C] of ranked rows whose classes begin at `first` [C + 1]; `truths` [U, C]."""
    from wsal_bench.evaluation._resampling import weighted_average_precision  # imports numba

    matches, _ = _parts(scores)
    outside = np.ones((len(weights), 1))
    units = np.append(unit, weights.shape[1])  # video -1 is the appended one
    counted = np.ascontiguousarray(np.concatenate([weights, outside], axis=1))
    totals = weights @ truths

    def areas(rows: IntArray, first: IntArray, hits: IntArray, num_tious: int) -> FloatArray:
        result = np.empty((len(weights), num_tious, len(first) - 1))
        at, rule = units[matches.video[rows]], _RULES[scores.protocol.ap_rule]
        weighted_average_precision(first, at, hits, counted, totals, num_tious, rule, result)
        return result

    if not _ranked_anew(scores.protocol):
        return areas(rows, first, matches.hits[rows], len(scores.tiou))
    parts = []
    for bit in range(len(scores.tiou)):
        ordered, begins = at_threshold(matches, rows, first, bit)
        parts.append(areas(ordered, begins, matches.hits[ordered] >> bit & 1, 1))
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
