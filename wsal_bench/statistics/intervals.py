"""Intervals of a headline, or of the difference of two, from videos and seeds together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wsal_bench.statistics.errors import (
    SAME,
    Design,
    Errors,
    Sample,
    design_of,
    errors_of,
    means_of,
    spread_of,
)
from wsal_bench.types import FloatArray

ALPHA = 0.05


@dataclass(frozen=True)
class Interval:
    """A number or a difference of two, and how sure it is.

    Args:
        low: lower end: as many standard errors below as the level asks for, by Student's t.
        high: upper end.
        difference: first minus second on the data as it is, mean over data seeds of means over
            training seeds; of a single row its headline.
        level: how often such intervals hold the true values, all of a table at once.
        num_resamples: draws behind it; 0 where none is needed.
        standard_error: of the videos and of the seeds together.
        freedom: its degrees of freedom.
        video_error: the part of the groups of videos, seeds held fixed.
        seed_error: over data seeds the error of their mean, which holds the videos; over training
            seeds the part that the videos do not explain; None for one seed.
        p_value: two-sided, of 0, alone.
    """

    low: float
    high: float
    difference: float
    level: float
    num_resamples: int
    standard_error: float
    freedom: float
    video_error: float
    seed_error: float | None
    p_value: float


@dataclass(frozen=True)
class Level:
    """How sure an interval shall be.

    Args:
        stated: how often all intervals of its family hold at once.
        single: the p-value at the ends of each.
        num_draws: draws behind `single`.
    """

    stated: float = 1 - ALPHA
    single: float = ALPHA
    num_draws: int = 0


def interval_of(samples: Sequence[Sample], level: Level | None = None) -> Interval:
    """The interval of one row, or of the first minus the second of two, on its own."""
    rows = len(samples[0].values)
    first, second = np.array([0]), np.array([1]) if rows > 1 else None
    design, means = design_of(samples), means_of(samples)
    errors = errors_of(spread_of(samples), design, first, second)
    difference = means[:1] - (means[1:] if rows > 1 else 0.0)
    return intervals_at(difference, errors, design, level or Level())[0]


def intervals_at(
    differences: FloatArray, errors: Errors, design: Design, level: Level
) -> list[Interval]:
    """An interval for each of [m] differences."""
    reaches, p = reach(level.single, errors), p_values(differences, errors)
    single = design.num_data == 1 and design.num_seeds == 1
    return [
        Interval(
            low=float(value - reaches[k]),
            high=float(value + reaches[k]),
            difference=float(value),
            level=level.stated,
            num_resamples=level.num_draws,
            standard_error=float(np.sqrt(errors.variance[k])),
            freedom=float(errors.freedom[k]),
            video_error=float(np.sqrt(errors.videos[k])),
            seed_error=None if single else float(np.sqrt(errors.seeds[k])),
            p_value=float(p[k]),
        )
        for k, value in enumerate(differences)
    ]


def p_values(differences: FloatArray, errors: Errors) -> FloatArray:
    """Two-sided, of no difference, by Student's t."""
    from scipy import special  # type: ignore[import-untyped]

    error = np.sqrt(errors.variance)
    sure = np.where(np.abs(differences) < SAME, 0.0, 1e9)
    ratio = np.where(error > SAME, np.abs(differences) / np.maximum(error, SAME), sure)
    return np.asarray(2 * special.stdtr(errors.freedom, -ratio))


def reach(level: float, errors: Errors) -> FloatArray:
    """[m] half the widths of intervals whose p-value is `level` at their ends."""
    from scipy import special

    return np.asarray(-special.stdtrit(errors.freedom, level / 2) * np.sqrt(errors.variance))
