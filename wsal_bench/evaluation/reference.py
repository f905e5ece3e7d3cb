"""The definition of the scores, in plain loops; slow, and the judge of the fast code."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from wsal_bench.evaluation._protocol import Protocol
from wsal_bench.types import Detections, GroundTruth

_TOLERANCE = 1e-3


@dataclass(frozen=True)
class _Piece:
    """A stretch of a video, in the protocol's unit of time."""

    row: int
    video: str
    start: float
    end: float


def average_precisions(
    truth: GroundTruth, detections: Detections, protocol: Protocol
) -> dict[str, list[float]]:
    """Average precision of every class that has a true segment, one value per tIoU."""
    kept = counted_truths(truth, protocol)
    scored = dict.fromkeys(truth.class_names[truth.label[row]] for row in kept)
    rankings = {label: ranked(truth, detections, label, protocol) for label in scored}
    if protocol.missing_class == "all-zero" and not all(rankings.values()):
        return {label: [0.0] * len(protocol.tious) for label in scored}
    table: dict[str, list[float]] = {}
    for label, rows in rankings.items():
        num_truths = sum(truth.class_names[truth.label[row]] == label for row in kept)
        table[label] = [
            _area(_outcomes(truth, detections, rows, hits, protocol), num_truths, protocol)
            for hits in matches(truth, detections, label, protocol)
        ]
    return table


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
    targets = [
        _truth(truth, row, protocol)
        for row in counted_truths(truth, protocol)
        if truth.class_names[truth.label[row]] == label
    ]
    found = [
        _detection(detections, row, protocol) for row in ranked(truth, detections, label, protocol)
    ]
    rule = _by_truth if protocol.matching == "truth-driven" else _by_score
    return [rule(targets, found, tiou, protocol) for tiou in protocol.tious]


def counted_truths(truth: GroundTruth, protocol: Protocol) -> list[int]:
    """Rows of the truth that count."""
    kept: list[int] = []
    for row in range(len(truth)):
        start, end = float(truth.start[row]), float(truth.end[row])
        excluded = truth.video_ids[truth.video[row]] in protocol.excluded_videos
        if excluded and protocol.excluded_rule != "truth-kept":
            continue
        cleaning = protocol.truth_cleaning
        if cleaning == "drop-short-and-duplicates" and end - start < _TOLERANCE:
            continue
        if cleaning in ("drop-empty", "drop-empty-and-duplicates") and end - start <= 0:
            continue
        repeated = any(
            truth.video[other] == truth.video[row]
            and truth.label[other] == truth.label[row]
            and abs(start - float(truth.start[other])) <= _TOLERANCE
            and abs(end - float(truth.end[other])) <= _TOLERANCE
            for other in kept
        )
        if not (repeated and cleaning.endswith("and-duplicates")):
            kept.append(row)
    return kept


def ranked(truth: GroundTruth, detections: Detections, label: str, protocol: Protocol) -> list[int]:
    """Rows of a class that are scored, best first; of equal scores as the tie rule says."""
    rows = [
        row
        for row in range(len(detections))
        if detections.class_names[detections.label[row]] == label
        and not _left_out(truth, detections, row, protocol)
    ]
    sign = 1 if protocol.ties == "stable" else -1
    return sorted(rows, key=lambda row: (float(detections.score[row]), sign * row), reverse=True)


def _left_out(truth: GroundTruth, detections: Detections, row: int, protocol: Protocol) -> bool:
    video = detections.video_ids[detections.video[row]]
    if video in protocol.excluded_videos and protocol.excluded_rule != "false-positive":
        return True
    if protocol.videos_outside == "dropped" and video not in truth.video_ids:
        return True
    if protocol.videos_outside == "dropped-without-truth":
        counted = counted_truths(truth, protocol)
        if video not in {truth.video_ids[truth.video[other]] for other in counted}:
            return True
    return protocol.ambiguous == "drop-any" and _unsure(truth, detections, row, protocol)


def _unsure(truth: GroundTruth, detections: Detections, row: int, protocol: Protocol) -> bool:
    """Whether a detection overlaps an ambiguous stretch of its video."""
    piece = _detection(detections, row, protocol)
    return any(
        truth.video_ids[int(video)] == piece.video
        and min(piece.end, _unit(end, protocol)) > max(piece.start, _unit(start, protocol))
        for video, start, end in truth.ambiguous.tolist()
    )


def _unit(seconds: float, protocol: Protocol) -> float:
    if protocol.time_unit == "seconds":
        return float(seconds)
    snippets = float(round(float(seconds) * protocol.fps / protocol.stride))
    if protocol.time_unit == "snippets":
        return snippets
    return snippets * protocol.stride / protocol.fps


