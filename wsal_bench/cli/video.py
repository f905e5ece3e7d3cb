"""`wsal-bench show RUN --video ID`: one test video of a run along time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from wsal_bench.cli.output import document, note, warn
from wsal_bench.errors import UsageError
from wsal_bench.report.table import Cell, Column, Table, plain

Command = TypeVar("Command", bound=Callable[..., Any])
SCHEMA = "wsal-bench/timeline/1"
DEFAULT_TIOU = 0.5
_OUTCOMES: Mapping[str | None, str] = {
    "true": "true positive",
    "false": "false positive",
    "uncounted": "not counted",
    None: "",
}


@dataclass(frozen=True)
class VideoChoice:
    """What the options of a video were given.

    Args:
        video: `--video`; None: not a video but the whole run.
        tiou: `--tiou`.
        top_k: `--top-k`.
    """

    video: str | None
    tiou: float | None
    top_k: int | None

    def check(self, *, diagnose: bool) -> None:
        """Refuses options that would have no effect.

        Raises:
            UsageError: one is there without `--video`, or `--video` beside `--diagnose`.
        """
        if self.video is not None and diagnose:
            raise UsageError("--video and --diagnose are two reports", hint="choose one")
        given = {"--tiou": self.tiou, "--top-k": self.top_k}
        named = [name for name, value in given.items() if value is not None]
        if named and self.video is None:
            raise UsageError(f"{', '.join(named)} without --video", hint="add --video ID")


def video_options(command: Command) -> Command:
    """`--video` and what goes with it."""
    for option in (
        click.option(
            "--top-k",
            type=click.IntRange(min=1),
            help="With --video: how many of the best segments are shown; by default 20.",
        ),
        click.option(
            "--tiou",
            type=click.FloatRange(0, 1, min_open=True),
            help="With --video: tIoU at which a segment is a true positive; by default 0.5.",
        ),
        click.option("--video", metavar="ID", help="Of a run: show one of its test videos."),
    ):
        command = option(command)
    return command


def show_video(
    name: str, results: Path, chosen: VideoChoice, options: Mapping[str, Any], *, as_json: bool
) -> None:
    """Prints a video of a run, and draws it where a folder was named.

    Args:
        name: the run.
        results: folder of the runs.
        chosen: which video, and how.
        options: `out`, `recipe` and `protocol`.
        as_json: print a document.

    Raises:
        UsageError: no such run, video or scores.
        DataError: something cannot be read or written.
    """
    from wsal_bench.report.lookup import find_run
    from wsal_bench.report.timeline import MAX_SEGMENTS, content
    from wsal_bench.running.one_video import video_of_run

    assert chosen.video is not None
    run = find_run(results, name)
    if run is None:
        raise UsageError(f"{name!r} is no run", hint="only runs have test videos")
    tiou = DEFAULT_TIOU if chosen.tiou is None else chosen.tiou
    found = video_of_run(
        Path(run["directory"]), chosen.video, tiou, options["recipe"], options["protocol"]
    )
    for text in found.notes:
        warn(text)
    number = chosen.top_k or MAX_SEGMENTS
    if options["out"] is not None:
        from wsal_bench.report.timeline_picture import write_timeline

        for path in write_timeline(found.timeline, options["out"], number):
            note(f"wrote {path}")
    shown = {
        "run": run["directory"],
        "recipe": found.scores.recipe,
        "protocol": found.scores.protocol,
        "tiou": tiou,
        **content(found.timeline, number),
    }
    click.echo(document(SCHEMA, "data", shown) if as_json else _text(shown).rstrip("\n"))


def _text(shown: Mapping[str, Any]) -> str:
    lines = [
        f"{shown['video']}, {shown['duration']:.1f} s; recipe {shown['recipe']}, protocol "
        f"{shown['protocol']}, tIoU {shown['tiou']:g}",
        "",
        f"truth: {len(shown['truth'])} segment{'' if len(shown['truth']) == 1 else 's'}, "
        f"{sum(row['found'] for row in shown['truth'])} found",
        plain(
            _table(
                ("class", "start", "end", "found"),
                [
                    (_name(row), _seconds(row["start"]), _seconds(row["end"]),
                     "yes" if row["found"] else "no")
                    for row in shown["truth"]
                ],
            )
        ),
        f"segments: the best {len(shown['segments'])} of {shown['num_segments']}",
        plain(
            _table(
                ("class", "start", "end", "score", "outcome"),
                [
                    (_name(row), _seconds(row["start"]), _seconds(row["end"]),
                     f"{round(row['score'], 3) + 0.0:.3f}", _OUTCOMES[row["outcome"]])
                    for row in shown["segments"]
                ],
            )
        ),
    ]  # fmt: skip
    return "\n".join(lines)


def _name(row: Mapping[str, Any]) -> str:
    return str(row["label"]) if row["label"] is not None else "(another class)"


def _seconds(value: float) -> str:
    return f"{value:.2f}"


def _table(titles: tuple[str, ...], rows: list[tuple[str, ...]]) -> Table:
    columns = tuple(
        Column(title, "right" if title in ("start", "end", "score") else "left") for title in titles
    )
    return Table(columns, tuple(tuple(map(Cell, row)) for row in rows))
