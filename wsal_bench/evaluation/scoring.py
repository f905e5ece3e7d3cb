"""Detections and truth become scores."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from wsal_bench.errors import DataError
from wsal_bench.evaluation._protocol import Protocol
from wsal_bench.evaluation.preparing import (
    check_fit,
    dropped_videos,
    groups_of,
    in_units,
    refuse_unknown_labels,
    scored_truth,
    videos_of,
)
from wsal_bench.evaluation.scores import Counts, Matches, Scores, Support
from wsal_bench.types import Detections, GroundTruth

_Index = NDArray[np.int64]
_Flags = NDArray[np.bool_]
_Floats = NDArray[np.float64]

# as the MATLAB kit counts them, 0:0.1:1
RECALLS = tuple(0.1 * step for step in range(11))


def evaluate(truth: GroundTruth, detections: Detections, protocol: Protocol) -> Scores:
    """Average precision of detections under a protocol.

    The classes are those with at least one true segment that counts; one without detections scores
    0. Where the protocol does not say otherwise the algorithm and its quirks are those of the
    ActivityNet code (82304fa) with stable sorts: even 0 / 0, a detection and a truth of length
    zero, counts as a hit.

    Args:
        truth: the true segments of the videos that are scored.
        detections: in seconds; videos and classes are matched with the truth's by name.
        protocol: the rules.

    Returns:
        The scores, with what became of each detection.

    Raises:
        DataError: no true segment at all, or a detected class that the truth does not name,
            where the protocol does not ignore those.
        UsageError: a protocol that does not fit the truth.
    """
    check_fit(truth, protocol)
    counted = scored_truth(truth, protocol)
    if not len(counted):
        raise DataError(
            f"no true segment in the {len(truth.video_ids)} videos to score",
            hint="average precision needs one",
        )
    if protocol.unknown_labels == "error":
        refuse_unknown_labels(truth, detections)
    targets = _targets(counted, protocol)
    rows = _rows(counted, detections, targets, protocol)
    ranking = _rank(rows, len(targets.class_names), protocol)
    hits = _match(rows, targets, ranking, protocol)
    unsure = rows.unsure if protocol.ambiguous == "drop-false-positives" else None
    level = _levels(rows, ranking) if protocol.ties == "true-positives-first" else None
    return Scores(
        protocol=protocol,
        class_names=targets.class_names,
        ap=_average_precisions(hits, rows, targets, ranking, protocol),
        counts=Counts(
            detections=len(detections),
            truths=len(counted),
            tied=ranking.num_tied,
            outside=int(np.count_nonzero(rows.video < 0)),
            ignored=len(detections) - len(ranking.order),
        ),
        matches=Matches(rows.video, rows.label, ranking.rank, hits, unsure, level),
        support=Support(
            counted.video, targets.position[counted.label], groups_of(counted, protocol)
        ),
    )


@dataclass(frozen=True, eq=False)
class _Targets:
    """Truths sorted by class, video and file order, in the protocol's unit of time."""

    class_names: tuple[str, ...]
    num_truths: _Index  # [C]
    position: _Index  # [classes of the truth] -> C, -1 without a truth
    first: _Index  # [C + 1]
    video: _Index  # [M]
    start: _Floats
    end: _Floats


@dataclass(frozen=True, eq=False)
class _Rows:
    """Detections in the truth's terms, [P]: video (-1 outside), scored class (-1 ignored)."""

    video: _Index
    label: _Index
    start: _Floats
    end: _Floats
    score: _Floats
    unsure: _Flags  # on an ambiguous stretch


@dataclass(frozen=True, eq=False)
class _Ranking:
    """The scored rows, class by class and best first."""

    order: _Index  # [S]
    first: _Index  # [C + 1], the rows of class c are order[first[c]:first[c + 1]]
    rank: _Index  # [P] position in the class, -1 for rows that are left out
    num_tied: int


def _targets(truth: GroundTruth, protocol: Protocol) -> _Targets:
    present, first_row = np.unique(truth.label, return_index=True)
    classes = present[np.argsort(first_row)]
    position = np.full(len(truth.class_names), -1)
    position[classes] = np.arange(len(classes))
    label = position[truth.label]
    order = np.lexsort((truth.video, label))
    num_truths = np.bincount(label, minlength=len(classes))
    first = np.concatenate([[0], np.cumsum(num_truths)])
    start, end = (in_units(times, protocol)[order] for times in (truth.start, truth.end))
    if protocol.matching == "truth-driven":
        start, end = np.minimum(start, end), np.maximum(start, end)
    return _Targets(
        class_names=tuple(truth.class_names[index] for index in classes),
        num_truths=num_truths,
        position=position,
        first=first,
        video=np.asarray(truth.video, dtype=np.int64)[order],
        start=start,
        end=end,
    )


