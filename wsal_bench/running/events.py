"""What a run says while it goes on, and what became of each cell."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from wsal_bench.plugins.contract import Step
from wsal_bench.running.cells import Cell

Status = Literal["ok", "skipped", "failed"]


@dataclass(frozen=True)
class CellResult:
    """A cell that is done; scores are fractions.

    Args:
        method: `ftcl:full`, `mil`, `floor:random`.
        dataset: its name.
        protocol: name of the protocol.
        seed: the training seed.
        status: `ok`, `skipped` (its numbers were there), or `failed`.
        data_seed: the seed of the data.
        recipe: `own` or a recipe's name.
        directory: where it is stored.
        tiou: [K] thresholds; empty where it failed.
        map: [K] mean average precision.
        averages: over ranges of thresholds, by the range's name.
        average: which of them is the headline; empty where it failed.
        seconds: train, infer, localize, evaluate.
        error: why it failed, in a sentence that names the author's line.
        trace: the traceback of that; in no document.
    """

    method: str
    dataset: str
    protocol: str
    seed: int
    status: Status
    data_seed: int = 0
    recipe: str = "own"
    directory: str = ""
    tiou: tuple[float, ...] = ()
    map: tuple[float, ...] = ()
    averages: Mapping[str, float] = field(default_factory=dict)
    average: str = ""
    seconds: Mapping[str, float] = field(default_factory=dict)
    error: str | None = None
    trace: str = ""

    def to_json(self) -> dict[str, Any]:
        """The cell as `run --json` prints it."""
        values = dict(vars(self))
        del values["trace"]
        return {
            **values,
            "tiou": list(self.tiou),
            "map": list(self.map),
            "averages": dict(self.averages),
            "seconds": dict(self.seconds),
        }


@dataclass(frozen=True)
class Planned:
    """All cells of the run, parents before children.

    Args:
        cells: all of them.
        to_make: keys of those that are not in the store.
        jobs: cells that run at once.
    """

    cells: tuple[Cell, ...]
    to_make: frozenset[str] = frozenset()
    jobs: int = 1


@dataclass(frozen=True)
class CellStarted:
    """A cell begins, or goes on where it was stopped."""

    cell: Cell


@dataclass(frozen=True)
class CellProgress:
    """An epoch of a cell is over."""

    cell: Cell
    step: Step


@dataclass(frozen=True)
class CellFinished:
    """A cell is done; `cell.asked` is false for a parent that gives no row."""

    cell: Cell
    result: CellResult


@dataclass(frozen=True)
class CellBusy:
    """Another process makes a cell; said again as long as it does.

    Args:
        cell: which.
        message: who, in a sentence.
    """

    cell: Cell
    message: str


@dataclass(frozen=True)
class Note:
    """Something the user should know: a sentence, and whether something is not as it should be."""

    message: str
    is_warning: bool = True


Event = Planned | CellStarted | CellProgress | CellBusy | CellFinished | Note


class ListenerError(Exception):
    """Whoever is told of events failed; its cause is the listener's own error."""


def guarded(listener: Callable[[Event], None]) -> Callable[[Event], None]:
    """A listener whose errors no cell takes for its own."""

    def tell(event: Event) -> None:
        try:
            listener(event)
        except Exception as error:  # such as a closed pipe; told to whoever started the run
            raise ListenerError(str(error)) from error

    return tell
