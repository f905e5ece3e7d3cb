"""Ctrl-C and SIGTERM as a flag that is asked for, so that work ends with a checkpoint.

And the end of a process whose parent is gone: it must not hold its directory against the next run.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import wait
from types import FrameType

_PR_SET_PDEATHSIG = 1
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopFlag:
    """Which signal came, if any."""

    def __init__(self) -> None:
        self.signum: int | None = None

    def __bool__(self) -> bool:
        return self.signum is not None


@contextmanager
def listening(*, patient: bool) -> Iterator[StopFlag]:
    """While this is open, SIGINT and SIGTERM raise a flag instead of ending the process.

    Outside the main thread nothing is changed, because Python hears signals only there.

    Args:
        patient: true: every signal only raises the flag. False: the second one raises
            KeyboardInterrupt, for a user who does not want to wait for the checkpoint.
    """
    flag = StopFlag()

    def hear(signum: int, frame: FrameType | None) -> None:
        if flag and not patient:
            raise KeyboardInterrupt
        flag.signum = signum

    if threading.current_thread() is not threading.main_thread():
        yield flag
        return
    previous = {number: signal.signal(number, hear) for number in _SIGNALS}
    try:
        yield flag
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def die_with_parent(first: Callable[[], None] = lambda: None) -> None:
    """Has this process end as soon as the one that started it is gone.

    Args:
        first: done before that.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    if parent.pid == os.getppid() and sys.platform == "linux":
        import ctypes

        with suppress(OSError, AttributeError):  # then the thread below must do
            # also where a method holds the interpreter's lock, so that no thread runs
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

    def follow() -> None:
        wait([parent.sentinel])
        first()
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()
