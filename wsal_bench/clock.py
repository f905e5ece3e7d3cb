"""Seconds of work: wall-clock time without what is done once, such as compiling and importing.

Each thread has a clock of its own. Whoever sets something up for good pauses it; whoever times work
takes the difference of two readings.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter


class _Aside(threading.local):
    """Seconds of this thread that were no work, and the pause that it is in."""

    def __init__(self) -> None:
        self.seconds, self.depth, self.began = 0.0, 0, 0.0


_aside = _Aside()


def worked() -> float:
    """Seconds since some moment, without the pauses of this thread."""
    return perf_counter() - _aside.seconds


def pause() -> None:
    """Stops the clock of this thread until `resume`; pauses may stand within pauses."""
    if not _aside.depth:
        _aside.began = perf_counter()
    _aside.depth += 1


def resume() -> None:
    """Ends the innermost pause."""
    _aside.depth -= 1
    if not _aside.depth:
        _aside.seconds += perf_counter() - _aside.began


@contextmanager
def paused() -> Iterator[None]:
    """The clock stands still while this is open."""
    pause()
    try:
        yield
    finally:
        resume()
