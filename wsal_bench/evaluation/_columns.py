"""npz files of columns and names, read and written without pickle."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, TypeVar
from uuid import uuid4

import numpy as np

from wsal_bench.errors import DataError

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
    try:
        # opened here: numpy leaves the file open where it is no archive
        with path.open("rb") as file:
            archive = np.load(file, allow_pickle=False)
            arrays: dict[str, Any] = {name: archive[name] for name in columns}
            arrays |= {name: tuple(archive[name].tolist()) for name in names}
        return make(**arrays)
    except OSError as error:
        raise DataError(f"{kind} cannot be read ({error})", path=path) from error
    except (
        KeyError,
        IndexError,
        ValueError,
        TypeError,
        EOFError,
        AttributeError,
        NotImplementedError,
        zipfile.BadZipFile,
    ) as error:
        raise DataError(f"not a file of {kind} ({error})", path=path) from error


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """A temporary file beside `path` that takes its place when the block ends well.

    Raises:
        DataError: the file cannot be written; what was at `path` is untouched.
    """
    temporary = path.with_name(f".{path.name}.{uuid4().hex}.tmp")
    try:
        with temporary.open("xb") as file:
            yield file
        temporary.replace(path)
    except OSError as error:
        raise DataError(f"cannot be written ({error.strerror or error})", path=path) from error
    finally:
        temporary.unlink(missing_ok=True)