def _piece(row: int, video: str, start: float, end: float, protocol: Protocol) -> _Piece:
    borders = [_unit(start, protocol), _unit(end, protocol)]
    if protocol.matching == "truth-driven":
        borders.sort()
    return _Piece(row, video, *borders)


def _truth(truth: GroundTruth, row: int, protocol: Protocol) -> _Piece:
    video = truth.video_ids[truth.video[row]]
    return _piece(row, video, float(truth.start[row]), float(truth.end[row]), protocol)


def _detection(detections: Detections, row: int, protocol: Protocol) -> _Piece:
    video = detections.video_ids[detections.video[row]]
    return _piece(row, video, float(detections.start[row]), float(detections.end[row]), protocol)


def _by_score(
    targets: list[_Piece], found: list[_Piece], tiou: float, protocol: Protocol
) -> list[int | None]:
    taken: set[int] = set()
    hits: list[int | None] = []
    for piece in found:
        free = [
            target
            for target in targets
            if target.video == piece.video
            and target.row not in taken
            and _reaches(piece, target, tiou, protocol)
        ]
        if not free:
            hits.append(None)
            continue
        chosen = free[0]
        if protocol.matching == "best-free-tiou":
            sign = 1 if protocol.truth_ties == "later-first" else -1
            chosen = max(free, key=lambda t: (_order(_tiou(piece, t, protocol)), sign * t.row))
        taken.add(chosen.row)
        hits.append(chosen.row)
    return hits


def _by_truth(
    targets: list[_Piece], found: list[_Piece], tiou: float, protocol: Protocol
) -> list[int | None]:
    hits: dict[int, int] = {}
    for target in targets:
        free = [piece for piece in found if piece.video == target.video and piece.row not in hits]
        if not free:
            continue
        # of equal overlaps the better-ranked: max takes the first
        best = max(free, key=lambda p: _order(_tiou(p, target, protocol)))
        if _reaches(best, target, tiou, protocol):
            hits[best.row] = target.row
    return [hits.get(piece.row) for piece in found]


def _tiou(piece: _Piece, target: _Piece, protocol: Protocol) -> float:
    """Overlap over union; NaN for 0 / 0."""
    overlap = max(min(piece.end, target.end) - max(piece.start, target.start), 0.0)
    union = (target.end - target.start) + (piece.end - piece.start) - overlap
    if protocol.union == "span" and overlap:
        union = max(piece.end, target.end) - min(piece.start, target.start)
    tiou = overlap / union if union else math.nan
    return float(np.float32(tiou)) if protocol.comparison == "float32" else tiou


def _order(tiou: float) -> float:
    return math.inf if math.isnan(tiou) else tiou


def _reaches(piece: _Piece, target: _Piece, threshold: float, protocol: Protocol) -> bool:
    tiou: float | Fraction = _tiou(piece, target, protocol)
    if math.isnan(tiou):
        return protocol.empty_union == "hit"
    wanted: float | Fraction = threshold
    if protocol.comparison == "exact":
        tiou = Fraction(tiou).limit_denominator(10**6)  # whole snippets: the quotient it came from
        wanted = Fraction(threshold).limit_denominator(10_000)
    return tiou > wanted if protocol.matching == "truth-driven" else tiou >= wanted


def _outcomes(
    truth: GroundTruth,
    detections: Detections,
    rows: list[int],
    hits: list[int | None],
    protocol: Protocol,
) -> list[bool]:
    """Hit or miss of the detections that count, best first."""
    pairs = list(zip(rows, [hit is not None for hit in hits], strict=True))
    if protocol.ambiguous == "drop-false-positives":
        pairs = [
            (row, hit) for row, hit in pairs if hit or not _unsure(truth, detections, row, protocol)
        ]
    if protocol.ties == "true-positives-first":
        pairs.sort(key=lambda pair: (-float(detections.score[pair[0]]), not pair[1]))
    return [hit for _, hit in pairs]


def _area(hits: list[bool], num_truths: int, protocol: Protocol) -> float:
    recall, precision, found = [0.0], [0.0], 0
    for depth, hit in enumerate(hits, start=1):
        found += hit
        recall.append(found / num_truths)
        precision.append(found / depth)
    if protocol.ap_rule == "non-interpolated":
        return sum(p for p, hit in zip(precision[1:], hits, strict=True) if hit) / num_truths
    if protocol.ap_rule == "voc-11-points":
        points = [0.1 * step for step in range(11)]
        best_at = [
            max((p for p, r in zip(precision, recall, strict=True) if r >= point), default=0.0)
            for point in points
        ]
        return sum(best_at) / 11
    area, best = 0.0, 0.0
    for place in range(len(hits), 0, -1):
        best = max(best, precision[place])
        area += (recall[place] - recall[place - 1]) * best
    return area
