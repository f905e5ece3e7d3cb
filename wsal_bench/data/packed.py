"""Features of many videos as one file: an npy array [N, D] that is mapped into memory once.

A video is a stretch of its rows. Reading one opens no file, and pages that were read belong to the
system's cache, not to this process.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from wsal_bench.data.features import FeatureFile


@dataclass(frozen=True)
class PackedFile:
    """The rows of all videos of a split. Travels to another process as a path, not as numbers.

    Args:
        header: the checked npy file [N, D], C order.
    """

    header: FeatureFile

    @cached_property
    def rows(self) -> NDArray[Any]:
        """[N, D] mapped, read-only; mapped when it is first asked for.

        Raises:
            DataError: the file cannot be read any more.
        """
        return self.header.mapped()

    @property
    def path(self) -> Path:
        """The file."""
        return self.header.path

    def __getstate__(self) -> dict[str, Any]:
        return {"header": self.header}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)


@dataclass(frozen=True)
class PackedFeatures:
    """Features [T, D] of one video: rows first .. first + length - 1 of a packed file.

    Args:
        file: the rows of all videos.
        first: this video's first row.
        length: T.
    """

    file: PackedFile = field(repr=False)
    first: int
    length: int

    @property
    def shape(self) -> tuple[int, int]:
        """(T, D)."""
        return (self.length, self.file.header.shape[1])

    @property
    def dtype(self) -> np.dtype[Any]:
        """float16 or float32."""
        return self.file.header.dtype

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: Any, /) -> NDArray[Any]:
        """Rows by slice or index array, copied into memory in the file's dtype."""
        rows: NDArray[Any] = np.array(self.view()[index])
        return rows

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        """All rows; always a copy."""
        return np.array(self.view(), dtype=dtype)

    def view(self) -> NDArray[Any]:
        """[T, D] mapped, read-only, not copied."""
        rows: NDArray[Any] = self.file.rows[self.first : self.first + self.length]
        return rows
