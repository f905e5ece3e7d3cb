"""The process in which a cell's method learns and infers: it holds features and labels alone.

A cell's own process forks it before it knows anything, opens the data set only then, sends a
lesson, and waits: it can end what hangs or takes too much memory, and goes on to score what was
learnt without ever having run a line of the method. What comes back is read as plain values.
"""

from __future__ import annotations

import io
import logging
import multiprocessing
import os
import pickle
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, is_dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from threading import Lock
from traceback import format_exc
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wsal_bench.data.places import VARIABLE as DATA_ROOT
from wsal_bench.errors import DataError, UnavailableError, WsalError
from wsal_bench.plugins.contract import Dataset, Split, Step
from wsal_bench.running.activation_file import read_activations
from wsal_bench.running.cell_log import cell_log, fatal_signals_in
from wsal_bench.running.cells import Cell
from wsal_bench.running.context import Context, StoppedError, Stopwatch, torch_threads
from wsal_bench.running.events import CellProgress, Note
from wsal_bench.running.learning import Learned, learn
from wsal_bench.running.lesson import Lesson
from wsal_bench.running.limits import Limits, Watch, kill_family
from wsal_bench.running.recipe_file import recipe_from_json
from wsal_bench.running.results import RunFiles
from wsal_bench.running.signals import die_with_parent, listening
from wsal_bench.running.words import Died, Fault, FaultError, Refused, Stopped
from wsal_bench.types import Proposals
from wsal_bench.types.video import SnippetArray

_TICK: Final = 0.1  # seconds between two looks at the limits
_GRACE: Final = 5.0  # seconds in which it should end after its last word
_NUMPY: Final = frozenset(
    (f"{package}.{module}", name)
    for package in ("numpy.core", "numpy._core")
    for module, name in (
        ("multiarray", "_reconstruct"),
        ("multiarray", "scalar"),
        ("numeric", "_frombuffer"),
    )
) | {("numpy", "ndarray"), ("numpy", "dtype"), ("builtins", "slice")}

_logger = logging.getLogger("wsal_bench.cell")


@dataclass(frozen=True, eq=False)
class _Finished:
    """The last word of a process that has learnt; activations are in their files."""

    recipe: Mapping[str, Any]
    proposals: Mapping[Split, Mapping[str, Proposals]]
    parameters: int
    paper: Mapping[str, float]
    source_digest: str
    seconds: Mapping[str, float]


@dataclass(frozen=True, eq=False)
class Learner:
    """The learning process, seen from the cell's own.

    Args:
        process: it.
        line: what it is told, and what it says.
        rows: where it asks for features that cannot be sent.
    """

    process: BaseProcess
    line: Connection[Any, Any]
    rows: Connection[Any, Any]

    @classmethod
    def start(cls, parent: Connection[Any, Any]) -> Learner:
        """Starts it; to be called by a process that knows nothing yet.

        Args:
            parent: this process's own line to its run, which is not the method's to use.
        """
        forks = "forkserver" in multiprocessing.get_all_start_methods()
        context: Any = multiprocessing.get_context("fork" if forks else "spawn")
        (line, its_line), (rows, its_rows) = context.Pipe(), context.Pipe()
        not_its = (parent, line, rows) if forks else ()
        process = context.Process(target=_live, args=(its_line, its_rows, not_its))
        process.start()
        its_line.close()  # or the end of the process would not end the connection
        its_rows.close()
        return cls(process, line, rows)

    def end(self) -> None:
        """Lets it end, but not for long."""
        self.process.join(_GRACE)
        self.kill()

    def kill(self) -> None:
        """Ends it and what it started, whatever it is doing."""
        if self.process.pid is not None and self.process.is_alive():
            kill_family(self.process.pid)
        self.process.join()

    def learn(
        self, limits: Limits, cell: Cell, dataset: Dataset, context: Context, watch: Stopwatch
    ) -> Learned:
        """Has a cell's method trained and asked about the videos, as `learning.learn` does.

        Raises:
            StoppedError: the user wants the run to end.
            DataError, UnavailableError: no other cell would fare better.
            FaultError: the method failed, its process died, or a limit was passed.
        """
        place = RunFiles(context.results / cell.key)
        lesson, readers = Lesson.of(cell, dataset, context.results, context.num_workers).to_send()
        known = {name: value for name, value in os.environ.items() if name != DATA_ROOT}
        try:
            self.line.send((lesson, known))
            word = self._last_word(limits, cell, context, readers)
        except (EOFError, ConnectionError):
            self.end()
            word = Fault(Died(self.process.exitcode, place.log).sentence)
            word = Stopped() if context.stop() else word
        finally:
            self.end()
        if isinstance(word, Fault):
            raise FaultError(word)
        if isinstance(word, Refused):
            word.raise_here()
        if isinstance(word, Stopped):
            raise StoppedError
        watch.seconds.update(word.seconds)
        return Learned(
            activations={part: read_activations(place.activations(part)) for part in cell.splits},
            recipe=recipe_from_json(word.recipe, place.record),
            proposals=word.proposals,
            parameters=word.parameters,
            paper=word.paper,
            source_digest=word.source_digest,
        )

    def _last_word(
        self, limits: Limits, cell: Cell, context: Context, readers: list[SnippetArray]
    ) -> _Finished | Fault | Refused | Stopped:
        """Listens until it has finished, serves rows meanwhile, and ends it at a limit."""
        watch, told = Watch(limits, self.process.pid or 0), False
        while True:
            for ready in wait([self.line, self.rows], timeout=_TICK):
                if ready is self.rows:
                    self._serve(readers)
                    continue
                word = _read(self.line.recv_bytes())
                if isinstance(word, Step):
                    context.emit(CellProgress(cell, word))
                elif isinstance(word, Note):
                    context.emit(word)
                elif isinstance(word, (_Finished, Fault, Refused, Stopped)):
                    return word
            if context.stop() and not told:
                told = True
                self.process.terminate()
            if not self.process.is_alive() and not self.line.poll():
                raise EOFError  # something that it started keeps the line open
            complaint = watch.complaint()
            if complaint:
                self.kill()
                return Fault(complaint, "LimitError")

    def _serve(self, readers: list[SnippetArray]) -> None:
        number, index = _read(self.rows.recv_bytes())
        try:
            self.rows.send(np.asarray(readers[number][index]))
        except (Exception, SystemExit) as error:
            if isinstance(error, ConnectionError):
                raise
            self.rows.send(_as_sent(error))


