"""The statistics of a table: each row's error, and its difference to one row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from wsal_bench.evaluation import Scores
from wsal_bench.evaluation.resampling import obstacle
from wsal_bench.statistics.effects import (
    Effects,
    Grouping,
    Place,
    group_effects,
    grouping_of,
)
from wsal_bench.statistics.errors import (
    Sample,
    design_of,
    errors_of,
    independent,
    means_of,
    spread_of,
)
from wsal_bench.statistics.intervals import ALPHA, Interval, Level, interval_of, intervals_at
from wsal_bench.statistics.power import detectable
from wsal_bench.statistics.seeds import SignFlip, sign_flip_test
from wsal_bench.statistics.simultaneous import Smallest, against, all_pairs, smallest_p

NUM_RESAMPLES = 10_000  # tables drawn to find the level at which all intervals hold
LEVEL = ALPHA  # of p-values: a difference above it is inside the noise


@dataclass(frozen=True)
class SamplingError:
    """How much a printed mean would move with other test videos and other seeds.

    Args:
        value: as observed.
        standard_error: of the mean over data seeds of means over training seeds.
        bias: of a headline on this many groups of videos, by the jackknife, mean over the runs;
            not subtracted from anything.
        num_groups: groups of videos in the first data seed.
        seeds_known: False for one seed, whose luck is not in the standard error.
    """

    value: float
    standard_error: float
    bias: float
    num_groups: int
    seeds_known: bool


@dataclass(frozen=True)
class Comparison:
    """A row against the row that the table compares with.

    Args:
        interval: of the difference, row minus reference; all of a table hold at once.
        inner: the same at 90 %, for claims of no difference by two one-sided tests.
        adjusted_p: its p-value, corrected for the whole family.
        num_comparisons: of the family: all pairs of rows where the data chose the reference.
        detectable: the smallest true difference that is found with 80 % power.
        seeds: an exact test over seeds, for the record; None where there are fewer than six.
    """

    interval: Interval
    inner: Interval
    adjusted_p: float
    num_comparisons: int
    detectable: float
    seeds: SignFlip | None

    @property
    def inside_noise(self) -> bool:
        """True where chance explains the difference: its interval holds 0."""
        return self.interval.low <= 0 <= self.interval.high

    @property
    def equal_within(self) -> float:
        """The smallest margin within which the two count as equal."""
        return max(abs(self.inner.low), abs(self.inner.high))


@dataclass(frozen=True)
class RowStatistics:
    """What a table says of a row beside its mean and spread.

    Args:
        error: of the printed mean; None where it is not known.
        comparison: None for the reference itself, and where no runs pair up.
        problem: why something is None; may be empty.
        interval: of the row's own headline, from the videos and the seeds together; None where it
            is not known. Its p-value says nothing.
    """

    error: SamplingError | None
    comparison: Comparison | None
    problem: str = ""
    interval: Interval | None = None


def compare_rows(
    rows: Mapping[str, Mapping[Place, Scores]],
    reference: str,
    *,
    chosen: bool = True,
    num_resamples: int = NUM_RESAMPLES,
) -> dict[str, RowStatistics]:
    """Statistics of each row of a table.

    Args:
        rows: by name, scores by (data_seed, seed), all under one protocol.
        reference: the row that the others are compared with; empty: none.
        chosen: the data chose the reference, as they do the best of a ranking; False where it was
            named before anything was run, as the control of an ablation.
        num_resamples: tables drawn to find the level at which all intervals hold at once.
    """
    every = [run for runs in rows.values() for run in runs.values()]
    problem = next((text for run in every if (text := obstacle(run))), "")
    if not problem:
        try:
            table = _Table.of(rows)
        except ValueError as error:  # different truths, too few groups
            problem = str(error)
    if problem:
        return {name: RowStatistics(None, None, problem) for name in rows}
    compared = _comparisons(table, reference, chosen, num_resamples) if reference in rows else {}
    return {name: _row(table, name, reference, compared.get(name)) for name in rows}


def samples_of(rows: Mapping[str, Mapping[Place, Scores]]) -> list[Sample]:
    """The rows of a table at the seeds that all have, for what they say of other designs.

    Raises:
        ValueError: runs that cannot be compared, without a seed in common, or of too few groups.
    """
    table = _Table.of(rows)
    shared = table.shared([*rows])
    if not shared:
        raise ValueError("the rows have no seed in common")
    return table.samples([*rows], shared)


@dataclass(frozen=True, eq=False)
class _Table:
    """Rows, and what each group of videos does to each of their runs."""

    rows: Mapping[str, Mapping[Place, Scores]]
    groups: Mapping[int, Grouping]
    effects: Mapping[tuple[str, Place], Effects]

    @classmethod
    def of(cls, rows: Mapping[str, Mapping[Place, Scores]]) -> _Table:
        """Raises ValueError where runs cannot be compared, or there are too few groups."""
        by_data: dict[int, list[Scores]] = {}
        for runs in rows.values():
            for (data_seed, _), run in runs.items():
                by_data.setdefault(data_seed, []).append(run)
        groups = {data_seed: grouping_of(runs) for data_seed, runs in by_data.items()}
        effects = {
            (name, place): group_effects(run, groups[place[0]])
            for name, runs in rows.items()
            for place, run in runs.items()
        }
        return cls(rows, groups, effects)

    def samples(self, names: Sequence[str], places: Sequence[Place]) -> list[Sample]:
        """Rows at places that all of them have."""
        found = []
        for data_seed in sorted({place[0] for place in places}):
            here = [place for place in places if place[0] == data_seed]
            values = [[self.rows[name][place].headline for place in here] for name in names]
            effects = [[self.effects[name, place].deviations for place in here] for name in names]
            weights = self.groups[data_seed].weights
            found.append(Sample(np.array(values), np.array(effects), weights))
        return found

    def shared(self, names: Sequence[str]) -> list[Place]:
        """Places that all of these rows have."""
        return sorted(set.intersection(*(set(self.rows[name]) for name in names)))


def _row(table: _Table, name: str, reference: str, comparison: Comparison | None) -> RowStatistics:
    runs = table.rows[name]
    interval = interval_of(table.samples([name], sorted(runs)))
    bias = float(np.mean([table.effects[name, place].bias for place in runs]))
    groups = table.groups[min(runs)[0]].size
    error = SamplingError(
        interval.difference, interval.standard_error, bias, groups, interval.seed_error is not None
    )
    alone = not reference or name == reference or comparison is not None
    return RowStatistics(error, comparison, "" if alone else "no seeds in common", interval)


def _comparisons(
    table: _Table, reference: str, chosen: bool, num_draws: int
) -> dict[str, Comparison]:
    """Each row against the reference, at a level that holds for the whole family."""
    names = [name for name in table.rows if table.shared([name, reference])]
    others = [name for name in names if name != reference]
    if not others:
        return {}
    size = len(names) * (len(names) - 1) // 2 if chosen else len(others)
    if len({frozenset(table.rows[name]) for name in names}) == 1:
        intervals, smallest = _jointly(table, names, names.index(reference), chosen, num_draws)
    else:  # each on the seeds that it shares; how they hang together is bounded, not simulated
        smallest = Smallest(size, np.empty(0))
        intervals = [
            [
                interval_of(
                    table.samples([name, reference], table.shared([name, reference])), level
                )
                for name in others
            ]
            for level in _levels(smallest)
        ]
    return {
        name: _comparison(table, (name, reference), (outer, inner), smallest)
        for name, outer, inner in zip(others, *intervals, strict=True)
    }


def _jointly(
    table: _Table, names: Sequence[str], reference: int, chosen: bool, num_draws: int
) -> tuple[list[list[Interval]], Smallest]:
    """Intervals at both levels of rows that have the same seeds."""
    samples = table.samples(names, table.shared(names))
    spread, design, means = spread_of(samples), design_of(samples), means_of(samples)
    shown = against(reference, len(names))
    family = all_pairs(len(names)) if chosen else shown
    rank = independent(spread, family.first, family.second)
    smallest = smallest_p(spread, design, family, num_draws, rank)
    # of the whole family first: the ratio of the data seeds is pooled over it
    errors = errors_of(spread, design, family.first, family.second, rank)
    order = {name: k for k, name in enumerate(zip(family.first, family.second, strict=True))}
    place = [order.get((row, reference), order.get((reference, row), 0)) for row in shown.first]
    mine, difference = errors.take(np.array(place)), means[shown.first] - means[reference]
    return [intervals_at(difference, mine, design, level) for level in _levels(smallest)], smallest


def _levels(smallest: Smallest) -> list[Level]:
    """At which differences are told, and at which equality is."""
    draws = len(smallest.draws)
    return [Level(1 - alpha, smallest.level(alpha), draws) for alpha in (ALPHA, 2 * ALPHA)]


def _comparison(
    table: _Table, pair: tuple[str, str], intervals: tuple[Interval, Interval], smallest: Smallest
) -> Comparison:
    row, other = (table.rows[name] for name in pair)
    outer, inner = intervals
    observed = {place: row[place].headline - other[place].headline for place in table.shared(pair)}
    return Comparison(
        interval=outer,
        inner=inner,
        adjusted_p=smallest.adjusted(outer.p_value),
        num_comparisons=smallest.size,
        detectable=detectable(outer.standard_error, outer.freedom, smallest.level()),
        seeds=sign_flip_test(observed),
    )
