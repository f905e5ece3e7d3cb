"""What a protocol does to truth and detections before anything is matched."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from wsal_bench.errors import DataError, UsageError, did_you_mean
from wsal_bench.evaluation._protocol import Protocol
from wsal_bench.types import Detections, FloatArray, GroundTruth

TOLERANCE = 1e-3  # seconds between borders of truths that count as one
_Index = NDArray[np.int64]


def check_fit(truth: GroundTruth, protocol: Protocol) -> None:
    """Refuses a truth that a protocol was not made for.

    Raises:
        UsageError: a video that it needs is not there, or the ambiguous stretches are not.
    """
    known = set(truth.video_ids)
    missing = [name for name in protocol.needs_videos if name not in known]
    if missing:
        raise UsageError(
            f"protocol {protocol.name!r} does not fit this truth of {len(known)} videos: "
            f"it lacks {', '.join(missing)}",
            hint="score under a protocol for fewer videos, or take the annotation with these",
        )
    if protocol.ambiguous != "none" and not len(truth.ambiguous):
        raise UsageError(
            f"protocol {protocol.name!r} leaves out ambiguous stretches, and the truth has none",
            hint="give them: --ambiguous FILE, or GroundTruth(ambiguous=...)",
        )


def scored_truth(truth: GroundTruth, protocol: Protocol) -> GroundTruth:
    """The true segments that count under a protocol, in seconds; videos and classes keep indices.

    Args:
        truth: as annotated.
        protocol: which videos are excluded, which segments are left out.
    """
    kept = np.ones(len(truth), dtype=np.bool_)
    if protocol.excluded_videos and protocol.excluded_rule != "truth-kept":
        excluded = set(protocol.excluded_videos)
        out = np.array([name in excluded for name in truth.video_ids], dtype=np.bool_)
        kept &= ~out[truth.video]
    length = np.asarray(truth.end, np.float64) - np.asarray(truth.start, np.float64)
    if protocol.truth_cleaning == "drop-short-and-duplicates":
        kept &= length >= TOLERANCE
    elif protocol.truth_cleaning != "none":
        kept &= length > 0
    if protocol.truth_cleaning.endswith("and-duplicates"):
        _drop_duplicates(truth, kept)
    if kept.all():
        return truth
    columns = {name: getattr(truth, name)[kept] for name in ("video", "start", "end", "label")}
    return replace(truth, **columns)


def in_units(times: FloatArray, protocol: Protocol) -> NDArray[np.float64]:
    """Borders in the protocol's unit of time, double precision."""
    seconds = np.asarray(times, dtype=np.float64)
    if protocol.time_unit == "seconds":
        return seconds
    snippets = np.rint(seconds * protocol.fps / protocol.stride)
    if protocol.time_unit == "snippets":
        return np.asarray(snippets)
    return np.asarray(snippets * protocol.stride / protocol.fps)


def videos_of(truth: GroundTruth, detections: Detections) -> _Index:
    """[names] index in the truth of each video that the detections name, -1 outside."""
    if truth.video_ids == detections.video_ids:
        return np.arange(len(truth.video_ids))
    index = {name: position for position, name in enumerate(truth.video_ids)}
    return np.array([index.get(name, -1) for name in detections.video_ids], dtype=np.int64)


def dropped_videos(
    truth: GroundTruth, detections: Detections, video_of: _Index, protocol: Protocol
) -> NDArray[np.bool_]:
    """[names] true for each video that the detections name and whose rows do not count.

    Args:
        truth: the segments that count.
        detections: what was detected.
        video_of: what `videos_of` says.
        protocol: the rules.
    """
    dropped = np.zeros(len(video_of), dtype=np.bool_)
    if protocol.excluded_videos and protocol.excluded_rule != "false-positive":
        excluded = set(protocol.excluded_videos)
        dropped |= np.array([name in excluded for name in detections.video_ids], dtype=np.bool_)
    if protocol.videos_outside != "false-positive":
        dropped |= video_of < 0
    if protocol.videos_outside == "dropped-without-truth":
        with_truth = np.zeros(len(truth.video_ids) + 1, dtype=np.bool_)  # the last: outside
        with_truth[truth.video] = True
        dropped |= ~with_truth[video_of]
    return dropped


def groups_of(truth: GroundTruth, protocol: Protocol) -> tuple[str, ...]:
    """[V] the group of each video; empty for a video of which nothing counts."""
    if not protocol.excluded_videos or protocol.excluded_rule != "dropped":
        return truth.groups
    excluded = set(protocol.excluded_videos)
    pairs = zip(truth.video_ids, truth.groups, strict=True)
    return tuple("" if video in excluded else group for video, group in pairs)


def refuse_unknown_labels(truth: GroundTruth, detections: Detections) -> None:
    """Refuses detected classes that the truth does not name.

    Raises:
        DataError: there is one.
    """
    known = set(truth.class_names)
    if known.issuperset(detections.class_names):
        return
    for label in np.unique(detections.label):
        name = detections.class_names[label]
        if name not in known:
            row = int(np.flatnonzero(detections.label == label)[0])
            video = detections.video_ids[detections.video[row]]
            raise DataError(
                f"video {video!r}: detection of a class that the truth does not have, {name!r}",
                hint=did_you_mean(name, known),
            )


def _drop_duplicates(truth: GroundTruth, kept: NDArray[np.bool_]) -> None:
    """Clears `kept` where an earlier kept truth of the video and class has the same borders."""
    groups: dict[tuple[int, int], list[int]] = {}
    start, end = truth.start.tolist(), truth.end.tolist()
    for row, key in enumerate(zip(truth.video.tolist(), truth.label.tolist(), strict=True)):
        if not kept[row]:
            continue
        earlier = groups.setdefault(key, [])
        if any(
            abs(start[row] - start[other]) <= TOLERANCE and abs(end[row] - end[other]) <= TOLERANCE
            for other in earlier
        ):
            kept[row] = False
        else:
            earlier.append(row)
