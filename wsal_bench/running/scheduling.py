"""The cells of a run on their way from waiting to done: here, in workers, or in another process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from time import monotonic

from wsal_bench.files import make_folder
from wsal_bench.locks import BusyError, locked
from wsal_bench.running.cells import Cell
from wsal_bench.running.context import Context, MustLearnError, StoppedError
from wsal_bench.running.events import CellBusy, CellFinished, CellResult, Event, Note, Planned
from wsal_bench.running.limits import Limits
from wsal_bench.running.signals import StopFlag
from wsal_bench.running.stages import has_good_record, is_finished, run_cell, store_failure
from wsal_bench.running.words import Busy, Died, Done, Fault, Refused, Said
from wsal_bench.running.workers import Pool

_TICK = 0.2  # seconds between two looks at the stop flag
_RETRY = 1.0  # seconds between two tries of a cell that another process makes


class Schedule:
    """What is left to do, and who does it.

    Args:
        cells: parents before children.
        context: of this process.
        flag: raised where the user wants the run to end.
        jobs: cells that run at once.
        limits: of each cell that has a process of its own.
    """

    def __init__(
        self,
        cells: Sequence[Cell],
        context: Context,
        flag: StopFlag,
        jobs: int,
        limits: Limits | None = None,
    ) -> None:
        self.context, self.flag, self.jobs = context, flag, jobs
        self.limits = limits or Limits()
        self.to_make = {cell.key for cell in cells if not is_finished(cell, context)}
        self.cells = _without_idle_parents(cells, self.to_make)
        self.results: dict[str, CellResult] = {}
        self.waiting = list(self.cells)
        self.retry_at: dict[str, float] = {}  # of cells that another process makes

    def run(self) -> list[CellResult]:
        """Makes the cells.

        Returns:
            Those that were asked for, in the order of the plan.

        Raises:
            StoppedError: the flag was raised; the workers have ended with checkpoints.
            DataError, UnavailableError: no other cell would fare better.
        """
        context = self.context
        context.emit(Planned(tuple(self.cells), frozenset(self.to_make), self.jobs))
        make_folder(context.results)
        self._check_data()
        with Pool(context, self.limits) as pool:
            try:
                while self.waiting or len(pool):
                    self._turn(pool)
            except StoppedError:
                pool.stop()
                raise
        return [self.results[cell.key] for cell in self.cells if cell.asked]

    def _turn(self, pool: Pool) -> None:
        """Starts what can be started, and hears what there is to hear."""
        if self.flag:
            raise StoppedError
        # what needs no process of its own is done here while the workers train
        cell = next((cell for cell in self.waiting if self._is_for_here(cell)), None)
        if cell:
            self.waiting.remove(cell)
            self._here(cell)
        if not self.context.may_learn:
            self._start(pool)
        for said in pool.listen(0.0 if cell else _TICK):
            self._hear(said, pool)

    def _check_data(self) -> None:
        """Says what is wrong with the data before anything trains on them."""
        sources = {
            f"{cell.spec.data}{cell.protocol.truth_variant}": cell
            for cell in self.cells
            if cell.key in self.to_make
        }
        for cell in sources.values():
            found = self.context.catalog.check(cell.spec.data, cell.protocol.truth_variant)
            if found.share:
                name = cell.spec.data.name
                self.context.emit(Note(f"{name}, {cell.protocol.name}: {found.sentence}"))
        catalog = self.context.catalog
        remarks = (catalog.dataset(cell.spec.data).remark for cell in sources.values())
        for remark in dict.fromkeys(filter(None, remarks)):
            self.context.emit(Note(remark))

    def _here(self, cell: Cell) -> None:
        """Makes a cell in this process."""
        broken = self._broken_parent(cell)
        try:
            if broken:
                result = store_failure(cell, self.context, Fault(broken))
            else:
                result = run_cell(cell, self.context)
        except BusyError as error:
            self._wait_for(cell, error.message)
        except MustLearnError:
            self.to_make.add(cell.key)
            self.waiting.insert(0, cell)
        else:
            self._finish(cell, result)

    def _wait_for(self, cell: Cell, message: str) -> None:
        """Leaves a cell to the process that makes it; it is looked at again after all others."""
        self.waiting.append(cell)
        self.retry_at[cell.key] = monotonic() + _RETRY
        self.context.emit(CellBusy(cell, message))

    def _start(self, pool: Pool) -> None:
        for cell in list(self.waiting):
            if len(pool) >= self.jobs:
                return
            if self._is_ready(cell) and not self._is_for_here(cell):
                self.waiting.remove(cell)
                pool.start(cell)

    def _hear(self, said: Said, pool: Pool) -> None:
        cell, word = said.cell, said.word
        if isinstance(word, Done):
            self._finish(cell, word.result)
        elif isinstance(word, Refused):
            pool.stop()
            word.raise_here()
        elif isinstance(word, Busy):
            self._wait_for(cell, word.message)
        elif isinstance(word, Event):
            self.context.emit(word)
        elif not self.flag:
            sentence = "its process was told to stop, but not by this run"
            sentence = word.sentence if isinstance(word, Died) else sentence
            own = replace(self.context, isolated=True)
            self._finish(cell, store_failure(cell, own, Fault(sentence)))

    def _is_for_here(self, cell: Cell) -> bool:
        """Whether this process makes a cell: all where it may train, else what trains nothing."""
        if not self._is_ready(cell):
            return False
        if self.context.may_learn or cell.is_floor or cell.key not in self.to_make:
            return True
        return self._broken_parent(cell) is not None

    def _is_ready(self, cell: Cell) -> bool:
        """Whether all that it needs is there, and no other process makes it, as far as known."""
        here = {other.key for other in self.cells}
        if not all(key in self.results or key not in here for key in cell.parents):
            return False
        if cell.key in self.retry_at:
            return self._is_free(cell)
        return True

    def _is_free(self, cell: Cell) -> bool:
        """Looks again at a cell that another process made; it may be in the store by now."""
        if monotonic() < self.retry_at[cell.key]:
            return False
        try:
            with locked(self.context.results / cell.key, patience=0.0):
                pass
        except BusyError as error:
            self.retry_at[cell.key] = monotonic() + _RETRY
            self.context.emit(CellBusy(cell, error.message))
            return False
        del self.retry_at[cell.key]
        if is_finished(cell, self.context):
            self.to_make.discard(cell.key)
        return True

    def _broken_parent(self, cell: Cell) -> str | None:
        """Why a cell cannot be made, where a parent of it failed."""
        if cell.key not in self.to_make:
            return None
        for need in cell.spec.needs.values():
            parent = self.results.get(need.cell)
            if parent is None or parent.status != "failed":
                continue
            if not has_good_record(need.cell, self.context):  # else only its scoring failed
                return f"{parent.method}, which it needs, failed: {parent.error}"
        return None

    def _finish(self, cell: Cell, result: CellResult) -> None:
        self.results[cell.key] = result
        self.context.emit(CellFinished(cell, result))


def _without_idle_parents(cells: Sequence[Cell], to_make: set[str]) -> list[Cell]:
    """Leaves out parents that nobody asked for and whose children are all finished."""
    kept: dict[str, Cell] = {}
    wanted: set[str] = set()
    for cell in reversed(cells):  # children come first here
        if cell.asked or cell.key in wanted:
            kept[cell.key] = cell
            if cell.key in to_make:
                wanted.update(cell.parents)
    return [cell for cell in cells if cell.key in kept]
