"""Standard errors and paired differences of mAP by resampling groups of test videos.

Matching is done once and re-weighted: a resample is a weight for each group. The mean of the
resamples lies above the observed mAP (by 0.6 standard errors on published detections of THUMOS14,
more where classes are rare): a resample holds fewer distinct videos, whose detections are easier to
rank, and classes without a truth drop out. So no percentile of the resamples is used as it is:
intervals are symmetric about the observed value, with the resamples' standard deviation as the
standard error, and the bias is reported.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from wsal_bench.evaluation import Scores
from wsal_bench.evaluation.resampling import obstacle, resampled_average_precision
from wsal_bench.statistics.seeds import mean, student_p, student_quantile
from wsal_bench.types import FloatArray

_CHUNK = 250  # resamples worked on at once: bounds the memory, moves no number
_MANY = 1000  # degrees of freedom from which on Student's distribution is as good as normal
_SAME = 1e-12  # errors below it are rounding: the two runs are the same

Place = tuple[int, int]  # (data_seed, seed)


@dataclass(frozen=True)
class SamplingError:
    """How much a headline average would move with other test videos.

    Args:
        value: as observed.
        standard_error: standard deviation of the resamples.
        bias: mean of the resamples minus the observed value; not subtracted from anything.
        num_groups: groups of videos that were resampled.
        num_resamples: how many times.
    """

    value: float
    standard_error: float
    bias: float
    num_groups: int
    num_resamples: int


@dataclass(frozen=True)
class Interval:
    """How far apart two methods are, and how sure that is.

    The standard error is that of the videos and of the seeds together, root of the sum of squares.
    With several data seeds the spread over them holds the sampling of videos a second time, which
    errs on the side of caution; with one seed the seeds' part is not known and left out.

    Args:
        low: lower end: the difference minus as many standard errors as the level asks for, by
            Student's distribution: few seeds make it wider.
        high: upper end.
        difference: first minus second on the data as it is, mean over the seeds.
        level: how often such an interval should hold the true difference.
        num_resamples: draws of the groups of videos.
        video_error: standard error from the sampling of groups of videos.
        seed_error: standard error from the seeds: of the mean over data seeds, or over training
            seeds where there is one data seed; None for one seed.
        p_value: two-sided, of no difference, from the difference over its standard error.
    """

    low: float
    high: float
    difference: float
    level: float
    num_resamples: int
    video_error: float
    seed_error: float | None
    p_value: float


@dataclass(frozen=True, eq=False)
class Pairing:
    """The runs of two methods on one truth.

    Args:
        a: scores of the first method, one per training seed, with matches and support.
        b: scores of the second, in the order of the same seeds.

    Raises:
        ValueError: no run, runs that do not pair up, or scores under different protocols.
    """

    a: Sequence[Scores]
    b: Sequence[Scores]

    def __post_init__(self) -> None:
        if not self.a or len(self.a) != len(self.b):
            raise ValueError(f"runs must pair up by seed, not {len(self.a)} with {len(self.b)}")
        if len({(s.protocol.name, s.protocol.version, s.tiou) for s in (*self.a, *self.b)}) > 1:
            raise ValueError("scores under different protocols cannot be compared")


def paired_bootstrap(
    a: Sequence[Scores],
    b: Sequence[Scores],
    n: int = 1000,
    *,
    generator: Generator,
    level: float = 0.95,
) -> Interval:
    """Difference of two methods' headline averages on one truth, with its interval.

    Groups of videos are drawn with replacement, the same draw for both methods and all seeds, so
    that what makes a draw easy cancels. Classes without a truth in a draw drop out of its mean.

    Args:
        a: scores of the first method, one per training seed, with matches and support.
        b: scores of the second, in the order of the same seeds.
        n: how many resamples, at least 2.
        generator: the randomness.
        level: how often the interval should hold the true difference.

    Raises:
        ValueError: runs that do not pair up, or were not scored on one truth.
    """
    return nested_bootstrap([Pairing(a, b)], n, generator=generator, level=level)


def nested_bootstrap(
    pairings: Sequence[Pairing], n: int = 1000, *, generator: Generator, level: float = 0.95
) -> Interval:
    """The same over several data sets: one pairing per data seed, each resampled on its own.

    Args:
        pairings: their differences are averaged.
        n: how many resamples, at least 2.
        generator: the randomness.
        level: how often the interval should hold the true difference.

    Raises:
        ValueError: nothing to compare, runs that were not scored on one truth, or an n or a level
            that make no interval.
    """
    if not pairings or n < 2 or not 0 < level < 1:
        raise ValueError(f"no interval from {len(pairings)} pairings, n {n} and level {level}")
    observed: dict[Place, float] = {}
    resampled = np.zeros(n)
    for index, pairing in enumerate(pairings):
        headlines = resample([*pairing.a, *pairing.b], n, generator)
        half = len(pairing.a)
        resampled += (headlines[:half] - headlines[half:]).mean(axis=0) / len(pairings)
        for seed, (first, second) in enumerate(zip(pairing.a, pairing.b, strict=True)):
            observed[index, seed] = first.headline - second.headline
    return interval_of(observed, resampled, level)


def sampling_error(scores: Scores, n: int = 1000, *, generator: Generator) -> SamplingError:
    """The standard error of one run's headline average over groups of test videos.

    Args:
        scores: with matches and support.
        n: how many resamples, at least 2.
        generator: the randomness.

    Raises:
        ValueError: scores that cannot be resampled, or too few resamples.
    """
    if n < 2:
        raise ValueError(f"{n} resamples have no spread")
    return error_of(scores.headline, resample([scores], n, generator)[0], num_groups(scores))


def error_of(value: float, resampled: FloatArray, groups: int) -> SamplingError:
    """A sampling error from resampled headlines [n]."""
    return SamplingError(
        value=value,
        standard_error=float(np.std(resampled, ddof=1)),
        bias=float(resampled.mean() - value),
        num_groups=groups,
        num_resamples=len(resampled),
    )


def interval_of(
    observed: Mapping[Place, float], resampled: FloatArray, level: float = 0.95
) -> Interval:
    """An interval from differences by (data_seed, seed) and their resampled mean [n]."""
    inside: dict[int, list[float]] = {}
    for (data_seed, _), value in sorted(observed.items()):
        inside.setdefault(data_seed, []).append(value)
    means = [mean(part) for part in inside.values()]
    spread = means if len(means) > 1 else next(iter(inside.values()))
    seed_error = float(np.std(spread, ddof=1)) / math.sqrt(len(spread)) if len(spread) > 1 else None
    video_error = float(np.std(resampled, ddof=1))
    total, difference = math.hypot(video_error, seed_error or 0.0), mean(means)
    freedom = _freedom(video_error, seed_error or 0.0, len(spread))
    reach = student_quantile(level, freedom) * total
    ratio = abs(difference) / total if total > _SAME else 0.0 if abs(difference) < _SAME else 1e9
    return Interval(
        low=difference - reach,
        high=difference + reach,
        difference=difference,
        level=level,
        num_resamples=len(resampled),
        video_error=video_error,
        seed_error=seed_error,
        p_value=student_p(ratio, freedom),
    )


def _freedom(video_error: float, seed_error: float, num_seeds: int) -> int:
    """Whole degrees of freedom of the two errors together (Welch and Satterthwaite), rounded down.

    The videos are many, so their part counts as known; the seeds' has one less than there are.
    """
    if seed_error <= _SAME:
        return _MANY
    share = seed_error**2 / (video_error**2 + seed_error**2)
    return max(1, min(int((num_seeds - 1) / share**2), _MANY))


def resample(runs: Sequence[Scores], n: int, generator: Generator) -> FloatArray:
    """Headline averages [runs, n] of runs on one truth, under the same draws of its groups.

    Raises:
        ValueError: scores that cannot be resampled, or not of one truth.
    """
    first = runs[0]
    for run in runs:
        if problem := obstacle(run):
            raise ValueError(problem)
        if not _one_truth(first, run):
            raise ValueError("these scores were made with another truth")
    support = first.support
    assert support is not None  # what `obstacle` looked at
    index = {
        name: column for column, name in enumerate(dict.fromkeys(filter(None, support.groups)))
    }
    # a video that is left out has neither rows nor truth: any unit will do
    unit = np.array([index.get(name, 0) for name in support.groups], dtype=np.int64)
    has_truth = np.zeros(len(index), dtype=np.bool_)
    has_truth[unit[support.video]] = True
    found = np.empty((len(runs), n))
    for begin in range(0, n, _CHUNK):
        weights = _draw(min(_CHUNK, n - begin), has_truth, generator)
        for row, run in enumerate(runs):
            ap = resampled_average_precision(run, unit, weights)
            found[row, begin : begin + len(weights)] = _headline(run, ap)
    return found


def num_groups(scores: Scores) -> int:
    """Groups of videos that a resample draws from."""
    return len(set(scores.support.groups) - {""}) if scores.support is not None else 0


def _one_truth(a: Scores, b: Scores) -> bool:
    """Whether two runs have the same videos and segments of each class there; not their borders."""
    if a.support is None or b.support is None or a.support.groups != b.support.groups:
        return False
    return np.array_equal(a.support.video, b.support.video) and all(
        a.class_names[x] == b.class_names[y]
        for x, y in zip(a.support.label.tolist(), b.support.label.tolist(), strict=True)
    )


def _draw(size: int, has_truth: NDArray[np.bool_], generator: Generator) -> FloatArray:
    """[size, groups] how often each group is drawn; a draw without any truth is drawn again."""
    groups = len(has_truth)
    shares = np.full(groups, 1 / groups)
    weights = generator.multinomial(groups, shares, size=size)
    while len(empty := np.flatnonzero(~weights[:, has_truth].any(axis=1))):
        weights[empty] = generator.multinomial(groups, shares, size=len(empty))
    return weights.astype(np.float64)


def _headline(scores: Scores, ap: FloatArray) -> FloatArray:
    """[R] headline average of [R, K, C], over the classes that have a truth."""
    part = scores.protocol.averages[scores.protocol.headline]
    rows = [scores.tiou.index(tiou) for tiou in part]
    return np.asarray(np.nanmean(ap[:, rows], axis=(1, 2)))
