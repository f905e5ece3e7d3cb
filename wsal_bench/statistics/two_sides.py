"""The difference of two methods that need not have the same seeds.

Where the seeds are the same ones, every seed is a pair. Where they are not, all of them count:
those that both have are paired through their covariance, the others stand alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from wsal_bench.evaluation import Scores
from wsal_bench.statistics.bootstrap import (
    Interval,
    Pairing,
    Place,
    nested_bootstrap,
    num_groups,
    resample,
)
from wsal_bench.statistics.seeds import mean, student_p, student_quantile

_SAME = 1e-12  # errors below it are rounding
_MANY = 1000  # degrees of freedom from which on Student's distribution is as good as normal

Runs = Mapping[Place, Scores]


def difference_of_means(
    a: Runs, b: Runs, n: int = 1000, *, generator: Generator, level: float = 0.95
) -> Interval:
    """The mean over all seeds of one method less that of another, with its interval.

    Args:
        a: scores of the first by (data_seed, seed), with matches and support.
        b: of the second, on the same data seeds.
        n: how many resamples of the groups of videos.
        generator: the randomness.
        level: how often the interval should hold the true difference.

    Returns:
        With a seed error of None where both have one seed. Where one of them has one seed, it is
        taken to vary over seeds as the other does.

    Raises:
        ValueError: other data seeds, or scores that cannot be resampled or were not made on one
            truth.
    """
    data_seeds = sorted({place[0] for place in a})
    if not data_seeds or data_seeds != sorted({place[0] for place in b}):
        raise ValueError("the two sides have different data seeds")
    if set(a) == set(b):
        pairings = [Pairing(_of(a, one), _of(b, one)) for one in data_seeds]
        return nested_bootstrap(pairings, n, generator=generator, level=level)
    resampled, differences, freedom = np.zeros(n), [], 0
    for data_seed in data_seeds:
        first, second = _of(a, data_seed), _of(b, data_seed)
        drawn = resample([*first, *second], n, generator)
        resampled += drawn[: len(first)].mean(axis=0) - drawn[len(first) :].mean(axis=0)
        differences.append(_mean(first) - _mean(second))
        freedom += num_groups(first[0]) - 1
    groups = num_groups(next(iter(a.values())))
    spread = np.std(resampled / len(data_seeds), ddof=1) * math.sqrt(groups / max(groups - 1, 1))
    if len(data_seeds) > 1:
        seeds = _Error(
            float(np.std(differences, ddof=1)) / math.sqrt(len(differences)), len(differences) - 1
        )
    else:
        seeds = _seed_error(
            *({place[1]: run.headline for place, run in side.items()} for side in (a, b))
        )
    return _interval(mean(differences), _Error(float(spread), max(freedom, 1)), seeds, n, level)


@dataclass(frozen=True)
class _Error:
    """A standard error and its degrees of freedom; a value of None: not known."""

    value: float | None
    freedom: float


def _of(runs: Runs, data_seed: int) -> list[Scores]:
    return [runs[place] for place in sorted(runs) if place[0] == data_seed]


def _mean(runs: Sequence[Scores]) -> float:
    return mean([run.headline for run in runs])


def _seed_error(a: Mapping[int, float], b: Mapping[int, float]) -> _Error:
    """Of the difference of two means over training seeds, by seed.

    The variance of each mean, less twice the covariance that the shared seeds show.
    """
    counts = [len(a), len(b)]
    several = [list(side.values()) for side in (a, b) if len(side) > 1]
    if not several:
        return _Error(None, 0)
    variances = [
        float(np.var(list((side if len(side) > 1 else other).values()), ddof=1))
        for side, other in ((a, b), (b, a))
    ]
    parts = [variance / count for variance, count in zip(variances, counts, strict=True)]
    shared = sorted(set(a) & set(b))
    together = 0.0
    if len(shared) > 1:
        pairs = np.array([[side[seed] for seed in shared] for side in (a, b)])
        if (pairs.std(axis=1) > _SAME).all():
            share = float(np.corrcoef(pairs)[0, 1]) * math.sqrt(variances[0] * variances[1])
            together = share * len(shared) / (counts[0] * counts[1])
    freedom = sum(max(count - 1, 0) for count in counts)
    if len(several) == 2 and sum(parts) > _SAME**2:  # Welch and Satterthwaite
        freedom_parts = [part**2 / (count - 1) for part, count in zip(parts, counts, strict=True)]
        return _Error(_root(sum(parts) - 2 * together), sum(parts) ** 2 / sum(freedom_parts))
    return _Error(_root(sum(parts) - 2 * together), freedom)


def _root(variance: float) -> float:
    return math.sqrt(max(variance, 0.0))


def _interval(
    difference: float, videos: _Error, seeds: _Error, num_resamples: int, level: float
) -> Interval:
    errors = [error for error in (videos, seeds) if error.value is not None]
    squares = [float(error.value or 0.0) ** 2 for error in errors]
    total = math.sqrt(sum(squares))
    doubt = sum(square**2 / error.freedom for square, error in zip(squares, errors, strict=True))
    freedom = max(1, min(int(total**4 / doubt), _MANY)) if doubt > 0 else _MANY
    reach = student_quantile(level, freedom) * total
    ratio = abs(difference) / total if total > _SAME else 0.0 if abs(difference) < _SAME else 1e9
    return Interval(
        low=difference - reach,
        high=difference + reach,
        difference=difference,
        level=level,
        num_resamples=num_resamples,
        video_error=float(videos.value or 0.0),
        seed_error=seeds.value,
        p_value=student_p(ratio, freedom),
    )
