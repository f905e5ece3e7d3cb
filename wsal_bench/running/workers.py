"""One process per cell: starts them, listens to them, stops them.

Processes are forked from a server that has imported torch and nothing else (spawned where there is
no such server), so a cell starts in an instant and inherits no state.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from wsal_bench.errors import WsalError
from wsal_bench.plugins import PLUGIN_FOLDERS
from wsal_bench.running.cells import Cell
from wsal_bench.running.context import Context, StoppedError
from wsal_bench.running.datasource import Catalog
from wsal_bench.running.events import CellResult, Event, ListenerError, guarded
from wsal_bench.running.signals import listening
from wsal_bench.running.stages import run_cell

# torch's optimisers import _dynamo when the first one is made: 0.8 s of CPU in every cell
_PRELOAD = ["torch", "torch._dynamo", "wsal_bench.running.workers"]
_GRACE = 5.0  # seconds in which a process that said its last word should end


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


@dataclass(frozen=True)
class Died:
    """There was no last word."""

    exit_code: int | None

    @property
    def sentence(self) -> str:
        """What became of the process."""
        if self.exit_code is not None and self.exit_code < 0:
            return f"its process was killed by signal {-self.exit_code}"
        return f"its process died with exit code {self.exit_code}"


LastWord = Done | Stopped | Refused | Died


@dataclass(frozen=True)
class Said:
    """Something that a worker said.

    Args:
        cell: that it works on.
        word: an event, or how the cell ended.
    """

    cell: Cell
    word: Event | LastWord


@dataclass(frozen=True)
class _Setup:
    """What a worker needs to know besides its cell."""

    results: Path
    overwrite: bool
    num_workers: int
    plugin_folders: str


@dataclass(frozen=True, eq=False)
class _Worker:
    cell: Cell
    process: BaseProcess
    connection: Connection[Any, Any]


class Pool:
    """The workers that run now. A context manager: none outlives it."""

    def __init__(self, results: Path, *, overwrite: bool, num_workers: int = 0) -> None:
        folders = os.environ.get(PLUGIN_FOLDERS, "")
        self._setup = _Setup(results, overwrite, num_workers, folders)
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
        ours, theirs = self._context.Pipe(duplex=False)
        process = self._context.Process(
            target=_work, args=(theirs, cell, self._setup), name=f"wsal-bench {cell.spec.name}"
        )
        process.start()
        theirs.close()  # or the end of the process would not end the connection
        self._workers.append(_Worker(cell, process, ours))

    def listen(self, seconds: float) -> Iterator[Said]:
        """What workers say within some time; a last word is said once the worker is gone."""
        connections = {worker.connection: worker for worker in self._workers}
        for ready in wait(list(connections), timeout=seconds):
            worker = connections[ready]  # type: ignore[index]
            word = _receive(worker)
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
    if _has_server():
        from multiprocessing import forkserver

        _context()
        forkserver.ensure_running()


def _has_server() -> bool:
    return "forkserver" in multiprocessing.get_all_start_methods()


def _context() -> Any:
    context = multiprocessing.get_context("forkserver" if _has_server() else "spawn")
    if _has_server():
        context.set_forkserver_preload(_PRELOAD)
    return context


def _receive(worker: _Worker) -> Event | LastWord:
    try:
        word: Event | LastWord = worker.connection.recv()
    except (EOFError, ConnectionResetError):
        worker.process.join()
        word = Died(worker.process.exitcode)
    if isinstance(word, LastWord):
        worker.process.join(_GRACE)
        if worker.process.exitcode is None:
            worker.process.kill()
            worker.process.join()
        worker.connection.close()
    return word


def _work(connection: Connection[Any, Any], cell: Cell, setup: _Setup) -> None:
    """What a worker does in its life."""
    threading.Thread(target=_die_with_parent, daemon=True).start()
    # the server that this process comes from may be older than the variable
    os.environ[PLUGIN_FOLDERS] = setup.plugin_folders
    with listening(patient=True) as flag:
        context = Context(
            setup.results,
            Catalog(),
            overwrite=setup.overwrite,
            num_workers=setup.num_workers,
            stop=lambda: bool(flag),
            emit=guarded(connection.send),
        )
        with suppress(ListenerError, BrokenPipeError):  # nobody is there any more
            connection.send(_last_word(cell, context))


def _last_word(cell: Cell, context: Context) -> LastWord:
    try:
        return Done(run_cell(cell, context))
    except StoppedError:
        return Stopped()
    except WsalError as error:
        return Refused(error)


def _die_with_parent() -> None:
    """A worker whose run was killed must not hold its directory against the next run."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
