"""Ctrl-C and SIGTERM as a flag that is asked for, so that work ends with a checkpoint."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

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
