"""Paired differences of mAP by resampling groups of test videos.

Matching is done once and re-weighted: a resample is a weight for each group. The mean of the
resamples lies above the observed mAP (by 0.6 standard errors on published detections of THUMOS14,
more where classes are rare): a resample holds fewer distinct videos, whose detections are easier to
rank, and classes without a truth drop out. So no percentile of the resamples is used as it is: only
their deviations from their own mean are, in place of those of groups left out (`effects`), and
intervals are symmetric about the observed value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from wsal_bench.evaluation import Scores
from wsal_bench.evaluation.resampling import resampled_average_precision
from wsal_bench.statistics.effects import grouping_of, headline_of, resampling_scale
from wsal_bench.statistics.errors import Sample
from wsal_bench.statistics.intervals import Interval, Level, interval_of
from wsal_bench.types import FloatArray

_CHUNK = 250  # resamples worked on at once: bounds the memory, moves no number


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
    samples = [_sample(pairing, n, generator) for pairing in pairings]
    return interval_of(samples, Level(level, 1 - level, n))


def _sample(pairing: Pairing, n: int, generator: Generator) -> Sample:
    """Two rows on one truth, with the deviations of resamples in place of the groups'."""
    groups = grouping_of([*pairing.a, *pairing.b])
    headlines = resample([*pairing.a, *pairing.b], n, generator)
    apart = headlines - headlines.mean(axis=1, keepdims=True)
    scale = np.sqrt((n - 1) * resampling_scale(groups.weights))
    values = np.array([[run.headline for run in runs] for runs in (pairing.a, pairing.b)])
    return Sample(values, apart.reshape(*values.shape, n) / scale, groups.weights)


def resample(runs: Sequence[Scores], n: int, generator: Generator) -> FloatArray:
    """Headline averages [runs, n] of runs on one truth, under the same draws of its groups.

    Raises:
        ValueError: scores that cannot be resampled, not of one truth, or of a single group.
    """
    groups = grouping_of(runs)
    found = np.empty((len(runs), n))
    for begin in range(0, n, _CHUNK):
        weights = _draw(min(_CHUNK, n - begin), groups.has_truth, generator)
        for row, run in enumerate(runs):
            ap = resampled_average_precision(run, groups.unit, weights)
            found[row, begin : begin + len(weights)] = headline_of(run, ap)
    return found


def _draw(size: int, has_truth: NDArray[np.bool_], generator: Generator) -> FloatArray:
    """[size, groups] how often each group is drawn; a draw without any truth is drawn again."""
    groups = len(has_truth)
    shares = np.full(groups, 1 / groups)
    weights = generator.multinomial(groups, shares, size=size)
    while len(empty := np.flatnonzero(~weights[:, has_truth].any(axis=1))):
        weights[empty] = generator.multinomial(groups, shares, size=len(empty))
    return weights.astype(np.float64)
