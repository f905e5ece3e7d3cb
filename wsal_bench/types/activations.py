"""What a method says of one video before any segment is cut."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from wsal_bench.types.arrays import FloatArray, check_finite, check_ndim


@dataclass(frozen=True, eq=False)
class Activations:
    """What a method says of one video before any segment is cut.

    Args:
        scores: by name, [T', C] class scores per snippet; `cas` is the usual name.
        gates: by name, [T'] or [T', C] where to look; `attention` is the usual name.
        video_scores: [C] class scores of the whole video.
        times: [T' + 1] borders of the snippets in seconds, increasing, maybe not uniform.

    Raises:
        ValueError: shapes that do not fit, no scores, values that are not finite, times that do
            not increase.
    """

    scores: Mapping[str, FloatArray]
    gates: Mapping[str, FloatArray]
    video_scores: FloatArray
    times: FloatArray

    def __post_init__(self) -> None:
        num_classes = check_ndim("video_scores", self.video_scores, 1)[0]
        length = check_ndim("times", self.times, 1)[0] - 1
        if not self.scores or length < 1:
            raise ValueError("activations need at least one score sequence and one snippet")
        for name, value in self.scores.items():
            if np.shape(value) != (length, num_classes):
                raise ValueError(
                    f"score {name!r} must be {(length, num_classes)}, not {np.shape(value)}"
                )
        for name, value in self.gates.items():
            if np.shape(value) not in ((length,), (length, num_classes)):
                raise ValueError(f"gate {name!r} must be [{length}], not {np.shape(value)}")
        for name, value in (*self.scores.items(), *self.gates.items()):
            check_finite(name, value)
        check_finite("video_scores", self.video_scores)
        check_finite("times", self.times)
        if (np.diff(self.times) <= 0).any():
            raise ValueError("times must increase")
