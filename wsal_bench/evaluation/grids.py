"""The thresholds of the presets, as the exact doubles that each repository compares with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from wsal_bench.evaluation._protocol import range_name

# arange's and linspace(0.1, 0.9, 9)'s third is 0.30000000000000004: an
# overlap of exactly 0.3, frequent on a snippet grid, misses it.
LITERAL_NINE = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
COMMON_TIOUS = LITERAL_NINE[:7]  # linspace(0.1, 0.7, 7) gives the same doubles
ARANGE_NINE = (0.1, 0.2, 0.1 + 2 * 0.1, 0.4, 0.5, 0.6, 0.1 + 6 * 0.1, 0.8, 0.9)
LINSPACE_FIVE = (0.3, 0.39999999999999997, 0.5, 0.6, 0.7)  # linspace(0.3, 0.7, 5)
ACTIVITYNET_TEN = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
# linspace(0.5, 0.95, 10): its ninth is not 0.9
LINSPACE_TEN = (*ACTIVITYNET_TEN[:8], 0.8999999999999999, 0.95)


@dataclass(frozen=True)
class Grid:
    """Thresholds and what is averaged over them."""

    tious: tuple[float, ...]
    headline: tuple[float, ...]

    @property
    def averages(self) -> dict[str, tuple[float, ...]]:
        """The ranges that papers average over and this grid holds, and the headline's."""
        ranges = ((0.1, 0.5), (0.1, 0.7), (0.3, 0.7), (0.1, 0.9))
        parts = [_between(self.tious, low, high) for low, high in ranges]
        whole = [part for part in (*parts, self.headline) if part]
        return {range_name(part): part for part in whole}

    @property
    def headline_name(self) -> str:
        """The name of the headline average."""
        return range_name(self.headline)


def _between(tious: Sequence[float], low: float, high: float) -> tuple[float, ...]:
    """The part of a grid in tenths that goes from `low` to `high`; empty where it does not."""
    wanted = [low + step / 10 for step in range(round(10 * (high - low)) + 1)]
    part = tuple(tiou for tiou in tious if low - 1e-9 < tiou < high + 1e-9)
    tenths = len(part) == len(wanted) and all(
        abs(tiou - tenth) < 1e-9 for tiou, tenth in zip(part, wanted, strict=True)
    )
    return part if tenths else ()


SEVEN = Grid(COMMON_TIOUS, COMMON_TIOUS)
FIVE_LOW = Grid(COMMON_TIOUS[:5], COMMON_TIOUS[:5])
FIVE_HIGH = Grid(COMMON_TIOUS[2:], COMMON_TIOUS[2:])
NINE = Grid(LITERAL_NINE, COMMON_TIOUS)
DRIFTING_SEVEN = Grid(ARANGE_NINE[:7], ARANGE_NINE[:7])
DRIFTING_NINE = Grid(ARANGE_NINE, ARANGE_NINE[:7])
DRIFTING_ALL = Grid(ARANGE_NINE, ARANGE_NINE)
FIVE_DRIFTING = Grid(LINSPACE_FIVE, LINSPACE_FIVE)
TEN = Grid(ACTIVITYNET_TEN, ACTIVITYNET_TEN)
TEN_DRIFTING = Grid(LINSPACE_TEN, LINSPACE_TEN)
