"""Checks of a data set as a whole; a reader calls them once it has everything in hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from wsal_bench.data.features import FeatureFile
from wsal_bench.errors import DataError, did_you_mean, first_of
from wsal_bench.types import GroundTruth

_ROUNDING = 1e-6  # seconds: annotation is written with few digits


def check_no_overlap(train: Sequence[str], test: Sequence[str], path: Path) -> None:
    """Refuses videos that are in both lists.

    Raises:
        DataError: naming `path`, a list, and a few of the videos.
    """
    learnt = set(train)
    both = [name for name in test if name in learnt]
    if both:
        raise DataError(
            f"{len(both)} test videos are in the train list too: {first_of(both, 3)}",
            hint="a video belongs to one split",
            path=path,
        )


def check_names(names: Sequence[str], path: Path) -> None:
    """Refuses names of videos that would lead out of the folder that their files lie in.

    Raises:
        DataError: a name is an absolute path, crosses a parent folder, or no file can have it.
    """
    for name in names:
        parts = name.replace("\\", "/").split("/")
        drive = parts[0][1:2] == ":"
        if not parts[0] or ".." in parts or drive or any(ord(sign) < 32 for sign in name):
            raise DataError(
                f"video {name!r} is named like a path that leads elsewhere",
                hint="a name says which file of the folder it is, not where files lie",
                path=path,
            )


def check_groups(train: Mapping[str, str], test: Mapping[str, str], path: Path) -> None:
    """Refuses a group that has videos in both splits.

    Args:
        train: video -> group.
        test: video -> group.
        path: the file that says what a group is.

    Raises:
        DataError: naming a few of the groups.
    """
    both = sorted(set(train.values()) & set(test.values()))
    if both:
        raise DataError(
            f"groups with videos in both train and test: {first_of(both, 3)}",
            hint="a split must not cut a group; change the split lists or `group`",
            path=path,
        )


def check_segments(
    truth: GroundTruth, durations: Sequence[float], overhang: float, path: Path
) -> None:
    """Refuses segments that end before they start or lie outside their video.

    Args:
        truth: of one split.
        durations: [V] seconds that the features of each video cover. Not the durations of the truth
            file: those are known to be wrong in published ones.
        overhang: seconds by which a segment may end after the features do.
        path: the truth file.

    Raises:
        DataError: for the first such segment.
    """
    for video, start, end in zip(truth.video, truth.start, truth.end, strict=True):
        where = f"video {truth.video_ids[video]!r}: true segment [{start:g}, {end:g}]"
        if end <= start:
            raise DataError(f"{where} ends not after its start", path=path)
        if start < 0:
            raise DataError(f"{where} starts before the video", path=path)
        if end > durations[video] + overhang + _ROUNDING:
            raise DataError(
                f"{where} ends after the features, which cover {durations[video]:.2f} s, by more "
                f"than {overhang:g} s",
                hint="are fps, stride and the feature file right? if so, set `overhang`",
                path=path,
            )


def check_dimensions(features: Sequence[FeatureFile]) -> int:
    """The number of columns, the same in all files.

    Raises:
        DataError: naming the first file that differs from most.
    """
    columns, counts = np.unique([one.shape[1] for one in features], return_counts=True)
    usual = int(columns[np.argmax(counts)])
    for one in features:
        if one.shape[1] != usual:
            raise DataError(
                f"features have {one.shape[1]} columns, those of the other videos {usual}",
                path=one.path,
            )
    return usual


def with_classes(truth: GroundTruth, names: Sequence[str], path: Path) -> GroundTruth:
    """The truth with class indices into `names`.

    Raises:
        DataError: a segment shows a class that is not among the names.
    """
    known = set(names)
    for video, label in zip(truth.video, truth.label, strict=True):
        name = truth.class_names[label]
        if name not in known:
            raise DataError(
                f"video {truth.video_ids[video]!r}: unknown class {name!r}",
                hint=did_you_mean(name, names, kind="classes"),
                path=path,
            )
    return with_names(truth, truth.class_names, tuple(names))


def with_names(truth: GroundTruth, now: tuple[str, ...], names: tuple[str, ...]) -> GroundTruth:
    """The truth with class indices into `names`.

    Args:
        truth: any.
        now: what its classes are called; their own names, or others for the same indices.
        names: all of them, and maybe more, in the order that is wanted.
    """
    index = {name: number for number, name in enumerate(names)}
    new = np.array([index.get(name, -1) for name in now], dtype=np.int64)
    label = new[truth.label] if len(truth) else truth.label
    return replace(truth, label=label, class_names=names)


def only_classes(truth: GroundTruth, names: tuple[str, ...]) -> GroundTruth:
    """The truth with class indices into `names`; segments of other classes are left out."""
    rows = np.isin(truth.label, [i for i, name in enumerate(truth.class_names) if name in names])
    kept = replace(
        truth,
        video=truth.video[rows],
        start=truth.start[rows],
        end=truth.end[rows],
        label=truth.label[rows],
    )
    return with_names(kept, truth.class_names, names)


def classes_shown(truth: GroundTruth) -> set[str]:
    """Names of the classes that have a segment."""
    return {truth.class_names[label] for label in np.unique(truth.label)}
