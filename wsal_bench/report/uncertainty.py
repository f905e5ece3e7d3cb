"""How tables say how sure their numbers are: in cells, notes, documents and flat rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wsal_bench.report import numbers
from wsal_bench.statistics import Comparison, RowStatistics
from wsal_bench.statistics.comparison import LEVEL

NOISE = "≈"  # marks a difference that chance explains


def error_cell(statistics: RowStatistics | None) -> str:
    """The standard error over the test videos in points."""
    if statistics is None or statistics.error is None:
        return numbers.DASH
    return numbers.percent(statistics.error.standard_error)


def difference_cell(statistics: RowStatistics | None) -> str:
    """The text `+1.2 [-0.3, +2.6] ≈` in points; the mark where it is inside the noise."""
    if statistics is None or statistics.comparison is None:
        return numbers.DASH
    comparison = statistics.comparison
    mark = f" {NOISE}" if comparison.inside_noise else ""
    return numbers.interval(comparison.interval) + mark


def notes(statistics: Sequence[RowStatistics | None], reference: str, average: str) -> list[str]:
    """What the numbers are and what the mark means, a sentence each."""
    known = [one for one in statistics if one is not None]
    found = [
        f"No standard errors: {text}." for text in sorted({s.problem for s in known if s.problem})
    ]
    errors = [one.error for one in known if one.error is not None]
    if errors:
        found.append(
            f"SE: standard error of {average} over the test videos in points, from "
            f"{errors[0].num_resamples:,} resamples of {errors[0].num_groups} groups of videos, "
            "seeds held fixed."
        )
    comparisons = [one.comparison for one in known if one.comparison is not None]
    if comparisons:
        found.append(_difference_note(comparisons, reference, average))
    if tests := sorted({c.seeds.num_pairs for c in comparisons if c.seeds is not None}):
        counts = " or ".join(map(str, tests))
        found.append(
            f"Seeds: an exact sign-flip test over {counts} pairs; above {LEVEL:g} it marks too."
        )
    return found


def document(statistics: RowStatistics | None) -> dict[str, Any]:
    """The fields of a row's JSON; fractions."""
    if statistics is None:
        return {"standard_error": None, "difference": None}
    error, comparison = statistics.error, statistics.comparison
    return {
        "standard_error": error
        and {
            "value": error.standard_error,
            "bias": error.bias,
            "num_groups": error.num_groups,
            "num_resamples": error.num_resamples,
        },
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


def _difference_note(comparisons: Sequence[Comparison], reference: str, average: str) -> str:
    interval = comparisons[0].interval
    seeds = "" if interval.seed_error is None else " and the spread over the seeds"
    alone = " (one seed: its luck is not in it)" if interval.seed_error is None else ""
    return (
        f"Δ: difference of {average} to `{reference}` in points, with its "
        f"{100 * interval.level:.0f} % interval from {interval.num_resamples:,} paired resamples "
        f"of the test groups{seeds}{alone}. {NOISE}: inside the noise, p above {LEVEL:g} after "
        f"Holm's correction for {len(comparisons)} comparisons."
    )


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
