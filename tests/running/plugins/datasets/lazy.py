"""Videos of `tiny`, whose features are read by objects that hold the data set."""

# mypy: ignore-errors
# it inherits from a plugin of this folder, which only a run adds to the path

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from wsal_bench.api import Split
from wsal_bench.types import Video
from wsal_datasets import tiny


@dataclass(frozen=True)
class Reader:
    """Reads one video; knows far too much."""

    owner: tiny.Dataset
    rows: np.ndarray

    @property
    def shape(self) -> tuple[int, ...]:
        return self.rows.shape

    def __getitem__(self, index: Any) -> np.ndarray:
        if self.owner.config.nan:
            raise OSError("the disk is gone")
        return self.rows[index]

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return np.array(self[:], dtype=dtype)


class Dataset(tiny.Dataset):
    """Reads when it is asked."""

    def videos(self, split: Split) -> Sequence[Video]:
        whole = [self._video(split, index) for index in range(self._count(split))]
        return [replace(video, features=Reader(self, video.features)) for video in whole]
