"""Work is timed without what is done once."""

import pytest

from wsal_bench import clock
from wsal_bench.running.context import Stopwatch


def test_pauses_are_no_work_and_may_stand_within_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 10.0
    monkeypatch.setattr(clock, "perf_counter", lambda: now)
    watch = Stopwatch()
    with watch.time("localize"):
        now += 1.0
        with clock.paused():
            now += 20.0
            with clock.paused():  # an inner function is compiled while an outer one is
                now += 300.0
            now += 20.0
        now += 2.0
    assert watch.seconds["localize"] == 3.0


def test_the_clock_goes_on_after_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(clock, "perf_counter", lambda: now)
    before = clock.worked()
    with pytest.raises(ValueError, match="broken"), clock.paused():
        now += 5.0
        raise ValueError("broken")
    now += 1.0
    assert clock.worked() - before == 1.0
