"""Intervals that hold all at once, and marks that are read off them.

The smallest of all p-values of a table is drawn under a simulation of the table's own design:
groups of its weights and its number of seeds, with Gaussian effects of the covariances that were
estimated; each draw goes through the same standard errors and degrees of freedom (a studentised
max-t on the scale of p: Westfall and Young 1993; Hothorn, Bretz and Westfall 2008). The 5 %
quantile of the smallest p is the level of each single interval. Where the data choose the
reference, as they do the best row, the family is all pairs of rows: whichever comes out first,
its differences are among them (Tukey's; Hsu's comparisons with the best, 1981, are narrower, but
part rows that are equally good: docs/statistics.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.random import Generator

from wsal_bench.statistics.effects import without_each
from wsal_bench.statistics.errors import Design, Spread, errors_of, independent
from wsal_bench.statistics.intervals import ALPHA, p_values
from wsal_bench.types import FloatArray, IntArray

_SEED = 0  # the same runs give the same intervals
_ENTRIES = 2_000_000  # numbers drawn at once: bounds the memory


@dataclass(frozen=True, eq=False)
class Family:
    """Comparisons whose intervals shall hold all at once.

    Args:
        first: [m] rows.
        second: [m] rows that are subtracted.
    """

    first: IntArray
    second: IntArray

    def __len__(self) -> int:
        return len(self.first)


def all_pairs(rows: int) -> Family:
    """Every row with every other: where the data choose which are looked at."""
    pairs = np.array([*combinations(range(rows), 2)], dtype=np.int64).reshape(-1, 2)
    return Family(pairs[:, 0], pairs[:, 1])


def against(reference: int, rows: int) -> Family:
    """Every other row with one that was named before."""
    others = np.array([row for row in range(rows) if row != reference], dtype=np.int64)
    return Family(others, np.full(len(others), reference, dtype=np.int64))


@dataclass(frozen=True, eq=False)
class Smallest:
    """The distribution of the smallest p-value of a family where nothing differs.

    Args:
        size: comparisons in the family.
        draws: sorted; empty: not simulated, and Šidák's bound stands for it.
    """

    size: int
    draws: FloatArray

    def level(self, alpha: float = ALPHA) -> float:
        """What a single p must lie below for the family to hold with 1 - alpha."""
        bound = 1 - (1 - alpha) ** (1 / self.size) if self.size else alpha
        if self.size <= 1 or not len(self.draws):
            return bound
        # no looser than a comparison alone, no stricter than Bonferroni's bound
        drawn = float(self.draws[int(alpha * len(self.draws))])
        return min(max(drawn, alpha / self.size), alpha)

    def adjusted(self, p_value: float) -> float:
        """The level at which the family would just speak of a difference."""
        if self.size <= 1:
            return p_value
        if not len(self.draws):
            return 1 - (1 - p_value) ** self.size
        share = float(np.searchsorted(self.draws, p_value, side="right") / len(self.draws))
        return min(max(share, p_value), self.size * p_value, 1.0)


def smallest_p(
    spread: Spread, design: Design, family: Family, num_draws: int, rank: float | None = None
) -> Smallest:
    """The distribution of a family's smallest p-value, by simulation.

    Args:
        spread: covariances of the rows.
        design: groups and seeds.
        family: what is compared.
        num_draws: how many tables are drawn.
        rank: as `independent` gives it; None: found here.
    """
    if len(family) < 2:
        return Smallest(len(family), np.empty(0))
    if rank is None:
        rank = independent(spread, family.first, family.second)
    generator = np.random.default_rng([_SEED, len(family)])
    found = []
    for means, drawn in _tables(spread, design, num_draws, generator):
        errors = errors_of(drawn, design, family.first, family.second, rank)
        difference = means[:, family.first] - means[:, family.second]
        found.append(p_values(difference, errors).min(axis=1))
    return Smallest(len(family), np.sort(np.concatenate(found)))


def _tables(
    spread: Spread, design: Design, num: int, generator: Generator
) -> Iterator[tuple[FloatArray, Spread]]:
    """Means [n, k] of rows that do not differ, and the covariances estimated from each draw."""
    rows, count = len(spread.videos), design.num_data
    main = spread.seeds - spread.both
    groups, seeds, both = (_root(one) for one in (spread.videos, main, spread.both))
    data = None if spread.data is None else _root(spread.videos + _positive(main))
    most = max(len(one) for one in design.weights)
    chunk = max(1, _ENTRIES // (rows * (most + design.num_seeds)))
    for begin in range(0, num, chunk):
        size = min(chunk, num - begin)
        means, videos, scatter = (np.zeros((size, *s)) for s in ((rows,), (rows,) * 2, (rows,) * 2))
        for weights in design.weights:
            total = float(np.sum(weights**2))
            effects = generator.standard_normal((size, len(weights), rows)) @ (
                groups * np.sqrt(count / total)
            )
            middle = np.einsum("g,ngk->nk", weights, effects)
            means += middle / count
            videos += _squares(without_each(weights, effects)) / count**2
            if design.num_seeds > 1:
                runs = np.sqrt(count * design.num_seeds)
                own = generator.standard_normal((size, design.num_seeds, rows)) @ (seeds * runs)
                means += own.mean(axis=1) / count
                own = own + generator.standard_normal(own.shape) @ (both * runs)
                own -= own.mean(axis=1, keepdims=True)
                scatter += _squares(own) / ((design.num_seeds - 1) * design.num_seeds * count**2)
        between = None
        if data is not None:
            drawn = generator.standard_normal((size, count, rows)) @ (data * np.sqrt(count))
            means = drawn.mean(axis=1)
            between = _squares(drawn - means[:, None]) / ((count - 1) * count)
        yield means, Spread(videos, scatter, spread.both, between)


def _squares(deviations: FloatArray) -> FloatArray:
    """[n, k, k] from [n, g, k]."""
    return np.asarray(np.swapaxes(deviations, 1, 2) @ deviations)


def _positive(matrix: FloatArray) -> FloatArray:
    """The nearest matrix without negative eigenvalues."""
    root = _root(matrix)
    return np.asarray(root.T @ root)


def _root(matrix: FloatArray) -> FloatArray:
    """[k, k] R with R' R = matrix, its negative eigenvalues as 0: rows z @ R vary like it."""
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    return np.asarray((vectors * np.sqrt(np.maximum(values, 0.0))).T)
