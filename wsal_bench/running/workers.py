"""One process per cell: starts them, listens to them, stops them.

Processes are forked from a server that has imported what every cell needs and holds no data
(spawned where there is no such server), so a cell starts in an instant and inherits no state. Each
has a second one beside it in which its method learns (`learner`).
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import signal
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from wsal_bench.data.places import VARIABLE as DATA_ROOT
from wsal_bench.errors import WsalError
from wsal_bench.locks import BusyError
from wsal_bench.running.cells import Cell
from wsal_bench.running.context import Context, StoppedError
from wsal_bench.running.datasource import Catalog
from wsal_bench.running.events import Event, ListenerError, guarded
from wsal_bench.running.learner import Learner
from wsal_bench.running.limits import Limits
from wsal_bench.running.results import RunFiles
from wsal_bench.running.signals import die_with_parent, listening
from wsal_bench.running.stages import Learn, run_cell
from wsal_bench.running.words import Busy, Died, Done, LastWord, Refused, Said, Stopped

# what a cell would import: torch's optimisers import _dynamo when the first one is made, seconds
# of CPU, and numba needs a second to get ready
_PRELOAD = [
    "torch",
    "torch._dynamo",
    "wsal_bench.running.workers",
    "wsal_bench.nn",
    "wsal_bench.training.trainable",
    "wsal_bench.training.checkpoints",
    "wsal_bench.localization._cutting",
    "wsal_bench.localization._thinning",
    "wsal_bench.evaluation._matching",
    "wsal_bench.evaluation._ranking",
    "wsal_bench.evaluation.diagnosis._compiled",
]
_GRACE = 5.0  # seconds in which a process that said its last word should end


@dataclass(frozen=True)
class _Setup:
    """What a worker needs to know besides its cell."""

    results: Path
    overwrite: bool
    num_workers: int
    limits: Limits
    environment: Mapping[str, str]


@dataclass(frozen=True, eq=False)
class _Worker:
    cell: Cell
    process: BaseProcess
    connection: Connection[Any, Any]


class Pool:
    """The workers that run now. A context manager: none outlives it.

    Args:
        context: of the run.
        limits: of each cell.
    """

    def __init__(self, context: Context, limits: Limits) -> None:
        self._setup = _Setup(
            context.results, context.overwrite, context.num_workers, limits, dict(os.environ)
        )
        self._context = _context()
        self._workers: list[_Worker] = []

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.process.kill()
            worker.process.join()
            worker.connection.close()
        self._workers.clear()

    def __len__(self) -> int:
        return len(self._workers)

    def start(self, cell: Cell) -> None:
        """Begins a cell in a process of its own."""
        _ensure_server()
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=_work, args=(theirs,))
        process.start()
        theirs.close()  # or the end of the process would not end the connection
        with suppress(ConnectionError):  # it is dead already, which is heard soon
            ours.send((cell, self._setup))
        self._workers.append(_Worker(cell, process, ours))

    def listen(self, seconds: float) -> Iterator[Said]:
        """What workers say within some time; a last word is said once the worker is gone."""
        connections = {worker.connection: worker for worker in self._workers}
        for ready in wait(list(connections), timeout=seconds):
            worker = connections[ready]  # type: ignore[index]
            word = _receive(worker, RunFiles(self._setup.results / worker.cell.key).log)
            if isinstance(word, LastWord):
                self._workers.remove(worker)
            yield Said(worker.cell, word)

    def stop(self) -> None:
        """Tells all workers to checkpoint and end, and waits for that."""
        for worker in self._workers:
            worker.process.terminate()
        while self._workers:
            for _ in self.listen(0.2):
                pass


def warm_up() -> None:
    """Lets the server import torch while the run is still being planned."""
    _context()
    _ensure_server()


def _ensure_server() -> None:
    """Starts the server, if there can be one, deaf to Ctrl-C from its first instant.

    A terminal sends Ctrl-C to every process; the run alone hears it, and tells its workers.
    """
    if not _has_server():
        return
    from multiprocessing import forkserver, resource_tracker

    resource_tracker.ensure_running()  # else the server would start it, and unblock the signal
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    place = os.environ.pop(DATA_ROOT, None)  # what a process began with can be read ever after
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        if place is not None:
            os.environ[DATA_ROOT] = place
    atexit.unregister(end_server)
    atexit.register(end_server)


def end_server() -> None:
    """Ends the server, if there is one: it would hold stderr open until its imports are done."""
    from multiprocessing import forkserver

    number = getattr(getattr(forkserver, "_forkserver", None), "_forkserver_pid", None)
    if number is not None:
        with suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)


def _has_server() -> bool:
    return "forkserver" in multiprocessing.get_all_start_methods()


def _context() -> Any:
    context = multiprocessing.get_context("forkserver" if _has_server() else "spawn")
    if _has_server():
        context.set_forkserver_preload(_PRELOAD)
    return context


def _receive(worker: _Worker, log: Path) -> Event | LastWord:
    try:
        word: Event | LastWord = worker.connection.recv()
    except (EOFError, ConnectionResetError):
        worker.process.join()
        word = Died(worker.process.exitcode, log)
    if isinstance(word, LastWord):
        worker.process.join(_GRACE)
        if worker.process.exitcode is None:
            worker.process.kill()
            worker.process.join()
        worker.connection.close()
    return word


def _work(connection: Connection[Any, Any]) -> None:
    """What a worker does in its life."""
    sys.stdout.flush()
    with suppress(OSError):  # there may be none
        os.dup2(2, 1)  # what a method prints is no part of the run's document
    del sys.argv[1:]  # the command may name the place of the truth
    learner = Learner.start(connection)  # before it is told here what is to be learnt
    die_with_parent(learner.kill)
    cell, setup = connection.recv()
    # the server that this process comes from may be older than the run
    os.environ.clear()
    os.environ.update(setup.environment)
    with listening(patient=True) as flag:
        context = Context(
            setup.results,
            Catalog(),
            overwrite=setup.overwrite,
            num_workers=setup.num_workers,
            stop=lambda: bool(flag),
            emit=guarded(connection.send),
            isolated=True,
        )
        try:
            with suppress(ListenerError, BrokenPipeError):  # nobody is there any more
                connection.send(_last_word(cell, context, partial(learner.learn, setup.limits)))
        finally:
            learner.kill()


def _last_word(cell: Cell, context: Context, learn: Learn) -> LastWord:
    try:
        return Done(run_cell(cell, context, learn))
    except StoppedError:
        return Stopped()
    except BusyError as error:
        return Busy(error.message)
    except WsalError as error:
        return Refused(error, traceback.format_exc())
