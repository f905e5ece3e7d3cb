"""Average recall against the number of proposals per video (AR@AN), whatever their class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from wsal_bench.errors import DataError
from wsal_bench.evaluation.diagnosis.case import Floats, Ints
from wsal_bench.types import Detections, FloatArray, GroundTruth, IntArray

THUMOS_TIOUS = tuple(step / 20 for step in range(10, 21))  # 0.5:0.05:1
ACTIVITYNET_TIOUS = tuple(step / 20 for step in range(10, 20))  # 0.5:0.05:0.95
MAX_PROPOSALS = 100.0
_POINTS = 100


@dataclass(frozen=True, eq=False)
class AverageRecall:
    """Recall against the mean number of proposals per video.

    Args:
        tiou: [K] thresholds.
        proposals: [100] proposals per video (AN), increasing.
        recall: [K, 100].
        per_video: proposals per video that were looked at; the curve is level from there on.
    """

    tiou: tuple[float, ...]
    proposals: Floats
    recall: Floats
    per_video: float

    @property
    def average(self) -> Floats:
        """[100] recall, the mean over the thresholds: AR."""
        mean: Floats = self.recall.mean(axis=0)
        return mean

    @property
    def area(self) -> float:
        """Area under AR@AN over its width, by the trapezoid rule: in 0..1."""
        width, height = np.diff(self.proposals), self.average
        area = float(np.sum(width * (height[1:] + height[:-1]) / 2))
        return area / float(self.proposals[-1])

    def at(self, proposals: float) -> float:
        """AR at a number of proposals per video, interpolated between the points.

        Below the first point the curve is taken to come from 0 at 0 proposals.
        """
        number = np.append(0.0, self.proposals)
        return float(np.interp(proposals, number, np.append(0.0, self.average)))

    def to_json(self) -> dict[str, Any]:
        """A document of lists."""
        return {
            "tiou": list(self.tiou),
            "proposals": self.proposals.tolist(),
            "average_recall": self.average.tolist(),
            "area": self.area,
            "at": {f"{number:g}": self.at(number) for number in (1, 5, 10, 50, 100)},
            "per_video": self.per_video,
        }


def average_recall(
    truth: GroundTruth,
    detections: Detections,
    tious: FloatArray | tuple[float, ...],
    max_proposals: float = MAX_PROPOSALS,
) -> AverageRecall:
    """AR@AN by the rule of ActivityNet's `eval_proposal`, with a stable sort.

    Of each video with a true segment the same share of its proposals is looked at, so that the
    mean over these videos is AN; the curve has 100 points up to `max_proposals`. A proposal may
    find several truths, a truth is found once. Detections of several classes on one segment are
    several proposals.

    Args:
        truth: the true segments, of whatever class.
        detections: the proposals; videos are matched by name.
        tious: thresholds, increasing.
        max_proposals: proposals per video at the end of the curve.

    Raises:
        DataError: no true segment at all.
    """
    if not len(truth):
        raise DataError("no true segment to recall")
    index = {name: position for position, name in enumerate(truth.video_ids)}
    videos = np.array([index.get(name, -1) for name in detections.video_ids], dtype=np.int64)
    video = videos[detections.video] if len(detections) else np.empty(0, np.int64)
    num_truths = np.bincount(truth.video, minlength=len(truth.video_ids))
    rows = np.flatnonzero((video >= 0) & (num_truths[video] > 0))
    rank, length = _ranks(video[rows], np.asarray(detections.score)[rows], len(num_truths))

    by_video = np.argsort(truth.video, kind="stable")
    segments = np.stack([truth.start[by_video], truth.end[by_video]]).astype(np.float64)
    first = np.concatenate([[0], np.cumsum(num_truths)])
    grid = np.asarray(tious, dtype=np.float64)

    from wsal_bench.evaluation.diagnosis import _compiled as loops

    start = np.asarray(detections.start, dtype=np.float64)[rows]
    end = np.asarray(detections.end, dtype=np.float64)[rows]
    found_at = loops.first_ranks(start, end, rank, video[rows], segments, first, grid, True)
    return _curve(truth.video[by_video], length, found_at, grid, max_proposals)


def _ranks(video: Ints, score: FloatArray, num_videos: int) -> tuple[Ints, Ints]:
    """Each row's position in its video, best first (ties: the later row), and the lengths."""
    backwards = np.arange(len(video))[::-1]
    order = backwards[np.lexsort((-score[backwards], video[backwards]))]
    length = np.bincount(video, minlength=num_videos)
    begin = np.cumsum(length) - length
    rank = np.empty(len(video), dtype=np.int64)
    rank[order] = np.arange(len(video)) - begin[video[order]]
    return rank, length


def _curve(
    truth_video: IntArray, length: Ints, found_at: Ints, tious: Floats, max_proposals: float
) -> AverageRecall:
    with_truth = np.unique(truth_video)
    total, num_videos = int(length.sum()), len(with_truth)
    share = max_proposals * num_videos / max(total, 1)  # of each video's list, above 1: all of it
    looked_at = np.minimum((length * share).astype(np.int64), length)
    seen = int(looked_at.sum())
    points = np.arange(1, _POINTS + 1) / 100.0 * (max_proposals * num_videos / max(seen, 1))
    taken = np.minimum((looked_at[:, None] * points).astype(np.int64), looked_at[:, None])
    hit = (found_at[:, :, None] >= 0) & (found_at[:, :, None] < taken[truth_video])
    return AverageRecall(
        tiou=tuple(tious.tolist()),
        proposals=np.arange(1, _POINTS + 1) / 100.0 * max_proposals,
        recall=hit.mean(axis=1),
        per_video=seen / num_videos,
    )
