"""What a truth is like: lengths, foreground, balance, and which classes labels can tell apart.

Pure functions of a truth. Seconds throughout; a share is a fraction of 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsal_bench.types import GroundTruth

ALWAYS = 0.95  # P(other | class) from which labels alone hardly tell a class from the other
_QUANTILES = (0, 5, 25, 50, 75, 95, 100)


@dataclass(frozen=True)
class Spread:
    """Some numbers in short; quantiles as numpy interpolates them.

    Args:
        count: how many there are.
        mean: of them.
        std: standard deviation with n in the denominator.
        least: the smallest.
        p5: 5 % are at most this.
        p25: 25 %.
        median: 50 %.
        p75: 75 %.
        p95: 95 %.
        greatest: the largest.
    """

    count: int
    mean: float
    std: float
    least: float
    p5: float
    p25: float
    median: float
    p75: float
    p95: float
    greatest: float

    @classmethod
    def of(cls, values: NDArray[Any]) -> Spread | None:
        """That of some numbers; None where there is none."""
        if not len(values):
            return None
        cuts = (float(cut) for cut in np.percentile(values, _QUANTILES))
        return cls(len(values), float(np.mean(values)), float(np.std(values)), *cuts)


@dataclass(frozen=True)
class ClassFacts:
    """A class in one split.

    Args:
        name: of the class.
        videos: how many show it.
        instances: true segments of it.
        length: of these segments, in seconds; None where there is none.
        alone: share of its videos in which no other class occurs.
        companion: the class that is in most of its videos, besides it; empty: there is none.
        together: P(companion | class): share of its videos in which the companion occurs.
    """

    name: str
    videos: int
    instances: int
    length: Spread | None
    alone: float
    companion: str
    together: float


@dataclass(frozen=True, eq=False)
class SplitFacts:
    """A split.

    Args:
        videos: all of the truth.
        empty_videos: those without a segment.
        instances: true segments.
        ambiguous: stretches that nobody is sure of.
        durations: seconds of the videos; None where unknown.
        instances_per_video: of videos with a segment.
        lengths: of the segments in seconds.
        foreground: share of each video that some segment covers; None where durations are unknown.
        pooled_foreground: covered seconds of all videos over all their seconds.
        labels_per_video: how many videos have 0, 1, 2, ... classes.
        classes: facts of each class, in the order of the classes.
        co_occurrence: [C, C] P(column | row): share of the row class's videos that show the column
            class; 1 on the diagonal, NaN in rows of classes without a video.
    """

    videos: int
    empty_videos: int
    instances: int
    ambiguous: int
    durations: Spread | None
    instances_per_video: Spread | None
    lengths: Spread | None
    foreground: Spread | None
    pooled_foreground: float | None
    labels_per_video: Mapping[int, int]
    classes: tuple[ClassFacts, ...]
    co_occurrence: NDArray[np.float64]

    def to_json(self) -> dict[str, Any]:
        """Plain values; NaN stays NaN."""
        values = asdict(self)
        values["co_occurrence"] = self.co_occurrence.tolist()
        values["labels_per_video"] = {str(k): v for k, v in self.labels_per_video.items()}
        return values


def split_facts(truth: GroundTruth) -> SplitFacts:
    """The facts of a truth; its durations are used where they are known.

    Args:
        truth: of one split.
    """
    num_videos, num_classes = len(truth.video_ids), len(truth.class_names)
    shown = np.zeros((num_videos, num_classes), dtype=bool)
    shown[truth.video, truth.label] = True
    counts = np.bincount(truth.video, minlength=num_videos)
    together = _co_occurrence(shown)
    covered = covered_seconds(truth)
    known = len(truth.durations) and bool(np.isfinite(truth.durations).all())
    durations = np.asarray(truth.durations, dtype=np.float64) if known else None
    labels, how_often = np.unique(shown.sum(1), return_counts=True)
    return SplitFacts(
        videos=num_videos,
        empty_videos=int((counts == 0).sum()),
        instances=len(truth),
        ambiguous=len(truth.ambiguous),
        durations=None if durations is None else Spread.of(durations),
        instances_per_video=Spread.of(counts[counts > 0]),
        lengths=Spread.of(truth.end - truth.start),
        foreground=None if durations is None else Spread.of(np.minimum(covered / durations, 1.0)),
        pooled_foreground=None if durations is None else float(covered.sum() / durations.sum()),
        labels_per_video={int(k): int(v) for k, v in zip(labels, how_often, strict=True)},
        classes=tuple(_class_facts(truth, shown, together, c) for c in range(num_classes)),
        co_occurrence=together,
    )


def covered_seconds(truth: GroundTruth) -> NDArray[np.float64]:
    """[V] seconds of each video that some true segment covers; overlaps count once.

    Segments are cut at the video's end, where its duration is known.
    """
    covered = np.zeros(len(truth.video_ids))
    if not len(truth):
        return covered
    order = np.lexsort((truth.start, truth.video))
    video, start = truth.video[order], truth.start[order].astype(np.float64)
    end = truth.end[order].astype(np.float64)
    if len(truth.durations):
        end = np.fmin(end, truth.durations[video])
    # shifting each video beyond all before it makes one running maximum serve all
    shift = video * (max(float(end.max()), float(start.max())) + 1.0)
    reached = np.maximum.accumulate(end + shift)
    before = np.concatenate([[-np.inf], reached[:-1]])
    new = np.maximum(reached - np.maximum(start + shift, before), 0.0)
    np.add.at(covered, video, new)
    return covered


def identifiability(facts: SplitFacts) -> list[str]:
    """Sentences about classes that video labels alone cannot, or hardly, tell from another."""
    said = []
    for one in facts.classes:
        if one.videos and one.together >= ALWAYS:
            how = "all" if one.together == 1.0 else f"{one.together:.0%}"
            said.append(
                f"{one.companion} is in {how} of the {one.videos} videos of {one.name}: "
                "labels do not say which of the two a segment is"
            )
        elif one.videos and one.alone == 0.0:
            said.append(f"{one.name} never stands alone")
    missing = [one.name for one in facts.classes if not one.videos]
    if missing:
        said.append(f"no video shows {', '.join(missing[:10])}")
    return said


def _co_occurrence(shown: NDArray[np.bool_]) -> NDArray[np.float64]:
    both = shown.T.astype(np.float64) @ shown
    of_class = np.diag(both).copy()
    of_class[of_class == 0] = np.nan
    together: NDArray[np.float64] = both / of_class[:, None]
    return together


def _class_facts(
    truth: GroundTruth, shown: NDArray[np.bool_], together: NDArray[np.float64], label: int
) -> ClassFacts:
    rows = truth.label == label
    mine = shown[:, label]
    others = together[label].copy()
    others[label] = -1.0
    videos = int(mine.sum())
    companion = int(np.argmax(np.nan_to_num(others, nan=-1.0)))
    share = float(others[companion]) if videos and len(others) > 1 else 0.0
    return ClassFacts(
        name=truth.class_names[label],
        videos=videos,
        instances=int(rows.sum()),
        length=Spread.of(truth.end[rows] - truth.start[rows]),
        alone=float((shown[mine].sum(1) == 1).mean()) if videos else 0.0,
        companion=truth.class_names[companion] if share > 0 else "",
        together=max(share, 0.0),
    )
