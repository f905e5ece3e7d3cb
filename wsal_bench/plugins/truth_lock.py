"""While a method learns or infers, no data set of the process gives its truth."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from threading import Lock
from typing import Any, Final, TypeVar

from wsal_bench.errors import WsalError

Truth = TypeVar("Truth")


class TruthLockedError(WsalError):
    """Somebody asked for boundaries while a method was learning or inferring."""

    code = "truth-locked"


class _Locks:
    """How many learn or infer in this process right now, in whatever thread."""

    def __init__(self) -> None:
        self.number = 0
        self.guard = Lock()

    def change(self, by: int) -> None:
        with self.guard:
            self.number += by


_LOCKS: Final = _Locks()


@contextmanager
def truth_locked() -> Iterator[None]:
    """While this is open, no data set gives its truth, in any thread of the process.

    A guard against slips, not a sandbox: what is in memory can be found there.
    """
    _LOCKS.change(+1)
    try:
        yield
    finally:
        _LOCKS.change(-1)


def is_truth_locked() -> bool:
    """Whether a method is learning or inferring in this process."""
    return _LOCKS.number > 0


def guarded(truth: Callable[..., Truth]) -> Callable[..., Truth]:
    """The truth of a data set, also for those who ask behind `ground_truth`."""

    @wraps(truth)
    def ask(*asked: Any) -> Truth:
        if is_truth_locked():
            raise TruthLockedError("the truth was asked for during training or inference")
        return truth(*asked)

    return ask
