"""What a method learns from: features, labels and options, and nothing that leads to the truth.

It is made of plain values, so that it can be sent to a process that holds nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from wsal_bench.data.features import FeatureFile
from wsal_bench.data.packed import PackedFeatures
from wsal_bench.plugins.contract import Dataset, Split, Task
from wsal_bench.running.cells import Cell, Need
from wsal_bench.running.resolution import task_of
from wsal_bench.types import Video, WeakVideo
from wsal_bench.types.arrays import read_only
from wsal_bench.types.video import SnippetArray

Ask = Callable[[int, Any], NDArray[Any]]
"""Gives rows of the reader of that number, by slice or index array."""


@dataclass(frozen=True, eq=False)
class Lesson:
    """All that the learning process of a cell is told.

    Args:
        method: the plugin's name.
        name: with its variant.
        config: all options of the method.
        needs: of the cells that it begins with.
        data: name of the data set.
        task: what the method is told about the data.
        seed: the training seed.
        splits: of which videos activations are asked.
        max_steps: where training ends; None: where the method ends it.
        threads: CPU threads.
        num_workers: threads that read coming batches.
        results: folder of the store.
        key: the cell's folder in it.
        videos: by split, those of `train` with what the method's supervision may know.
    """

    method: str
    name: str
    config: Mapping[str, Any]
    needs: Mapping[str, Need]
    data: str
    task: Task
    seed: int
    splits: tuple[Split, ...]
    max_steps: int | None
    threads: int
    num_workers: int
    results: Path
    key: str
    videos: Mapping[Split, Sequence[Video]]

    @classmethod
    def of(cls, cell: Cell, dataset: Dataset, results: Path, num_workers: int) -> Lesson:
        """The lesson of a cell; no feature is read."""
        spec = cell.spec
        points, counts = (spec.track.supervision == kind for kind in ("point", "count"))
        splits: tuple[Split, ...] = ("train", *(part for part in cell.splits if part != "train"))
        return cls(
            method=spec.method,
            name=spec.name,
            config=spec.config,
            needs=spec.needs,
            data=spec.data.name,
            task=task_of(spec, dataset, cell.device),
            seed=spec.seed,
            splits=cell.splits,
            max_steps=spec.max_steps,
            threads=spec.threads,
            num_workers=num_workers,
            results=results,
            key=cell.key,
            videos={
                split: [_plain(one, split, points, counts) for one in dataset.videos(split)]
                for split in splits
            },
        )

    @property
    def title(self) -> str:
        """Whose lesson it is, for notes."""
        return f"{self.name}, seed {self.seed}"

    def to_send(self) -> tuple[Lesson, list[SnippetArray]]:
        """The lesson as it can be sent, and the readers that stay here and are asked for rows.

        Arrays in memory are sent, of mapped files of ours the place. Any other reader stays: what
        else it holds is nobody's to see.
        """
        readers: list[SnippetArray] = []
        return self._with(lambda features: _to_send(features, readers)), readers

    def received(self, ask: Ask) -> Lesson:
        """A sent lesson on the other side; arrays are read-only as they were.

        Args:
            ask: gives rows of the readers that stayed behind.
        """
        return self._with(
            lambda found: replace(found, ask=ask) if isinstance(found, Remote) else found
        )

    def _with(self, change: Callable[[Any], Any]) -> Lesson:
        videos = {
            split: [_showing(one, change(one.features)) for one in part]
            for split, part in self.videos.items()
        }
        return replace(self, videos=videos)


@dataclass(frozen=True, eq=False)
class Remote:
    """Features [T, D] of one video that another process reads.

    Args:
        number: of the reader there.
        shape: (T, D, ...).
        ask: gives rows; None while it is sent.
    """

    number: int
    shape: tuple[int, ...]
    ask: Ask | None = None

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any, /) -> NDArray[Any]:
        """Rows by slice or index array, copied into memory in the reader's dtype."""
        if self.ask is None:
            raise ValueError("these features were sent, and nobody was told where they are")
        return self.ask(self.number, index)

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        """All rows; always a copy."""
        return np.array(self[:], dtype=dtype)


def _showing(video: Video, features: SnippetArray) -> Video:
    """A checked video with its features in another form; all arrays read-only."""
    shown = copy(video)
    object.__setattr__(shown, "features", features)
    read_only(shown, *vars(shown))
    return shown


def _plain(video: Video, split: Split, points: bool, counts: bool) -> Video:
    """A video without anything that a data set may have added to it."""
    about = (video.video_id, video.features, video.grid, video.group)
    if split != "train" or not isinstance(video, WeakVideo):
        return Video(*about)
    return WeakVideo(
        *about,
        labels=np.asarray(video.labels),
        points=video.points if points else None,
        counts=video.counts if counts else None,
    )


def _to_send(features: SnippetArray, readers: list[SnippetArray]) -> SnippetArray:
    if isinstance(features, np.ndarray) and not _is_mapped(features):
        return np.asarray(features)
    if type(features) in (FeatureFile, PackedFeatures):
        return features
    readers.append(features)
    return Remote(len(readers) - 1, tuple(features.shape))


def _is_mapped(features: NDArray[Any]) -> bool:
    """Whether it would be read from its file as a whole by being sent."""
    part: Any = features
    while part is not None:
        if isinstance(part, np.memmap):
            return True
        part = getattr(part, "base", None)
    return False
