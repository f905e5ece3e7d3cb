"""What reads a source from the command line, for the commands that do."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from wsal_bench.cli.options import data_root_option, json_option, plugins_option

Command = TypeVar("Command", bound=Callable[..., Any])


def source_options(command: Command) -> Command:
    """How a source is to be understood."""
    options = (
        click.option("--fps", type=float, help="Frames per second of the videos."),
        click.option("--stride", type=float, help="Frames from one snippet to the next."),
        click.option(
            "--dtype",
            type=click.Choice(["float16", "float32"]),
            help="Convert to this; without it features stay as they are.",
        ),
        click.option(
            "--overhang", type=float, help="Seconds a segment may end after the features do."
        ),
        click.option(
            "--truth",
            "truths",
            multiple=True,
            metavar="[VARIANT=]FILE",
            help="A truth file in place of the source's, or beside it as a variant; repeatable.",
        ),
        click.option(
            "--group", metavar="REGEX", help="Who was recorded: first (...) in a video's name."
        ),
        click.option(
            "-j", "--jobs", type=click.IntRange(1), help="Files read at once [default: cores]."
        ),
        data_root_option,
        plugins_option,
        json_option,
    )
    for option in reversed(options):
        command = option(command)
    return command


class Bar:
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

    def __enter__(self) -> Bar:
        self._progress.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._progress.stop()

    def report(self, done: int, total: int) -> None:
        """Shows how many videos are done."""
        self._progress.update(self._task, completed=done, total=total)
