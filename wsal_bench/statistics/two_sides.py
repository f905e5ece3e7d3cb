"""The difference of two methods that need not have the same seeds.

Where the seeds are the same ones, every seed is a pair. Where they are not, all of them count:
those that both have are paired through their covariance, the others stand alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from wsal_bench.evaluation import Scores
from wsal_bench.statistics.effects import Place, group_effects, grouping_of
from wsal_bench.statistics.errors import SAME, Design, Errors, Sample, satterthwaite
from wsal_bench.statistics.intervals import Interval, Level, interval_of, intervals_at
from wsal_bench.types import FloatArray

Runs = Mapping[Place, Scores]


def difference_of_means(a: Runs, b: Runs) -> Interval:
    """The mean over all seeds of one method less that of another, with its 95 % interval.

    With other seeds on the two sides, what seeds do to single videos is in the videos' part and in
    the seeds', which errs on the side of caution.

    Args:
        a: scores of the first by (data_seed, seed), with matches and support.
        b: of the second, on the same data seeds.

    Returns:
        With a seed error of None where both have one seed. Where one of them has one seed, it is
        taken to vary over seeds as the other does.

    Raises:
        ValueError: other data seeds, scores that cannot be resampled or were not made on one
            truth, or too few groups of videos.
    """
    data_seeds = sorted({place[0] for place in a})
    if not data_seeds or data_seeds != sorted({place[0] for place in b}):
        raise ValueError("the two sides have different data seeds")
    parts = [_part(_of(a, one), _of(b, one)) for one in data_seeds]
    return _paired(parts) if set(a) == set(b) else _pooled(parts, a, b)


def _paired(parts: Sequence[_Part]) -> Interval:
    """Where both have the same seeds."""
    samples = [
        Sample(np.stack(part.values), np.stack(part.effects), part.weights) for part in parts
    ]
    return interval_of(samples)


def _pooled(parts: Sequence[_Part], a: Runs, b: Runs) -> Interval:
    """Where the seeds are others, or more on one side."""
    differences = np.array([part.difference for part in parts])
    videos = sum(float(np.sum(part.deviations**2)) for part in parts) / len(parts) ** 2
    design = Design(
        tuple(part.weights for part in parts),
        max(len(side) for part in parts for side in part.values),
    )
    if len(parts) > 1:
        between, freedom = float(np.var(differences, ddof=1)) / len(parts), len(parts) - 1.0
        errors = _errors(between, freedom, videos, between)
    else:
        sides = ({place[1]: run.headline for place, run in side.items()} for side in (a, b))
        seeds = _of_seeds(*sides)
        doubt = videos**2 / design.video_freedom + seeds.value**2 / max(seeds.freedom, 1)
        total = videos + seeds.value
        freedom = float(satterthwaite(np.array(total), np.array(doubt), design))
        errors = _errors(total, freedom, videos, seeds.value)
    return intervals_at(differences.mean(keepdims=True), errors, design, Level())[0]


@dataclass(frozen=True, eq=False)
class _Part:
    """Both sides on one data seed: headlines [S], deviations of each group [S, G], its weights."""

    values: Sequence[FloatArray]
    effects: Sequence[FloatArray]
    weights: FloatArray

    @property
    def difference(self) -> float:
        return float(self.values[0].mean() - self.values[1].mean())

    @property
    def deviations(self) -> FloatArray:
        return np.asarray(self.effects[0].mean(axis=0) - self.effects[1].mean(axis=0))


@dataclass(frozen=True)
class _Variance:
    """Of a mean, and its degrees of freedom."""

    value: float
    freedom: float


def _of(runs: Runs, data_seed: int) -> list[Scores]:
    return [runs[place] for place in sorted(runs) if place[0] == data_seed]


def _part(a: Sequence[Scores], b: Sequence[Scores]) -> _Part:
    groups = grouping_of([*a, *b])
    return _Part(
        [np.array([run.headline for run in side]) for side in (a, b)],
        [np.array([group_effects(run, groups).deviations for run in side]) for side in (a, b)],
        groups.weights,
    )


def _errors(variance: float, freedom: float, videos: float, seeds: float) -> Errors:
    return Errors(*(np.array([value]) for value in (variance, freedom, videos, seeds)))


def _of_seeds(a: Mapping[int, float], b: Mapping[int, float]) -> _Variance:
    """Of the difference of two means over training seeds, by seed.

    The variance of each mean, less twice the covariance that the shared seeds show; the degrees of
    freedom are Welch's and Satterthwaite's.
    """
    if len(a) < 2 and len(b) < 2:
        return _Variance(0.0, 1.0)
    counts = np.array([len(a), len(b)])
    spreads = [side if len(side) > 1 else other for side, other in ((a, b), (b, a))]
    variances = np.array([np.var(list(side.values()), ddof=1) for side in spreads])
    parts, together = variances / counts, 0.0
    shared = sorted(set(a) & set(b))
    if len(shared) > 1:
        pairs = np.array([[side[seed] for seed in shared] for side in (a, b)])
        if (pairs.std(axis=1) > SAME).all():
            share = float(np.corrcoef(pairs)[0, 1]) * float(np.sqrt(variances.prod()))
            together = share * len(shared) / float(counts.prod())
    freedom = float(counts.sum() - 1 - (counts > 1).all())
    if (counts > 1).all() and parts.sum() > SAME**2:
        freedom = float(parts.sum() ** 2 / np.sum(parts**2 / (counts - 1)))
    return _Variance(max(float(parts.sum()) - 2 * together, 0.0), freedom)
