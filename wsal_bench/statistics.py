"""Means and intervals that say what they are of: data seeds, training seeds, groups of videos."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from wsal_bench.evaluation import Scores
from wsal_bench.evaluation.resampling import resampled_average_precision
from wsal_bench.types import FloatArray, GroundTruth

_CHUNK = 250  # resamples worked on at once: bounds the memory, moves no number


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
    means = [_mean(part) for part in parts]
    spread = means if len(parts) > 1 else parts[0]
    std_over = "data_seed" if len(parts) > 1 else "seed"
    single = len(spread) < 2
    return NestedMean(
        mean=_mean(means),
        std=None if single else float(np.std(spread, ddof=1)),
        std_over=None if single else std_over,
        num_data_seeds=len(parts),
        num_seeds=min(len(part) for part in parts),
    )


@dataclass(frozen=True)
class Interval:
    """How far apart two methods are, and how sure that is.

    Args:
        low: lower end, a percentile of the resampled differences.
        high: upper end.
        difference: first minus second on the data as it is.
        level: share of the resamples between the ends.
        num_resamples: how many there were.
    """

    low: float
    high: float
    difference: float
    level: float
    num_resamples: int


@dataclass(frozen=True, eq=False)
class Pairing:
    """The runs of two methods on one truth.

    Args:
        truth: its groups are what is resampled.
        a: scores of the first method, one per training seed, with matches.
        b: scores of the second, in the order of the same seeds.

    Raises:
        ValueError: no run, runs that do not pair up, or scores under different protocols.
    """

    truth: GroundTruth
    a: Sequence[Scores]
    b: Sequence[Scores]

    def __post_init__(self) -> None:
        if not self.a or len(self.a) != len(self.b):
            raise ValueError(f"runs must pair up by seed, not {len(self.a)} with {len(self.b)}")
        if len({(s.protocol.name, s.protocol.version, s.tiou) for s in (*self.a, *self.b)}) > 1:
            raise ValueError("scores under different protocols cannot be compared")


def paired_bootstrap(
    truth: GroundTruth,
    a: Sequence[Scores],
    b: Sequence[Scores],
    n: int = 1000,
    *,
    generator: Generator,
    level: float = 0.95,
) -> Interval:
    """Percentile interval of the difference of two methods' headline averages.

    Groups of videos are drawn with replacement, the same draw for both methods and all seeds, so
    that what makes a draw easy cancels. (The interval of one method alone would be biased: fewer
    distinct videos are easier to rank.) Classes without a truth in a draw drop out of its mean.

    Args:
        truth: its groups are what is resampled.
        a: scores of the first method, one per training seed, with matches.
        b: scores of the second, in the order of the same seeds.
        n: how many resamples.
        generator: the randomness.
        level: share of the resamples inside the interval.

    Raises:
        ValueError: runs that do not pair up, or were not made with `truth`.
    """
    return nested_bootstrap([Pairing(truth, a, b)], n, generator=generator, level=level)


def nested_bootstrap(
    pairings: Sequence[Pairing], n: int = 1000, *, generator: Generator, level: float = 0.95
) -> Interval:
    """The same over several data sets: one pairing per data seed, each resampled on its own.

    Args:
        pairings: their differences are averaged.
        n: how many resamples.
        generator: the randomness.
        level: share of the resamples inside the interval.

    Raises:
        ValueError: nothing to compare, runs that were not made with their pairing's truth, or
            an n or a level that make no interval.
    """
    if not pairings or n < 1 or not 0 < level < 1:
        raise ValueError(f"no interval from {len(pairings)} pairings, n {n} and level {level}")
    resampled = np.mean([_resample(pairing, n, generator) for pairing in pairings], axis=0)
    observed = [
        _mean([first.headline - second.headline for first, second in zip(p.a, p.b, strict=True)])
        for p in pairings
    ]
    low, high = np.quantile(resampled, [(1 - level) / 2, (1 + level) / 2])
    return Interval(
        low=float(low),
        high=float(high),
        difference=_mean(observed),
        level=level,
        num_resamples=n,
    )


def _resample(pairing: Pairing, n: int, generator: Generator) -> FloatArray:
    """[n] differences of the headline, mean over the seeds."""
    index = {name: column for column, name in enumerate(dict.fromkeys(pairing.truth.groups))}
    unit = np.array([index[name] for name in pairing.truth.groups])
    has_truth = np.zeros(len(index), dtype=bool)
    has_truth[unit[pairing.truth.video]] = True
    differences = np.zeros(n)
    for begin in range(0, n, _CHUNK):
        weights = _draw(min(_CHUNK, n - begin), has_truth, generator)
        for first, second in zip(pairing.a, pairing.b, strict=True):
            headlines = [
                _headline(run, resampled_average_precision(run, pairing.truth, unit, weights))
                for run in (first, second)
            ]
            differences[begin : begin + len(weights)] += headlines[0] - headlines[1]
    return differences / len(pairing.a)


def _draw(size: int, has_truth: NDArray[np.bool_], generator: Generator) -> FloatArray:
    """[size, groups] how often each group is drawn; a draw without any truth is drawn again."""
    num_groups = len(has_truth)
    shares = np.full(num_groups, 1 / num_groups)
    weights = generator.multinomial(num_groups, shares, size=size)
    while len(empty := np.flatnonzero(~weights[:, has_truth].any(axis=1))):
        weights[empty] = generator.multinomial(num_groups, shares, size=len(empty))
    return weights.astype(np.float64)


def _headline(scores: Scores, ap: FloatArray) -> FloatArray:
    """[R] headline average of [R, K, C], over the classes that have a truth."""
    part = scores.protocol.averages[scores.protocol.headline]
    rows = [scores.tiou.index(tiou) for tiou in part]
    return np.asarray(np.nanmean(ap[:, rows], axis=(1, 2)))


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)
