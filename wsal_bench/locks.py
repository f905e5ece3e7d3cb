"""One writer per place; the right to write ends with the process or thread that has it.

The operating system keeps the locks. Where a file system has none (some network and user-space ones
say ENOLCK or EOPNOTSUPP) numbered lease files take their place: see `wsal_bench.leases`.
"""

from __future__ import annotations

import errno
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Final

from wsal_bench import leases
from wsal_bench.errors import DataError

LOCK = ".lock"
_PATIENCE = 3.0  # seconds: a killed run's orphaned worker may still be about to notice
_NO_LOCKS: Final = frozenset({errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS})

_HELD: Final[dict[str, int]] = {}
"""Thread by lock file: the system's locks are those of a process, and a second handle that a thread
closes would end the first one's."""
_GUARD: Final = threading.Lock()


class BusyError(DataError):
    """Another process writes in a folder; its message says which."""


@contextmanager
def locked(
    directory: Path, name: str = LOCK, *, patience: float = _PATIENCE, passing: bool = False
) -> Iterator[None]:
    """Holds the only right to write in `directory`, or to what a name in it stands for.

    The operating system takes the lock back when the process ends, however it ends.

    Args:
        directory: an existing folder.
        name: of the lock's file.
        patience: seconds to wait for another writer.
        passing: remove the lock's file at the end.

    Raises:
        BusyError: another process, or another thread of this one, is writing there.
        DataError: the folder cannot be written.
    """
    path = directory / name
    with _one_thread(path, patience), ExitStack() as stack:
        lock = stack.enter_context(closing(_Lock(path)))
        try:
            if not _within(patience, lock.take):
                raise _busy(f"another process{lock.owner()}", path)
            if lock.there_are_none:
                owner = stack.enter_context(leases.held(path, patience))
                if owner:
                    raise _busy(f"another process ({owner})", path)
            else:
                lock.sign()
        except OSError as error:
            raise DataError(f"cannot be written ({error.strerror or error})", path=path) from error
        if passing:
            stack.callback(_forget, path)
        yield


def _forget(path: Path) -> None:
    with suppress(OSError):  # a name that stays harms nobody
        path.unlink()


@contextmanager
def _one_thread(path: Path, patience: float) -> Iterator[None]:
    key = os.path.realpath(path)

    def take() -> bool:
        with _GUARD:
            return _HELD.setdefault(key, threading.get_ident()) == threading.get_ident()

    if _HELD.get(key) == threading.get_ident() or not _within(patience, take):
        raise _busy("another part of this process", path)
    try:
        yield
    finally:
        with _GUARD:
            _HELD.pop(key, None)


class _Lock:
    """The right of this process, as the system keeps it."""

    def __init__(self, path: Path) -> None:
        self._path, self._handle = path, -1
        self.there_are_none = False  # the file system has no locks

    def take(self) -> bool:
        """Whether the file at the path is locked now: who had it before may have removed it."""
        self.close()
        self._handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            if not _try_lock(self._handle):
                return False
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
            self.there_are_none = True
            return True
        try:
            return os.path.samestat(os.fstat(self._handle), self._path.stat())
        except FileNotFoundError:
            return False

    def owner(self) -> str:
        os.lseek(self._handle, 0, os.SEEK_SET)
        owner = os.read(self._handle, 32).decode("ascii", "replace").strip()
        return f" ({owner})" if owner else ""

    def sign(self) -> None:
        os.lseek(self._handle, 0, os.SEEK_SET)
        os.ftruncate(self._handle, 0)
        os.write(self._handle, str(os.getpid()).encode())

    def close(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1


def _within(patience: float, take: Callable[[], bool]) -> bool:
    """Tries until it works or patience ends."""
    deadline = time.monotonic() + patience
    while not take():
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.05)
    return True


def _busy(who: str, path: Path) -> BusyError:
    return BusyError(
        f"{who} is writing here",
        hint="wait until it is done, or name another place",
        path=path.parent,
    )


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

    os.register_at_fork(after_in_child=_HELD.clear)  # a child has none of its parent's rights

    def _try_lock(handle: int) -> bool:
        """POSIX record lock: forked helpers of the process do not inherit it."""
        try:
            fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            return False
        return True
