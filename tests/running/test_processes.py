"""A cell has a process of its own: what a method does to it concerns no other cell."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.running.toys import PLUGINS, numbers, request
from wsal_bench.errors import UsageError
from wsal_bench.running.runner import run


def record(directory: str) -> dict[str, object]:
    found: dict[str, object] = json.loads((Path(directory) / "record.json").read_text())
    return found


@pytest.mark.parametrize(
    ("mood", "says"),
    [
        ("exit", "SystemExit: that was it (FILE, line "),
        ("die", "its process died with exit code 7"),
        ("crash", "its process was killed by signal 11, SIGSEGV (FILE, line "),
    ],
)
def test_a_method_that_ends_its_process_fails_its_cell_alone(
    tmp_path: Path, mood: str, says: str
) -> None:
    sets = (f"moody.mood={mood}",)
    order = request(tmp_path, "moody", "plain", sets=sets, in_process=False)
    failed, good = run(order)
    assert (failed.status, good.status) == ("failed", "ok")
    assert str(failed.error).startswith(says.replace("FILE", str(PLUGINS / "methods/moody.py")))
    assert record(failed.directory)["isolated"] is True
    assert record(good.directory)["isolated"] is True


def test_one_process_for_all_is_said_in_the_record_and_gives_the_same_bytes(tmp_path: Path) -> None:
    run(request(tmp_path / "own", "toy", in_process=False))
    (result,) = run(request(tmp_path / "one", "toy", in_process=True))
    assert record(result.directory)["isolated"] is False
    assert numbers(tmp_path / "own") == numbers(tmp_path / "one")


def test_sys_exit_is_a_failure_also_in_process(tmp_path: Path) -> None:
    order = request(tmp_path, "moody", "plain", sets=("moody.mood=exit",), in_process=True)
    assert [result.status for result in run(order)] == ["failed", "ok"]


def test_what_a_method_prints_goes_to_stderr(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run(request(tmp_path, "moody", sets=("moody.mood=talk",), in_process=False))
    assert capfd.readouterr().out == ""


def test_an_error_can_be_looked_at_while_its_frames_are_alive(tmp_path: Path) -> None:
    seen: list[str] = []

    def look(error: BaseException) -> None:
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        assert trace is not None
        seen.append(trace.tb_frame.f_locals["self"].config.mood)

    run(request(tmp_path, "moody"), on_failure=look)
    assert seen == ["raise"]
    with pytest.raises(UsageError, match="in this process"):
        run(request(tmp_path, "moody", in_process=False), on_failure=look)


def test_several_cells_at_once_need_processes(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="2 cells at once cannot run in one process"):
        run(request(tmp_path, "toy", jobs=2, in_process=True))


def test_damaged_material_is_made_again_in_a_process_of_its_own(tmp_path: Path) -> None:
    (first,) = run(request(tmp_path, "cutter"))
    for name in ("detections.npz", "tiny--common.json"):
        for path in Path(first.directory).rglob(name):
            if path.parts[-2] in ("own", "scores"):
                path.unlink()
    (again,) = run(request(tmp_path, "cutter", in_process=False))
    assert again.map == first.map
    assert record(first.directory)["isolated"] is True
