"""What the cells of a run share in one process, and the seconds that their stages take."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from wsal_bench.clock import worked
from wsal_bench.running.datasource import Catalog
from wsal_bench.running.events import Event

STAGES = ("train", "infer", "localize", "evaluate")


class StoppedError(Exception):
    """The user wants the run to end."""


class MustLearnError(Exception):
    """A cell cannot be made of what is stored, and here nothing may be trained."""


@dataclass(frozen=True, eq=False)
class Context:
    """What the cells of a run share in one process.

    Args:
        results: folder of the store.
        catalog: open data sets.
        overwrite: make finished cells again.
        num_workers: threads of a cell that read coming batches.
        stop: asked often; true where the user wants the run to end.
        emit: told what happens.
        isolated: a cell has this process to itself.
        may_learn: methods may be trained here; else only what is stored is read and scored.
        on_failure: told of what a cell raised, where it can still be looked at.
    """

    results: Path
    catalog: Catalog
    overwrite: bool = False
    num_workers: int = 0
    stop: Callable[[], bool] = lambda: False
    emit: Callable[[Event], None] = lambda event: None
    isolated: bool = False
    may_learn: bool = True
    on_failure: Callable[[BaseException], None] = lambda error: None


class Stopwatch:
    """Adds up seconds of work of the stages of a cell, without what is done once."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = dict.fromkeys(STAGES, 0.0)

    @contextmanager
    def time(self, stage: str) -> Iterator[None]:
        """Times what happens while this is open."""
        began = worked()
        try:
            yield
        finally:
            self.seconds[stage] += worked() - began


@contextmanager
def torch_threads(number: int) -> Iterator[None]:
    """While this is open, torch computes with so many threads."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)
