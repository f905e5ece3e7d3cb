"""Several files of one folder that are replaced as one: all of them new, or all as they were."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Final

from wsal_bench.errors import DataError
from wsal_bench.files import (
    make_folder,
    read_json,
    remove,
    remove_leftovers,
    sync_folder,
    write_bytes,
    write_json,
)
from wsal_bench.locks import locked

_LIST: Final = ".replacing.json"
_LOCK: Final = ".replacing.lock"


def write_together(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Replaces files of a folder as one.

    All are written beside their places first; an error there leaves everything as it was. A list
    then says where each belongs, and they move. A kill among the moves leaves the list, and the
    next call for this folder moves the rest.

    Args:
        folder: is made where it is not there.
        contents: by name.

    Raises:
        BusyError: another process is writing there.
        DataError: a file cannot be written.
    """
    make_folder(folder)
    with locked(folder, _LOCK, passing=True):
        _finish(folder)
        remove_leftovers(folder, below=False)
        moves = {
            name: f".{name}.{sha256(data).hexdigest()[:32]}.tmp" for name, data in contents.items()
        }
        try:
            for name, draft in moves.items():
                write_bytes(folder / draft, contents[name])
            write_json(folder / _LIST, moves)
        except BaseException:
            with suppress(DataError):
                remove_leftovers(folder, below=False)
            raise
        _finish(folder)


def _finish(folder: Path) -> None:
    """Moves what the list names, and removes the list."""
    if not (folder / _LIST).exists():
        return
    moves: Mapping[str, str] = read_json(folder / _LIST)
    try:
        for name, draft in moves.items():
            if Path(name).name != name or Path(draft).name != draft:
                raise DataError(f"names {name!r}, which is no file beside it", path=folder / _LIST)
            if (folder / draft).exists():  # else it moved before the kill
                os.replace(folder / draft, folder / name)  # noqa: PTH105
        sync_folder(folder)
    except OSError as error:
        raise DataError(f"cannot be written ({error.strerror or error})", path=folder) from error
    remove(folder / _LIST)
