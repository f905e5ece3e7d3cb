"""Which seeds an audit compares, and how the numbers of each method scatter over them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from wsal_bench.statistics import nested_mean_std

_SAME = 1e-12  # values that lie closer are one


@dataclass(frozen=True)
class Spread:
    """All seeds of a run's row in its store, under the run's protocol; fractions.

    Args:
        own: the value of the seed that was named.
        values: of all seeds by data seed and seed, the named one's among them.
    """

    own: float
    values: Mapping[tuple[int, int], float]

    @property
    def num_seeds(self) -> int:
        """How many there are."""
        return len(self.values)

    @property
    def mean(self) -> float:
        """Over data seeds, of the means over training seeds."""
        return nested_mean_std(self.values).mean

    @property
    def std(self) -> float | None:
        """Over training seeds, inside the data seeds; None where each has one."""
        inside: dict[int, list[float]] = {}
        for (data_seed, _), value in self.values.items():
            inside.setdefault(data_seed, []).append(value)
        parts = [np.array(part) for part in inside.values() if len(part) > 1]
        if not parts:
            return None
        squares = sum(float(((part - part.mean()) ** 2).sum()) for part in parts)
        return math.sqrt(squares / sum(len(part) - 1 for part in parts))

    @property
    def place(self) -> str:
        """`best` or `worst` where no seed is better or worse and not all are alike, else empty."""
        low, high = min(self.values.values()), max(self.values.values())
        if high - low <= _SAME:
            return ""
        return "best" if self.own >= high else "worst" if self.own <= low else ""


@dataclass(frozen=True)
class Seeds:
    """Which seeds were compared.

    Args:
        a: of A's row; None for a file.
        b: of B's.
        num_a: how many of A's are in the comparison.
        num_b: of B's.
        shared: how many of those both have: they are paired.
        one_method: A and B are seeds of one row.
        one_run: they are one seed of it.
        left_out: seeds of either on whose data seed the other has none.
    """

    a: Spread | None
    b: Spread | None
    num_a: int = 1
    num_b: int = 1
    shared: int = 0
    one_method: bool = False
    one_run: bool = False
    left_out: int = 0

    @property
    def paired(self) -> int:
        """How many seeds of A are held against the same seed of B; of files nobody knows it."""
        return self.shared if self.a is not None and self.b is not None else 0

    @property
    def error(self) -> float | None:
        """Standard deviation of a difference of two single seeds; None where it is not known."""
        stds = [one.std for one in (self.a, self.b) if one is not None]
        known = [std for std in stds if std is not None]
        return math.hypot(*known) if len(known) == 2 else None
