"""Runs the cells of a request, parents before children, and goes on where some fail."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from dataclasses import replace
from signal import Signals
from time import monotonic

from wsal_bench.errors import UsageError, WsalError
from wsal_bench.files import make_folder
from wsal_bench.locks import BusyError, locked
from wsal_bench.running.cells import Cell, RunRequest
from wsal_bench.running.context import Context, MustLearnError, StoppedError
from wsal_bench.running.datasource import Catalog
from wsal_bench.running.events import (
    CellBusy,
    CellFinished,
    CellResult,
    Event,
    ListenerError,
    Planned,
    guarded,
)
from wsal_bench.running.signals import StopFlag, listening
from wsal_bench.running.specs import plan
from wsal_bench.running.stages import (
    has_good_record,
    is_finished,
    run_cell,
    store_failure,
)
from wsal_bench.running.workers import Busy, Died, Done, Pool, Refused, Said, warm_up

_TICK = 0.2  # seconds between two looks at the stop flag

_RETRY = 1.0  # seconds between two tries of a cell that another process makes

OnEvent = Callable[[Event], None]
OnFailure = Callable[[BaseException], None]


class RunInterrupted(WsalError):  # noqa: N818 - nothing is wrong
    """A signal ended the run; the same command goes on where it was.

    Args:
        signum: number of the signal.
    """

    code = "interrupted"

    def __init__(self, signum: int) -> None:
        self.signum = signum
        self.exit_code = 128 + signum
        super().__init__(
            f"stopped by {Signals(signum).name}", hint="the same command goes on from here"
        )

    def __reduce__(self) -> tuple[object, ...]:
        return (RunInterrupted, (self.signum,))


def run(
    request: RunRequest,
    on_event: OnEvent = lambda event: None,
    on_failure: OnFailure | None = None,
) -> list[CellResult]:
    """Plans a request and makes its cells; finished ones are read from the store.

    Args:
        request: what is asked for.
        on_event: told what happens, in this process.
        on_failure: given what a cell raised while its frames are alive, as a debugger needs it;
            only where cells run in this process.

    Returns:
        The cells that were asked for, in the order of the plan; failed ones say so.

    Raises:
        UsageError: a name, option or value that cannot be right; before anything trains.
        DataError: data, files or folders that cannot be read or written.
        UnavailableError: a device that is not there.
        RunInterrupted: SIGINT or SIGTERM came; what was learnt is in checkpoints.
    """
    return run_all([request], on_event, on_failure)


def run_all(
    requests: Sequence[RunRequest],
    on_event: OnEvent = lambda event: None,
    on_failure: OnFailure | None = None,
) -> list[CellResult]:
    """Several requests as one run, for example the points of a grid; equal cells are made once.

    Args:
        requests: alike in results, jobs, workers, overwrite, recipe, protocol and process.
        on_event: told what happens, in this process.
        on_failure: as in `run`.

    Raises:
        As `run`.
    """
    if len({_common(request) for request in requests}) != 1:
        raise UsageError(
            "requests of one run must agree in store, jobs, workers, recipe and protocol"
        )
    first = requests[0]
    _check_processes(first, on_failure)
    if not first.in_process:
        warm_up()
    catalog = Catalog()
    cells = _merged([cell for request in requests for cell in plan(request, catalog)])
    with listening(patient=False) as flag:
        context = Context(
            first.results.resolve(),
            catalog,
            overwrite=first.overwrite,
            num_workers=first.num_workers,
            stop=lambda: bool(flag),
            emit=guarded(on_event),
            may_learn=first.in_process,
            on_failure=on_failure or (lambda error: None),
        )
        try:
            return _Run(cells, context, flag, first.jobs).run()
        except ListenerError as error:
            raise error.__cause__ or error from None


def preview(request: RunRequest) -> Planned:
    """What a run would make; nothing is made.

    Raises:
        UsageError: as `run`.
    """
    catalog = Catalog()
    context = Context(request.results.resolve(), catalog, overwrite=request.overwrite)
    cells = tuple(plan(request, catalog))
    to_make = frozenset(cell.key for cell in cells if not is_finished(cell, context))
    return Planned(cells, to_make, request.jobs)


def _check_processes(request: RunRequest, on_failure: OnFailure | None) -> None:
    if request.in_process and request.jobs > 1:
        raise UsageError(
            f"{request.jobs} cells at once cannot run in one process",
            hint="leave out -j, or --in-process and --pdb",
        )
    if on_failure and not request.in_process:
        raise UsageError("an error can only be looked at where cells run in this process")


class _Run:
    """Cells on their way from waiting to done."""

    def __init__(self, cells: Sequence[Cell], context: Context, flag: StopFlag, jobs: int) -> None:
        self.context, self.flag, self.jobs = context, flag, jobs
        self.to_make = {cell.key for cell in cells if not is_finished(cell, context)}
        self.cells = _without_idle_parents(cells, self.to_make)
        self.results: dict[str, CellResult] = {}
        self.waiting = list(self.cells)
        self.retry_at: dict[str, float] = {}  # of cells that another process makes

    def run(self) -> list[CellResult]:
        context = self.context
        context.emit(Planned(tuple(self.cells), frozenset(self.to_make), self.jobs))
        make_folder(context.results)
        self._check_data()
        with Pool(
            context.results, overwrite=context.overwrite, num_workers=context.num_workers
        ) as pool:
            try:
                while self.waiting or len(pool):
                    self._turn(pool)
            except StoppedError as error:
                pool.stop()
                if self.flag.signum is None:  # only the flag makes cells stop
                    raise
                raise RunInterrupted(self.flag.signum) from error
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
            self.context.catalog.check(cell.spec.data, cell.protocol.truth_variant)

    def _here(self, cell: Cell) -> None:
        """Makes a cell in this process."""
        broken = self._broken_parent(cell)
        try:
            if broken:
                result = store_failure(cell, self.context, broken)
            else:
                with redirect_stdout(sys.stderr):  # what a method prints is no part of a document
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
            self._finish(cell, store_failure(cell, own, sentence))

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


def _common(request: RunRequest) -> str:
    jobs = (request.jobs, request.num_workers, request.in_process)
    return repr((request.results, jobs, request.overwrite, request.recipe, request.protocol))


def _merged(cells: Sequence[Cell]) -> list[Cell]:
    """Each cell once, with all that anybody wants of it."""
    merged: dict[str, Cell] = {}
    for cell in cells:
        first = merged.setdefault(cell.key, cell)
        merged[cell.key] = replace(
            first,
            asked=first.asked or cell.asked,
            inherited=first.inherited or cell.inherited,
            splits=tuple(sorted({*first.splits, *cell.splits})),
        )
    return list(merged.values())


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
