"""Scored segments of a set of videos."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from wsal_bench.types.arrays import FloatArray, IntArray, check_columns, check_finite, check_indices
from wsal_bench.types.proposals import Proposals


@dataclass(frozen=True, eq=False)
class Detections:
    """Scored segments of a set of videos, as columns [P]; the order matters among equal scores.

    Args:
        video: index into `video_ids`.
        start: seconds.
        end: seconds.
        label: index into `class_names`.
        score: higher is surer.
        video_ids: names of the videos, also of those without any row.
        class_names: names of the classes.
    """

    video: IntArray
    start: FloatArray
    end: FloatArray
    label: IntArray
    score: FloatArray
    video_ids: tuple[str, ...]
    class_names: tuple[str, ...]

    def __post_init__(self) -> None:
        check_columns(self, "video", "start", "end", "label", "score")
        check_indices(self)
        check_finite("score", self.score)

    def __len__(self) -> int:
        return len(self.start)

    def taken(self, rows: NDArray[np.integer] | NDArray[np.bool_]) -> Detections:
        """Some of the rows, by position or by mask; the videos and classes stay."""
        columns = ("video", "start", "end", "label", "score")
        return replace(self, **{name: getattr(self, name)[rows] for name in columns})

    @classmethod
    def from_proposals(
        cls, proposals: Mapping[str, Proposals], class_names: Iterable[str]
    ) -> Detections:
        """The proposals of many videos, video after video in the mapping's order."""
        rows = Proposals.concatenate(list(proposals.values()))
        counts = [len(part) for part in proposals.values()]
        video = np.repeat(np.arange(len(counts)), counts)
        return cls(
            video=video,
            start=rows.start,
            end=rows.end,
            label=rows.label,
            score=rows.score,
            video_ids=tuple(proposals),
            class_names=tuple(class_names),
        )
