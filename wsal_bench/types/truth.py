"""True segments of a set of videos."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from wsal_bench.types.arrays import FloatArray, IntArray, check_columns, check_indices


@dataclass(frozen=True, eq=False)
class GroundTruth:
    """True segments of a set of videos, as columns [M], in file order.

    Args:
        video: index into `video_ids`.
        start: seconds.
        end: seconds.
        label: index into `class_names`.
        video_ids: names of the videos, also of those without any segment.
        class_names: names of the classes.
        durations: [V] seconds of each video, NaN where unknown; empty: unknown for all.
        groups: [V] who or what each video was recorded from; empty: each its own.
        ambiguous: [A, 3] columns (video index, start, end): stretches nobody is sure of.
    """

    video: IntArray
    start: FloatArray
    end: FloatArray
    label: IntArray
    video_ids: tuple[str, ...]
    class_names: tuple[str, ...]
    durations: FloatArray = field(default_factory=lambda: np.empty(0))
    groups: tuple[str, ...] = ()
    ambiguous: FloatArray = field(default_factory=lambda: np.empty((0, 3)))

    def __post_init__(self) -> None:
        check_columns(self, "video", "start", "end", "label")
        check_indices(self)
        for name in ("durations", "groups"):
            if len(getattr(self, name)) not in (0, len(self.video_ids)):
                raise ValueError(f"{name} must have one entry per video")
        if not len(self.groups):
            object.__setattr__(self, "groups", self.video_ids)

    def __len__(self) -> int:
        return len(self.start)

    def only(self, video_ids: Iterable[str]) -> GroundTruth:
        """The truth of some of the videos, in their order here; class indices stay."""
        wanted = set(video_ids)
        kept = [i for i, name in enumerate(self.video_ids) if name in wanted]
        new_index = np.full(len(self.video_ids), -1)
        new_index[kept] = np.arange(len(kept))
        rows = new_index[self.video] >= 0
        unsure = self.ambiguous[new_index[self.ambiguous[:, 0].astype(int)] >= 0].copy()
        unsure[:, 0] = new_index[unsure[:, 0].astype(int)]
        return replace(
            self,
            video=new_index[self.video[rows]],
            start=self.start[rows],
            end=self.end[rows],
            label=self.label[rows],
            video_ids=tuple(self.video_ids[i] for i in kept),
            durations=self.durations[kept] if len(self.durations) else self.durations,
            groups=tuple(self.groups[i] for i in kept),
            ambiguous=unsure,
        )
