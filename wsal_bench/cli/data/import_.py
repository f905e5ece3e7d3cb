"""`wsal-bench data import`: from a download or a folder of features to a store."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from wsal_bench.cli.options import data_root_option, json_option, plugins_option
from wsal_bench.cli.output import document, note
from wsal_bench.errors import UsageError

SCHEMA = "wsal-bench/import/1"


@click.command("import")
@click.argument("source", nargs=-1, required=True, metavar="[DATASET] SRC")
@click.option("--as", "name", metavar="NAME", help="Name of the data set; needed without DATASET.")
@click.option("--fps", type=float, help="Frames per second of the videos.")
@click.option("--stride", type=float, help="Frames from one snippet to the next.")
@click.option(
    "--dtype",
    type=click.Choice(["float16", "float32"]),
    help="Convert to this; without it features stay as they are.",
)
@click.option("--overhang", type=float, help="Seconds a segment may end after the features do.")
@click.option(
    "--truth",
    "truths",
    multiple=True,
    metavar="[VARIANT=]FILE",
    help="A truth file in place of the source's, or beside it as a variant; repeatable.",
)
@click.option("--group", metavar="REGEX", help="Who was recorded: first (...) in a video's name.")
@click.option("--replace", is_flag=True, help="Replace a data set of that name.")
@click.option("-j", "--jobs", type=click.IntRange(1), help="Files read at once [default: cores].")
@data_root_option
@plugins_option
@json_option
def command(source: tuple[str, ...], **options: Any) -> None:
    """Check features and truth and write them as one compact data set.

    SRC is a folder in a known layout, or, after the name of a data set that reads its own archive,
    that archive. SRC is never changed. An import that was stopped goes on where it was.
    """
    from wsal_bench.data.requests import ImportRequest, import_data

    if len(source) > 2:
        raise UsageError(f"{len(source)} sources were given", hint="write [DATASET] SRC")
    as_json, jobs = options.pop("as_json"), options.pop("jobs") or os.cpu_count() or 1
    request = ImportRequest(
        path=Path(source[-1]).expanduser(),
        dataset=source[0] if len(source) == 2 else None,
        **options,
    )
    with _Bar() as bar:
        outcome = import_data(request, jobs=jobs, report=bar.report, say=note)
    if as_json:
        click.echo(document(SCHEMA, "data", outcome.to_json()))
        return
    for line in outcome.lines():
        click.echo(line)


class _Bar:
    """A bar on a terminal; nothing elsewhere."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("reading"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
            disable=not sys.stderr.isatty(),
        )
        self._task = self._progress.add_task("reading", total=None)

    def __enter__(self) -> _Bar:
        self._progress.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._progress.stop()

    def report(self, done: int, total: int) -> None:
        """Shows how many videos are done."""
        self._progress.update(self._task, completed=done, total=total)
