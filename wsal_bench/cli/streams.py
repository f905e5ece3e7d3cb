"""stdout and stderr that are full, closed, or whose reader went away."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any


class GoneError(Exception):
    """A broken pipe, by a name that click does not know: it would end with 1 and say nothing."""


@contextmanager
def past_click() -> Iterator[None]:
    """Broken pipes get past click."""
    try:
        yield
    except BrokenPipeError as error:
        raise GoneError from error


def open_closed_ones() -> None:
    """Gives a stream that was closed at the start (`>&-`) to nobody.

    Otherwise the next file that is opened, maybe a result, would get its number, and with it
    whatever a library prints.
    """
    if sys.stdin is not None and sys.stdout is not None and sys.stderr is not None:
        return
    handle = os.open(os.devnull, os.O_RDWR)
    while handle <= 2:
        handle = os.dup(handle)
    os.close(handle)
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            number = ("stdin", "stdout", "stderr").index(name)
            setattr(sys, name, open(number, "w" if number else "r", closefd=False))  # noqa: SIM115


def trouble(stream: Any) -> OSError | None:
    """Writes out what a stream holds back; what came of it, after which it swallows everything.

    Args:
        stream: stdout or stderr.

    Returns:
        Why it cannot be written, a BrokenPipeError where its reader went away; None: it can.
    """
    found: OSError | None = BrokenPipeError() if _reader_left(stream) else None
    try:
        stream.flush()
    except OSError as error:
        found = error
    if found is not None:
        _discard(stream)
    return found


def _reader_left(stream: Any) -> bool:
    """Whether a stream is a pipe that nobody reads from."""
    with suppress(OSError, ValueError, AttributeError):  # no file, as in a test; or Windows
        looking = select.poll()
        looking.register(stream.fileno(), 0)
        return any(event & select.POLLERR for _, event in looking.poll(0))
    return False


def _discard(stream: Any) -> None:
    """Points a stream at nothing, so that the flush at exit does not fail once more."""
    with suppress(OSError):
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, stream.fileno())
        os.close(nothing)
        stream.flush()
