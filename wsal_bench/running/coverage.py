"""How much of what a protocol asks for was there to be scored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from wsal_bench.plugins.contract import Dataset


@dataclass(frozen=True)
class Coverage:
    """What was scored, and what could not be.

    Args:
        videos: test videos of the truth that was scored against.
        segments: their true segments.
        without_features: test videos of the protocol that have no features.
        as_misses: these are among the scored videos, so each of their segments counts as missed;
            else they are left out.
    """

    videos: int
    segments: int
    without_features: int = 0
    as_misses: bool = False

    @classmethod
    def of(cls, dataset: Dataset, variant: str) -> Coverage:
        """That of a data set's test split; no feature is read."""
        truth = dataset.ground_truth("test", variant)
        has = {video.video_id for video in dataset.videos("test")}
        missed = sum(name not in has for name in truth.video_ids)
        left_out = dataset.num_left_out(variant)
        return cls(len(truth.video_ids), len(truth), missed + left_out, bool(missed))

    @classmethod
    def from_record(cls, record: Mapping[str, Any], variant: str) -> Coverage | None:
        """What a record says; None where it was written before records said it."""
        found = (record.get("scored") or {}).get(variant)
        return None if found is None else cls(**found)

    @property
    def expected(self) -> int:
        """Test videos of the protocol."""
        return self.videos + (0 if self.as_misses else self.without_features)

    @property
    def share(self) -> str:
        """The text `198 of 210 videos`; empty where all have features."""
        if not self.without_features:
            return ""
        return f"{self.expected - self.without_features} of {self.expected} videos"

    @property
    def sentence(self) -> str:
        """All of it in words."""
        fate = "count as missed" if self.as_misses else "are left out"
        missing = (
            f"{self.without_features} of the protocol's {self.expected} videos have no features "
            f"and {fate}"
            if self.without_features
            else "each of the protocol's videos has features"
        )
        return f"{self.videos} test videos with {self.segments:,} true segments; {missing}"

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)
