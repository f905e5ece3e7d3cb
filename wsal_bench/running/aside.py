"""What a run held before it is made again: kept in its directory until the new files are whole."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from wsal_bench import files
from wsal_bench.errors import DataError, UnreadableError
from wsal_bench.running.results import RunFiles, read_record


def set_aside(place: RunFiles, further: Sequence[Path] = ()) -> None:
    """Moves what a record vouches for, or would if it could be read, into a folder of its own.

    Does nothing where there is no record, or one of a failure. The record goes last: a call that
    was killed is gone on with by the next one.

    Args:
        place: the run's files.
        further: what else goes, if it is there.

    Raises:
        UnreadableError: the record may be whole, but cannot be read.
        DataError: a file cannot be moved.
    """
    if not place.record.exists() or _is_failure(place.record):
        return
    files.make_folder(place.aside)
    said = sorted(place.directory.glob("activations*.npz"))
    for path in (*further, *said, place.recipes, place.record):
        target = place.aside / path.name
        if not path.exists():
            continue
        if target.is_dir():
            files.remove_folder(target)
        try:
            os.replace(path, target)  # noqa: PTH105 - as in `files`
        except OSError as error:
            raise DataError(f"cannot be moved ({error.strerror or error})", path=path) from error
    files.sync_folder(place.aside)
    files.sync_folder(place.directory)


def _is_failure(record: Path) -> bool:
    try:
        return bool(read_record(record)["status"] == "failed")
    except UnreadableError:
        raise
    except DataError:
        return False
