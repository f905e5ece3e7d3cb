"""npz files of columns and names, read without pickle."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from wsal_bench.errors import DataError
from wsal_bench.files import read_npz

Table = TypeVar("Table")


def read_columns(
    path: Path,
    kind: str,
    columns: tuple[str, ...],
    names: tuple[str, ...],
    make: Callable[..., Table],
) -> Table:
    """A table from an npz file.

    Args:
        path: the file.
        kind: what it should hold, for the complaint.
        columns: names of the arrays.
        names: names of the arrays that become tuples of strings.
        make: what takes all of them.

    Raises:
        DataError: the file cannot be read, or does not hold such a table.
    """
    arrays = read_npz(path, kind, (*columns, *names))
    try:
        arrays |= {name: tuple(arrays[name].tolist()) for name in names}
        return make(**arrays)
    except (ValueError, TypeError, AttributeError, IndexError) as error:
        raise DataError(f"not a file of {kind} ({error})", path=path) from error
