"""Scored segments of one video."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wsal_bench.types.arrays import FloatArray, IntArray, check_columns, check_segments


@dataclass(frozen=True, eq=False)
class Proposals:
    """Scored segments of one video, as columns [P].

    Args:
        start: seconds.
        end: seconds, after start.
        label: class index.
        score: higher is surer.
    """

    start: FloatArray
    end: FloatArray
    label: IntArray
    score: FloatArray

    def __post_init__(self) -> None:
        check_columns(self, "start", "end", "label", "score")
        check_segments(self)

    def __len__(self) -> int:
        return len(self.start)

    @classmethod
    def empty(cls) -> Proposals:
        """No proposal at all."""
        return cls(np.empty(0), np.empty(0), np.empty(0, np.int64), np.empty(0))

    @classmethod
    def concatenate(cls, parts: Sequence[Proposals]) -> Proposals:
        """All rows of `parts`, in order."""
        if not parts:
            return cls.empty()
        names = ("start", "end", "label", "score")
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))
