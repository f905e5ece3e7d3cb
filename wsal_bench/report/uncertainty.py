"""How tables say how sure their numbers are: in cells, notes, documents and flat rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wsal_bench.report import numbers
from wsal_bench.statistics import Comparison, Interval, RowStatistics
from wsal_bench.statistics.comparison import LEVEL

NOISE = "≈"  # marks a difference that chance explains
ALONE = "†"  # marks one that chance explains only because there are so many


def error_cell(statistics: RowStatistics | None) -> str:
    """The standard error over the test videos in points."""
    if statistics is None or statistics.error is None:
        return numbers.DASH
    return numbers.percent(statistics.error.standard_error)


def difference_cell(statistics: RowStatistics | None) -> str:
    """The text `+1.2 [-0.3, +2.6] ≈` in points; a mark where it is inside the noise."""
    if statistics is None or statistics.comparison is None:
        return numbers.DASH
    comparison = statistics.comparison
    mark = (ALONE if comparison.excludes_zero else NOISE) if comparison.inside_noise else ""
    return f"{numbers.interval(comparison.interval)} {mark}".rstrip()


def interval_cell(statistics: RowStatistics | None) -> str:
    """The text `[50.3, 63.5]` in percent: the interval of the row's own headline."""
    return numbers.bounds(statistics.interval if statistics else None)


def notes(
    rows: Mapping[str, RowStatistics | None], reference: str, average: str, *, errors: bool = True
) -> list[str]:
    """What the numbers are and what the marks mean, a sentence each.

    Args:
        rows: statistics by the rows' names.
        reference: the row that the others are compared with.
        average: name of the headline.
        errors: the table shows standard errors.
    """
    known = [one for one in rows.values() if one is not None]
    found = [
        f"No standard errors: {text}." for text in sorted({s.problem for s in known if s.problem})
    ]
    sampled = [one.error for one in known if one.error is not None]
    if errors and sampled:
        found.append(
            f"SE: standard error of {average} over the test videos in points, from "
            f"{sampled[0].num_resamples:,} resamples of {sampled[0].num_groups} groups of videos, "
            "seeds held fixed."
        )
    comparisons = {name: one.comparison for name, one in rows.items() if one and one.comparison}
    if comparisons:
        found += _difference_notes(comparisons, reference, average)
    elif intervals := [one.interval for one in known if one.interval is not None]:
        found.append(_interval_note(intervals, average))
    if tests := sorted({c.seeds.num_pairs for c in comparisons.values() if c.seeds is not None}):
        counts = " or ".join(map(str, tests))
        found.append(
            f"Seeds: an exact sign-flip test over {counts} pairs of seeds; where its p is above "
            f"{LEVEL:g} the difference is inside the noise too."
        )
    return found


def document(statistics: RowStatistics | None) -> dict[str, Any]:
    """The fields of a row's JSON; fractions."""
    if statistics is None:
        return {"standard_error": None, "interval": None, "difference": None}
    error, comparison = statistics.error, statistics.comparison
    interval = statistics.interval
    return {
        "standard_error": error
        and {
            "value": error.standard_error,
            "bias": error.bias,
            "num_groups": error.num_groups,
            "num_resamples": error.num_resamples,
        },
        "interval": interval
        and {"low": interval.low, "high": interval.high, "level": interval.level},
        "difference": comparison and _difference(comparison),
    }


def flat(statistics: RowStatistics | None) -> dict[str, Any]:
    """The same as columns of a CSV."""
    comparison = statistics.comparison if statistics else None
    interval = comparison.interval if comparison else None
    return {
        "standard_error": statistics.error.standard_error
        if statistics and statistics.error
        else None,
        "difference": interval.difference if interval else None,
        "low": interval.low if interval else None,
        "high": interval.high if interval else None,
        "adjusted_p": comparison.adjusted_p if comparison else None,
        "inside_noise": comparison.inside_noise if comparison else None,
    }


def _difference_notes(
    comparisons: Mapping[str, Comparison], reference: str, average: str
) -> list[str]:
    every = [*comparisons.values()]
    interval = every[0].interval
    found = [
        f"Δ: difference of {average} to `{reference}` in points, with its "
        f"{100 * interval.level:.0f} % interval from {interval.num_resamples:,} paired resamples "
        f"of the test groups{_seeds_part([interval])}. {NOISE}: inside the noise, p above "
        f"{LEVEL:g} after Holm's correction for {len(every)} comparisons."
    ]
    alone = {
        name: one for name, one in comparisons.items() if one.inside_noise and one.excludes_zero
    }
    if alone:
        values = "; ".join(f"{name} {_p_values(one)}" for name, one in alone.items())
        found.append(
            f"{ALONE}: inside the noise too, though its own interval excludes zero, as p is above "
            f"{LEVEL:g} when corrected for {len(every)} comparisons (in so many, chance makes "
            f"such an interval more often than in one) or in the test over seeds: {values}."
        )
    return found


def _p_values(comparison: Comparison) -> str:
    seeds = comparison.seeds
    flips = f", over seeds {seeds.p_value:.2g}" if seeds and seeds.p_value > LEVEL else ""
    return (
        f"p {comparison.interval.p_value:.2g} alone, {comparison.adjusted_p:.2g} corrected{flips}"
    )


def _interval_note(intervals: Sequence[Interval], average: str) -> str:
    return (
        f"[ ]: {100 * intervals[0].level:.0f} % interval of {average} from "
        f"{intervals[0].num_resamples:,} resamples of the test groups{_seeds_part(intervals)}; "
        "rows share their test videos, so their differences are surer than these intervals look."
    )


def _seeds_part(intervals: Sequence[Interval]) -> str:
    if any(one.seed_error is None for one in intervals):
        return " (one seed: its luck is not in it)"
    return " and the spread over the seeds"


def _difference(comparison: Comparison) -> dict[str, Any]:
    interval, seeds = comparison.interval, comparison.seeds
    return {
        "value": interval.difference,
        "low": interval.low,
        "high": interval.high,
        "level": interval.level,
        "num_resamples": interval.num_resamples,
        "video_error": interval.video_error,
        "seed_error": interval.seed_error,
        "p_value": interval.p_value,
        "adjusted_p": comparison.adjusted_p,
        "inside_noise": comparison.inside_noise,
        "sign_flip": seeds
        and {
            "p_value": seeds.p_value,
            "t_p_value": seeds.t_p_value,
            "num_pairs": seeds.num_pairs,
            "over": seeds.over,
        },
    }
