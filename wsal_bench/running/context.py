"""What the cells of a run share in one process, and the seconds that their stages take."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from wsal_bench.running.datasource import Catalog
from wsal_bench.running.events import Event

STAGES = ("train", "infer", "localize", "evaluate")


class StoppedError(Exception):
    """The user wants the run to end."""


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
    """

    results: Path
    catalog: Catalog
    overwrite: bool = False
    num_workers: int = 0
    stop: Callable[[], bool] = lambda: False
    emit: Callable[[Event], None] = lambda event: None


class Stopwatch:
    """Adds up wall-clock seconds of the stages of a cell."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = dict.fromkeys(STAGES, 0.0)

    @contextmanager
    def time(self, stage: str) -> Iterator[None]:
        """Times what happens while this is open."""
        began = perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] += perf_counter() - began
