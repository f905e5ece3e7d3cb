"""Files that are either as they were or whole and new, whatever happens while they are written.

Each is written under a temporary name in its own folder, synced to the disk and moved into place.
A process that dies in between leaves a temporary file, which `remove_leftovers` clears.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

import numpy as np

from wsal_bench.errors import DataError

_LEFTOVERS = ".*.tmp"


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """A temporary file beside `path` that takes its place when the block ends well.

    Raises:
        DataError: the file cannot be written (full disk, no permission); what was at `path` is
            untouched.
    """
    temporary = path.with_name(f".{path.name}.{uuid4().hex}.tmp")
    try:
        with temporary.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)  # noqa: PTH105 - the one call that tests interrupt
        _sync_folder(path.parent)
    except OSError as error:
        raise DataError(f"cannot be written ({error.strerror or error})", path=path) from error
    finally:
        with suppress(OSError):  # an unwritable folder was said above
            temporary.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Writes a whole file atomically.

    Raises:
        DataError: the file cannot be written.
    """
    with replacing(path) as file:
        file.write(content)


def write_text(path: Path, content: str) -> None:
    """Writes a whole text file atomically, UTF-8 with plain line ends.

    Raises:
        DataError: the file cannot be written.
    """
    write_bytes(path, content.encode())


def write_json(path: Path, document: Any) -> None:
    """Writes a JSON document atomically; keys sorted, no NaN.

    Raises:
        DataError: the file cannot be written.
        ValueError: the document holds a NaN or an infinity.
    """
    text = json.dumps(document, sort_keys=True, indent=1, allow_nan=False)
    write_text(path, text + "\n")


def write_npz(path: Path, arrays: Mapping[str, np.ndarray[Any, Any]]) -> None:
    """Writes named arrays atomically, without pickle; equal arrays give equal bytes.

    Raises:
        DataError: the file cannot be written.
    """
    buffer = BytesIO()
    named: dict[str, Any] = dict(arrays)
    np.savez(buffer, **named)
    write_bytes(path, buffer.getvalue())


def read_json(path: Path) -> Any:
    """A JSON document.

    Raises:
        DataError: the file cannot be read or is not JSON.
    """
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror or error})", path=path) from error
    except ValueError as error:
        raise DataError(f"not JSON, maybe half-written ({error})", path=path) from error


def make_folder(path: Path) -> None:
    """Makes a folder and those above it.

    Raises:
        DataError: it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"cannot be made ({error.strerror or error})", path=path) from error


def remove(path: Path) -> None:
    """Removes a file if it is there.

    Raises:
        DataError: it is there and cannot be removed.
    """
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise DataError(f"cannot be removed ({error.strerror or error})", path=path) from error


def remove_leftovers(folder: Path) -> None:
    """Removes temporary files that a killed process left in `folder` and below.

    Only for a folder that nobody else writes to.

    Raises:
        DataError: one of them cannot be removed.
    """
    for path in folder.rglob(_LEFTOVERS):
        remove(path)


def _sync_folder(folder: Path) -> None:
    """Makes the new name itself survive a power cut, where the system can."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
