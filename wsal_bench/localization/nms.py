"""Non-maximum suppression of segments in time, and the best few of a video."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from wsal_bench.localization.interpolation import Floats, Indices
from wsal_bench.localization.rules import NMS_KINDS, Nms
from wsal_bench.types import Detections, FloatArray


@dataclass(frozen=True, eq=False)
class Thinned:
    """What NMS leaves of a table, group after group.

    Args:
        rows: [K] rows of the table.
        score: [K] their scores, which soft kinds lower.
        stops: [G] where each group ends.
    """

    rows: Indices
    score: Floats
    stops: Indices


def falling_order(score: FloatArray) -> NDArray[np.intp]:
    """Indices [P] by falling score; of equal ones the later first.

    That is where the published pipelines' `argsort()[::-1]` puts them when its sort is stable,
    which numpy's default sort is only for short arrays and not alike on all machines.
    """
    return np.argsort(score, kind="stable")[::-1]


def suppress(
    start: FloatArray, end: FloatArray, score: FloatArray, group: Indices, nms: Nms
) -> Thinned:
    """NMS within each group of a table.

    Args:
        start: [P] in the NMS's unit.
        end: [P], after start.
        score: [P].
        group: [P] what suppresses each other has the same number; any whole numbers.
        nms: how.

    Returns:
        The rows that are left: groups by rising number, each in the order in which they are
        picked, which is by falling score (`none`: the order they came in).
    """
    from wsal_bench.localization._thinning import thin_groups

    falling = nms.kind not in ("soft", "none")
    order = falling_order(score) if falling else np.arange(len(score))
    ordered = group[order]
    stops = np.asarray([len(order)] if len(order) else [], dtype=np.int64)
    if len(order) and (ordered != ordered[0]).any():
        by_group = np.argsort(ordered, kind="stable")
        order, ordered = order[by_group], ordered[by_group]
        stops = np.append(np.flatnonzero(ordered[1:] != ordered[:-1]) + 1, len(order))
    rows, scores, ends = thin_groups(
        np.ascontiguousarray(start, dtype=np.float64),
        np.ascontiguousarray(end, dtype=np.float64),
        np.ascontiguousarray(score, dtype=np.float64),
        order.astype(np.int64),
        stops.astype(np.int64),
        NMS_KINDS.index(nms.kind),
        nms.threshold,
        nms.plus,
        nms.sigma,
        nms.drops_equal,
    )
    return Thinned(rows, scores, ends)


def thin(detections: Detections, nms: Nms, *, snippet_seconds: float | None = None) -> Detections:
    """Detections after one more NMS, per video and class.

    Args:
        detections: of any number of videos.
        nms: how; its kind `none` changes nothing.
        snippet_seconds: length of a snippet, needed where the NMS counts in snippets.

    Returns:
        The rows that are left, in the order they came in; soft kinds change their scores.

    Raises:
        ValueError: the NMS counts in snippets and their length is missing or not positive.
    """
    start, end = detections.start, detections.end
    if nms.unit == "snippets" and nms.plus:
        if snippet_seconds is None or not snippet_seconds > 0:
            raise ValueError(
                f"an NMS in snippets needs their length in seconds, not {snippet_seconds}"
            )
        start, end = start / snippet_seconds, end / snippet_seconds
    group = detections.video.astype(np.int64) * len(detections.class_names) + detections.label
    left = suppress(start, end, detections.score, group, nms)
    back = np.argsort(left.rows, kind="stable")
    return replace(detections.taken(left.rows[back]), score=left.score[back])


def top_k(detections: Detections, k: int) -> Detections:
    """The `k` best detections of each video, all classes together, in the order they came in.

    Of equal scores the later row counts as the better one, as in NMS.

    Raises:
        ValueError: k is below 1.
    """
    if k < 1:
        raise ValueError(f"the number of detections to keep must be at least 1, not {k}")
    order = falling_order(detections.score)
    order = order[np.argsort(detections.video[order], kind="stable")]
    video = detections.video[order]
    rank = np.arange(len(order)) - np.searchsorted(video, video)
    return detections.taken(np.sort(order[rank < k]))
