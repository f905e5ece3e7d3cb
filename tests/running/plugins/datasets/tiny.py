"""Two classes in twelve snippets: a column of the features rises where the class occurs."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from wsal_bench.api import Dataset as Base
from wsal_bench.api import Split
from wsal_bench.config import Config
from wsal_bench.errors import DataError
from wsal_bench.timegrid import TimeGrid
from wsal_bench.types import GroundTruth, Video, WeakVideo

NUM_SNIPPETS = 12
GRID = TimeGrid(fps=10, stride=10)  # a snippet a second


class Options(Config):
    """How loud it is, how many videos there are, and whether it is broken."""

    noise: float = 0.1
    num_test: int = 4
    nan: bool = False


class Dataset(Base):
    """Videos with one action of four snippets each."""

    Config = Options
    config: Options
    seeded = True
    quick: ClassVar[Mapping[str, Any]] = {"num_test": 2}
    class_names = ("rise", "fall")
    feature_dim = 4

    def videos(self, split: Split) -> Sequence[Video]:
        if self.config.nan:
            raise DataError("features hold a NaN", path="tiny.npy")
        return [self._video(split, index) for index in range(self._count(split))]

    def _truth(self, split: Split, variant: str) -> GroundTruth:
        count = self._count(split)
        start = np.array([_first(index) for index in range(count)], dtype=float)
        return GroundTruth(
            video=np.arange(count),
            start=start,
            end=start + 4,
            label=np.arange(count) % 2,
            video_ids=tuple(f"{split}{index}" for index in range(count)),
            class_names=self.class_names,
        )

    def _count(self, split: Split) -> int:
        return 6 if split == "train" else self.config.num_test

    def _video(self, split: Split, index: int) -> Video:
        generator = np.random.default_rng([self.data_seed, split == "test", index])
        features = generator.normal(0, self.config.noise, (NUM_SNIPPETS, 4)).astype(np.float32)
        features[_first(index) : _first(index) + 4, index % 2] += 1
        name = f"{split}{index}"
        if split == "test":
            return Video(name, features, GRID)
        return WeakVideo(name, features, GRID, labels=np.eye(2, dtype=np.float32)[index % 2])


def _first(index: int) -> int:
    return 1 + index % 5
