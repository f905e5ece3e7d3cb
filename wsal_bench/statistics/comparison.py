"""The statistics of a table: each row's sampling error, and its difference to one row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from wsal_bench.evaluation import Scores
from wsal_bench.evaluation.resampling import obstacle
from wsal_bench.statistics.bootstrap import (
    Interval,
    Place,
    SamplingError,
    error_of,
    interval_of,
    num_groups,
    resample,
)
from wsal_bench.statistics.seeds import SignFlip, holm, sign_flip_test
from wsal_bench.types import FloatArray

NUM_RESAMPLES = 1000
LEVEL = 0.05  # of p-values: a difference above it is inside the noise
_SEED = 0  # of the resampling: the same runs give the same interval


@dataclass(frozen=True)
class Comparison:
    """A row against the row that the table compares with.

    Args:
        interval: of the difference, row minus reference.
        adjusted_p: its p-value, corrected for the number of rows in the table (Holm).
        seeds: the paired test over seeds; None where there are fewer than six.
    """

    interval: Interval
    adjusted_p: float
    seeds: SignFlip | None

    @property
    def excludes_zero(self) -> bool:
        """True where the interval, on its own, says that there is a difference."""
        return self.interval.low > 0 or self.interval.high < 0

    @property
    def inside_noise(self) -> bool:
        """True where chance explains the difference, by the videos or by the seeds."""
        by_seeds = self.seeds is not None and self.seeds.p_value > LEVEL
        return self.adjusted_p > LEVEL or by_seeds


@dataclass(frozen=True)
class RowStatistics:
    """What a table says of a row beside its mean and spread.

    Args:
        error: over the groups of test videos, mean over the runs; None where it is not known.
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
    num_resamples: int = NUM_RESAMPLES,
) -> dict[str, RowStatistics]:
    """Statistics of each row of a table.

    The groups of each data seed's test videos are drawn once and re-weight all runs on it.

    Args:
        rows: by name, scores by (data_seed, seed), all under one protocol.
        reference: the row that the others are compared with; empty: none.
        num_resamples: draws of each data seed's groups.
    """
    problem = next(
        (text for runs in rows.values() for run in runs.values() if (text := obstacle(run))), ""
    )
    if problem:
        return {name: RowStatistics(None, None, problem) for name in rows}
    try:
        resampled = _resample_all(rows, num_resamples)
    except ValueError as error:  # runs of one data seed with different truths
        return {name: RowStatistics(None, None, str(error)) for name in rows}
    intervals: dict[str, Interval] = {}
    tests: dict[str, SignFlip | None] = {}
    problems: dict[str, str] = {}
    for name, runs in rows.items():
        places = sorted(set(runs) & set(rows.get(reference, {})))
        if name == reference or not places:
            problems[name] = "" if name == reference or not reference else "no seeds in common"
            continue
        observed = {p: runs[p].headline - rows[reference][p].headline for p in places}
        parts = {p: resampled[name, p] - resampled[reference, p] for p in places}
        intervals[name] = interval_of(observed, _nested(parts))
        tests[name] = sign_flip_test(observed)
    adjusted = dict(zip(intervals, holm([i.p_value for i in intervals.values()]), strict=True))
    return {
        name: RowStatistics(
            error=_error(runs, {place: resampled[name, place] for place in runs}),
            comparison=Comparison(intervals[name], adjusted[name], tests[name])
            if name in intervals
            else None,
            problem=problems.get(name, ""),
            interval=interval_of(
                {place: run.headline for place, run in runs.items()},
                _nested({place: resampled[name, place] for place in runs}),
            ),
        )
        for name, runs in rows.items()
    }


def _resample_all(
    rows: Mapping[str, Mapping[Place, Scores]], n: int
) -> dict[tuple[str, Place], FloatArray]:
    """Resampled headlines [n] of every run."""
    found: dict[tuple[str, Place], FloatArray] = {}
    for data_seed in sorted({place[0] for runs in rows.values() for place in runs}):
        keys = [
            (name, place) for name, runs in rows.items() for place in runs if place[0] == data_seed
        ]
        generator = np.random.default_rng([_SEED, data_seed])
        headlines = resample([rows[name][place] for name, place in keys], n, generator)
        found |= dict(zip(keys, headlines, strict=True))
    return found


def _error(runs: Mapping[Place, Scores], resampled: Mapping[Place, FloatArray]) -> SamplingError:
    """Of the videos of one data seed, seeds held fixed; the mean of that over the data seeds."""
    seeds = sorted({place[0] for place in runs})
    each = []
    for data_seed in seeds:
        places = [place for place in runs if place[0] == data_seed]
        value = float(np.mean([runs[place].headline for place in places]))
        part = np.mean([resampled[place] for place in places], axis=0)
        each.append(error_of(value, part, num_groups(runs[places[0]])))
    return SamplingError(
        value=float(np.mean([one.value for one in each])),
        standard_error=float(np.mean([one.standard_error for one in each])),
        bias=float(np.mean([one.bias for one in each])),
        num_groups=each[0].num_groups,
        num_resamples=each[0].num_resamples,
    )


def _nested(parts: Mapping[Place, FloatArray]) -> FloatArray:
    """[n] mean over data seeds of the mean over training seeds."""
    seeds = sorted({place[0] for place in parts})
    means = [np.mean([parts[p] for p in parts if p[0] == seed], axis=0) for seed in seeds]
    return np.asarray(np.mean(means, axis=0))
