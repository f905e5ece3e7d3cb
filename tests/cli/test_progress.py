"""What is said while cells run, on a terminal and elsewhere."""

from __future__ import annotations

import io
import sys

import pytest

from wsal_bench.api import Step, Track
from wsal_bench.cli.progress import Display, outcome
from wsal_bench.evaluation import common
from wsal_bench.running.cells import Cell, DataSpec, RunSpec
from wsal_bench.running.events import (
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
        display.on_event(Planned((CELL,)))
        display.on_event(CellStarted(CELL))
        for epoch in range(3):
            display.on_event(CellProgress(CELL, Step(0, epoch, 3, {"mil": 0.5})))
        display.on_event(Note("a sentence"))
        display.on_event(CellFinished(CELL, GOOD))
    return stream.getvalue()


def test_elsewhere_there_are_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = follow(io.StringIO(), monkeypatch).splitlines()
    assert "      mil on toy data 4 seed 7: epoch 3/3, mil 0.5" in lines
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


def test_a_stored_cell_says_so() -> None:
    stored = CellResult(**{**vars(GOOD), "status": "skipped"})
    assert outcome(stored) == "mAP@AVG(0.1:0.7) 50.0 (stored)"
