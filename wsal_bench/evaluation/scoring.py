"""Detections and truth become scores."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wsal_bench.errors import DataError, did_you_mean
from wsal_bench.evaluation.average_precision import average_precision
from wsal_bench.evaluation.matching import Segments, assign
from wsal_bench.evaluation.protocols import Protocol
from wsal_bench.evaluation.scores import Counts, Matches, Scores
from wsal_bench.types import Detections, GroundTruth, IntArray

_Index = NDArray[np.int64]


def evaluate(truth: GroundTruth, detections: Detections, protocol: Protocol) -> Scores:
    """Average precision of detections under a protocol.

    The classes are those with at least one true segment; one without detections scores 0. The
    algorithm and its quirks are those of the ActivityNet code (82304fa) with stable sorts: even
    0 / 0, a detection and a truth of length zero, counts as a hit.

    Args:
        truth: the true segments of the videos that are scored.
        detections: in seconds; videos and classes are matched with the truth's by name.
        protocol: the rules.

    Returns:
        The scores, with what became of each detection.

    Raises:
        DataError: no true segment at all, or a detected class that the truth does not name,
            where the protocol does not ignore those.
    """
    if not len(truth):
        raise DataError(
            f"no true segment in the {len(truth.video_ids)} videos to score",
            hint="average precision needs one",
        )
    present, first_row = np.unique(truth.label, return_index=True)
    classes = present[np.argsort(first_row)]
    class_names = tuple(truth.class_names[index] for index in classes)

    rows = _rows(truth, detections, class_names, protocol)
    ranking = _rank(rows.label, np.asarray(detections.score, dtype=np.float64))
    hits = _match(truth, detections, rows, ranking.order, classes, protocol)
    rank = np.full(len(detections), -1)
    rank[ranking.order] = ranking.rank
    num_truths = np.bincount(truth.label, minlength=len(truth.class_names))[classes]
    counts = Counts(
        detections=len(detections),
        truths=len(truth),
        tied=ranking.num_tied,
        outside=int(np.count_nonzero(rows.video < 0)),
        ignored=int(np.count_nonzero(rows.label < 0)),
    )
    return Scores(
        protocol=protocol,
        class_names=class_names,
        ap=_all_average_precisions(hits[ranking.order], ranking, num_truths, protocol),
        counts=counts,
        matches=Matches(video=rows.video, label=rows.label, rank=rank, hits=hits),
    )


@dataclass(frozen=True, eq=False)
class _Rows:
    """Detections in the truth's terms, [P]: video (-1 outside), scored class (-1 ignored)."""

    video: _Index
    label: _Index


@dataclass(frozen=True, eq=False)
class _Ranking:
    """The scored rows, class by class and best first: `order` [S], `rank` in the class [S]."""

    order: _Index
    rank: _Index
    first: _Index  # [C + 1], the rows of class c are order[first[c]:first[c + 1]]
    num_tied: int


def _rows(
    truth: GroundTruth, detections: Detections, class_names: tuple[str, ...], protocol: Protocol
) -> _Rows:
    video_index = {name: index for index, name in enumerate(truth.video_ids)}
    videos = np.array([video_index.get(name, -1) for name in detections.video_ids], np.int64)
    class_index = {name: index for index, name in enumerate(class_names)}
    labels = np.array([class_index.get(name, -1) for name in detections.class_names], np.int64)
    if protocol.unknown_labels == "error":
        _refuse_unknown_labels(truth, detections)
    if not len(detections):
        return _Rows(np.empty(0, np.int64), np.empty(0, np.int64))
    video, label = videos[detections.video], labels[detections.label]
    if protocol.videos_outside == "dropped":
        label[video < 0] = -1
    return _Rows(video, label)


def _refuse_unknown_labels(truth: GroundTruth, detections: Detections) -> None:
    known = set(truth.class_names)
    for label in np.unique(detections.label):
        name = detections.class_names[label]
        if name not in known:
            row = int(np.flatnonzero(detections.label == label)[0])
            video = detections.video_ids[detections.video[row]]
            raise DataError(
                f"video {video!r}: detection of a class that the truth does not have, {name!r}",
                hint=did_you_mean(name, known),
            )


def _rank(label: _Index, score: NDArray[np.float64]) -> _Ranking:
    scored = np.flatnonzero(label >= 0)[::-1]  # reversed: of equal scores the later row is first
    order = scored[np.lexsort((-score[scored], label[scored]))]
    sorted_label, sorted_score = label[order], score[order]
    first = np.searchsorted(sorted_label, np.arange(label.max(initial=-1) + 2))
    same = (np.diff(sorted_label) == 0) & (np.diff(sorted_score) == 0)
    tied = np.append(same, False) | np.insert(same, 0, False)
    return _Ranking(
        order=order,
        rank=np.arange(len(order)) - first[sorted_label],
        first=first,
        num_tied=int(np.count_nonzero(tied)),
    )


def _match(
    truth: GroundTruth,
    detections: Detections,
    rows: _Rows,
    order: _Index,
    classes: IntArray,
    protocol: Protocol,
) -> _Index:
    """Bits of every detection, in row order."""
    num_videos = len(truth.video_ids)
    position = np.full(len(truth.class_names), -1)
    position[classes] = np.arange(len(classes))
    truth_key = position[truth.label] * num_videos + truth.video
    by_key = np.argsort(truth_key, kind="stable")
    keys, first = np.unique(truth_key[by_key], return_index=True)
    segments = Segments(
        start=np.asarray(truth.start, dtype=np.float64)[by_key],
        end=np.asarray(truth.end, dtype=np.float64)[by_key],
        first=np.append(first, len(truth)),
    )
    key = rows.label[order] * num_videos + rows.video[order]
    group = np.minimum(np.searchsorted(keys, key), len(keys) - 1)
    group[(keys[group] != key) | (rows.video[order] < 0)] = -1
    hits = np.zeros(len(detections), dtype=np.int64)
    hits[order] = assign(
        np.asarray(detections.start, dtype=np.float64)[order],
        np.asarray(detections.end, dtype=np.float64)[order],
        group,
        segments,
        np.array(protocol.tious),
    )
    return hits


def _all_average_precisions(
    hits: _Index, ranking: _Ranking, num_truths: _Index, protocol: Protocol
) -> NDArray[np.float64]:
    """[K, C] from the bits of the ranked rows."""
    bit = np.arange(len(protocol.tious))[:, None]
    ap = np.zeros((len(protocol.tious), len(num_truths)))
    for index in range(len(ranking.first) - 1):
        of_class = slice(ranking.first[index], ranking.first[index + 1])
        hit = np.flatnonzero(hits[of_class])
        weight = ((hits[of_class][hit] >> bit) & 1).astype(np.float64)  # [K, hits]
        ap[:, index] = average_precision(weight, hit + 1.0, float(num_truths[index]))
    return ap
