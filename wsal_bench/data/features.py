"""A file of features: checked when it is opened, mapped into memory only while it is read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from wsal_bench.errors import DataError
from wsal_bench.files import DAMAGED, check_file

_BLOCK = 4096  # rows looked at together: bounds the memory that checks take
_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


@dataclass(frozen=True)
class FeatureFile:
    """Features [T, D] in an npy file; rows are read when they are indexed.

    The file is opened anew each time: thousands of videos never meet the limit of open files.

    Args:
        path: the file.
        shape: (T, D).
        dtype: float16, float32 or float64.
        offset: bytes before the first number.
        order: `C` or `F`, how the numbers lie.
    """

    path: Path
    shape: tuple[int, int]
    dtype: np.dtype[Any]
    offset: int = field(repr=False)
    order: str = field(repr=False)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any, /) -> NDArray[Any]:
        """Rows by slice or index array, copied into memory in the file's dtype."""
        rows: NDArray[Any] = np.array(self.mapped()[index])
        return rows

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        """All rows; always a copy."""
        return np.array(self.mapped(), dtype=dtype)

    @property
    def size(self) -> int:
        """Bytes that the file must have."""
        return self.offset + prod(self.shape) * self.dtype.itemsize

    def check_values(self) -> None:
        """Reads every number.

        Raises:
            DataError: the file cannot be read, or a number is NaN or infinite.
        """
        check_finite(self.mapped(), self.path)

    def digest(self) -> str:
        """SHA-256 of shape, dtype and numbers."""
        summary = sha256(f"{self.shape} {self.dtype.str}".encode())
        for _, rows in _blocks(self.mapped()):
            summary.update(np.ascontiguousarray(rows).data)
        return summary.hexdigest()

    def mapped(self) -> NDArray[Any]:
        """[T, D] mapped into memory, read-only, not copied.

        Raises:
            DataError: the file cannot be read any more.
        """
        try:
            # a plain view of the map: a memmap keeps its class through arithmetic
            return np.asarray(
                np.memmap(
                    self.path,
                    dtype=self.dtype,
                    mode="r",
                    offset=self.offset,
                    shape=self.shape,
                    order=self.order,  # type: ignore[call-overload]
                )
            )
        except (OSError, ValueError) as error:
            raise DataError(
                f"features cannot be read any more ({error})", path=self.path
            ) from error


def open_features(path: Path) -> FeatureFile:
    """Reads the header of an npy file and checks it; the numbers are left alone.

    Raises:
        DataError: the file is missing, unreadable, empty or truncated, is no npy file, or does not
            hold floating-point numbers [T, D] with T, D >= 1.
    """
    check_file(path)
    try:
        found = path.stat().st_size
        if not found:
            raise DataError("feature file is empty", hint="export it again", path=path)
        with path.open("rb") as file:
            version = np.lib.format.read_magic(file)
            if version not in _HEADERS:
                raise DataError(f"npy format {version} holds no plain numbers", path=path)
            shape, column_major, dtype = _HEADERS[version](file)
            offset = file.tell()
    except FileNotFoundError as error:
        raise DataError("feature file is missing", path=path) from error
    except OSError as error:
        raise DataError(
            f"feature file cannot be read ({error.strerror or error})", path=path
        ) from error
    except DAMAGED as error:
        raise DataError(
            f"feature file is no npy file, or broken in its header ({error})", path=path
        ) from error
    check_form(shape, dtype, path)
    features = FeatureFile(path, (shape[0], shape[1]), dtype, offset, "F" if column_major else "C")
    if found < features.size:
        raise DataError(
            f"feature file is truncated: {found} bytes, but its header promises {features.size}",
            hint="copy it again",
            path=path,
        )
    return features


def check_finite(features: NDArray[Any], path: Path) -> None:
    """Reads every number, some rows at a time.

    Raises:
        DataError: a number is NaN or infinite.
    """
    for first, rows in _blocks(features):
        good = np.isfinite(rows)
        if not good.all():
            row, column = (int(where[0]) for where in np.nonzero(~good))
            value = float(rows[row, column])
            raise DataError(
                f"features must be finite, but snippet {first + row} holds {value} in column "
                f"{column}",
                path=path,
            )


def check_form(shape: tuple[int, ...], dtype: np.dtype[Any], path: Path) -> None:
    """Refuses whatever is not numbers with a fraction, [T, D].

    Raises:
        DataError: another dtype or shape.
    """
    if dtype.hasobject:
        raise DataError(
            "feature file holds Python objects, which could run code when read",
            hint="save plain numbers: numpy.save(path, array.astype('float32'))",
            path=path,
        )
    if dtype not in (np.float16, np.float32, np.float64):
        raise DataError(
            f"features are {dtype}, not numbers of 16, 32 or 64 bits with a fraction",
            hint="save them as float16 or float32",
            path=path,
        )
    if len(shape) != 2 or min(shape) < 1:
        hint = "there must be at least one snippet and one column" if len(shape) == 2 else ""
        raise DataError(
            f"features have shape {shape}, not [snippets, columns]", hint=hint, path=path
        )


def _blocks(features: NDArray[Any]) -> Iterator[tuple[int, NDArray[Any]]]:
    for first in range(0, len(features), _BLOCK):
        yield first, features[first : first + _BLOCK]
