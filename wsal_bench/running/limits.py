"""How long a cell may learn and how much memory it may take, watched from outside its process.

Memory is looked at, not capped: torch, numba and CUDA reserve far more addresses than they use, so
that RLIMIT_AS or RLIMIT_DATA would stop a cell that takes little. What counts is what a process and
its children hold by themselves (in memory or swapped out), without files that are mapped.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Final

_OWN: Final = ("RssAnon:", "RssShmem:", "VmSwap:")
_LONGEST_LOOK: Final = 1.0  # seconds between two looks; more is a machine or a run that slept
_MIB: Final = 1 << 20
_GIB: Final = 1 << 30


@dataclass(frozen=True)
class Limits:
    """What one cell may take; None: as much as it wants.

    Args:
        seconds: from the beginning of its training to its last segment; waiting for a parent or
            for another process does not count.
        memory: bytes.
    """

    seconds: float | None = None
    memory: int | None = None


class Watch:
    """What a process has taken since this was made.

    Args:
        limits: what it may take.
        pid: which process; its children count too.
    """

    def __init__(self, limits: Limits, pid: int) -> None:
        self._limits, self._pid = limits, pid
        self._seconds, self._looked = 0.0, monotonic()

    def complaint(self) -> str | None:
        """Looks again.

        Returns:
            Which limit was passed, in a sentence.
        """
        now = monotonic()
        self._seconds += min(now - self._looked, _LONGEST_LOOK)
        self._looked = now
        limit = self._limits.seconds
        if limit is not None and self._seconds > limit:
            return f"it was not done after {limit:g} s, the limit of --cell-timeout, and was ended"
        memory = self._limits.memory
        if memory is None:
            return None
        used = sum(memory_of(pid) for pid in family(self._pid))
        if used <= memory:
            return None
        return (
            f"it held {_size(used)} of memory, more than the {_size(memory)} of --cell-memory, and "
            "was ended"
        )


def can_watch_memory() -> bool:
    """Whether the system says how much memory a process holds."""
    return memory_of(os.getpid()) > 0


def memory_of(pid: int) -> int:
    """Bytes that a process holds by itself; 0 where it is gone, or where nobody can say."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0
    lines = (line.split() for line in status.splitlines() if line.startswith(_OWN))
    return sum(int(words[1]) * 1024 for words in lines)


def family(pid: int) -> Iterator[int]:
    """A process and, where the system tells, those that it started and they started."""
    yield pid
    for told in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            for child in told.read_text(encoding="ascii").split():
                yield from family(int(child))


def kill_family(pid: int) -> None:
    """Ends a process and those that it started, at once."""
    for one in [*family(pid)]:
        with suppress(ProcessLookupError):
            os.kill(one, signal.SIGKILL)


def _size(number: int) -> str:
    return f"{number / _GIB:.3g} GiB" if number >= _GIB else f"{number / _MIB:.3g} MiB"
