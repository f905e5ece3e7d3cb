"""The only place that converts snippet indices to seconds and back."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class TimeGrid:
    """Where the snippets of a video lie in time.

    Snippet i covers [offset + i * stride / fps, offset + (i + 1) * stride / fps) seconds.

    Args:
        fps: frames per second of the decoded video, > 0.
        stride: frames from one snippet to the next, > 0; may be a fraction of a frame.
        offset: seconds at which snippet 0 begins.

    Raises:
        ValueError: fps or stride is not a positive finite number, or offset is not finite.
    """

    fps: float
    stride: float
    offset: float = 0.0

    def __post_init__(self) -> None:
        for name, value in (("fps", self.fps), ("stride", self.stride)):
            if not (np.isfinite(value) and value > 0):
                raise ValueError(f"{name} must be a positive number, not {value}")
        if not np.isfinite(self.offset):
            raise ValueError(f"offset must be a finite number of seconds, not {self.offset}")

    @property
    def snippet_seconds(self) -> float:
        """Length of one snippet in seconds."""
        return float(Fraction(self.stride) / Fraction(self.fps))

    def seconds(self, index: float) -> float:
        """Time in seconds at which snippet `index` begins, rounded once."""
        return float(Fraction(self.offset) + self._exact(index))

    def index(self, seconds: float) -> int:
        """Index of the snippet that covers a time in seconds; negative before the first."""
        position = (Fraction(seconds) - Fraction(self.offset)) * Fraction(self.fps)
        return int(position // Fraction(self.stride))

    def duration(self, num_snippets: int) -> float:
        """Seconds that `num_snippets` snippets cover."""
        return float(self._exact(num_snippets))

    def edges(self, num_snippets: int, num_samples: int | None = None) -> NDArray[np.float64]:
        """Times of the borders between snippets, [num_snippets + 1] in seconds.

        Args:
            num_snippets: snippets of the video.
            num_samples: cut the same stretch into this many equal parts instead: what a video
                looks like after uniform sampling; [num_samples + 1] in seconds.
        """
        parts = num_snippets if num_samples is None else num_samples
        if parts < 1:
            return np.asarray([self.offset])
        # i * (numerator / denominator), rounded as the published pipelines round it
        step = float(self._exact(num_snippets) / parts)
        borders: NDArray[np.float64] = np.arange(parts + 1, dtype=np.float64) * step
        return borders if self.offset == 0.0 else borders + self.offset

    def _exact(self, index: float) -> Fraction:
        return Fraction(index) * Fraction(self.stride) / Fraction(self.fps)