class _Plain(pickle.Unpickler):
    """Reads what the process of a method says; it cannot make anything run here."""

    def find_class(self, module: str, name: str) -> Any:
        """What may be named.

        Raises:
            UnpicklingError: it names something else.
        """
        if (module, name) in _NUMPY:
            return super().find_class(module, name)
        if module.partition(".")[0] == "wsal_bench" and "." not in name:
            found = super().find_class(module, name)
            is_error = isinstance(found, type) and issubclass(found, WsalError)
            if is_dataclass(found) or is_error or (module, name) == _REBUILD:
                return found
        raise pickle.UnpicklingError(f"it names {module}.{name}")


_REBUILD: Final = ("wsal_bench.errors", "_rebuild")
_UNREADABLE: Final = (
    pickle.UnpicklingError,
    ArithmeticError,
    AttributeError,
    EOFError,
    ImportError,
    LookupError,
    MemoryError,
    TypeError,
    ValueError,
)  # whatever bytes may ask for


def _read(content: bytes) -> Any:
    try:
        return _Plain(io.BytesIO(content)).load()
    except _UNREADABLE as error:
        sentence = f"its process said something that cannot be read ({error})"
        raise FaultError(Fault(sentence)) from error


def _as_sent(error: BaseException) -> WsalError:
    """An error of one of the suite's own classes, as the other side knows no others."""
    if isinstance(error, WsalError):
        kind: type[WsalError] = next(
            one for one in type(error).__mro__ if one.__module__ == WsalError.__module__
        )
        return kind(error.message, hint=error.hint, path=error.path)
    return DataError(f"features cannot be read ({type(error).__name__}: {error})")


def _live(
    line: Connection[Any, Any],
    rows: Connection[Any, Any],
    not_its: tuple[Connection[Any, Any], ...],
) -> None:
    """What the learning process does in its life."""
    for connection in not_its:
        connection.close()
    die_with_parent()
    with suppress(EOFError, ConnectionError):  # nobody is there any more
        lesson, environment = line.recv()
        os.environ.clear()
        os.environ.update(environment)
        guard = Lock()

        def say(word: object) -> None:
            content = pickle.dumps(word)
            with guard:
                line.send_bytes(content)

        with listening(patient=True) as flag:
            say(_outcome(lesson.received(_asking(rows)), say, lambda: bool(flag)))


def _asking(rows: Connection[Any, Any]) -> Callable[[int, Any], NDArray[Any]]:
    """Asks the cell's process for rows; from one thread at a time."""
    guard = Lock()

    def ask(number: int, index: Any) -> NDArray[Any]:
        with guard:
            rows.send_bytes(pickle.dumps((number, index)))
            found: NDArray[Any] | WsalError = rows.recv()
        if isinstance(found, WsalError):
            raise found
        return found

    return ask


def _outcome(
    lesson: Lesson, say: Callable[[object], None], stop: Callable[[], bool]
) -> _Finished | Fault | Refused | Stopped:
    watch, log = Stopwatch(), RunFiles(lesson.results / lesson.key).log
    with cell_log(log, say, lesson.title), fatal_signals_in(log), torch_threads(lesson.threads):
        try:
            learned = learn(lesson, watch, stop, say)
        except StoppedError:
            return Stopped()
        except (DataError, UnavailableError) as error:
            return Refused(_as_sent(error), format_exc())
        except (Exception, SystemExit) as error:  # a method may fail in any way
            _logger.exception("what it raised")
            return Fault.of(error)
    return _Finished(
        recipe=learned.recipe.to_json(),
        proposals=learned.proposals,
        parameters=int(learned.parameters),
        paper=dict(learned.paper),
        source_digest=learned.source_digest,
        seconds=watch.seconds,
    )
