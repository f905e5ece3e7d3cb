"""What a worker says: events while it works, and one last word."""

from __future__ import annotations

import signal
import traceback
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from wsal_bench.errors import WsalError
from wsal_bench.plugins import blame
from wsal_bench.running.cells import Cell
from wsal_bench.running.events import CellResult, Event


@dataclass(frozen=True)
class Fault:
    """What is recorded of a cell that failed.

    Args:
        message: in a sentence.
        kind: name of the error's class.
        trace: its traceback; empty where nothing was raised.
    """

    message: str
    kind: str = "CellError"
    trace: str = ""

    @classmethod
    def of(cls, error: BaseException) -> Fault:
        """That of something that was raised."""
        trace = "".join(traceback.format_exception(error))
        return cls(blame.sentence(error), type(error).__name__, trace)


class FaultError(Exception):
    """A cell failed in another process; its argument is the fault."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        super().__init__(fault.message)


@dataclass(frozen=True)
class Done:
    """A worker's last word: the cell is made, or failed."""

    result: CellResult


@dataclass(frozen=True)
class Stopped:
    """A worker's last word: it was told to stop, and can go on later."""


@dataclass(frozen=True)
class Refused:
    """A worker's last word: no other cell would fare better."""

    error: WsalError
    trace: str = ""

    def raise_here(self) -> NoReturn:
        """Raises the error, with the worker's traceback as its cause."""
        raise self.error from WorkerError(self.trace)


class WorkerError(Exception):
    """The traceback of a worker, as its text."""

    def __str__(self) -> str:
        return f"in the worker\n{self.args[0]}"


@dataclass(frozen=True)
class Busy:
    """A worker's last word: another process makes its cell."""

    message: str


@dataclass(frozen=True)
class Died:
    """There was no last word."""

    exit_code: int | None
    log: Path

    @property
    def sentence(self) -> str:
        """What became of the process, and where it was."""
        if self.exit_code is None or self.exit_code >= 0:
            return f"its process died with exit code {self.exit_code}"
        number = -self.exit_code
        with suppress(ValueError):
            name = signal.Signals(number).name
            memory = ", as where memory runs out" if name == "SIGKILL" else ""
            return (
                f"its process was killed by signal {number}, {name}{memory}"
                f"{blame.place_of_death(self.log)}"
            )
        return f"its process was killed by signal {number}"


LastWord = Done | Stopped | Refused | Busy | Died


@dataclass(frozen=True)
class Said:
    """Something that a worker said.

    Args:
        cell: that it works on.
        word: an event, or how the cell ended.
    """

    cell: Cell
    word: Event | LastWord
