"""HAPT as bags: recordings in features of windows, cut into stretches that stand for videos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wsal_bench.api import SPLITS, DataError, GroundTruth, Split
from wsal_bench.data.source import Source, SourceVideo
from wsal_datasets._hapt_archive import NAMES, Archive, Instance, Recording
from wsal_datasets._window_features import RATE, STRIDE, window_features

BAG_SECONDS: Final = 20
SHORTEST: Final = (
    0.5  # seconds: a shorter part of an instance, cut off by a bag's border, is dropped
)
# rows of a network's features have this mean size at 2048 columns; ours get the same per column
_COLUMN_SIZE: Final = 25.0 / np.sqrt(2048.0)
_LARGEST: Final = 5.0  # standard deviations; what lies beyond is cut off


@dataclass(frozen=True, eq=False)
class Bag:
    """A stretch of a recording that is treated as a video."""

    video_id: str
    recording: Recording
    features: NDArray[np.float32]
    segments: tuple[Instance, ...]  # in samples from the bag's start


def bags_of(recording: Recording, features: NDArray[np.float32]) -> list[Bag]:
    """The bags of a recording, without overlap; what is left at its end is dropped.

    Args:
        recording: with its instances.
        features: [T, D] of the whole recording.
    """
    samples, snippets = BAG_SECONDS * RATE, BAG_SECONDS * RATE // STRIDE
    bags = []
    for number in range(len(features) // snippets):
        begin = number * samples
        segments = []
        for one in recording.instances:
            start, end = max(one.start - begin, 0), min(one.end - begin, samples)
            if end - start >= SHORTEST * RATE:
                segments.append(Instance(start, end, one.activity))
        rows = features[number * snippets : (number + 1) * snippets]
        bags.append(Bag(f"{recording.name}_{number:02d}", recording, rows, tuple(segments)))
    return bags


def read_source(path: Path) -> Source:
    """Every bag with its features and all twelve activities.

    Features are standardised with mean and deviation of the training people, no label used, cut
    off at five deviations, and scaled so that a column has the size it has in I3D features.

    Raises:
        DataError: the archive is not what it should be.
    """
    archive = Archive(path)
    raw = [window_features(archive.signal(one)) for one in archive.recordings]
    known = [
        rows for one, rows in zip(archive.recordings, raw, strict=True) if one.split == "train"
    ]
    if not known:
        raise DataError("has no recording of a training person", path=path)
    train = np.concatenate(known)
    mean, std = train.mean(0), train.std(0) + 1e-6
    bags = [
        bag
        for one, rows in zip(archive.recordings, raw, strict=True)
        for bag in bags_of(one, _standardised(rows, mean, std))
    ]
    return Source(
        layout="hapt (raw archive)",
        root=path,
        videos=tuple(_video(bag, archive) for bag in bags),
        truths={"default": {split: _truth(bags, split) for split in SPLITS}},
        fps=float(RATE),
        stride=float(STRIDE),
    )


def _standardised(
    rows: NDArray[np.float32], mean: NDArray[np.float32], std: NDArray[np.float32]
) -> NDArray[np.float32]:
    scaled = np.clip((rows - mean) / std, -_LARGEST, _LARGEST) * _COLUMN_SIZE
    return np.asarray(scaled, dtype=np.float32)


def _video(bag: Bag, archive: Archive) -> SourceVideo:
    return SourceVideo(
        video_id=bag.video_id,
        split=bag.recording.split,
        read=lambda: bag.features,
        origin=archive.path,
        stamp=archive.stamp,
        group=f"person-{bag.recording.person:02d}",
    )


def _truth(bags: Sequence[Bag], split: Split) -> GroundTruth:
    """True segments in seconds from each bag's start."""
    chosen = [bag for bag in bags if bag.recording.split == split]
    rows = [(number, one) for number, bag in enumerate(chosen) for one in bag.segments]
    return GroundTruth(
        video=np.array([number for number, _ in rows], dtype=np.int64),
        start=np.array([one.start / RATE for _, one in rows], dtype=np.float64),
        end=np.array([one.end / RATE for _, one in rows], dtype=np.float64),
        label=np.array([one.activity for _, one in rows], dtype=np.int64),
        video_ids=tuple(bag.video_id for bag in chosen),
        class_names=NAMES,
        durations=np.full(len(chosen), float(BAG_SECONDS)),
        groups=tuple(f"person-{bag.recording.person:02d}" for bag in chosen),
    )
