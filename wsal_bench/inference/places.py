"""Where segments go: stdout, a file that is whole or not there, a folder of ELAN documents."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from wsal_bench.errors import UsageError
from wsal_bench.files import make_folder, replacing, write_text
from wsal_bench.inference.forms import ElanForm, Form
from wsal_bench.inference.stream import VideoSegments

STDOUT: Final = "-"
_ENDINGS: Final = {".json": "json", ".csv": "csv", ".eaf": "elan"}

Write = Callable[[VideoSegments], None]


def form_name(wanted: str | None, out: str, *, as_json: bool) -> str:
    """The form that was asked for, or that the name of the file tells.

    Args:
        wanted: `--format`.
        out: `--out`.
        as_json: `--json`.

    Raises:
        UsageError: two forms on stdout, or nothing tells which.
    """
    if out == STDOUT:
        if as_json and wanted not in (None, "json"):
            raise UsageError(f"--json and --format {wanted} both go to stdout", hint="name --out")
        return wanted or ("json" if as_json else "csv")
    ending = _ENDINGS.get(Path(out).suffix.lower())
    if wanted is None and ending is None:
        raise UsageError(
            f"nothing tells the form of {out}", hint="add --format json, csv, activitynet, ..."
        )
    return wanted or str(ending)


def check_place(form: str, out: str, num_videos: int) -> None:
    """Refuses a place that cannot hold the outcome.

    Raises:
        UsageError: several ELAN documents for one file, or a folder for one text.
    """
    if form == "elan":
        if num_videos > 1 and not _is_folder(out):
            where = "stdout" if out == STDOUT else out
            raise UsageError(
                f"{num_videos} ELAN documents do not fit into {where}",
                hint="name a folder: --out DIR makes a <video>.eaf for each",
            )
    elif out != STDOUT and Path(out).is_dir():
        raise UsageError(f"{out} is a folder", hint="name a file, or - for stdout")


@contextmanager
def open_place(form: Form, out: str, echo: Callable[[str], None]) -> Iterator[Write]:
    """Gives what writes a video; a file takes its name when all are written.

    Args:
        form: the texts.
        out: `-`, a file or a folder.
        echo: writes to stdout.

    Raises:
        DataError: something cannot be written.
    """
    if isinstance(form, ElanForm) and _is_folder(out):
        make_folder(Path(out))

        def write_document(found: VideoSegments) -> None:
            write_text(Path(out) / f"{found.video_id}.eaf", form.video(found))

        yield write_document
    elif out == STDOUT:
        echo(form.begin())
        yield lambda found: echo(form.video(found))
        echo(form.end())
    else:
        make_folder(Path(out).parent)
        with replacing(Path(out)) as file:
            file.write(form.begin().encode())

            def write(found: VideoSegments) -> None:
                file.write(form.video(found).encode())

            yield write
            file.write(form.end().encode())


def _is_folder(out: str) -> bool:
    return out != STDOUT and Path(out).suffix.lower() != ".eaf"
