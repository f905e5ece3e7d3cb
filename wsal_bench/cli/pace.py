"""How much of a run is done, and how long the rest may take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from time import monotonic

from wsal_bench.running.cells import Cell
from wsal_bench.running.events import Planned

_FIRST = 0.01  # done before an estimate is worth a word


@dataclass(frozen=True)
class _Start:
    """When the first progress was told: before that processes start and data are opened."""

    moment: float
    fraction: float


class Pace:
    """Cells weigh what cells of their method took in this run; stored ones and floors nothing."""

    def __init__(self) -> None:
        self._began = monotonic()
        self._start: _Start | None = None
        self._methods: dict[str, str] = {}  # of what is to be made, by key
        self._done: dict[str, float] = {}
        self._seconds: dict[str, list[float]] = {}

    def plan(self, event: Planned) -> None:
        """Adds the cells of a run."""
        self._methods |= {
            cell.key: cell.spec.name
            for cell in event.cells
            if cell.key in event.to_make and not cell.is_floor
        }

    def progress(self, cell: Cell, fraction: float) -> None:
        """Tells how much of a cell is done."""
        self._done[cell.key] = fraction
        self._start = self._start or _Start(monotonic(), self.fraction)

    def finish(self, cell: Cell, seconds: Mapping[str, float]) -> None:
        """Tells what a cell took."""
        self._done[cell.key] = 1.0
        if seconds and cell.key in self._methods:
            self._seconds.setdefault(cell.spec.name, []).append(sum(seconds.values()))

    @property
    def elapsed(self) -> float:
        """Seconds since the run began."""
        return monotonic() - self._began

    @property
    def fraction(self) -> float:
        """Of the work, in [0, 1]."""
        weights = self._weights()
        done = sum(weight * self._done.get(key, 0.0) for key, weight in weights.items())
        return done / (sum(weights.values()) or 1.0)

    @property
    def left(self) -> float | None:
        """Seconds; None where it is too early to say."""
        if self._start is None:
            return None
        gained = self.fraction - self._start.fraction
        seconds = monotonic() - self._start.moment
        return seconds * (1.0 - self.fraction) / gained if gained > _FIRST else None

    def _weights(self) -> dict[str, float]:
        means = {name: fmean(values) for name, values in self._seconds.items()}
        usual = fmean(means.values()) if means else 1.0
        return {key: means.get(name, usual) for key, name in self._methods.items()}


def span(seconds: float) -> str:
    """A time that need not be exact: `40 s`, `7 min`, `1.5 h`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def ranges(numbers: Sequence[int]) -> str:
    """Whole numbers as in `0-3,7`."""
    runs: list[list[int]] = []
    for number in sorted(set(numbers)):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ",".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs)
