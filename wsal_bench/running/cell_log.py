"""The log of one cell: a file, and notes for the user."""

from __future__ import annotations

import faulthandler
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from wsal_bench.errors import DataError
from wsal_bench.running.events import Event, Note

_LOGGERS = ("wsal_bench", "wsal_methods", "wsal_datasets")


class _NoteHandler(logging.Handler):
    """Tells the user what the suite warns of, for example a damaged checkpoint."""

    def __init__(self, emit: Callable[[Event], None], title: str) -> None:
        super().__init__(logging.WARNING)
        self._emit, self._title = emit, title

    def emit(self, record: logging.LogRecord) -> None:
        if record.name == "wsal_bench.compiling":  # it is not about the cell
            self._emit(Note(record.getMessage(), is_warning=False))
        elif record.exc_info is None:  # failures are told as results
            self._emit(Note(f"{self._title}: {record.getMessage()}"))


@contextmanager
def cell_log(path: Path, emit: Callable[[Event], None], title: str) -> Iterator[None]:
    """What is logged while this is open goes to the cell's log, and warnings to the user.

    Args:
        path: the log.
        emit: told of warnings.
        title: whose log it is, for warnings.

    Raises:
        DataError: the log cannot be opened.
    """
    handlers: list[logging.Handler] = [_file_handler(path), _NoteHandler(emit, title)]
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    levels = [logger.level for logger in loggers]
    root = logging.getLogger()
    root.addHandler(handlers[0])
    loggers[0].addHandler(handlers[1])
    for logger in loggers:
        logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        root.removeHandler(handlers[0])
        loggers[0].removeHandler(handlers[1])
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
        handlers[0].close()


def _file_handler(path: Path) -> logging.Handler:
    try:
        handler = _LogFile(path, encoding="utf-8")
    except OSError as error:
        raise DataError(f"cannot be written ({error.strerror or error})", path=path) from error
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    return handler


@contextmanager
def fatal_signals_in(path: Path) -> Iterator[None]:
    """Where a segmentation fault was is written into a log; one file at a time in a process."""
    with path.open("a", encoding="utf-8") as file:
        faulthandler.enable(file, all_threads=False)
        try:
            yield
        finally:
            faulthandler.disable()


class _LogFile(logging.FileHandler):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """A log that cannot be written (full disk) is not why a run fails; its files are."""

    def close(self) -> None:
        """What the stream still holds may be lost, as above."""
        with suppress(OSError):
            super().close()
