"""How tables say how sure their numbers are: in cells, notes, documents and flat rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wsal_bench.report import numbers
from wsal_bench.statistics import Comparison, Interval, RowStatistics
from wsal_bench.statistics.power import POWER

NOISE = "≈"  # marks a difference that chance explains
EQUAL = "="  # marks rows that are equal within a stated margin


def error_cell(statistics: RowStatistics | None) -> str:
    """The standard error over the test videos in points."""
    if statistics is None or statistics.error is None:
        return numbers.DASH
    return numbers.percent(statistics.error.standard_error)


def difference_cell(statistics: RowStatistics | None, margin: float | None = None) -> str:
    """The text `+1.2 [-0.3, +2.6] ≈` in points.

    Args:
        statistics: of the row.
        margin: a fraction; the mark of equality where the difference is shown to lie within it.
    """
    if statistics is None or statistics.comparison is None:
        return numbers.DASH
    comparison = statistics.comparison
    marks = [NOISE] if comparison.inside_noise else []
    marks += [EQUAL] if margin is not None and comparison.equal_within < margin else []
    return " ".join([numbers.interval(comparison.interval), *marks])


def interval_cell(statistics: RowStatistics | None) -> str:
    """The text `[50.3, 63.5]` in percent: the interval of the row's own headline."""
    return numbers.bounds(statistics.interval if statistics else None)


@dataclass(frozen=True)
class About:
    """What the notes of a table must know.

    Args:
        reference: the row that the others are compared with; empty: none.
        average: name of the headline.
        chosen: the data chose the reference.
        errors: the table shows standard errors.
        margin: within which rows shall count as equal, a fraction; None: nobody asked.
    """

    reference: str
    average: str
    chosen: bool
    errors: bool = True
    margin: float | None = None


def notes(rows: Mapping[str, RowStatistics | None], about: About) -> list[str]:
    """What the numbers are and what the marks mean, a sentence each."""
    known = [one for one in rows.values() if one is not None]
    found = [
        f"No standard errors: {text}." for text in sorted({s.problem for s in known if s.problem})
    ]
    sampled = [one.error for one in known if one.error is not None]
    if about.errors and sampled:
        luck = (
            "" if all(one.seeds_known for one in sampled) else " (one seed: its luck is not in it)"
        )
        found.append(
            f"SE: standard error of the printed {about.average} in points, over "
            f"{sampled[0].num_groups} groups of test videos and the seeds{luck}."
        )
    comparisons = {name: one.comparison for name, one in rows.items() if one and one.comparison}
    if comparisons:
        found += _difference_notes(comparisons, about)
    elif intervals := [one.interval for one in known if one.interval is not None]:
        found.append(_interval_note(intervals, about.average))
    return found


def document(statistics: RowStatistics | None, margin: float | None = None) -> dict[str, Any]:
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
            "seeds_known": error.seeds_known,
        },
        "interval": interval
        and {"low": interval.low, "high": interval.high, "level": interval.level},
        "difference": comparison and _difference(comparison, margin),
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
        "detectable": comparison.detectable if comparison else None,
        "equal_within": comparison.equal_within if comparison else None,
    }


def _difference_notes(comparisons: Mapping[str, Comparison], about: About) -> list[str]:
    every = [*comparisons.values()]
    interval, count = every[0].interval, every[0].num_comparisons
    family = (
        "over all pairs of rows, as the data chose which is first"
        if about.chosen
        else "over the rows, as the control was named before"
    )
    many = f" All {100 * interval.level:.0f} % intervals hold at once (max-t {family}: {count})."
    found = [
        f"Δ: difference of {about.average} to `{about.reference}` in points, with its "
        f"{100 * interval.level:.0f} % interval from the groups of test videos"
        f"{_seeds_part([one.interval for one in every])}.{many if count > 1 else ''} "
        f"{NOISE}: inside the noise, the interval holds 0.",
        _power_note(every),
    ]
    if about.margin is not None:
        equal = [name for name, one in comparisons.items() if one.equal_within < about.margin]
        found.append(
            f"{EQUAL}: equal to it within the stated margin of {100 * about.margin:g} points, by "
            f"two one-sided tests at 5 %, all at once: {', '.join(equal) or 'none'}. A row "
            "without that mark is not shown to be equal."
        )
    return found


def _power_note(comparisons: Sequence[Comparison]) -> str:
    least, most = (numbers.percent(f(one.detectable for one in comparisons)) for f in (min, max))
    reach = f"{least} to {most} points, by row" if least != most else f"{least} points"
    return (
        f"Smallest true difference that this design finds with {100 * POWER:.0f} % power, all "
        f"comparisons counted: {reach}."
    )


def _interval_note(intervals: Sequence[Interval], average: str) -> str:
    return (
        f"[ ]: {100 * intervals[0].level:.0f} % interval of {average} from the groups of test "
        f"videos{_seeds_part(intervals)}; "
        "rows share their test videos, so their differences are surer than these intervals look."
    )


def _seeds_part(intervals: Sequence[Interval]) -> str:
    if any(one.seed_error is None for one in intervals):
        return " (one seed: its luck is not in it)"
    return " and the spread over the seeds"


def _difference(comparison: Comparison, margin: float | None) -> dict[str, Any]:
    interval, seeds = comparison.interval, comparison.seeds
    return {
        "value": interval.difference,
        "low": interval.low,
        "high": interval.high,
        "level": interval.level,
        "num_resamples": interval.num_resamples,
        "standard_error": interval.standard_error,
        "freedom": interval.freedom,
        "video_error": interval.video_error,
        "seed_error": interval.seed_error,
        "p_value": interval.p_value,
        "adjusted_p": comparison.adjusted_p,
        "num_comparisons": comparison.num_comparisons,
        "inside_noise": comparison.inside_noise,
        "detectable": comparison.detectable,
        "equal_within": comparison.equal_within,
        "margin": margin,
        "equal": None if margin is None else comparison.equal_within < margin,
        "sign_flip": seeds
        and {
            "p_value": seeds.p_value,
            "t_p_value": seeds.t_p_value,
            "num_pairs": seeds.num_pairs,
            "over": seeds.over,
        },
    }
