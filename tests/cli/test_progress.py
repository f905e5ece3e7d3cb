"""What is said while cells run, on a terminal and elsewhere."""

from __future__ import annotations

import io
import sys
from dataclasses import replace

import pytest

from wsal_bench.api import Step, Track
from wsal_bench.cli.pace import Pace, span
from wsal_bench.cli.progress import Display, outcome
from wsal_bench.evaluation import common
from wsal_bench.running.cells import Cell, DataSpec, RunSpec
from wsal_bench.running.events import (
    CellBusy,
    CellFinished,
    CellProgress,
    CellResult,
    CellStarted,
    Note,
    Planned,
)

SPEC = RunSpec(
    method="mil",
    variant=None,
    method_version="1",
    config={},
    data=DataSpec("toy", "toy", "1", {}, seeded=True, seed=4),
    track=Track(),
    seed=7,
    preset="preset toy",
)
CELL = Cell(SPEC, common("toy"))
GOOD = CellResult(
    method="mil",
    dataset="toy",
    protocol="toy/common",
    seed=7,
    status="ok",
    averages={"0.1:0.7": 0.5},
    average="0.1:0.7",
    seconds={"train": 1.5},
)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def follow(stream: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr("wsal_bench.cli.progress.LINE_SECONDS", 0.0)
    with Display() as display:
        display.on_event(Planned((CELL,), frozenset({CELL.key})))
        display.on_event(CellStarted(CELL))
        for epoch in range(3):
            display.on_event(CellProgress(CELL, Step(0, epoch, 3, {"mil": 0.5})))
        for _ in range(2):  # two workers say the same
            display.on_event(Note("a sentence"))
        display.on_event(Note("another sentence", is_warning=False))
        display.on_event(CellFinished(CELL, GOOD))
    return stream.getvalue()


def test_elsewhere_there_are_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = follow(io.StringIO(), monkeypatch).splitlines()
    assert lines[2].split() == ["mil", "toy", "4", "7", "1", "0", "preset", "toy"]
    assert lines[3].startswith("1 cells, 1 to make, 1 at once; protocol toy/common")
    assert "[0/1] mil on toy data 4 seed 7: epoch 1/3, mil 0.5" in lines
    assert any(
        line.endswith("left; mil on toy data 4 seed 7: epoch 3/3, mil 0.5") for line in lines
    )
    assert lines.count("warning: a sentence") == 1
    assert "another sentence" in lines
    assert "warning: a sentence" in lines
    assert lines[-1] == "[1/1] mil on toy data 4 seed 7: mAP@AVG(0.1:0.7) 50.0 (train 1.50 s)"
    assert not any("\x1b" in line for line in lines)


def test_a_terminal_gets_bars_and_the_same_last_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    text = follow(Terminal(), monkeypatch)
    assert "\x1b[" in text
    assert "[1/1] mil on toy data 4 seed 7: mAP@AVG(0.1:0.7) 50.0 (train 1.50 s)" in text


def test_failed_cells_are_kept_for_the_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    bad = CellResult("mil", "toy", "toy/common", 7, "failed", error="loss is nan")
    with Display() as display:
        display.on_event(CellFinished(CELL, bad))
    assert display.failed == [bad]
    assert outcome(bad) == "FAILED: loss is nan"


def test_a_busy_cell_is_said_at_once_and_then_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    with Display() as display:
        for _ in range(3):
            display.on_event(CellBusy(CELL, "another process (7) is writing here"))
    assert stream.getvalue() == (
        "[0/0] waiting for mil on toy data 4 seed 7: another process (7) is writing here\n"
    )


def test_stored_cells_are_counted_and_the_closing_line_sums_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    with Display() as display:
        for status in ("skipped", "skipped", "ok"):
            display.on_event(CellFinished(CELL, CellResult(**{**vars(GOOD), "status": status})))
    assert len(stream.getvalue().splitlines()) == 1
    assert display.closing().startswith("1 new, 2 stored, 0 failed in ")


def test_the_time_that_is_left_is_measured_from_the_first_progress(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 0.0
    monkeypatch.setattr("wsal_bench.cli.pace.monotonic", lambda: now)
    pace = Pace()
    other = Cell(replace(SPEC, seed=8), common("toy"))
    floor = Cell(replace(SPEC, method="floor:random"), common("toy"))
    pace.plan(Planned((CELL, other, floor), frozenset({CELL.key, other.key, floor.key})))
    assert pace.left is None
    now = 100.0  # imports
    pace.progress(CELL, 0.2)
    assert pace.left is None
    now = 110.0
    pace.progress(CELL, 0.4)
    assert pace.left == pytest.approx(10.0 * 1.6 / 0.2)
    pace.finish(CELL, {"train": 50.0})
    assert pace.fraction == pytest.approx(0.5)


@pytest.mark.parametrize(("seconds", "text"), [(4.4, "4 s"), (100.0, "2 min"), (9000.0, "2.5 h")])
def test_spans_are_rough(seconds: float, text: str) -> None:
    assert span(seconds) == text


def test_what_a_method_prints_meanwhile_goes_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    with Display():
        sys.stdout.write("a debug print\n")
    sys.stdout.write("the document\n")
    assert capsys.readouterr() == ("the document\n", "a debug print\n")


def test_a_stored_cell_says_so() -> None:
    stored = CellResult(**{**vars(GOOD), "status": "skipped"})
    assert outcome(stored) == "mAP@AVG(0.1:0.7) 50.0 (stored)"
