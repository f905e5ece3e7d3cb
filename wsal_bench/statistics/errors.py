"""Standard errors of rows and of their differences: groups of videos and seeds are crossed.

All training seeds of a data seed are tested on the same groups. With y the headline of seed s and g
a group, the variance of a mean over S seeds is

    V = V_videos + max(0, V_seeds - V_both)

V_videos: from the groups' deviations of the mean over the seeds, with seed x video noise in it;
V_seeds: variance over the seeds / S, which holds that again; V_both: that share, from the scatter
of the deviations over the seeds (two-way clustering: Cameron, Gelbach and Miller 2011; Owen 2007).

Over data seeds, each with its own data, the means are independent: their variance / D is all there
is, with D - 1 degrees of freedom. Between two rows that is used as it is. A table of several
comparisons pools the *ratio* of that variance to the one expected from videos and training seeds,
which takes it for the same in all of them, and gains degrees of freedom.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wsal_bench.statistics.effects import group_freedom
from wsal_bench.types import FloatArray, IntArray

SAME = 1e-12  # errors below it are rounding


@dataclass(frozen=True, eq=False)
class Sample:
    """The rows of a table on one data seed.

    Args:
        values: [k, S] headlines.
        effects: [k, S, G] deviations whose products sum to covariances: of each group left out,
            or of each resample.
        weights: [G] share of each group in the headline, sum 1.
    """

    values: FloatArray
    effects: FloatArray
    weights: FloatArray


@dataclass(frozen=True, eq=False)
class Spread:
    """Covariances [..., k, k] of the rows' printed means, by where they come from.

    Args:
        videos: groups of videos, the seeds held fixed.
        seeds: training seeds inside the data seeds; zeros for one seed.
        both: the part of `videos` that `seeds` holds again.
        data: the means over data seeds; None for one data seed.
    """

    videos: FloatArray
    seeds: FloatArray
    both: FloatArray
    data: FloatArray | None


@dataclass(frozen=True, eq=False)
class Design:
    """What does not depend on the scores.

    Args:
        weights: for each data seed the shares [G] of its groups.
        num_seeds: training seeds, the fewest of any data seed.
    """

    weights: tuple[FloatArray, ...]
    num_seeds: int

    @property
    def num_data(self) -> int:
        """How many data seeds there are."""
        return len(self.weights)

    @property
    def video_freedom(self) -> float:
        """Degrees of freedom of the groups of all data seeds."""
        return float(sum(group_freedom(one) for one in self.weights))

    @property
    def seed_freedom(self) -> int:
        """Degrees of freedom of the training seeds of all data seeds."""
        return self.num_data * (self.num_seeds - 1)


@dataclass(frozen=True, eq=False)
class Errors:
    """Of one contrast or many, arrays [..., m].

    Args:
        variance: of the difference of two rows, or of one row.
        freedom: its degrees of freedom.
        videos: the part of the groups of videos.
        seeds: over data seeds all of the variance, else what the videos do not explain.
    """

    variance: FloatArray
    freedom: FloatArray
    videos: FloatArray
    seeds: FloatArray

    def take(self, which: IntArray) -> Errors:
        """Those of some contrasts."""
        return Errors(*(part[..., which] for part in vars(self).values()))


def means_of(samples: Sequence[Sample]) -> FloatArray:
    """[k] printed means: over data seeds, of means over training seeds."""
    return np.asarray(np.mean([one.values.mean(axis=1) for one in samples], axis=0))


def design_of(samples: Sequence[Sample]) -> Design:
    """What the samples of a table say beside their scores."""
    return Design(
        tuple(one.weights for one in samples), min(one.values.shape[1] for one in samples)
    )


def spread_of(samples: Sequence[Sample]) -> Spread:
    """Covariances of the rows' means over data seeds of means over training seeds."""
    count, rows = len(samples), samples[0].values.shape[0]
    videos, seeds, both = (np.zeros((rows, rows)) for _ in range(3))
    for one in samples:
        share = 1 / count**2
        middle = one.effects.mean(axis=1)
        videos += share * middle @ middle.T
        if (num := one.values.shape[1]) > 1:
            seeds += np.cov(one.values).reshape(rows, rows) / (num * count**2)
            apart = (one.effects - middle[:, None]).reshape(rows, -1)
            both += share * apart @ apart.T / (num * (num - 1))
    means = np.stack([one.values.mean(axis=1) for one in samples], axis=1)
    data = np.cov(means).reshape(rows, rows) / count if count > 1 else None
    return Spread(videos, seeds, both, data)


def errors_of(
    spread: Spread, design: Design, first: IntArray, second: IntArray | None, rank: float = 1.0
) -> Errors:
    """Standard errors of contrasts of rows.

    Args:
        spread: of the table.
        design: its design.
        first: [m] rows.
        second: [m] rows that are subtracted; None: nothing is.
        rank: of how many independent comparisons the ratio of data seeds is pooled.
    """

    def part(matrix: FloatArray) -> FloatArray:
        one = matrix[..., first, first]
        if second is None:
            return one
        return np.asarray(
            np.maximum(one + matrix[..., second, second] - 2 * matrix[..., first, second], 0.0)
        )

    videos, seeds = part(spread.videos), part(spread.seeds)
    main = np.maximum(seeds - part(spread.both), 0.0)
    within = videos + main
    # the seeds' main part is a difference of two estimates: its freedom lies between theirs
    doubt = videos**2 / design.video_freedom + main * seeds / max(design.seed_freedom, 1)
    freedom = satterthwaite(within, doubt, design)
    if spread.data is None:
        return Errors(within, freedom, videos, main)
    between = part(spread.data)
    if second is None or rank <= 1:
        freedom = np.full_like(between, design.num_data - 1.0)
        return Errors(between, freedom, videos, between)
    known = within > SAME**2
    ratio = np.where(known, between / np.where(known, within, 1.0), np.nan)
    pooled = np.where(
        known.any(axis=-1, keepdims=True), np.nansum(ratio, axis=-1, keepdims=True), 0.0
    ) / np.maximum(known.sum(axis=-1, keepdims=True), 1)
    freedom = 1 / (1 / ((design.num_data - 1) * rank) + (1 - 1 / rank) / freedom)
    return Errors(pooled * within, freedom, videos, pooled * within)


def satterthwaite(variance: FloatArray, doubt: FloatArray, design: Design) -> FloatArray:
    """Degrees of freedom of a sum of variances.

    Args:
        variance: the sum.
        doubt: the squares of its parts, each over its own degrees of freedom.
        design: its groups give the freedom where nothing varies: there is no error, any will do.
    """
    still = doubt < SAME**4
    return np.where(still, design.video_freedom, variance**2 / np.where(still, 1.0, doubt))


def independent(spread: Spread, first: IntArray, second: IntArray) -> float:
    """As how many independent comparisons these are: m^2 / sum of squared correlations."""
    # the seeds' luck of a row is its own
    own = np.diag(np.maximum(np.diag(spread.seeds - spread.both), 0.0))
    total = spread.videos + own
    contrast = np.zeros((len(first), len(total)))
    contrast[np.arange(len(first)), first] = 1.0
    contrast[np.arange(len(first)), second] -= 1.0
    matrix = contrast @ total @ contrast.T
    scale = np.sqrt(np.diag(matrix))
    known = scale > SAME
    if not known.any():
        return 1.0
    correlation = matrix[np.ix_(known, known)] / np.outer(scale[known], scale[known])
    return float(known.sum() ** 2 / np.sum(correlation**2))
