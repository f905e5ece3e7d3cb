"""Real processes are killed or told to stop; the same command then ends with the same bytes."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from tests.failures import killable
from tests.running.toys import PLUGINS, numbers, request
from wsal_bench.errors import DataError
from wsal_bench.locks import locked
from wsal_bench.plugins import PLUGIN_FOLDERS
from wsal_bench.running.cells import RunRequest
from wsal_bench.running.events import CellBusy, CellFinished, CellProgress, Event
from wsal_bench.running.runner import run
from wsal_bench.running.workers import warm_up

ROOT = Path(__file__).parents[2]
MOMENTS = [
    name for name in killable.MOMENTS if name.startswith("dies") and name != "dies_with_workers"
]
SLOW = ("toy.pause=0.02", "toy.epochs=12")  # so that a signal meets a worker in training
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


def text_of(order: RunRequest, moment: str, fsize: int = 0) -> str:
    """What `killable` is told."""
    values = {**dataclasses.asdict(order), "results": str(order.results)}
    document = {"request": values, "moment": moment, "fsize": fsize, "plugins": str(PLUGINS)}
    return json.dumps(document)


def start(order: RunRequest, moment: str = "nothing", fsize: int = 0) -> subprocess.Popen[str]:
    """A program of its own that runs a request."""
    rooms = [str(ROOT), str(ROOT / "methods"), str(ROOT / "datasets")]
    return subprocess.Popen(
        [sys.executable, killable.__file__, text_of(order, moment, fsize)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(rooms), "OMP_NUM_THREADS": "1"},
    )


def exit_code_of(order: RunRequest, moment: str, fsize: int = 0) -> int | None:
    """The same in a process forked from a server that has imported torch: ten times as quick."""
    warm_up()
    text = text_of(order, moment, fsize)
    process = get_context("forkserver").Process(target=killable.leave, args=(text,))
    process.start()
    process.join()
    return process.exitcode


def ends(process: subprocess.Popen[str]) -> subprocess.CompletedProcess[str]:
    """How a process ended."""
    out, err = process.communicate(timeout=120)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What `child:first` leaves when nobody disturbs it."""
    results = tmp_path_factory.mktemp("undisturbed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(PLUGIN_FOLDERS, str(PLUGINS))
        run(request(results, "child:first"))
    return numbers(results)


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_run_goes_on_to_the_same_bytes(
    tmp_path: Path, undisturbed: dict[str, bytes], moment: str
) -> None:
    order = request(tmp_path, "child:first")
    assert exit_code_of(order, moment) == -signal.SIGKILL
    assert numbers(tmp_path) != undisturbed
    (result,) = run(order)
    assert result.status == "ok"
    assert numbers(tmp_path) == undisturbed
    assert not list(tmp_path.rglob("*.tmp"))


def test_a_run_killed_above_its_workers_goes_on_to_the_same_bytes(
    tmp_path: Path, undisturbed: dict[str, bytes]
) -> None:
    killed = ends(start(request(tmp_path, "child:first", jobs=2), "dies_with_workers"))
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    run(request(tmp_path, "child:first"))
    assert numbers(tmp_path) == undisturbed


def test_workers_die_with_their_run(tmp_path: Path) -> None:
    order = request(tmp_path, "toy", sets=("toy.pause=30",), jobs=2)
    with start(order, "orphans_a_worker") as killed:
        assert killed.wait() == -signal.SIGKILL
    (lock,) = tmp_path.glob("tiny/toy/*/seed0/.lock")
    with locked(lock.parent):  # waits three seconds, a step of the worker would take thirty
        assert lock.read_text() == str(os.getpid())


def test_a_killed_training_does_not_begin_again(tmp_path: Path) -> None:
    assert exit_code_of(request(tmp_path, "child:first"), "dies_in_child_training") == -9
    epochs: list[str] = []

    def hear(event: Event) -> None:
        if isinstance(event, CellProgress):
            epochs.append(f"{event.cell.spec.name} {event.step.epoch}")

    run(request(tmp_path, "child:first"), hear)
    assert epochs == ["child:first 1", "child:first 2", "child:first 3"] or epochs == [
        "child:first 2",
        "child:first 3",
    ]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
@pytest.mark.parametrize(("jobs", "workers"), [(1, 0), (2, 0), (1, 2)])
def test_a_signal_ends_with_a_checkpoint(
    tmp_path: Path, number: signal.Signals, jobs: int, workers: int
) -> None:
    order = request(tmp_path / "stopped", "toy", "plain", sets=SLOW, jobs=jobs, num_workers=workers)
    process = start(order)
    assert process.stdout is not None
    assert process.stdout.readline() == "toy 0\n"
    process.send_signal(number)
    ended = ends(process)
    assert ended.returncode == 128 + number, ended.stderr
    assert ended.stderr == (f"stopped by {number.name}; the same command goes on from here\n")
    assert list(order.results.glob("tiny/toy/*/seed0/checkpoints/*.pt"))
    assert not list(order.results.glob("tiny/toy/*/seed0/record.json"))
    whole = request(tmp_path / "whole", "toy", "plain", sets=SLOW)
    run(dataclasses.replace(order, jobs=1))
    run(whole)
    assert numbers(order.results) == numbers(whole.results)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_full_disk_is_a_data_error_and_loses_nothing(
    tmp_path: Path, undisturbed: dict[str, bytes], jobs: int
) -> None:
    order = request(tmp_path, "child:first", jobs=jobs)
    ended = ends(start(order, fsize=4000))  # less than a checkpoint
    assert ended.returncode == DataError.exit_code, ended.stderr
    assert ".pt: cannot be written (File too large)" in ended.stderr
    assert not list(tmp_path.rglob("record.json"))
    run(order)
    assert numbers(tmp_path) == undisturbed


@pytest.mark.parametrize("size", [14, 900])  # not even a log can be written, or not all of it
def test_a_disk_without_room_for_a_log_is_a_data_error_too(tmp_path: Path, size: int) -> None:
    order = request(tmp_path, "toy")
    ended = ends(start(order, fsize=size))
    assert ended.returncode == DataError.exit_code, ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_disk_that_is_full_at_scoring_time_keeps_the_run(tmp_path: Path) -> None:
    order = request(tmp_path, "toy")
    run(order)
    before = numbers(tmp_path)
    ended = ends(start(dataclasses.replace(order, recipe="common"), fsize=100))
    assert ended.returncode == DataError.exit_code, ended.stderr
    assert numbers(tmp_path) == before
    (result,) = run(order)
    assert result.status == "skipped"


@pytest.mark.parametrize("results", ["file/in/the/way", "/proc/nowhere"])
def test_a_folder_that_cannot_be_written_is_a_data_error(tmp_path: Path, results: str) -> None:
    if results.startswith("/proc") and not Path("/proc/self").exists():
        pytest.skip("needs the /proc of Linux")
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot be made"):
        run(request(tmp_path / results, "plain"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_a_data_error(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(DataError, match="Permission denied"):
        run(request(tmp_path, "plain"))


def test_a_worker_that_dies_fails_its_cell_and_the_others_go_on(tmp_path: Path) -> None:
    results = run(request(tmp_path, "moody", "plain", "toy", sets=("moody.mood=die",), jobs=2))
    assert {result.method: result.status for result in results} == {
        "moody": "failed",
        "plain": "ok",
        "toy": "ok",
    }
    assert results[0].error == "its process died with exit code 7"
    assert Path(results[0].directory, "log.txt").exists()
    (record,) = tmp_path.glob("tiny/moody/*/seed0/record.json")
    assert json.loads(record.read_text())["status"] == "failed"


HOLD = """
import sys, time
from pathlib import Path
from wsal_bench.locks import locked
with locked(Path(sys.argv[1])):
    print("locked", flush=True)
    time.sleep(60)
"""


def holder(directory: Path) -> subprocess.Popen[str]:
    """Another process that writes in a directory."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(directory)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "locked\n"
    return process


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_busy_cell_is_left_and_waited_for_when_the_others_are_done(
    tmp_path: Path, jobs: int
) -> None:
    (busy,) = run(request(tmp_path, "plain"))
    heard: list[str] = []
    with holder(Path(busy.directory)) as other:

        def hear(event: Event) -> None:
            if isinstance(event, CellBusy):
                assert event.message == f"another process ({other.pid}) is writing here"
                heard.append("busy")
                if "plain:toy" in heard:
                    other.kill()
            if isinstance(event, CellFinished):
                heard.append(f"plain:{event.result.method}")

        results = run(request(tmp_path, "plain", "toy", jobs=jobs), hear)
    assert [result.status for result in results] == ["skipped", "ok"]
    assert heard[0] == "busy"
    assert heard[-2:] == ["busy", "plain:plain"]


def test_two_processes_share_a_store_and_train_a_common_parent_once(
    tmp_path: Path, undisturbed: dict[str, bytes]
) -> None:
    order = request(tmp_path, "child:first", sets=SLOW)
    run(dataclasses.replace(order, results=tmp_path / "alone"))
    runs = [start(dataclasses.replace(order, results=tmp_path / "shared")) for _ in range(2)]
    said = [ends(process) for process in runs]
    assert [process.returncode for process in said] == [0, 0], [one.stderr for one in said]
    epochs = "".join(process.stdout for process in said).splitlines()
    assert sorted(epochs) == sorted(set(epochs)), "an epoch was trained twice"
    assert numbers(tmp_path / "shared") == numbers(tmp_path / "alone")


def test_ctrl_c_at_the_fork_server_ends_without_a_traceback(tmp_path: Path) -> None:
    """A terminal sends it to the whole group: here while the server and the run import torch."""
    program = "from wsal_bench.cli import main; print('begun', flush=True); main()"
    command = [sys.executable, "-c", program, "run"]
    command += ["--methods", "toy", "--datasets", "tiny", "--plugins", str(PLUGINS)]
    for delay in (0.05, 1.0, 3.0):  # seconds since the first line
        process = subprocess.Popen(
            [*command, "--results", str(tmp_path)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        time.sleep(delay)
        os.killpg(process.pid, signal.SIGINT)
        ended = ends(process)
        assert "Traceback" not in ended.stderr
        assert ended.returncode in (0, 130), ended.stderr  # 0: it was done by then


def test_the_lock_of_a_dead_process_does_not_block(tmp_path: Path) -> None:
    with holder(tmp_path) as other:
        other.kill()
        other.wait()
        assert (tmp_path / ".lock").read_text() == str(other.pid)
        with locked(tmp_path, patience=0):
            assert (tmp_path / ".lock").read_text() == str(os.getpid())


def test_leftovers_of_a_killed_write_are_cleared(tmp_path: Path) -> None:
    (result,) = run(request(tmp_path, "plain"))
    leftover = Path(result.directory) / f".record.json.{'0' * 32}.tmp"
    leftover.write_text("half")
    options: dict[str, Any] = {"recipe": "common"}
    run(request(tmp_path, "plain", **options))
    assert not leftover.exists()
