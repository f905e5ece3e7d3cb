"""Means and spreads over seeds, and two paired tests: by flipped signs, and Student's t."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from wsal_bench.types import FloatArray

MIN_PAIRS = 6  # with fewer, no outcome of a sign-flip test is below 0.05
_EXACT = 16  # pairs up to which all 2^n flips are tried


@dataclass(frozen=True)
class NestedMean:
    """A mean over data seeds of means over training seeds.

    Args:
        mean: over data seeds, of the mean over training seeds inside each.
        std: sample standard deviation over what `std_over` names; None for a single value.
        std_over: "data_seed"; "seed" where there is one data seed; None for a single value.
        num_data_seeds: n of data seeds.
        num_seeds: n of training seeds, the fewest in any data seed.
    """

    mean: float
    std: float | None
    std_over: str | None
    num_data_seeds: int
    num_seeds: int


def nested_mean_std(values: Mapping[tuple[int, int], float]) -> NestedMean:
    """Mean and spread of a number over seeds, never pooled.

    Training seeds of one data seed share its data: pooled, they would make the spread over data
    look smaller than it is.

    Args:
        values: by (data_seed, seed).

    Raises:
        ValueError: no value, or one that is not finite.
    """
    if not values:
        raise ValueError("no value to take the mean of")
    inside: dict[int, list[float]] = {}
    for (data_seed, seed), value in sorted(values.items()):
        if not math.isfinite(value):
            raise ValueError(f"value {value} of data seed {data_seed}, seed {seed} is not finite")
        inside.setdefault(data_seed, []).append(value)
    parts = list(inside.values())
    means = [mean(part) for part in parts]
    spread = means if len(parts) > 1 else parts[0]
    std_over = "data_seed" if len(parts) > 1 else "seed"
    single = len(spread) < 2
    return NestedMean(
        mean=mean(means),
        std=None if single else float(np.std(spread, ddof=1)),
        std_over=None if single else std_over,
        num_data_seeds=len(parts),
        num_seeds=min(len(part) for part in parts),
    )


@dataclass(frozen=True)
class SignFlip:
    """A paired test over seeds: how often chance alone gives a mean difference this large.

    Args:
        p_value: two-sided, of the flipped signs: what decides.
        num_pairs: n.
        over: what the pairs are: "data_seed" or "seed".
        t_p_value: two-sided, of Student's paired t: beside it, as papers report it.
    """

    p_value: float
    num_pairs: int
    over: str
    t_p_value: float


def sign_flip_test(differences: Mapping[tuple[int, int], float]) -> SignFlip | None:
    """The sign-flip permutation test of paired differences (Fisher), and Student's paired t.

    If two methods were alike, each difference were as likely to be its negative. Of all 2^n ways
    to flip signs, the share whose mean is at least as far from 0 is the p-value; beyond 16 pairs,
    65,535 random ways stand for all of them, and the observed one counts as one more. The pairs are
    training seeds; where there are several data seeds, the means over the training seeds of each,
    as training seeds of one data set are not independent.

    Args:
        differences: first minus second, by (data_seed, seed).

    Returns:
        None for fewer than six pairs, where the smallest p-value there is exceeds 0.05 (for six it
        is 2 / 64 = 0.031).

    Raises:
        ValueError: a difference that is not finite.
    """
    inside: dict[int, list[float]] = {}
    for (data_seed, _), value in sorted(differences.items()):
        if not math.isfinite(value):
            raise ValueError(f"difference {value} of data seed {data_seed} is not finite")
        inside.setdefault(data_seed, []).append(value)
    several = len(inside) > 1
    values = [mean(part) for part in inside.values()] if several else [*differences.values()]
    if len(values) < MIN_PAIRS:
        return None
    sums = np.abs(_signs(len(values)) @ np.array(values))
    # sums[0] is the observed one; equal ones differ by rounding
    share = np.count_nonzero(sums >= sums[0] * (1 - 1e-12)) / len(sums)
    return SignFlip(share, len(values), "data_seed" if several else "seed", paired_t(values))


def paired_t(differences: Sequence[float]) -> float:
    """Two-sided p-value of Student's t for a mean difference of 0.

    Raises:
        ValueError: fewer than two differences.
    """
    from scipy import special  # type: ignore[import-untyped]

    n = len(differences)
    if n < 2:
        raise ValueError(f"{n} differences have no spread")
    centre, spread = mean(differences), float(np.std(differences, ddof=1))
    if spread <= 1e-15:  # rounding: all differences are the same
        return 1.0 if abs(centre) <= 1e-15 else 0.0
    return float(2 * special.stdtr(n - 1, -abs(centre) / spread * math.sqrt(n)))


def _signs(n: int) -> FloatArray:
    """[ways, n] flips of n signs, the first of which flips none."""
    if n <= _EXACT:
        return np.asarray(1.0 - 2 * (np.arange(2**n)[:, None] >> np.arange(n) & 1))
    drawn = np.random.default_rng(0).integers(0, 2, (2**_EXACT, n))
    drawn[0] = 0
    return np.asarray(1.0 - 2 * drawn)


def mean(values: Sequence[float]) -> float:
    """The mean, summed without rounding errors."""
    return math.fsum(values) / len(values)
