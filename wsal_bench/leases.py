"""The right to write where a file system has no locks: numbered files, one of which is the newest.

`.lock.lease-7` says host, process and when that process began; its owner touches it every few
seconds. Making the next number is the one act that only one process can do, so whoever finds the
newest lease given back or abandoned makes the next one, and has the right if it then is the newest.
The newest is never removed: a slow process must not make a number that others had already.
"""

from __future__ import annotations

import json
import logging
import os
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final
from uuid import uuid4

BEAT: Final = 5.0
"""Seconds between two signs of life."""
ABANDONED: Final = 60.0
"""Seconds without one after which the owner on another machine counts as dead."""

_log = logging.getLogger("wsal_bench.locks")


@dataclass(frozen=True)
class _Owner:
    """Who has a lease.

    Args:
        host: name of the machine and of its present boot, where known.
        pid: process.
        began: when the process began, in the machine's own count; empty where unknown.
        free: it was given back.
    """

    host: str
    pid: int
    began: str
    free: bool = False

    @classmethod
    def here(cls) -> _Owner:
        return cls(_host(), os.getpid(), _began(os.getpid()))

    def __str__(self) -> str:
        return f"{self.pid} on {self.host.partition('/')[0]}"


@contextmanager
def held(lock: Path, patience: float) -> Iterator[str]:
    """Has the lease of a lock file while the block runs.

    Args:
        lock: names the leases.
        patience: seconds to wait for another owner.

    Yields:
        Who else has it, where patience ended; else nothing.

    Raises:
        OSError: the folder cannot be written.
    """
    deadline = time.monotonic() + patience
    mine = _take(lock)
    while isinstance(mine, _Owner):
        if time.monotonic() >= deadline:
            yield str(mine)
            return
        time.sleep(0.05)
        mine = _take(lock)
    over = threading.Event()
    beating = threading.Thread(target=_beat, args=(mine, over), daemon=True)
    beating.start()
    try:
        yield ""
    finally:
        over.set()
        beating.join()
        with suppress(OSError):  # it then ends as that of a dead process does
            _write(mine, _Owner(**{**asdict(_Owner.here()), "free": True}))


def _take(lock: Path) -> Path | _Owner:
    """The lease that is ours now, or who has it."""
    there = _leases(lock)
    newest = max(there, default=0)
    if newest and (owner := _owner(there[newest])) is not None:
        return owner
    mine = lock.with_name(f"{lock.name}.lease-{newest + 1}")
    draft = lock.with_name(f".{lock.name}.{uuid4().hex}.tmp")
    try:
        _write(draft, _Owner.here())
        try:
            os.link(draft, mine)  # whole from the start; fails where the number is there
        except FileExistsError:
            return _owner(mine) or _Owner("somebody", 0, "")
        except OSError:  # no links either
            with mine.open("x", encoding="utf-8") as file:
                json.dump(asdict(_Owner.here()), file)
    except FileExistsError:
        return _Owner("somebody", 0, "")
    finally:
        draft.unlink(missing_ok=True)
    there = _leases(lock)
    for number, path in there.items():
        if number != max(there):
            path.unlink(missing_ok=True)
    return mine if max(there, default=0) == newest + 1 else _Owner("somebody", 0, "")


def _leases(lock: Path) -> dict[int, Path]:
    form = re.compile(re.escape(lock.name) + r"\.lease-(\d+)")
    found = ((form.fullmatch(path.name), path) for path in lock.parent.iterdir())
    return {int(match.group(1)): path for match, path in found if match}


def _owner(lease: Path) -> _Owner | None:
    """Who has it; None where it was given back, or its owner is dead."""
    try:
        owner = _Owner(**json.loads(lease.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return _Owner("somebody", 0, "")  # a newer one took its place just now
    except (ValueError, TypeError):
        owner = _Owner("somebody", 0, "")  # cut short by a kill or a power cut, or not whole yet
    if owner.free:
        return None
    if owner.host == _host():
        return owner if _began(owner.pid) == owner.began and _lives(owner.pid) else None
    return None if _silence(lease) > ABANDONED else owner


def _silence(lease: Path) -> float:
    """Seconds since its last sign of life, by the clock of the file system that has it."""
    probe = lease.with_name(f".{lease.name}.{uuid4().hex}.tmp")
    try:
        probe.touch()
        return probe.stat().st_mtime - lease.stat().st_mtime
    except FileNotFoundError:
        return 0.0
    finally:
        probe.unlink(missing_ok=True)


def _beat(lease: Path, over: threading.Event) -> None:
    while not over.wait(BEAT):
        try:
            os.utime(lease)
        except FileNotFoundError:
            _log.warning("%s: another process has taken over, as this one gave no sign of life for "
                         "%g s; stop one of them", lease.parent, ABANDONED)  # fmt: skip
            return
        except OSError as error:
            _log.warning("%s: cannot be touched (%s)", lease, error.strerror or error)


def _write(path: Path, owner: _Owner) -> None:
    path.write_text(json.dumps(asdict(owner)), encoding="utf-8")


def _host() -> str:
    boot = Path("/proc/sys/kernel/random/boot_id")
    with suppress(OSError):
        return f"{socket.gethostname()}/{boot.read_text(encoding='ascii').strip()}"
    return socket.gethostname()


def _began(pid: int) -> str:
    """A number of this machine may be given to another process later; its beginning may not."""
    with suppress(OSError, IndexError):
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
        return stat.rpartition(")")[2].split()[19]
    return ""


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
