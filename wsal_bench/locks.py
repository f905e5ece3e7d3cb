"""One writer per run directory, on one machine; a lock dies with its process."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wsal_bench.errors import DataError

LOCK = ".lock"
_PATIENCE = 3.0  # seconds: a killed run's orphaned worker may still be about to notice


class BusyError(DataError):
    """Another process writes in a folder; its message says which."""


@contextmanager
def locked(directory: Path, *, patience: float = _PATIENCE) -> Iterator[None]:
    """Holds the only right to write in `directory`.

    The operating system takes the lock back when the process ends, however it ends.

    Args:
        directory: an existing folder.
        patience: seconds to wait for another writer.

    Raises:
        BusyError: another process is writing there.
        DataError: the folder cannot be written.
    """
    path = directory / LOCK
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise DataError(f"cannot be written ({error.strerror or error})", path=path) from error
    try:
        deadline = time.monotonic() + patience
        while not _try_lock(handle):
            if time.monotonic() >= deadline:
                os.lseek(handle, 0, os.SEEK_SET)
                owner = os.read(handle, 32).decode("ascii", "replace").strip()
                raise BusyError(
                    f"another process{f' ({owner})' if owner else ''} is writing here",
                    hint="wait until it is done, or name another place",
                    path=directory,
                )
            time.sleep(0.05)
        _sign(handle, path)
        yield
    finally:
        os.close(handle)


def _sign(handle: int, path: Path) -> None:
    try:
        os.lseek(handle, 0, os.SEEK_SET)
        os.ftruncate(handle, 0)
        os.write(handle, str(os.getpid()).encode())
    except OSError as error:
        raise DataError(f"cannot be written ({error.strerror or error})", path=path) from error


if sys.platform == "win32":
    import msvcrt

    def _try_lock(handle: int) -> bool:
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try_lock(handle: int) -> bool:
        """POSIX record lock: forked helpers of the process do not inherit it."""
        try:
            fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            return False
        return True
