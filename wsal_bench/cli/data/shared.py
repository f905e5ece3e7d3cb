"""What reads a source from the command line, for the commands that do."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from wsal_bench.cli.options import data_root_option, json_option, plugins_option
from wsal_bench.errors import UsageError

if TYPE_CHECKING:
    from wsal_bench.data.opening import ImportRequest

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


@dataclass(frozen=True)
class Asked:
    """What was asked of a source.

    Args:
        request: the source and how it is to be understood.
        jobs: files read at once.
        as_json: print a document.
    """

    request: ImportRequest
    jobs: int
    as_json: bool


def asked(source: tuple[str, ...], options: Mapping[str, Any], usage: str) -> Asked:
    """The words and `source_options` of a command line.

    Args:
        source: `SRC` or `DATASET SRC`.
        options: as click gives them.
        usage: what `source` may be, for the message.

    Raises:
        UsageError: more than two words.
    """
    from wsal_bench.data.opening import ImportRequest

    if len(source) > 2:
        raise UsageError(f"{len(source)} sources were given", hint=f"write {usage}")
    rest = {name: value for name, value in options.items() if name not in ("as_json", "jobs")}
    request = ImportRequest(
        path=Path(source[-1]).expanduser(),
        dataset=source[0] if len(source) == 2 else None,
        **rest,
    )
    return Asked(request, options["jobs"] or os.cpu_count() or 1, options["as_json"])
