"""What became of each segment of one video at one tIoU, as the evaluator counts it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from wsal_bench.evaluation._protocol import Protocol, with_tious
from wsal_bench.evaluation.scores import Scores
from wsal_bench.evaluation.scoring import evaluate
from wsal_bench.types import Detections, FloatArray, GroundTruth, IntArray

Outcome = Literal["true", "false", "uncounted"]


@dataclass(frozen=True, eq=False)
class Judged:
    """Segments and truths of one video, and which of them belong together.

    Args:
        outcome: of each detection of the video, in row order: `true` and `false` positives, and
            those that the protocol does not count (a class without any truth, ambiguous
            stretches).
        start: [M] seconds of the true segments.
        end: [M] seconds.
        label: [M] index into the detections' class names.
        taken_by: [M] position in `outcome` of the true positive that took it, -1 where none did.
    """

    outcome: tuple[Outcome, ...]
    start: FloatArray
    end: FloatArray
    label: IntArray
    taken_by: IntArray

    @property
    def found(self) -> NDArray[np.bool_]:
        """[M] whether a true positive took it."""
        return np.asarray(self.taken_by >= 0)

    def in_order(self, order: IntArray) -> Judged:
        """The same with the detections in another order: `order[k]` comes to place k."""
        place = np.empty(len(order) + 1, dtype=np.int64)
        place[order], place[-1] = np.arange(len(order)), -1
        outcome = tuple(self.outcome[int(row)] for row in order)
        return replace(self, outcome=outcome, taken_by=place[self.taken_by])


def judge(
    truth: GroundTruth, detections: Detections, video_id: str, protocol: Protocol, tiou: float
) -> Judged:
    """Says of each segment of a video whether it is a true positive.

    Args:
        truth: of all videos that are scored; at least one segment.
        detections: of at least this video.
        video_id: which.
        protocol: the rules; its thresholds do not matter.
        tiou: the threshold, in (0, 1].

    Raises:
        DataError: no true segment at all, or a detected class that the truth does not name.
        UsageError: a protocol that does not fit the truth, or no threshold.
    """
    scores = evaluate(truth, detections, with_tious(protocol, (tiou,)))
    return judged_by(scores, truth, detections, video_id, tiou)


def judged_by(
    scores: Scores, truth: GroundTruth, detections: Detections, video_id: str, tiou: float
) -> Judged:
    """The same from scores that are there already, without matching again.

    Args:
        scores: of these detections, with their matches.
        truth: that they were scored against.
        detections: of at least this video.
        video_id: which.
        tiou: one of the thresholds of the scores.
    """
    assert scores.matches is not None  # those that evaluate makes and the store keeps have them
    matches, bit = scores.matches, scores.tiou.index(tiou)
    rows = np.flatnonzero(detections.video == detections.video_ids.index(video_id))
    hit = (np.asarray(matches.hits)[rows] >> bit & 1).astype(bool)
    counted = np.asarray(matches.label)[rows] >= 0
    if matches.unsure is not None:
        counted &= ~np.asarray(matches.unsure, dtype=bool)[rows]
    kinds: list[Outcome] = [
        "true" if is_hit else "false" if counts else "uncounted"
        for is_hit, counts in zip(hit, counted, strict=True)
    ]
    inside = _rows_of(truth, video_id)
    index = {name: number for number, name in enumerate(detections.class_names)}
    label = np.array([index.get(truth.class_names[one], -1) for one in truth.label[inside]], int)
    start, end = truth.start[inside], truth.end[inside]
    taken_by = _taken_by(detections, rows, hit, start, end, label, tiou)
    return Judged(tuple(kinds), start, end, label, taken_by)


def _rows_of(truth: GroundTruth, video_id: str) -> IntArray:
    if video_id not in truth.video_ids:
        return np.empty(0, dtype=np.int64)
    return np.flatnonzero(truth.video == truth.video_ids.index(video_id))


def _taken_by(
    detections: Detections,
    rows: IntArray,
    hit: NDArray[np.bool_],
    start: FloatArray,
    end: FloatArray,
    label: IntArray,
    tiou: float,
) -> IntArray:
    """Who took each truth: true positives, best first, take the free one that they fit best."""
    taken = np.full(len(start), -1, dtype=np.int64)
    hits = np.flatnonzero(hit)
    for place in hits[np.argsort(-detections.score[rows[hits]], kind="stable")]:
        row = rows[place]
        overlaps = _tious(float(detections.start[row]), float(detections.end[row]), start, end)
        free = (label == detections.label[row]) & (taken < 0) & (overlaps >= tiou * (1 - 1e-6))
        if free.any():
            taken[int(np.argmax(np.where(free, overlaps, -1.0)))] = place
    return taken


def _tious(start: float, end: float, starts: FloatArray, ends: FloatArray) -> FloatArray:
    overlap = np.clip(np.minimum(end, ends) - np.maximum(start, starts), 0.0, None)
    union = (end - start) + (ends - starts) - overlap
    return np.asarray(overlap / np.maximum(union, np.finfo(float).tiny))
