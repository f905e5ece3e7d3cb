"""Imports somebody else's module in a copy of the process first, which may die of it."""

from __future__ import annotations

import faulthandler
import importlib
import os
import signal
import sys
import tempfile
import warnings
from contextlib import suppress
from multiprocessing import parent_process
from pathlib import Path
from select import select
from typing import Final

from wsal_bench.plugins import blame

_PATIENCE: Final = 20.0  # seconds; an import that takes longer says nothing about itself


def deadly_import(module: str) -> str | None:
    """What an import would do to this process, if that is its end.

    Only asked on Linux, where a process can safely be copied for it, and not in processes that a
    run started for a cell: their death is heard of. A module that is imported already, raises an
    error, or takes long is left to the import itself.

    Returns:
        What became of the copy, in a sentence with the author's line where it is known.
    """
    if module in sys.modules or sys.platform != "linux" or parent_process() is not None:
        return None
    with tempfile.TemporaryDirectory(prefix="wsal-bench-") as folder:
        log = Path(folder) / "fatal"
        log.touch()
        survived, copy = os.pipe()
        with warnings.catch_warnings():
            # a copy of a process with threads might hang: then patience ends
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
        if pid == 0:
            _import_and_end(module, log, copy)
        os.close(copy)
        told: object = True
        try:
            told = not select([survived], [], [], _PATIENCE)[0] or os.read(survived, 1)
        finally:
            os.close(survived)
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL if told else 0)
            code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        return None if told else f"importing it {_end(code)}{blame.place_of_death(log)}"


def _import_and_end(module: str, log: Path, survived: int) -> None:
    """What the copy does; whatever is raised will be raised again where it can be told."""
    try:
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nowhere, stream)
        with log.open("w", encoding="utf-8") as file, suppress(BaseException):
            faulthandler.enable(file, all_threads=False)
            importlib.import_module(module)
        os.write(survived, b"1")
    finally:
        os._exit(0)


def _end(code: int) -> str:
    if code >= 0:
        return f"ends the process with exit code {code}"
    try:
        return f"kills the process by signal {-code}, {signal.Signals(-code).name}"
    except ValueError:
        return f"kills the process by signal {-code}"
