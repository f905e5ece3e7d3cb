"""Every failure becomes one sentence on stderr, or a document on stdout, and an exit code."""

from __future__ import annotations

import errno
import os
import sys
import tempfile
import traceback
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import click

from wsal_bench.cli.output import document, note
from wsal_bench.cli.streams import GoneError, trouble
from wsal_bench.errors import WsalError

ERROR_SCHEMA = "wsal-bench/error/1"
INTERRUPTED = 130
CELLS_FAILED = 4
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF)


@dataclass(frozen=True)
class Failure:
    """What the user is told."""

    exit_code: int
    code: str
    message: str
    hint: str = ""
    path: str | None = None


class Boundary:
    """The outermost place where anything can go wrong.

    Args:
        arguments: of the command line; `--json` and `--debug` among them decide how it is said.

    Attributes:
        code: the exit code.
    """

    def __init__(self, arguments: Sequence[str]) -> None:
        options = arguments[: arguments.index("--")] if "--" in arguments else arguments
        self._json = "--json" in options
        self._debug = "--debug" in options
        self.code = 0

    def __enter__(self) -> Boundary:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if isinstance(error, GoneError):
            error = error.__cause__
        bad = trouble(sys.stdout)
        bad_error = trouble(sys.stderr)
        if isinstance(error, BrokenPipeError) and (bad or bad_error):
            error = None  # the reader has seen enough
        elif bad and not isinstance(bad, BrokenPipeError) and error is None:
            error = bad
        if error is None:
            return True
        if isinstance(error, SystemExit):
            return False
        failure = explain(error, debug=self._debug)
        self.code = failure.exit_code
        with suppress(OSError):  # then there is nobody whom it could be told
            self._say(error, failure, as_json=self._json and not bad)
        trouble(sys.stdout)
        trouble(sys.stderr)
        return True

    def _say(self, error: BaseException, failure: Failure, *, as_json: bool) -> None:
        if self._debug:
            traceback.print_exception(error, file=sys.stderr)
        if as_json:
            with suppress(OSError):  # then the sentence goes to stderr, as it must go somewhere
                click.echo(document(ERROR_SCHEMA, "error", _fields(failure)))
                return
        where = f"{failure.path}: " if failure.path else ""
        hint = f"; {failure.hint}" if failure.hint else ""
        note(f"error: {where}{failure.message}{hint}")


def explain(error: BaseException, *, debug: bool = False) -> Failure:
    """The sentence and the exit code of a failure.

    Args:
        error: whatever was raised.
        debug: the traceback is printed, so it need not be written to a file.
    """
    if isinstance(error, WsalError):
        return Failure(error.exit_code, error.code, error.message, error.hint, error.path)
    if isinstance(error, click.UsageError):
        command = error.ctx.command_path if error.ctx else "wsal-bench"
        return Failure(2, "usage", _sentence(error), f"see {command} --help")
    if isinstance(error, click.FileError):
        return Failure(3, "data", error.message, path=error.ui_filename)
    if isinstance(error, click.ClickException):
        return Failure(2, "usage", _sentence(error))
    if isinstance(error, click.Abort) and isinstance(error.__cause__, EOFError):
        return explain(error.__cause__, debug=debug)  # click takes the end of any file for Ctrl-D
    if isinstance(error, (click.Abort, KeyboardInterrupt)):
        hint = "the same command continues"
        return Failure(INTERRUPTED, "interrupted", "interrupted", hint)
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        where = "" if error.filename else "standard output "  # errors of files say their names
        return Failure(
            3, "data", f"{where}cannot be written: {error.strerror}", "", _name_of(error)
        )
    return _internal(error, debug=debug)


def _internal(error: BaseException, *, debug: bool) -> Failure:
    what = f"internal error: {type(error).__name__}: {error}".splitlines()[0]
    if debug:
        return Failure(1, "internal", what, "the traceback is above")
    return Failure(1, "internal", what, "the traceback is in this file", _save_traceback(error))


def _save_traceback(error: BaseException) -> str | None:
    """The file that it was written to; None where even that fails."""
    text = "".join(traceback.format_exception(error))
    try:
        handle, name = tempfile.mkstemp(prefix="wsal-bench-", suffix=".log")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError:
        return None
    return str(Path(name))


def _sentence(error: click.ClickException) -> str:
    message = error.format_message().strip().rstrip(".")
    return message[:1].lower() + message[1:]


def _name_of(error: OSError) -> str | None:
    return None if error.filename is None else str(error.filename)


def _fields(failure: Failure) -> dict[str, Any]:
    return {
        "code": failure.code,
        "message": failure.message,
        "hint": failure.hint or None,
        "path": failure.path,
    }
