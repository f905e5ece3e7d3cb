"""Files that are either as they were or whole and new, whatever happens while they are written.

Each is written under a temporary name in its own folder, synced to the disk and moved into place.
A process that dies in between leaves a temporary file, which `remove_leftovers` clears.

Files of others are read with care: what they promise is compared with what they hold before memory
is taken for it.
"""

from __future__ import annotations

import errno
import json
import os
import pickle
import re
import shutil
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from io import BytesIO
from math import prod
from pathlib import Path
from tokenize import TokenError
from typing import IO, Any, Final
from uuid import uuid4

import numpy as np

from wsal_bench.errors import DataError, UnreadableError

_NOT_THERE: Final = (errno.ENOENT, errno.ENOTDIR, errno.EINVAL, None)
_LEFTOVER = re.compile(r"\..+\.[0-9a-f]{32}\.tmp")

DAMAGED: Final = (
    KeyError, IndexError, ValueError, TypeError, EOFError, AttributeError, RuntimeError,
    MemoryError, OverflowError, AssertionError, SyntaxError, TokenError, struct.error,
    pickle.UnpicklingError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
"""What readers of arrays raise at files that are damaged or made to harm; besides OSError."""

MAX_BYTES: Final = 8 << 30
"""What one array of a packed file may take: a video of 100,000 snippets of 8,192 numbers in double
precision fits."""


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
        sync_folder(path.parent)
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


def check_file(path: Path) -> None:
    """Refuses a folder, a pipe or a device where a file is wanted: reading might never end.

    A path where nothing is passes: whoever opens it says what is missing.

    Raises:
        DataError: it is no regular file.
    """
    try:
        mode = path.stat().st_mode
    except OSError:
        return
    if not stat.S_ISREG(mode):
        kind = "a folder" if stat.S_ISDIR(mode) else "a pipe, a socket or a device"
        raise DataError(f"is {kind}, not a file", path=path)


def read_npy(file: IO[bytes], size: int) -> np.ndarray[Any, Any]:
    """The array of an npy file that is open at its beginning; no memory before it fits.

    Args:
        file: what is read from, to its end.
        size: bytes that it has.

    Raises:
        ValueError: it is no npy file, holds Python objects, or is not as long as it says.
        EOFError: it ends too early.
    """
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0
    if version != (1, 0):
        read = np.lib.format.read_array_header_2_0
    shape, column_major, dtype = read(file)
    if dtype.hasobject:
        raise ValueError("it holds Python objects, which could run code when read")
    promised = prod(shape) * dtype.itemsize if all(side >= 0 for side in shape) else -1
    if promised != size - file.tell() or promised > MAX_BYTES:
        raise ValueError(f"shape {shape} of {dtype} does not fit its {size - file.tell():,} bytes")
    array = np.empty(prod(shape), dtype)
    rest = array.view(np.uint8).data if promised else memoryview(b"")
    while len(rest):
        number = file.readinto(rest)  # type: ignore[attr-defined]
        if not number:
            raise EOFError("it ends too early")
        rest = rest[number:]
    file.read(1)  # a packed file checks its sum when it is at its end
    return array.reshape(shape, order="F" if column_major else "C")


def read_npz(path: Path, kind: str, names: Iterable[str] | None = None) -> dict[str, Any]:
    """Named arrays of an npz file, each compared with what the file holds before it is read.

    Args:
        path: the file.
        kind: what it should hold, for the complaint.
        names: which; None: all.

    Raises:
        DataError: it cannot be read, lacks a name, or an array does not fit.
    """
    check_file(path)
    try:
        with zipfile.ZipFile(path) as archive:
            check_archive(archive, path)
            if names is None:
                names = [entry.removesuffix(".npy") for entry in archive.namelist()]
            found = {}
            for name in names:
                entry = archive.getinfo(f"{name}.npy")
                with archive.open(entry) as member:
                    found[name] = read_npy(member, entry.file_size)
            return found
    except OSError as error:
        raise unread(error, path, f"{kind} cannot be read") from error
    except DAMAGED as error:
        raise DataError(f"not a file of {kind} ({error})", path=path) from error


def check_archive(archive: zipfile.ZipFile, path: Path) -> None:
    """Refuses an archive that unpacks to more than anybody needs, or that needs a password.

    Raises:
        DataError: it does.
    """
    entries = archive.infolist()
    size = sum(entry.file_size for entry in entries)
    if size > MAX_BYTES:
        raise DataError(
            f"unpacks to {size:,} bytes, more than the {MAX_BYTES:,} that are read", path=path
        )
    if any(entry.flag_bits & 1 for entry in entries):
        raise DataError("is encrypted", hint="save it without a password", path=path)


def unread(error: OSError, path: Path, what: str = "cannot be read") -> DataError:
    """The error of a file that the system did not let us read.

    A file that is not there, or that ends where it must not (EINVAL: a position before its
    beginning), is damaged; of any other the disk, the network or the rights may be at fault.
    """
    kind = DataError if error.errno in _NOT_THERE else UnreadableError
    return kind(f"{what} ({error.strerror or error})", path=path)


def read_bytes(path: Path) -> bytes:
    """All of a file.

    Raises:
        DataError: it is not there, or no file.
        UnreadableError: it may be whole, but reading it failed.
    """
    check_file(path)
    try:
        return path.read_bytes()
    except OSError as error:
        raise unread(error, path) from error


def read_json(path: Path) -> Any:
    """A JSON document.

    Raises:
        DataError: the file is not there or is not JSON.
        UnreadableError: it may be whole, but reading it failed.
    """
    try:
        return json.loads(read_bytes(path))
    except ValueError as error:
        raise DataError(f"not JSON, maybe half-written ({error})", path=path) from error


def make_folder(path: Path) -> None:
    """Makes a folder and those above it; their names survive a power cut.

    Raises:
        DataError: it cannot be made.
    """
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    try:
        path.mkdir(parents=True, exist_ok=True)
        for folder in reversed(missing):
            sync_folder(folder.parent)
    except OSError as error:
        raise DataError(f"cannot be made ({error.strerror or error})", path=path) from error


def remove(path: Path) -> None:
    """Removes a file if it is there; a power cut does not bring it back.

    Raises:
        DataError: it is there and cannot be removed.
    """
    _removing(path, path.unlink)


def remove_folder(path: Path) -> None:
    """Removes a folder and all that is in it, if it is there.

    Raises:
        DataError: it is there and cannot be removed.
    """
    _removing(path, lambda: shutil.rmtree(path))


def _removing(path: Path, act: Callable[[], None]) -> None:
    try:
        act()
        sync_folder(path.parent)
    except FileNotFoundError:
        return
    except OSError as error:
        raise DataError(f"cannot be removed ({error.strerror or error})", path=path) from error


def remove_leftovers(folder: Path, *, below: bool = True) -> None:
    """Removes temporary files of `replacing` that a killed process left.

    Only for a folder that nobody else writes to.

    Args:
        folder: where to look.
        below: look into the folders in it too.

    Raises:
        DataError: one of them cannot be removed.
    """
    for path in folder.rglob("*.tmp") if below else folder.glob("*.tmp"):
        if _LEFTOVER.fullmatch(path.name):
            remove(path)


def sync_folder(folder: Path) -> None:
    """Makes the names in a folder survive a power cut, where the system can.

    Raises:
        OSError: the disk failed.
    """
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:  # some network file systems sync names by themselves and say so
        if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP, errno.ENOSYS):
            raise
    finally:
        os.close(handle)
