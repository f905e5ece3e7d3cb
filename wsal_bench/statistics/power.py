"""What a design can find: the smallest difference that it detects, and claims of no difference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wsal_bench.statistics.errors import Design, Sample, Spread, errors_of, independent, spread_of
from wsal_bench.statistics.intervals import ALPHA
from wsal_bench.statistics.simultaneous import against, all_pairs, smallest_p

POWER = 0.8


def detectable(standard_error: float, freedom: float, level: float, power: float = POWER) -> float:
    """The smallest true difference whose p-value falls below `level` with this power.

    By the noncentral t.

    Args:
        standard_error: of the difference.
        freedom: its degrees of freedom.
        level: of a single comparison, two-sided, corrected for the others.
        power: how often it should be found.
    """
    from scipy import optimize, special  # type: ignore[import-untyped]

    if standard_error <= 0:
        return 0.0
    freedom = min(freedom, 1e6)
    critical = -float(special.stdtrit(freedom, level / 2))

    def missed(shift: float) -> float:
        return float(special.nctdtr(freedom, shift, critical)) - (1 - power)

    high = critical + 3.0
    while missed(high) > 0:
        high *= 2
    return standard_error * float(optimize.brentq(missed, 0.0, high))


@dataclass(frozen=True)
class Variances:
    """What makes the difference of two methods vary; standard deviations as fractions of mAP.

    Args:
        group: of a group of videos, for one seed's luck taken away.
        both: of a group and a training seed together.
        seed: of a training seed.
        data: of a data seed beyond its videos and training seeds.
    """

    group: float
    both: float
    seed: float
    data: float = 0.0


@dataclass(frozen=True)
class Plan:
    """An experiment before it is run.

    Args:
        groups: of test videos, in each data seed.
        seeds: training seeds in each data seed.
        data_seeds: data seeds.
        rows: methods in the table.
        chosen: compared with the best row; False: with a control that is named before.
    """

    groups: int
    seeds: int
    data_seeds: int
    rows: int
    chosen: bool = True


@dataclass(frozen=True)
class Power:
    """What a plan finds; fractions of mAP.

    Args:
        plan: which.
        standard_error: of a difference of two rows.
        freedom: its degrees of freedom.
        level: of a single comparison, so that all of the table hold at once.
        detectable: the smallest difference that is found with 80 % power.
        margin: the smallest margin within which two equal methods are called equal with 80 %
            power.
    """

    plan: Plan
    standard_error: float
    freedom: float
    level: float
    detectable: float
    margin: float


def power_of(plan: Plan, variances: Variances, num_draws: int = 4000) -> Power:
    """What a plan finds, if its rows vary alike and independently.

    Raises:
        ValueError: a plan without error bars: fewer than 2 groups, 2 rows or 1 seed.
    """
    if plan.groups < 2 or plan.rows < 2 or min(plan.seeds, plan.data_seeds) < 1:
        raise ValueError(f"no error bars with {plan}")
    spread, design = _expected(plan, variances)
    family = all_pairs(plan.rows) if plan.chosen else against(0, plan.rows)
    rank = independent(spread, family.first, family.second)
    errors = errors_of(spread, design, family.first, family.second, rank)
    smallest = smallest_p(spread, design, family, num_draws, rank)
    error, freedom = float(np.sqrt(errors.variance[0])), float(errors.freedom[0])
    level = smallest.level()
    return Power(
        plan=plan,
        standard_error=error,
        freedom=freedom,
        level=level,
        detectable=detectable(error, freedom, level),
        margin=_margin(error, freedom, smallest.level(2 * ALPHA)),
    )


def variances_of(samples: Sequence[Sample]) -> list[Variances]:
    """Of each pair of a table's rows, from their runs; parts below 0 count as 0."""
    spread, family = spread_of(samples), all_pairs(len(samples[0].values))
    count, seeds = len(samples), min(one.values.shape[1] for one in samples)
    groups = float(np.mean([1 / np.sum(one.weights**2) for one in samples]))

    def part(matrix: np.ndarray) -> np.ndarray:
        i, j = family.first, family.second
        return np.asarray(matrix[i, i] + matrix[j, j] - 2 * matrix[i, j])

    videos, both, total = part(spread.videos), part(spread.both), part(spread.seeds)
    main = np.maximum(total - both, 0.0)
    between = np.zeros_like(videos) if spread.data is None else part(spread.data)
    scaled = (
        (videos - both) * count * groups,
        both * count * seeds * groups,
        main * count * seeds,
        (between - videos - main) * count,
    )
    roots = [np.sqrt(np.maximum(one, 0.0)) for one in scaled]
    return [Variances(*map(float, four)) for four in zip(*roots, strict=True)]


def _expected(plan: Plan, variances: Variances) -> tuple[Spread, Design]:
    """Of independent rows whose differences vary so: each row has half the variance."""
    eye = np.eye(plan.rows) / (2 * plan.data_seeds)
    both = eye * variances.both**2 / (plan.groups * plan.seeds)
    videos = eye * variances.group**2 / plan.groups + both
    main = eye * variances.seed**2 / plan.seeds
    data = videos + main + eye * variances.data**2 if plan.data_seeds > 1 else None
    weights = np.full(plan.groups, 1 / plan.groups)
    seeds = main + both if plan.seeds > 1 else np.zeros_like(both)
    if plan.seeds == 1:
        videos = videos + main  # not to be known from one seed, and there all the same
        both = np.zeros_like(both)
    design = Design((weights,) * plan.data_seeds, plan.seeds)
    return Spread(videos, seeds, both, data), design


def _margin(error: float, freedom: float, level: float) -> float:
    """Where two one-sided tests of equal methods both succeed with 80 % power."""
    from scipy import special

    critical = -float(special.stdtrit(min(freedom, 1e6), level / 2))
    return error * (critical - float(special.stdtrit(min(freedom, 1e6), (1 - POWER) / 2)))
