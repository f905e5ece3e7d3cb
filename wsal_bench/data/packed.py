"""Features of many videos as one file: an npy array [N, D] that is mapped into memory once.

A video is a stretch of its rows. Reading one opens no file, and pages that were read belong to the
system's cache, not to this process. When a process first reads a video, its rows are compared with
their checksum; what was compared is not compared again.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from wsal_bench.data.features import FeatureFile
from wsal_bench.data.placing import how_to_replace
from wsal_bench.errors import DataError


class ChangedError(DataError):
    """Bytes of a store that are not those that were imported."""


def checksum(rows: bytes | memoryview, kind: str) -> str:
    """Of rows as they lie in a file, as hex digits.

    CRC-32 is what the standard library reads fastest (twice as fast as SHA-256 with the
    processor's help, seven times without); it finds every change within 32 bits, and of any other
    all but one in four billion.

    Args:
        rows: their bytes, contiguous.
        kind: `crc32` or `sha256`.
    """
    return f"{zlib.crc32(rows):08x}" if kind == "crc32" else sha256(rows).hexdigest()


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

    @cached_property
    def compared(self) -> set[int]:
        """First rows of the videos that this process has compared with their checksums."""
        return set()

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
        video_id: for the error.
        checksum: of its rows when they were imported, as `crc32:0b1c2d3e`; empty: unknown.
    """

    file: PackedFile = field(repr=False)
    first: int
    length: int
    video_id: str = ""
    checksum: str = field(default="", repr=False)

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
        """[T, D] mapped, read-only, not copied.

        Raises:
            ChangedError: a process's first view finds other rows than those that were imported.
            DataError: the file cannot be read any more.
        """
        rows: NDArray[Any] = self.file.rows[self.first : self.first + self.length]
        if self.checksum and self.first not in self.file.compared:
            self.compare(rows, self.checksum)
            self.file.compared.add(self.first)  # two threads may both have compared: no harm
        return rows

    def compare(self, rows: NDArray[Any], wanted: str) -> None:
        """Compares the video's rows with a checksum.

        Raises:
            ChangedError: it is of other rows.
        """
        kind, _, digits = wanted.partition(":")
        found = checksum(rows.data, kind)
        if found != digits:
            raise ChangedError(
                f"video {self.video_id!r}: rows {self.first} to {self.first + self.length - 1} are "
                f"not what was imported: expected {kind} {digits[:16]}, found {found[:16]}",
                hint=how_to_replace(self.file.path.parent),
                path=self.file.path,
            )
