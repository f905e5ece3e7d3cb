"""What is said on stderr while cells run: bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager
from time import monotonic
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from wsal_bench.cli.output import note, warn
from wsal_bench.config import NO_PRESET
from wsal_bench.report import numbers
from wsal_bench.report.board import average_title
from wsal_bench.report.table import Cell as Text
from wsal_bench.report.table import Column, Table, plain
from wsal_bench.running.cells import Cell
from wsal_bench.running.events import (
    CellFinished,
    CellProgress,
    CellResult,
    CellStarted,
    Event,
    Note,
    Planned,
)

LINE_SECONDS = 10.0  # between two plain lines about the same cell


class Display(AbstractContextManager["Display"]):
    """Follows a run; `on_event` is what the runner calls.

    Attributes:
        failed: cells without a score, also parents that nobody asked for.
    """

    def __init__(self) -> None:
        self.failed: list[CellResult] = []
        self._total = 0
        self._done = 0
        self._tasks: dict[str, TaskID] = {}
        self._said: dict[str, float] = {}
        self._bars: Progress | None = None
        if sys.stderr.isatty():
            self._bars = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                TextColumn("{task.fields[state]}"),
                TimeElapsedColumn(),
                console=Console(stderr=True),  # reads NO_COLOR itself
                transient=True,
            )

    def __enter__(self) -> Display:
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

    def on_event(self, event: Event) -> None:
        """Says what happened."""
        if isinstance(event, Planned):
            self._total += len(event.cells)
            self._line(plain(cell_table(event.cells)))
            for text in defaults_used(event.cells):
                self._line(text)
        elif isinstance(event, CellStarted):
            self._start(event.cell)
        elif isinstance(event, CellProgress):
            self._progress(event)
        elif isinstance(event, CellFinished):
            self._finish(event)
        elif isinstance(event, Note):
            self._warn(event.message)

    def _start(self, cell: Cell) -> None:
        self._said[cell.key] = monotonic()
        if self._bars:
            self._tasks[cell.key] = self._bars.add_task(title(cell), total=None, state="begins")

    def _progress(self, event: CellProgress) -> None:
        step, key = event.step, event.cell.key
        if self._bars and key in self._tasks:
            state = f"{step.epoch + 1}/{step.epochs} epochs, loss {sum(step.losses.values()):.4g}"
            self._bars.update(
                self._tasks[key], completed=step.epoch + 1, total=step.epochs, state=state
            )
        elif monotonic() - self._said.get(key, 0.0) >= LINE_SECONDS:
            self._said[key] = monotonic()
            losses = ", ".join(f"{name} {value:.4g}" for name, value in step.losses.items())
            phase = f"phase {step.phase + 1}, " if step.phase else ""
            self._line(
                f"      {title(event.cell)}: {phase}epoch {step.epoch + 1}/{step.epochs}, {losses}"
            )

    def _finish(self, event: CellFinished) -> None:
        result, key = event.result, event.cell.key
        self._done += 1
        if self._bars and key in self._tasks:
            self._bars.remove_task(self._tasks.pop(key))
        if result.status == "failed":
            self.failed.append(result)
        self._line(f"[{self._done}/{self._total}] {title(event.cell)}: {outcome(result)}")

    def _line(self, text: str) -> None:
        if self._bars:
            self._bars.console.print(text, markup=False, highlight=False, soft_wrap=True)
        else:
            note(text)

    def _warn(self, text: str) -> None:
        if self._bars:
            self._line(f"warning: {text}")
        else:
            warn(text)


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
        return f"FAILED: {result.error}"
    score = f"{average_title(result.average)} {numbers.percent(result.averages[result.average])}"
    if result.status == "skipped":
        return f"{score} (stored)"
    spent = ", ".join(
        f"{stage} {numbers.seconds(value)} s" for stage, value in result.seconds.items()
    )
    return f"{score} ({spent})" if spent else score


def cell_table(cells: tuple[Cell, ...]) -> Table:
    """The cells of a run before it begins."""
    titles = ("method", "data set", "data seed", "seed", "protocol", "recipe", "options from", "")
    rows = tuple(
        (
            Text(cell.spec.name),
            Text(cell.spec.data.name),
            Text(str(cell.spec.data.seed) if cell.spec.data.seeded else numbers.DASH),
            Text(str(cell.spec.seed)),
            Text(cell.protocol.name),
            Text(cell.recipe),
            Text(", ".join(part for part in (cell.spec.preset, *cell.spec.by_hand) if part)),
            Text("" if cell.asked or cell.is_floor else "needed by others, no row"),
        )
        for cell in cells
    )
    return Table(tuple(Column(name, "left") for name in titles), rows)
