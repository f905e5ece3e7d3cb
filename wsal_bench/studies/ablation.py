"""What each part of a method is worth: its variants and controls side by side.

The difference to the control is taken run by run on the same data and seed; the intervals, of which
all hold at once, come from the groups of the test videos and the seeds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wsal_bench.evaluation import Protocol, Scores
from wsal_bench.running.coverage import Coverage
from wsal_bench.statistics import (
    NestedMean,
    RowStatistics,
    compare_rows,
    nested_mean_std,
)
from wsal_bench.statistics.comparison import NUM_RESAMPLES
from wsal_bench.studies.runs import ScoredRun


@dataclass(frozen=True)
class Plan:
    """What an ablation compares.

    Args:
        method: its name.
        names: rows from top to bottom, as `method:variant` (or with axes, any labels).
        components: columns of check marks: title -> option that is not 0 where the part is on.
        baseline: the row that differences are taken to; empty: no differences.
        axes: options that span a grid; empty where variants are compared.
    """

    method: str
    names: tuple[str, ...]
    components: Mapping[str, str]
    baseline: str
    axes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class AblationRow:
    """One variant over all its seeds.

    Args:
        name: of the variant.
        parts: by column title, whether the part is on.
        options: values of the plan's axes.
        mean_ap: [K] per tIoU; empty where no run succeeded.
        headline: the average that rankings sort by; None where no run succeeded.
        statistics: sampling error, and the difference to the baseline over the runs that both have;
            None where no run succeeded.
        num_failed: cells without a score.
    """

    name: str
    parts: Mapping[str, bool]
    options: Mapping[str, Any]
    mean_ap: tuple[NestedMean, ...]
    headline: NestedMean | None
    statistics: RowStatistics | None
    num_failed: int


@dataclass(frozen=True, eq=False)
class Ablation:
    """The whole study of one method on one data set.

    `margin`: within which rows shall count as equal, a fraction; None: nobody asked.
    """

    plan: Plan
    dataset: str
    recipe: str
    protocol: Protocol | None
    rows: tuple[AblationRow, ...]
    quick: bool = False
    coverage: Coverage | None = None
    margin: float | None = None


def build(
    runs: Mapping[str, Sequence[ScoredRun]],
    plan: Plan,
    *,
    dataset: str,
    recipe: str,
    num_resamples: int = NUM_RESAMPLES,
) -> Ablation:
    """The study that some runs make.

    Args:
        runs: by row name; the runs of one row differ in their seeds only.
        plan: what is compared.
        dataset: name of the data set.
        recipe: how segments were cut.
        num_resamples: draws of each interval.

    Raises:
        ValueError: runs of one row with the same seeds, or scores under different protocols.
    """
    scores = {name: _by_seeds(name, parts) for name, parts in runs.items()}
    protocols = [s.protocol for parts in scores.values() for s in parts.values()]
    if any(other != protocols[0] for other in protocols):
        raise ValueError("scores under different protocols cannot be compared")
    shown = {name: scores[name] for name in plan.names if scores.get(name)}
    statistics = compare_rows(shown, plan.baseline, chosen=False, num_resamples=num_resamples)
    rows = [
        _row(name, runs.get(name, ()), scores.get(name, {}), statistics.get(name), plan)
        for name in plan.names
    ]
    every = [run for parts in runs.values() for run in parts]
    return Ablation(
        plan,
        dataset,
        recipe,
        protocols[0] if protocols else None,
        tuple(rows),
        quick=any(run.quick for run in every),
        coverage=next((run.coverage for run in every if run.coverage is not None), None),
    )


def is_on(value: Any) -> bool:
    """Whether an option switches its part on: anything but 0, False, None and nothing at all."""
    return value not in (None, "") and bool(value)


def _row(
    name: str,
    runs: Sequence[ScoredRun],
    scores: Mapping[tuple[int, int], Scores],
    statistics: RowStatistics | None,
    plan: Plan,
) -> AblationRow:
    options = runs[0].options if runs else {}
    mean_ap: tuple[NestedMean, ...] = ()
    headline = None
    if scores:
        num_tious = len(next(iter(scores.values())).tiou)
        mean_ap = tuple(
            nested_mean_std({place: float(part.mean_ap[k]) for place, part in scores.items()})
            for k in range(num_tious)
        )
        headline = nested_mean_std({place: part.headline for place, part in scores.items()})
    return AblationRow(
        name=name,
        parts={title: is_on(options.get(key)) for title, key in plan.components.items()},
        options={key: options.get(key) for key in plan.axes},
        mean_ap=mean_ap,
        headline=headline,
        statistics=statistics,
        num_failed=sum(run.scores is None for run in runs),
    )


def _by_seeds(name: str, runs: Sequence[ScoredRun]) -> dict[tuple[int, int], Scores]:
    found: dict[tuple[int, int], Scores] = {}
    for run in runs:
        if run.scores is None:
            continue
        if (run.data_seed, run.seed) in found:
            raise ValueError(f"two runs of {name}, data seed {run.data_seed}, seed {run.seed}")
        found[run.data_seed, run.seed] = run.full_scores or run.scores
    return found
