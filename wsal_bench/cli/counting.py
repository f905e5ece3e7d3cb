"""How far a command is that goes through many things: a bar on a terminal, lines elsewhere."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from time import monotonic
from types import TracebackType

from wsal_bench.cli.output import note

LINE_SECONDS = 10.0  # between two plain lines


class Counting(AbstractContextManager["Counting"]):
    """Says on stderr how many things are done.

    Args:
        title: what is done, for example `reading`.
    """

    def __init__(self, title: str) -> None:
        self.title = title
        self._said = monotonic()
        self._bar = None
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import (
                BarColumn,
                MofNCompleteColumn,
                Progress,
                TextColumn,
                TimeRemainingColumn,
            )

            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
                console=Console(stderr=True),
                transient=True,
            )
            self._task = self._bar.add_task(title, total=None)

    def __enter__(self) -> Counting:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def done(self, number: int, total: int) -> None:
        """Tells how many are done by now, and how many there are."""
        if self._bar is not None:
            self._bar.update(self._task, completed=number, total=total)
        elif monotonic() - self._said >= LINE_SECONDS:
            self._said = monotonic()
            note(f"{self.title}: {number:,} of {total:,}")
