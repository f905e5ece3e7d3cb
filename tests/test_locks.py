"""One writer: across processes, across threads, and where the file system has no locks."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from wsal_bench import leases, locks
from wsal_bench.locks import BusyError, locked


def no_locks(handle: int) -> bool:
    raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))


@pytest.fixture
def lockless(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "_try_lock", no_locks)


def count(folder: Path, lockless: bool, times: int) -> None:
    """Adds one to a number in a file, again and again, with the lock in hand."""
    if lockless:
        locks._try_lock = no_locks
    for _ in range(times):
        with locked(folder, patience=60):
            file = folder / "number"
            number = int(file.read_text())
            time.sleep(0.002)
            file.write_text(str(number + 1))


@pytest.mark.parametrize("lockless", [False, True])
@pytest.mark.parametrize(
    "start",
    [
        lambda *args: threading.Thread(target=count, args=args),
        lambda *args: multiprocessing.get_context("fork").Process(target=count, args=args),
    ],
    ids=["threads", "processes"],
)
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_nobody_counts_at_the_same_time(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    lockless: bool,
    start: Callable[..., threading.Thread],
) -> None:
    monkeypatch.setattr(locks, "_try_lock", locks._try_lock)  # put back what `count` changes
    (tmp_path / "number").write_text("0")
    writers = [start(tmp_path, lockless, 4) for _ in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert (tmp_path / "number").read_text() == "12"


def test_a_lock_is_not_given_twice_to_one_thread(tmp_path: Path) -> None:
    refused = pytest.raises(BusyError, match="another part of this process")
    with locked(tmp_path), refused, locked(tmp_path, patience=0):
        pass


def test_an_error_of_the_block_stays_what_it_was(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), locked(tmp_path):
        (tmp_path / "nothing").read_text()
    with locked(tmp_path, patience=0):
        pass


def test_a_passing_lock_leaves_nothing(tmp_path: Path) -> None:
    with locked(tmp_path, ".own.lock", passing=True):
        assert (tmp_path / ".own.lock").read_text() == str(os.getpid())
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("lockless")
def test_a_lease_says_who_has_it(tmp_path: Path) -> None:
    other = asdict(leases._Owner("elsewhere/1", 12, "34"))
    (tmp_path / ".lock.lease-3").write_text(json.dumps(other))
    refused = pytest.raises(BusyError, match=r"another process \(12 on elsewhere\) is writing")
    with refused, locked(tmp_path, patience=0):
        pass


@pytest.mark.usefixtures("lockless")
@pytest.mark.parametrize("case", ["given back", "silent", "process ended", "number given anew"])
def test_an_abandoned_lease_is_taken_over(tmp_path: Path, case: str) -> None:
    here = leases._Owner.here()
    owner = {
        "given back": leases._Owner("elsewhere/1", 12, "34", free=True),
        "silent": leases._Owner("elsewhere/1", 12, "34"),
        "process ended": leases._Owner(here.host, 2**22 + 1, ""),
        "number given anew": leases._Owner(here.host, here.pid, "1"),
    }[case]
    lease = tmp_path / ".lock.lease-3"
    lease.write_text(json.dumps(asdict(owner)))
    if case == "silent":
        long_ago = time.time() - 2 * leases.ABANDONED
        os.utime(lease, (long_ago, long_ago))
    with locked(tmp_path, patience=0):
        names = {path.name for path in tmp_path.iterdir()}
        assert names == {".lock", ".lock.lease-4"}
    with locked(tmp_path, patience=0):
        assert (tmp_path / ".lock.lease-5").exists()


@pytest.mark.usefixtures("lockless")
def test_an_owner_gives_signs_of_life(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "BEAT", 0.01)
    with locked(tmp_path):
        lease = tmp_path / ".lock.lease-1"
        os.utime(lease, (0, 0))
        deadline = time.monotonic() + 10
        while not lease.stat().st_mtime and time.monotonic() < deadline:
            time.sleep(0.01)
        assert lease.stat().st_mtime > 0
