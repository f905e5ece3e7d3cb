"""`wsal-bench show RUN --video ID`: one test video of a run along time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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
        options: `plot`, `recipe` and `protocol`.
        as_json: print a document.

    Raises:
        UsageError: no such run, video or scores.
        DataError: something cannot be read or written.
    """
    from wsal_bench.inference.stored_video import video_of_run
    from wsal_bench.report.timeline import MAX_SEGMENTS, content
    from wsal_bench.running.lookup import one_run

    assert chosen.video is not None
    run = one_run(results, name)
    tiou = DEFAULT_TIOU if chosen.tiou is None else chosen.tiou
    found = video_of_run(run.directory, chosen.video, tiou, options["recipe"], options["protocol"])
    for text in found.notes:
        warn(text)
    number = chosen.top_k or MAX_SEGMENTS
    if options["plot"] is not None:
        from wsal_bench.report.timeline_picture import write_timeline

        for path in write_timeline(found.timeline, options["plot"], number):
            note(f"wrote {path}")
    shown = {
        "run": str(run.directory),
        "recipe": found.scores.recipe,
        "protocol": found.scores.protocol,
        "tiou": tiou,
        **content(found.timeline, number),
    }
    click.echo(document(SCHEMA, "data", shown) if as_json else _text(shown).rstrip("\n"))


def _text(shown: Mapping[str, Any]) -> str:
    truth, segments = shown["truth"], shown["segments"]
    found = sum(row["found"] for row in truth)
    count = f"{len(truth)} segment{'' if len(truth) == 1 else 's'}, {found} found"
    best = f"the best {len(segments)} of {shown['num_segments']}"
    return "\n".join(
        [
            f"{shown['video']}, {shown['duration']:.1f} s; recipe {shown['recipe']}, protocol "
            f"{shown['protocol']}, tIoU {shown['tiou']:g}",
            "",
            f"truth: {count if truth else 'none'}",
            *([plain(_truth(truth))] if truth else [""]),
            f"segments: {best if segments else 'none'}",
            *([plain(_segments(segments))] if segments else []),
        ]
    )


def _truth(rows: Sequence[Mapping[str, Any]]) -> Table:
    return _table(
        ("class", "start", "end", "found"),
        [(*_where(row), "yes" if row["found"] else "no") for row in rows],
    )


def _segments(rows: Sequence[Mapping[str, Any]]) -> Table:
    return _table(
        ("class", "start", "end", "score", "outcome"),
        [
            # + 0.0: what rounds to zero from below has no sign
            (*_where(row), f"{round(row['score'], 3) + 0.0:.3f}", _OUTCOMES[row["outcome"]])
            for row in rows
        ],
    )


def _where(row: Mapping[str, Any]) -> tuple[str, ...]:
    name = str(row["label"]) if row["label"] is not None else "(another class)"
    return (name, f"{row['start']:.2f}", f"{row['end']:.2f}")


def _table(titles: tuple[str, ...], rows: list[tuple[str, ...]]) -> Table:
    columns = tuple(
        Column(title, "right" if title in ("start", "end", "score") else "left") for title in titles
    )
    return Table(columns, tuple(tuple(map(Cell, row)) for row in rows))
