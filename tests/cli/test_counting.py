"""How far a command is, on a terminal and elsewhere."""

import io
import sys

import pytest

from wsal_bench.cli import counting
from wsal_bench.cli.counting import LINE_SECONDS, Counting


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_elsewhere_a_line_is_said_when_enough_time_went_by(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = [0.0]
    monkeypatch.setattr(counting, "monotonic", lambda: now[0])
    with Counting("reading") as bar:
        for done in (1, 2, 3, 4):
            bar.done(done, 2000)
            now[0] += LINE_SECONDS / 2
    assert capsys.readouterr().err == "reading: 3 of 2,000\n"


def test_a_terminal_gets_a_bar_with_both_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with Counting("reading") as bar:
        bar.done(5, 8)
    said = terminal.getvalue()
    assert "reading" in said and "5/8" in said
