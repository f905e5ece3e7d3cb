"""A video as a method sees it: with labels to learn from, without to be asked about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from wsal_bench.timegrid import TimeGrid
from wsal_bench.types.arrays import FloatArray, IntArray, read_only


class SnippetArray(Protocol):
    """Features of a video: an array, a float16 memory map or a lazy reader, [T, D]."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(T, D) or (T, D, ...)."""

    def __getitem__(self, index: Any, /) -> Any:
        """Rows along T, by slice or index array."""


@dataclass(frozen=True, eq=False)
class Video:
    """A video as inference sees it: no labels, no boundaries.

    Arrays in memory are handed on as read-only views: a data set may keep them for the next method.

    Args:
        video_id: its name.
        features: [T, D], T >= 1.
        grid: where the snippets lie in time.
        group: who or what it was recorded from; splits and resampling never cut a group.
            Empty: the video is its own group.
    """

    video_id: str
    features: SnippetArray
    grid: TimeGrid
    group: str = ""

    def __post_init__(self) -> None:
        shape = tuple(self.features.shape)
        if len(shape) < 2 or shape[0] < 1 or shape[1] < 1:
            raise ValueError(f"video {self.video_id!r}: features must be [T, D], not {shape}")
        if not self.group:
            object.__setattr__(self, "group", self.video_id)
        read_only(self, "features")

    @property
    def num_snippets(self) -> int:
        """T."""
        return int(self.features.shape[0])

    @property
    def duration(self) -> float:
        """Seconds that the snippets cover."""
        return self.grid.duration(self.num_snippets)


@dataclass(frozen=True, eq=False, kw_only=True)
class WeakVideo(Video):
    """A training video: what is in it is known, when it happens is not.

    Args:
        labels: [C] float32, 1 where the class occurs, else 0.
        points: None, or [K, 2] columns (seconds, class index): one time inside each instance.
        counts: None, or [C] instances of each class.
    """

    labels: FloatArray
    points: FloatArray | None = None
    counts: IntArray | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        labels = np.asarray(self.labels)
        if labels.ndim != 1 or not np.isin(labels, (0, 1)).all():
            raise ValueError(f"video {self.video_id!r}: labels must be [C] zeros and ones")
        read_only(self, "labels", "points", "counts")
