"""Runs the cells of a request, parents before children, and goes on where some fail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from signal import Signals

from wsal_bench.errors import UnavailableError, UsageError, WsalError
from wsal_bench.running.cells import Cell, RunRequest
from wsal_bench.running.context import Context, StoppedError
from wsal_bench.running.datasource import Catalog
from wsal_bench.running.events import CellResult, Event, ListenerError, Planned, guarded
from wsal_bench.running.limits import Limits, can_watch_memory
from wsal_bench.running.scheduling import Schedule
from wsal_bench.running.signals import listening
from wsal_bench.running.specs import plan
from wsal_bench.running.stages import is_finished
from wsal_bench.running.workers import warm_up

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
        requests: alike in results, jobs, workers, overwrite, recipe, protocol, process, limits.
        on_event: told what happens, in this process.
        on_failure: as in `run`.

    Raises:
        As `run`.
    """
    if len({_common(request) for request in requests}) != 1:
        raise UsageError(
            "requests of one run must agree in store, jobs, workers, limits, recipe and protocol"
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
            return Schedule(cells, context, flag, first.jobs, _limits(first)).run()
        except StoppedError as error:
            if flag.signum is None:  # only the flag makes cells stop
                raise
            raise RunInterrupted(flag.signum) from error
        except ListenerError as error:
            raise error.__cause__ or error from None


def preview(request: RunRequest) -> Planned:
    """What a run would make; nothing is made.

    Raises:
        UsageError: as `run`.
    """
    _check_processes(request, None)
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
    if _limits(request) != Limits() and request.in_process:
        raise UsageError(
            "a limit can only be held where each cell has a process of its own",
            hint="leave out --cell-timeout and --cell-memory, or --in-process and --pdb",
        )
    if request.cell_memory is not None and not can_watch_memory():
        raise UnavailableError(
            "--cell-memory needs a system that tells what memory a process holds (/proc of Linux)"
        )
    if on_failure and not request.in_process:
        raise UsageError("an error can only be looked at where cells run in this process")


def _limits(request: RunRequest) -> Limits:
    return Limits(request.cell_timeout, request.cell_memory)


def _common(request: RunRequest) -> str:
    jobs = (request.jobs, request.num_workers, request.in_process, _limits(request))
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
