"""Several files are replaced as one, whenever the writer is killed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wsal_bench.errors import DataError
from wsal_bench.files import write_bytes
from wsal_bench.together import write_together

OLD = {"a.md": b"old", "b.csv": b"old"}
NEW = {"a.md": b"new", "b.csv": b"new"}


class Killed(BaseException):
    """Stands for the end of the process."""


def held(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def killing(after: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process ends at its `after`-th move; nothing is cleaned up from then on."""
    real, unlink, moves = os.replace, os.unlink, iter(range(10**6))
    dead: list[bool] = []

    def replace(*args: Any) -> None:
        if dead or next(moves) == after:
            dead.append(True)
            raise Killed
        real(*args)

    def removing(*args: Any, **kwargs: Any) -> None:
        if not dead:
            unlink(*args, **kwargs)

    monkeypatch.setattr(os, "replace", replace)
    monkeypatch.setattr(os, "unlink", removing)


@pytest.mark.parametrize("after", range(5))
def test_a_killed_writer_leaves_the_old_files_or_the_next_one_moves_the_rest(
    tmp_path: Path, after: int
) -> None:
    write_together(tmp_path, OLD)
    with pytest.MonkeyPatch.context() as patch:
        killing(after, patch)
        with pytest.raises(Killed):
            write_together(tmp_path, NEW)
    write_together(tmp_path, {"c.md": b"other"})  # the next command, for another data set
    wanted = OLD if after < 3 else NEW  # two drafts and the list
    assert held(tmp_path) == {**wanted, "c.md": b"other"}


def test_an_error_while_writing_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_together(tmp_path, OLD)
    write: Callable[[Path, bytes], None] = write_bytes

    def full(path: Path, content: bytes) -> None:
        if "b.csv" in path.name:
            raise DataError("cannot be written (No space left on device)", path=path)
        write(path, content)

    monkeypatch.setattr("wsal_bench.together.write_bytes", full)
    with pytest.raises(DataError, match="No space left"):
        write_together(tmp_path, NEW)
    assert held(tmp_path) == OLD


def test_files_of_others_stay(tmp_path: Path) -> None:
    (tmp_path / ".mine.tmp").write_text("")
    write_together(tmp_path, NEW)
    assert held(tmp_path) == {**NEW, ".mine.tmp": b""}
