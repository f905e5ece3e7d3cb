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
        missed: those of them that have no features, so that each of their segments is missed.
        left_out: test videos of the protocol beside them, not scored as they have no features.
    """

    videos: int
    segments: int
    missed: int = 0
    left_out: int = 0

    @classmethod
    def of(cls, dataset: Dataset, variant: str) -> Coverage:
        """That of a data set's test split; no feature is read."""
        truth = dataset.ground_truth("test", variant)
        has = {video.video_id for video in dataset.videos("test")}
        missed = sum(name not in has for name in truth.video_ids)
        return cls(len(truth.video_ids), len(truth), missed, dataset.num_left_out(variant))

    @classmethod
    def from_record(cls, record: Mapping[str, Any], variant: str) -> Coverage | None:
        """What a record says; None where it was written before records said it."""
        found = (record.get("scored") or {}).get(variant)
        return None if found is None else cls(**found)

    @property
    def expected(self) -> int:
        """Test videos of the protocol."""
        return self.videos + self.left_out

    @property
    def without_features(self) -> int:
        """Test videos of the protocol that have no features."""
        return self.missed + self.left_out

    @property
    def share(self) -> str:
        """The text `198 of 210 videos`; empty where all have features."""
        if not self.without_features:
            return ""
        return f"{self.expected - self.without_features} of {self.expected} videos"

    @property
    def sentence(self) -> str:
        """All of it in words."""
        fates = {"count as missed": self.missed, "are left out": self.left_out}
        fate = ", ".join(f"{count} {text}" for text, count in fates.items() if count)
        missing = (
            f"{self.without_features} of the protocol's {self.expected} videos have no features: "
            f"{fate}"
            if self.without_features
            else "each of the protocol's videos has features"
        )
        return f"{self.videos} test videos with {self.segments:,} true segments; {missing}"

    def to_json(self) -> dict[str, Any]:
        """Plain values; `from_record` reads them."""
        return asdict(self)
