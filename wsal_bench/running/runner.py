"""Runs the cells of a request, parents before children, and goes on where some fail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from signal import Signals

from wsal_bench.errors import UsageError, WsalError
from wsal_bench.files import make_folder
from wsal_bench.running.cells import Cell, RunRequest
from wsal_bench.running.context import Context, StoppedError
from wsal_bench.running.datasource import Catalog
from wsal_bench.running.events import (
    CellFinished,
    CellResult,
    Event,
    ListenerError,
    Note,
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
from wsal_bench.running.workers import Died, Done, Pool, Refused, Said, warm_up

_TICK = 0.2  # seconds between two looks at the stop flag

OnEvent = Callable[[Event], None]


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


def run(request: RunRequest, on_event: OnEvent = lambda event: None) -> list[CellResult]:
    """Plans a request and makes its cells; finished ones are read from the store.

    Args:
        request: what is asked for.
        on_event: told what happens, in this process.

    Returns:
        The cells that were asked for, in the order of the plan; failed ones say so.

    Raises:
        UsageError: a name, option or value that cannot be right; before anything trains.
        DataError: data, files or folders that cannot be read or written.
        UnavailableError: a device that is not there.
        RunInterrupted: SIGINT or SIGTERM came; what was learnt is in checkpoints.
    """
    return run_all([request], on_event)


def run_all(
    requests: Sequence[RunRequest], on_event: OnEvent = lambda event: None
) -> list[CellResult]:
    """Several requests as one run, for example the points of a grid; equal cells are made once.

    Args:
        requests: alike in results, jobs, workers, overwrite, recipe and protocol.
        on_event: told what happens, in this process.

    Raises:
        As `run`.
    """
    if len({_common(request) for request in requests}) != 1:
        raise UsageError(
            "requests of one run must agree in store, jobs, workers, recipe and protocol"
        )
    first = requests[0]
    if first.jobs > 1:
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
        )
        try:
            return _Run(cells, context, flag, first.jobs).run()
        except ListenerError as error:
            raise error.__cause__ or error from None


class _Run:
    """Cells on their way from waiting to done."""

    def __init__(self, cells: Sequence[Cell], context: Context, flag: StopFlag, jobs: int) -> None:
        self.context, self.flag, self.jobs = context, flag, jobs
        self.to_train = {cell.key for cell in cells if not is_finished(cell, context)}
        self.cells = _without_idle_parents(cells, self.to_train)
        self.results: dict[str, CellResult] = {}
        self.waiting = list(self.cells)

    def run(self) -> list[CellResult]:
        self.context.emit(Planned(tuple(self.cells)))
        make_folder(self.context.results)
        self._check_data()
        try:
            if self.jobs == 1:
                for cell in self.cells:
                    self._here(cell)
            else:
                self._in_parallel()
        except StoppedError as error:
            if self.flag.signum is None:  # only the flag makes cells stop
                raise
            raise RunInterrupted(self.flag.signum) from error
        return [self.results[cell.key] for cell in self.cells if cell.asked]

    def _check_data(self) -> None:
        """Says what is wrong with the data before anything trains on them."""
        sources = {
            f"{cell.spec.data}{cell.protocol.truth_variant}": cell
            for cell in self.cells
            if cell.key in self.to_train
        }
        for cell in sources.values():
            found = self.context.catalog.check(cell.spec.data, cell.protocol.truth_variant)
            if found.share:
                name = cell.spec.data.name
                self.context.emit(Note(f"{name}, {cell.protocol.name}: {found.sentence}"))

    def _here(self, cell: Cell) -> None:
        """Makes a cell in this process."""
        if self.flag:
            raise StoppedError
        broken = self._broken_parent(cell)
        if broken:
            result = store_failure(cell, self.context, broken)
        else:
            result = run_cell(cell, self.context)
        self._finish(cell, result)

    def _in_parallel(self) -> None:
        context = self.context
        with Pool(
            context.results, overwrite=context.overwrite, num_workers=context.num_workers
        ) as pool:
            while self.waiting or len(pool):
                if self.flag:
                    pool.stop()
                    raise StoppedError
                # reference rows and stored cells are done here while the workers train
                light = next((cell for cell in self.waiting if self._is_light(cell)), None)
                if light:
                    self.waiting.remove(light)
                    self._here(light)
                self._start(pool)
                for said in pool.listen(0.0 if light else _TICK):
                    self._hear(said, pool)

    def _start(self, pool: Pool) -> None:
        for cell in list(self.waiting):
            if len(pool) >= self.jobs:
                return
            if self._is_ready(cell) and not self._is_light(cell):
                self.waiting.remove(cell)
                pool.start(cell)

    def _hear(self, said: Said, pool: Pool) -> None:
        cell, word = said.cell, said.word
        if isinstance(word, Done):
            self._finish(cell, word.result)
        elif isinstance(word, Refused):
            pool.stop()
            raise word.error
        elif isinstance(word, Died):
            if not self.flag:
                self._finish(cell, store_failure(cell, self.context, word.sentence))
        elif isinstance(word, Event):
            self.context.emit(word)
        elif not self.flag:
            sentence = "its process was told to stop, but not by this run"
            self._finish(cell, store_failure(cell, self.context, sentence))

    def _is_light(self, cell: Cell) -> bool:
        """Whether nothing must be trained: not worth a process of its own."""
        if not self._is_ready(cell):
            return False
        trains = cell.key in self.to_train and not cell.is_floor
        return not trains or self._broken_parent(cell) is not None

    def _is_ready(self, cell: Cell) -> bool:
        here = {other.key for other in self.cells}
        return all(key in self.results or key not in here for key in cell.parents)

    def _broken_parent(self, cell: Cell) -> str | None:
        """Why a cell cannot be made, where a parent of it failed."""
        if cell.key not in self.to_train:
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
    jobs = (request.jobs, request.num_workers)
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


def _without_idle_parents(cells: Sequence[Cell], to_train: set[str]) -> list[Cell]:
    """Leaves out parents that nobody asked for and whose children are all finished."""
    kept: dict[str, Cell] = {}
    wanted: set[str] = set()
    for cell in reversed(cells):  # children come first here
        if cell.asked or cell.key in wanted:
            kept[cell.key] = cell
            if cell.key in to_train:
                wanted.update(cell.parents)
    return [cell for cell in cells if cell.key in kept]
