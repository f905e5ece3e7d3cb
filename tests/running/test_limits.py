"""A cell that takes too long or too much memory is ended, recorded, and the others go on."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.running.test_processes import record
from tests.running.toys import numbers, request
from wsal_bench.errors import UnavailableError, UsageError
from wsal_bench.locks import locked
from wsal_bench.running import limits, runner
from wsal_bench.running.limits import Limits, Watch, can_watch_memory, family, memory_of
from wsal_bench.running.runner import preview, run, run_all

needs_memory = pytest.mark.skipif(not can_watch_memory(), reason="nobody says who holds what")


def failed_alone(results: Path, mood: str, **options: float) -> str:
    """Why a moody method failed, beside one that did not."""
    sets = (f"moody.mood={mood}",)
    order = request(results, "moody", "plain", sets=sets, in_process=False, **options)
    failed, good = run(order)
    assert (failed.status, good.status) == ("failed", "ok")
    written = record(failed.directory)
    assert written["isolated"] is True
    assert written["error"] == {"type": "LimitError", "message": failed.error, "traceback": ""}
    return str(failed.error)


def test_a_deaf_method_that_blocks_in_c_is_ended(tmp_path: Path) -> None:
    says = failed_alone(tmp_path, "hang", cell_timeout=4.0)
    assert says == "it was not done after 4 s, the limit of --cell-timeout, and was ended"


@needs_memory
def test_ten_gigabytes_are_not_waited_for(tmp_path: Path) -> None:
    says = failed_alone(tmp_path, "greedy", cell_memory=1 << 30)
    assert says.startswith("it held 1")
    assert says.endswith(" GiB of memory, more than the 1 GiB of --cell-memory, and was ended")


@needs_memory
def test_limits_that_hold_change_no_number_and_no_hash(tmp_path: Path) -> None:
    run(request(tmp_path / "free", "toy", in_process=True))
    order = request(tmp_path / "bound", "toy", in_process=False)
    run(replace(order, cell_timeout=600.0, cell_memory=64 << 30))
    assert numbers(tmp_path / "free") == numbers(tmp_path / "bound")


def test_waiting_for_another_process_is_not_counted(tmp_path: Path) -> None:
    order = request(tmp_path, "plain", in_process=False, cell_timeout=3.0)
    (cell,) = preview(order).cells
    held = threading.Event()

    def hold() -> None:
        (tmp_path / cell.key).mkdir(parents=True)
        with locked(tmp_path / cell.key):
            held.set()
            time.sleep(5)

    other = threading.Thread(target=hold)
    other.start()
    held.wait()
    (result,) = run(order)
    other.join()
    assert result.status == "ok"


def test_a_machine_that_sleeps_takes_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = iter((0.0, 3600.0, 3600.9, 3602.5, 3603.2))  # an hour, then about a second each
    monkeypatch.setattr(limits, "monotonic", lambda: next(looks))
    watch = Watch(Limits(seconds=3.0), os.getpid())
    assert [bool(watch.complaint()) for _ in range(4)] == [False, False, False, True]


@needs_memory
def test_small_amounts_are_said_in_small_units(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "memory_of", lambda pid: 600 << 20)
    monkeypatch.setattr(limits, "family", lambda pid: [pid])
    said = Watch(Limits(memory=512 << 20), os.getpid()).complaint()
    assert str(said).startswith("it held 600 MiB of memory, more than the 512 MiB of")


@needs_memory
def test_a_process_that_is_gone_holds_nothing() -> None:
    assert next(family(os.getpid())) == os.getpid()
    assert Watch(Limits(memory=1), os.getpid()).complaint()
    assert not Watch(Limits(memory=1 << 50), os.getpid()).complaint()
    assert memory_of(1 << 30) == 0


def test_limits_need_processes_and_a_system_that_tells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for bound in ({"cell_timeout": 1.0}, {"cell_memory": 1 << 30}):
        order = request(tmp_path, "toy", in_process=True, **bound)
        for ask in (run, preview):
            with pytest.raises(UsageError, match="a limit can only be held where each cell"):
                ask(order)
    orders = [request(tmp_path, "toy", in_process=False, cell_timeout=end) for end in (1.0, 2.0)]
    with pytest.raises(UsageError, match=r"must agree in .*limits"):
        run_all(orders)
    monkeypatch.setattr(runner, "can_watch_memory", lambda: False)
    with pytest.raises(UnavailableError, match="--cell-memory needs a system that tells"):
        run(request(tmp_path, "toy", in_process=False, cell_memory=1 << 30))
    assert not list(tmp_path.iterdir())


@needs_memory
def test_children_of_a_process_count_too() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        try:
            if not any(Path(f"/proc/{os.getpid()}/task").glob("*/children")):
                pytest.skip("the system does not tell who started whom")
            assert child.pid in family(os.getpid())
        finally:
            child.kill()
