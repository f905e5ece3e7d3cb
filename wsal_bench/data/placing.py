"""How a store that is whole takes its place, and what a kill in between leaves is put right.

The new store grows in `.NAME.importing` and holds a journal until it is in its place. Where the
system can, it changes places with an old one in a single step; else the old one waits in
`.NAME.old` for a moment.
"""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from wsal_bench.errors import DataError
from wsal_bench.files import remove, remove_folder, sync_folder
from wsal_bench.locks import locked

INDEX: Final = "index.json"
JOURNAL: Final = "journal.jsonl"
_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


def how_to_replace(root: Path) -> str:
    """The hint of an error where a store is not what was imported."""
    return f"wsal-bench data import SRC --as {root.name} --replace imports it again"


def growing_at(root: Path) -> Path:
    """Where a store grows."""
    return root.with_name(f".{root.name}.importing")


@contextmanager
def writing(root: Path, patience: float = 3.0) -> Iterator[None]:
    """Holds the only right to write the store at `root`; ends what a killed import began.

    Raises:
        BusyError: another process writes it.
    """
    with locked(root.parent, f".{root.name}.lock", patience=patience, passing=True):
        _put_right(root)
        yield


def put_in_place(root: Path) -> None:
    """The new store takes its place; at every moment the old one or the new one is there.

    Raises:
        OSError: it cannot; the old one is still there.
    """
    growing, old = growing_at(root), _old(root)
    sync_folder(growing)
    if not root.exists():
        os.replace(growing, root)  # noqa: PTH105
    elif not _exchanged(growing, root):
        remove_folder(old)
        os.replace(root, old)  # noqa: PTH105
        os.replace(growing, root)  # noqa: PTH105
    sync_folder(root.parent)
    remove(root / JOURNAL)
    remove_folder(growing)
    remove_folder(old)


def put_right(root: Path) -> None:
    """Ends what a killed import left in the middle; nothing where another one is at work.

    A store that still grows stays: the same import continues it.
    """
    if _is_in_the_middle(root):
        with suppress(DataError), writing(root, patience=0.0):
            pass


def _is_in_the_middle(root: Path) -> bool:
    return _old(root).exists() or (root / JOURNAL).exists() or _is_replaced(growing_at(root))


def _is_replaced(growing: Path) -> bool:
    """Whether it is an old store that has changed places with a new one: it has no journal."""
    return (growing / INDEX).exists() and not (growing / JOURNAL).exists()


def _put_right(root: Path) -> None:
    if not root.exists() and _old(root).exists():
        with suppress(OSError):
            os.replace(_old(root), root)  # noqa: PTH105
            sync_folder(root.parent)
    if root.exists():
        remove(root / JOURNAL)
        remove_folder(_old(root))
        if _is_replaced(growing_at(root)):
            remove_folder(growing_at(root))


def _old(root: Path) -> Path:
    return root.with_name(f".{root.name}.old")


def _exchanged(first: Path, second: Path) -> bool:
    """Two names change places in one step; False where the system cannot.

    Raises:
        OSError: it can, but failed.
    """
    if sys.platform != "linux":
        return False
    exchange = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if exchange is None:
        return False
    names = os.fsencode(first), os.fsencode(second)
    if exchange(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EPERM):
        return False
    raise OSError(number, os.strerror(number), str(second))