def _rows(
    truth: GroundTruth, detections: Detections, targets: _Targets, protocol: Protocol
) -> _Rows:
    video_of = videos_of(truth, detections)
    class_index = {name: index for index, name in enumerate(targets.class_names)}
    label_of = np.array([class_index.get(name, -1) for name in detections.class_names], np.int64)
    dropped = dropped_videos(truth, detections, video_of, protocol)
    start, end = (in_units(times, protocol) for times in (detections.start, detections.end))
    if protocol.matching == "truth-driven":
        start, end = np.minimum(start, end), np.maximum(start, end)
    some = len(detections) > 0
    video = video_of[detections.video] if some else np.empty(0, np.int64)
    label = label_of[detections.label] if some else np.empty(0, np.int64)
    if dropped.any():
        label[dropped[detections.video]] = -1
    unsure = np.zeros(len(detections), dtype=np.bool_)
    if protocol.ambiguous != "none":
        _mark_unsure(truth, video, start, end, unsure, protocol)
        if protocol.ambiguous == "drop-any":
            label[unsure] = -1
    score = np.asarray(detections.score, dtype=np.float64)
    return _Rows(video, label, start, end, score, unsure)


def _mark_unsure(
    truth: GroundTruth,
    video: _Index,
    start: _Floats,
    end: _Floats,
    unsure: _Flags,
    protocol: Protocol,
) -> None:
    from wsal_bench.evaluation import _matching as loops

    stretches = truth.ambiguous[np.argsort(truth.ambiguous[:, 0], kind="stable")]
    first = np.searchsorted(stretches[:, 0], np.arange(len(truth.video_ids) + 1))
    borders = [in_units(stretches[:, column], protocol) for column in (1, 2)]
    loops.touches(video, start, end, first, borders[0], borders[1], unsure)


def _rank(rows: _Rows, num_classes: int, protocol: Protocol) -> _Ranking:
    from wsal_bench.evaluation import _ranking as loops

    first = np.zeros(num_classes + 1, dtype=np.int64)
    np.cumsum(np.bincount(rows.label + 1, minlength=num_classes + 1)[1:], out=first[1:])
    order, rank = np.empty(first[-1], dtype=np.int64), np.full(len(rows.label), -1)
    by_score = np.argsort(-rows.score)  # unstable and quick: ties are put in order afterwards
    later_first = protocol.ties == "stable"
    tied = loops.distribute(by_score, rows.label, rows.score, first, later_first, order, rank)
    return _Ranking(order, first, rank, int(tied))


def _levels(rows: _Rows, ranking: _Ranking) -> _Index:
    """[P] the best rank among the scored rows of the class with this score, -1 left out."""
    order = ranking.order
    label, score = rows.label[order], rows.score[order]
    new = np.ones(len(order), dtype=np.bool_)
    new[1:] = (label[1:] != label[:-1]) | (score[1:] != score[:-1])
    first = np.maximum.accumulate(np.where(new, np.arange(len(order)), 0))
    level = np.full(len(rows.label), -1)
    level[order] = ranking.rank[order[first]]
    return level


def _match(rows: _Rows, targets: _Targets, ranking: _Ranking, protocol: Protocol) -> _Index:
    """[P] bits of every detection, in row order."""
    from wsal_bench.evaluation import _matching as loops

    hits = np.zeros(len(rows.video), dtype=np.int64)
    tious = np.array(protocol.tious)
    fractions = _fractions(protocol) if protocol.comparison == "exact" else np.empty((0, 2))
    segments = (rows.video, rows.start, rows.end)
    truths = (targets.first, targets.video, targets.start, targets.end)
    single, empty = protocol.comparison == "float32", protocol.empty_union == "hit"
    if protocol.matching == "truth-driven":
        order = ranking.order
        grouped = order[np.lexsort((rows.video[order], rows.label[order]))]
        rules = (single, empty, protocol.union == "span")
        loops.match_by_truth(
            grouped, rows.label, *segments, *truths, tious, fractions, *rules, hits
        )
    else:
        best, later = protocol.matching == "best-free-tiou", protocol.truth_ties == "later-first"
        loops.match_by_score(
            ranking.order,
            ranking.first,
            *segments,
            *truths,
            tious,
            fractions,
            *(best, later, single, empty),
            hits,
        )
    return hits


def _fractions(protocol: Protocol) -> _Floats:
    """[K, 2] the thresholds as the decimal fractions that they stand for."""
    parts = [Fraction(tiou).limit_denominator(10_000) for tiou in protocol.tious]
    return np.array([[part.numerator, part.denominator] for part in parts], dtype=np.float64)


def _average_precisions(
    hits: _Index, rows: _Rows, targets: _Targets, ranking: _Ranking, protocol: Protocol
) -> _Floats:
    """[K, C]."""
    from wsal_bench.evaluation import _ranking as loops

    table = np.zeros((len(protocol.tious), len(targets.class_names)))
    if protocol.missing_class == "all-zero" and not np.diff(ranking.first).all():
        return table
    rule = {
        "all-points": loops.ALL_POINTS,
        "non-interpolated": loops.NON_INTERPOLATED,
        "voc-11-points": loops.ELEVEN_POINTS,
    }[protocol.ap_rule]
    order = ranking.order
    hits_first = protocol.ties == "true-positives-first"
    ranked = (hits[order], rows.unsure[order], rows.score[order])
    recalls = np.array(RECALLS)
    loops.areas(*ranked, ranking.first, targets.num_truths, rule, recalls, hits_first, table)
    return table
