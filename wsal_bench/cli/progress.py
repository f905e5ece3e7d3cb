"""What is said on stderr while cells run: one line that moves on a terminal, lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack, redirect_stdout
from pathlib import Path
from time import monotonic
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from wsal_bench.cli.output import note, warn
from wsal_bench.cli.pace import Pace, ranges, span
from wsal_bench.config import NO_PRESET
from wsal_bench.report import numbers
from wsal_bench.report.numbers import average_title
from wsal_bench.report.table import Cell as Text
from wsal_bench.report.table import Column, Table, plain
from wsal_bench.running.cells import Cell
from wsal_bench.running.events import (
    CellBusy,
    CellFinished,
    CellProgress,
    CellResult,
    CellStarted,
    Event,
    Note,
    Planned,
)

LINE_SECONDS = 10.0  # between two plain lines about what runs
_SHOWN = 2  # cells that the line names, of those that run


class Display(AbstractContextManager["Display"]):
    """Follows a run; `on_event` is what the runner calls.

    Args:
        debug: print the tracebacks of failed cells.
        moving: let the line move on a terminal; false where something else talks there.

    Attributes:
        failed: cells without a score, also parents that nobody asked for.
    """

    def __init__(self, *, debug: bool = False, moving: bool = True) -> None:
        self.failed: list[CellResult] = []
        self._debug = debug
        self._pace = Pace()
        self._open = ExitStack()
        self._counts = {"planned": 0, "ok": 0, "skipped": 0, "failed": 0}
        self._running: dict[str, str] = {}
        self._notes: set[str] = set()
        self._said = monotonic()
        self._bars: Progress | None = None
        if moving and sys.stderr.isatty():
            self._bars = Progress(
                TextColumn("{task.fields[count]}"),
                BarColumn(bar_width=20),
                TextColumn("{task.description}", markup=False),
                console=Console(stderr=True),  # reads NO_COLOR itself
                transient=True,
            )
            self._task = self._bars.add_task("", total=1.0, count="")

    def __enter__(self) -> Display:
        self._open.enter_context(redirect_stdout(sys.stderr))  # what methods print is no result
        if self._bars:
            self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bars:
            self._bars.stop()
        self._open.close()

    def on_event(self, event: Event) -> None:
        """Says what happened."""
        if isinstance(event, Planned):
            self._counts["planned"] += len(event.cells)
            self._pace.plan(event)
            self._line(plan_summary(event))
            for text in defaults_used(event.cells):
                self._line(text)
        elif isinstance(event, Note):
            self._note(event)
        elif isinstance(event, CellFinished):
            self._finish(event)
        else:
            self._tell(event)

    def closing(self) -> str:
        """What became of the run, in a line."""
        new, stored, failed = (self._counts[status] for status in ("ok", "skipped", "failed"))
        return f"{new} new, {stored} stored, {failed} failed in {span(self._pace.elapsed)}"

    def _tell(self, event: CellStarted | CellProgress | CellBusy) -> None:
        """Changes the line about what runs."""
        cell, name = event.cell, title(event.cell)
        first = cell.key not in self._running
        if isinstance(event, CellStarted) and cell.is_floor:
            return
        if isinstance(event, CellStarted):
            self._running[cell.key] = f"{name} begins"
        elif isinstance(event, CellBusy):
            self._running[cell.key] = f"waiting for {name}: {event.message}"
        else:
            step = event.step
            self._pace.progress(cell, (step.epoch + 1) / step.epochs)
            phase = f"phase {step.phase + 1}, " if step.phase else ""
            losses = ", ".join(f"{term} {value:.4g}" for term, value in step.losses.items())
            self._running[cell.key] = (
                f"{name}: {phase}epoch {step.epoch + 1}/{step.epochs}, {losses}"
            )
        self._refresh(at_once=first and isinstance(event, CellBusy))

    def _refresh(self, *, at_once: bool = False) -> None:
        count, state = self._count(), self._state()
        if self._bars:
            self._bars.update(
                self._task, count=count, completed=self._pace.fraction, description=state
            )
        elif self._running and (at_once or monotonic() - self._said >= LINE_SECONDS):
            self._said = monotonic()
            self._line(f"{count} {state}")

    def _count(self) -> str:
        done = sum(self._counts[status] for status in ("ok", "skipped", "failed"))
        return f"[{done}/{self._counts['planned']}]"

    def _state(self) -> str:
        """Time left and what runs."""
        left = self._pace.left
        running = [*self._running.values()]
        more = f", {len(running) - _SHOWN} more" if len(running) > _SHOWN else ""
        time = f"{span(left)} left; " if left is not None else ""
        return f"{time}{'; '.join(running[:_SHOWN])}{more}"

    def _finish(self, event: CellFinished) -> None:
        result, cell = event.result, event.cell
        self._counts[result.status] += 1
        self._running.pop(cell.key, None)
        self._pace.finish(cell, result.seconds if result.status == "ok" else {})
        if result.status == "failed" or (result.status == "ok" and not cell.is_floor):
            # stored cells and reference rows are only counted
            self._line(f"{self._count()} {title(cell)}: {outcome(result)}")
        if result.status == "failed":
            self.failed.append(result)
            if self._debug and result.trace:
                self._line(result.trace.rstrip())
        self._refresh()

    def _line(self, text: str) -> None:
        if self._bars:
            self._bars.console.print(text, markup=False, highlight=False, soft_wrap=True)
        else:
            note(text)

    def _note(self, event: Note) -> None:
        if event.message in self._notes:  # several workers may say the same
            return
        self._notes.add(event.message)
        if not event.is_warning or self._bars:
            self._line(f"warning: {event.message}" if event.is_warning else event.message)
        else:
            warn(event.message)


def title(cell: Cell) -> str:
    """A cell in a few words."""
    data = f" data {cell.spec.data.seed}" if cell.spec.data.seeded else ""
    return f"{cell.spec.name} on {cell.spec.data.name}{data} seed {cell.spec.seed}"


def defaults_used(cells: Sequence[Cell]) -> list[str]:
    """A sentence for each preset that some methods lack: they run on their defaults."""
    lacking: dict[str, dict[str, None]] = {}
    for cell in cells:
        wanted = cell.spec.preset.removeprefix(NO_PRESET)
        if wanted != cell.spec.preset:
            lacking.setdefault(wanted, {})[cell.spec.method] = None
    return [
        f"no preset {wanted!r} of {', '.join(methods)}: "
        f"{'it runs on its' if len(methods) == 1 else 'they run on their'} defaults"
        for wanted, methods in lacking.items()
    ]


def outcome(result: CellResult) -> str:
    """What became of a cell, in a line."""
    if result.status == "failed":
        log = f"; log: {Path(result.directory) / 'log.txt'}" if result.directory else ""
        return f"FAILED: {result.error}{log}"
    score = f"{average_title(result.average)} {numbers.percent(result.averages[result.average])}"
    if result.status == "skipped":
        return f"{score} (stored)"
    spent = ", ".join(
        f"{stage} {numbers.seconds(value)} s" for stage, value in result.seconds.items()
    )
    return f"{score} ({spent})" if spent else score


def plan_summary(event: Planned) -> str:
    """The cells of a run before it begins: a row for each method on a data set."""
    groups: dict[tuple[str, ...], list[Cell]] = {}
    for cell in event.cells:
        options = ", ".join(part for part in (cell.spec.preset, *cell.spec.by_hand) if part)
        role = "" if cell.asked or cell.is_floor else "needed by others, no row"
        groups.setdefault((cell.spec.name, cell.spec.data.name, options, role), []).append(cell)
    titles = ("method", "data set", "data seeds", "seeds", "cells", "stored", "options from", "")
    rows = [
        (name, data, *_counts(cells, event.to_make), options, role)
        for (name, data, options, role), cells in groups.items()
    ]
    columns = tuple(Column(title, "left") for title in titles)
    table = plain(Table(columns, tuple(tuple(Text(text) for text in row) for row in rows)))
    protocols = ", ".join(dict.fromkeys(cell.protocol.name for cell in event.cells))
    recipes = ", ".join(dict.fromkeys(cell.recipe for cell in event.cells if not cell.is_floor))
    to_make = sum(cell.key in event.to_make for cell in event.cells)
    return (
        f"{table}{len(event.cells)} cells, {to_make} to make, {event.jobs} at once; "
        f"protocol {protocols}; recipe {recipes}"
    )


def _counts(cells: list[Cell], to_make: frozenset[str]) -> tuple[str, ...]:
    """Data seeds, seeds, number of cells, number of those that are stored."""
    seeded = [cell.spec.data.seed for cell in cells if cell.spec.data.seeded]
    stored = sum(cell.key not in to_make for cell in cells)
    seeds = ranges([cell.spec.seed for cell in cells])
    return (ranges(seeded) or numbers.DASH, seeds, str(len(cells)), str(stored))
