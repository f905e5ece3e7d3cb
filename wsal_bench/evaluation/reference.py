"""The definition of the scores, in plain loops; slow, and the judge of the fast code."""

from __future__ import annotations

import math

from wsal_bench.evaluation.protocols import Protocol
from wsal_bench.types import Detections, GroundTruth


def matches(
    truth: GroundTruth, detections: Detections, label: str, protocol: Protocol
) -> list[list[int | None]]:
    """What the detections of a class hit.

    Args:
        truth: the true segments.
        detections: of all classes.
        label: the class.
        protocol: the rules.

    Returns:
        One list per tIoU, with an entry per detection of `ranked(...)`: the row of the truth that
        it hits, or None.
    """
    rows = ranked(truth, detections, label, protocol)
    return [_greedy(truth, detections, label, rows, tiou) for tiou in protocol.tious]


def ranked(truth: GroundTruth, detections: Detections, label: str, protocol: Protocol) -> list[int]:
    """Rows of a class that are scored, best first; of equal scores the later row first."""
    rows = [
        row
        for row in range(len(detections))
        if detections.class_names[detections.label[row]] == label
        and (
            protocol.videos_outside == "false-positive"
            or detections.video_ids[detections.video[row]] in truth.video_ids
        )
    ]
    return sorted(rows, key=lambda row: (float(detections.score[row]), row), reverse=True)


def average_precisions(
    truth: GroundTruth, detections: Detections, protocol: Protocol
) -> dict[str, list[float]]:
    """Average precision of every class that has a true segment, one value per tIoU."""
    scored = dict.fromkeys(truth.class_names[index] for index in truth.label)
    table: dict[str, list[float]] = {}
    for label in scored:
        num_truths = sum(truth.class_names[index] == label for index in truth.label)
        hits = matches(truth, detections, label, protocol)
        table[label] = [_area([hit is not None for hit in part], num_truths) for part in hits]
    return table


def _greedy(
    truth: GroundTruth, detections: Detections, label: str, rows: list[int], tiou: float
) -> list[int | None]:
    taken: set[int] = set()
    hits: list[int | None] = []
    for row in rows:
        hit = None
        for candidate, overlap in _best_first(truth, detections, label, row):
            if overlap < tiou:  # false for NaN, so 0 / 0 is a hit
                break
            if candidate not in taken:
                hit = candidate
                taken.add(candidate)
                break
        hits.append(hit)
    return hits


def _best_first(
    truth: GroundTruth, detections: Detections, label: str, row: int
) -> list[tuple[int, float]]:
    """Truths of the class in the detection's video with their tIoU; 0 / 0 first, later first."""
    video = detections.video_ids[detections.video[row]]
    candidates = [
        (other, _tiou(truth, other, detections, row))
        for other in range(len(truth))
        if truth.video_ids[truth.video[other]] == video
        and truth.class_names[truth.label[other]] == label
    ]
    return sorted(candidates, key=_preference, reverse=True)


def _preference(candidate: tuple[int, float]) -> tuple[float, int]:
    row, tiou = candidate
    return (math.inf if math.isnan(tiou) else tiou, row)


def _tiou(truth: GroundTruth, other: int, detections: Detections, row: int) -> float:
    start, end = float(detections.start[row]), float(detections.end[row])
    truth_start, truth_end = float(truth.start[other]), float(truth.end[other])
    overlap = max(min(end, truth_end) - max(start, truth_start), 0.0)
    union = (truth_end - truth_start) + (end - start) - overlap
    return overlap / union if union else math.nan


def _area(hits: list[bool], num_truths: int) -> float:
    """Sum over the steps of recall of the best precision at that recall or a higher one."""
    recall, precision, found = [0.0], [0.0], 0
    for depth, hit in enumerate(hits, start=1):
        found += hit
        recall.append(found / num_truths)
        precision.append(found / depth)
    area, best = 0.0, 0.0
    for place in range(len(hits), 0, -1):
        best = max(best, precision[place])
        area += (recall[place] - recall[place - 1]) * best
    return area
