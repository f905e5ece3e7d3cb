"""What the simulated data sets share: drawing both splits once, and showing them as a data set."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from wsal_bench import api
from wsal_bench.api import GroundTruth, Video, WeakVideo
from wsal_datasets._simulation import GRID, Dials, SimulatedVideo, World, simulate

_INPUT_NORM = 25.0  # a guess of the mean norm of I3D features of size 2048; it grows as sqrt(D)
_STREAMS: dict[api.Split, int] = {"train": 2, "test": 3}  # of the seed; 1 is the world's


class SimulatedDataset(api.Dataset):
    """A data set drawn from a world; a subclass says which world and which dials."""

    seeded = True
    preset = "simulated"
    quick: ClassVar[Mapping[str, Any] | None] = {
        "num_classes": 5,
        "feature_dim": 48,
        "num_train": 40,
        "num_test": 20,
    }

    config: Any

    def __init__(self, config: Any, *, data_seed: int = 0, path: Path | None = None) -> None:
        super().__init__(config, data_seed=data_seed, path=path)
        self.feature_dim = config.feature_dim
        self.class_names = self.classes()

    def classes(self) -> tuple[str, ...]:
        """Names of the classes."""
        return tuple(f"class-{c:02d}" for c in range(self.config.num_classes))

    @abstractmethod
    def world(self, rng: np.random.Generator) -> World:
        """Draws what the classes look like."""

    @abstractmethod
    def dials(self) -> Dials:
        """How videos are put together."""

    def videos(self, split: api.Split) -> Sequence[Video]:
        """The videos of a split; those of `train` with their labels."""
        plain = [
            Video(name, video.features, GRID)
            for name, video in zip(self.names(split), self.simulated[split], strict=True)
        ]
        if split == "test":
            return plain
        return [
            WeakVideo(video.video_id, video.features, video.grid, labels=self._labels(known))
            for video, known in zip(plain, self.simulated[split], strict=True)
        ]

    def draw(
        self, split: api.Split, world: World, rng: np.random.Generator
    ) -> list[SimulatedVideo]:
        """The videos of a split, features not scaled yet."""
        sizes = {"train": self.config.num_train, "test": self.config.num_test}
        return simulate(world, self.dials(), sizes[split], rng)

    def names(self, split: api.Split) -> tuple[str, ...]:
        """Names of the videos of a split."""
        return tuple(f"{split}-{number:04d}" for number in range(len(self.simulated[split])))

    @cached_property
    def simulated(self) -> dict[api.Split, list[SimulatedVideo]]:
        """Everything about every video, drawn once; boundaries included, so not for methods.

        All features are scaled by one constant, so that those of `train` have a norm that a
        network meant for I3D features expects.
        """
        world = self.world(np.random.default_rng([self.data_seed, 1]))
        drawn = {
            split: self.draw(split, world, np.random.default_rng([self.data_seed, stream]))
            for split, stream in _STREAMS.items()
        }
        norms = [np.linalg.norm(video.features, axis=1).mean() for video in drawn["train"]]
        factor = np.float32(_INPUT_NORM * np.sqrt(self.feature_dim / 2048.0) / np.mean(norms))
        return {
            split: [replace(video, features=_frozen(video.features * factor)) for video in videos]
            for split, videos in drawn.items()
        }

    def _truth(self, split: api.Split, variant: str) -> GroundTruth:
        del variant  # there is one truth
        known = self.simulated[split]
        rows = [(v, one) for v, video in enumerate(known) for one in video.instances]
        return GroundTruth(
            video=np.array([v for v, _ in rows]),
            start=np.array([one.start for _, one in rows]),
            end=np.array([one.end for _, one in rows]),
            label=np.array([one.label for _, one in rows]),
            video_ids=self.names(split),
            class_names=self.class_names,
            durations=np.array([GRID.duration(video.num_snippets) for video in known]),
        )

    def _labels(self, video: SimulatedVideo) -> NDArray[np.float32]:
        labels = np.zeros(len(self.class_names), dtype=np.float32)
        labels[[one.label for one in video.instances]] = 1.0
        return labels


def _frozen(array: NDArray[np.float32]) -> NDArray[np.float32]:
    """The array, read-only: methods that run one after the other share it."""
    array.setflags(write=False)
    return array
