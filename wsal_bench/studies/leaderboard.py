"""Runs become a table of methods: means that say what they are of, and an order only if earned.

A table ranks where every method row has the same track, data, protocol, recipe, budget and machine
settings, and enough seeds, and no method failed as a whole; otherwise its rows are alphabetical,
nothing is bold, and it says why. Rows with options that somebody set by hand stand apart: nobody
knows what was looked at to choose them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any

from wsal_bench.config import PUBLISHED, Found
from wsal_bench.evaluation import Protocol, Scores
from wsal_bench.evaluation.floors import FLOORS
from wsal_bench.running.coverage import Coverage
from wsal_bench.running.lookup import differing
from wsal_bench.statistics import NestedMean, RowStatistics, compare_rows, nested_mean_std
from wsal_bench.studies.runs import Kind, ScoredRun

MIN_DATA_SEEDS = 3  # of data that are drawn from a seed
MIN_SEEDS_EACH = 2  # training seeds in each of them
MIN_SEEDS = 6  # training seeds on data that are what they are
_DIGEST = re.compile(r"\b[0-9a-f]{32,}\b")
_DIGITS = 8  # of a digest, in a row's name


@dataclass(frozen=True, eq=False)
class Row:
    """All seeds of one method variant under one set of options.

    Args:
        name: what tells it from the other rows, for example `ftcl:full [epochs=5]`.
        kind: a method or a reference row.
        method: its method.
        variant: its variant; may be empty.
        differs: options by which it differs from other rows of the same variant.
        mean_ap: [K] per tIoU.
        averages: by name of the average.
        headline: the average that rankings sort by.
        parameters: numbers that were learnt; None where unknown.
        seconds: mean over the runs, by stage.
        paper: published mAP in percent, by average or tIoU.
        runs: what the row is made of.
        statistics: its sampling error, and the difference to the table's best row.
    """

    name: str
    kind: Kind
    method: str
    variant: str
    differs: Mapping[str, Any]
    mean_ap: tuple[NestedMean, ...]
    averages: Mapping[str, NestedMean]
    headline: NestedMean
    parameters: int | None
    seconds: Mapping[str, float]
    paper: Mapping[str, float]
    runs: tuple[ScoredRun, ...]
    statistics: RowStatistics | None = None

    @property
    def scores(self) -> dict[tuple[int, int], Scores]:
        """By (data_seed, seed)."""
        return {
            (run.data_seed, run.seed): scores
            for run in self.runs
            if (scores := run.full_scores) is not None
        }

    @property
    def by_hand(self) -> tuple[str, ...]:
        """Options that were set by hand in any of its runs."""
        return tuple(dict.fromkeys(text for run in self.runs for text in run.by_hand))


@dataclass(frozen=True)
class Failure:
    """A cell without a score."""

    name: str
    data_seed: int
    seed: int
    error: str


@dataclass(frozen=True, eq=False)
class Leaderboard:
    """The table of one data set under one protocol and one recipe.

    Args:
        dataset: name of the data set.
        recipe: how segments were cut: `own` or `common`.
        protocol: the rules of the scores; None where nothing was scored.
        rows: methods: the best first where `obstacles` is empty, else alphabetical.
        by_hand: rows with options set by hand, of methods or data, alphabetical, never ranked;
            floors and ceilings behind the methods.
        references: floors and ceilings, as the data set is.
        failures: cells without a score.
        obstacles: why this is not a ranking; empty: it is one.
        best: name of the row that the others are compared with: the best of a ranking; else empty.
        remarks: what whoever made the table says of it, such as how options were chosen.
        quick: it is of quick runs.
        coverage: how much there was to score; None where no record says.
        margin: within which rows shall count as equal, a fraction; None: nobody asked.
    """

    dataset: str
    recipe: str
    protocol: Protocol | None
    rows: tuple[Row, ...]
    by_hand: tuple[Row, ...]
    references: tuple[Row, ...]
    failures: tuple[Failure, ...]
    obstacles: tuple[str, ...]
    best: str = ""
    remarks: tuple[str, ...] = ()
    quick: bool = False
    coverage: Coverage | None = None
    margin: float | None = None

    @property
    def is_ranking(self) -> bool:
        """True where the order of the rows means something."""
        return not self.obstacles


def compared(rows: Sequence[Row], best: str) -> dict[str, RowStatistics]:
    """Statistics of the rows of a table, by name; `best` may be empty."""
    return compare_rows({row.name: row.scores for row in rows}, best)


Statistics = Callable[[Sequence[Row], str], dict[str, RowStatistics]]


def build(
    runs: Sequence[ScoredRun],
    *,
    dataset: str,
    recipe: str,
    allow_missing: bool = False,
    statistics: Statistics = compared,
) -> Leaderboard:
    """The table of some runs of one data set, all scored under one protocol.

    Args:
        runs: in any order; failed ones are listed apart.
        dataset: name of the data set.
        recipe: how segments were cut, for the heading.
        statistics: computes the rows' statistics, or knows them.
        allow_missing: rank although videos of the protocol have no features; each row says so.

    Raises:
        ValueError: scores under different protocols, or two runs that nothing tells apart.
    """
    scored = [run for run in runs if run.scores is not None]
    protocol = _one_protocol(scored)
    every_row = rows_of(scored)
    methods = [row for row in every_row if row.kind == "method" and not row.by_hand]
    coverage = next((run.coverage for run in scored if run.coverage is not None), None)
    quick = any(run.quick for run in runs)
    obstacles = ("quick runs rank nothing",) if quick else tuple(_obstacles(methods, runs))
    if coverage and coverage.share and not (allow_missing or quick):
        obstacles = (f"{coverage.sentence}; --allow-missing ranks all the same", *obstacles)
    order = sorted(methods, key=lambda row: row.name)
    if not obstacles:
        order = sorted(order, key=lambda row: -row.headline.mean)
    position = {name: index for index, name in enumerate(FLOORS)}  # methods: -1, before all
    apart = sorted(every_row, key=lambda row: (position.get(row.method, -1), row.name))
    failures = [
        Failure(run.name, run.data_seed, run.seed, run.error) for run in runs if run.scores is None
    ]
    # of a ranking alone: where the order means nothing there is no best row
    best = order[0].name if order and not obstacles else ""
    return Leaderboard(
        dataset=dataset,
        recipe=recipe,
        protocol=protocol,
        rows=_with_statistics(order, best, statistics),
        by_hand=_alone((row for row in apart if row.by_hand), statistics),
        references=_alone(
            (row for row in apart if row.kind != "method" and not row.by_hand), statistics
        ),
        failures=tuple(sorted(failures, key=lambda f: (f.name, f.data_seed, f.seed, f.error))),
        obstacles=obstacles,
        best=best,
        quick=quick,
        coverage=coverage,
    )


def _with_statistics(rows: Sequence[Row], best: str, statistics: Statistics) -> tuple[Row, ...]:
    found = statistics(rows, best)
    return tuple(replace(row, statistics=found[row.name]) for row in rows)


def _alone(rows: Iterable[Row], statistics: Statistics) -> tuple[Row, ...]:
    """Rows that are compared with none, as their data may differ."""
    return tuple(found for row in rows for found in _with_statistics([row], "", statistics))


def rows_of(runs: Sequence[ScoredRun]) -> list[Row]:
    """One row for each variant and set of options, alphabetical.

    Raises:
        ValueError: two runs of the same seeds that nothing tells apart.
    """
    by_name: dict[str, dict[str, list[ScoredRun]]] = {}
    for run in runs:
        name, options = run.group
        by_name.setdefault(name, {}).setdefault(options, []).append(run)
    rows = []
    for name, groups in sorted(by_name.items()):
        keys = differing([group[0].identity for group in groups.values()])
        every = [{key: group[0].identity.get(key) for key in keys} for group in groups.values()]
        for differs, row_name, group in zip(
            every, _labels(name, every), groups.values(), strict=True
        ):
            rows.append(_row(row_name, differs, group))
    return sorted(rows, key=lambda row: row.name)


def label(name: str, differs: Mapping[str, Any]) -> str:
    """`ftcl:full`, with the options by which it differs from its namesakes."""
    if not differs:
        return name
    return f"{name} [{', '.join(f'{key}={value}' for key, value in differs.items())}]"


def _labels(name: str, namesakes: Sequence[Mapping[str, Any]]) -> list[str]:
    """The namesakes' labels; of a digest as many digits as tell it from the others."""
    labels = [label(name, differs) for differs in namesakes]
    digests = sorted({digest for text in labels for digest in _DIGEST.findall(text)})
    length = _DIGITS
    while len({digest[:length] for digest in digests}) < len(digests):
        length += 1
    return [_DIGEST.sub(lambda found: found[0][:length], text) for text in labels]


def _row(label: str, differs: Mapping[str, Any], runs: Sequence[ScoredRun]) -> Row:
    scores: dict[tuple[int, int], Scores] = {}
    for run in runs:
        place = (run.data_seed, run.seed)
        if place in scores:
            raise ValueError(f"two runs of {label}, data seed {place[0]}, seed {place[1]}")
        if run.scores is not None:
            scores[place] = run.scores
    first = next(iter(scores.values()))
    per_tiou = tuple(
        nested_mean_std({place: float(part.mean_ap[k]) for place, part in scores.items()})
        for k in range(len(first.tiou))
    )
    averages = {
        average: nested_mean_std({place: part.averages[average] for place, part in scores.items()})
        for average in first.averages
    }
    stages = sorted({stage for run in runs for stage in run.seconds})
    parameters = [run.parameters for run in runs if run.parameters is not None]
    share = runs[0].coverage.share if runs[0].coverage else ""
    return Row(
        name=label + (f" ({share})" if share else ""),
        kind=runs[0].kind,
        method=runs[0].method,
        variant=runs[0].variant,
        differs=dict(differs),
        mean_ap=per_tiou,
        averages=averages,
        headline=averages[first.protocol.headline],
        parameters=max(parameters, default=None),
        seconds={
            stage: fmean(run.seconds[stage] for run in runs if stage in run.seconds)
            for stage in stages
        },
        paper=dict(runs[0].paper),
        runs=tuple(sorted(runs, key=lambda run: (run.data_seed, run.seed))),
    )


def _one_protocol(runs: Sequence[ScoredRun]) -> Protocol | None:
    protocols = [run.scores.protocol for run in runs if run.scores is not None]
    for other in protocols:
        if other != protocols[0]:
            raise ValueError(
                f"scores under {protocols[0].name!r} version {protocols[0].version} and "
                f"{other.name!r} version {other.version} cannot stand in one table"
            )
    return protocols[0] if protocols else None


def _obstacles(rows: Sequence[Row], every_run: Sequence[ScoredRun]) -> list[str]:
    """Why the order of the rows would mean nothing."""
    if not rows:
        return ["no run of a method with its preset"]
    runs = [run for row in rows for run in row.runs]
    reasons = []
    for what, values in (
        ("tracks", {run.track for run in runs}),
        ("selections", {run.selection for run in runs}),
        ("data", {json.dumps(dict(run.data), sort_keys=True, default=str) for run in runs}),
        ("precisions", {run.settings.get("precision") for run in runs}),
        ("devices", {run.settings.get("device") for run in runs}),
        ("numbers of threads", {run.settings.get("threads") for run in runs}),
        ("seeds", {tuple((run.data_seed, run.seed) for run in row.runs) for row in rows}),
    ):
        if len(values) > 1:
            reasons.append(f"the rows have different {what}")
    reasons += _budgets(rows)
    if len({run.own_segments for run in runs}) > 1:
        reasons.append("some rows' segments are the method's own, the others' are a recipe's")
    if failed := _all_failed(every_run):
        reasons.append(f"every cell failed of {', '.join(failed)}")
    seeded = any(run.seeded for run in runs)
    if any(_too_few(row, seeded) for row in rows):
        need = (
            f"{MIN_DATA_SEEDS} data seeds x {MIN_SEEDS_EACH} training seeds"
            if seeded
            else f"{MIN_SEEDS} training seeds"
        )
        reasons.append(f"a ranking needs {need} in every row")
    return reasons


def _budgets(rows: Sequence[Row]) -> list[str]:
    """Rows whose options were found in different ways, and what would make a ranking of them."""
    by_budget: dict[str, dict[str, None]] = {}
    for row in rows:
        for run in row.runs:
            by_budget.setdefault(run.budget, {})[row.name] = None
    unknown = any(Found().budget in budget for budget in by_budget)
    if len(by_budget) < 2 and not unknown:
        return []
    said = "; ".join(
        f"{', '.join(names)}: {budget or 'not recorded'}"
        for budget, names in sorted(by_budget.items())
    )
    what = "budgets differ" if len(by_budget) > 1 else "budgets unknown"
    return [f"{what}: {said}. {_ranking_command(rows)}"]


def _ranking_command(rows: Sequence[Row]) -> str:
    """What runs and shows the same methods on the published defaults of each."""
    runs = [run for row in rows for run in row.runs]
    seeded = any(run.seeded for run in runs)
    methods = ",".join(sorted({run.name for run in runs}))
    seeds = _numbers({run.seed for run in runs}, MIN_SEEDS_EACH if seeded else MIN_SEEDS)
    drawn = f" --data-seeds {_numbers({run.data_seed for run in runs}, MIN_DATA_SEEDS)}"
    return (
        f"A ranking on published defaults: `wsal-bench run --methods {methods} "
        f"--datasets {runs[0].source or runs[0].dataset}{drawn if seeded else ''} "
        f"--seeds {seeds} --preset {PUBLISHED}`, then "
        f"`wsal-bench leaderboard --datasets {runs[0].dataset} --preset {PUBLISHED}`"
    )


def _numbers(used: set[int], least: int) -> str:
    """Seeds as one writes them: those that were used, and more where they are too few."""
    more = [seed for seed in range(least + len(used)) if seed not in used]
    return ",".join(map(str, sorted([*used, *more[: max(0, least - len(used))]])))


def _all_failed(runs: Sequence[ScoredRun]) -> list[str]:
    """Methods that have no row, or one row fewer, as none of its cells has a score."""
    scored = {run.group for run in runs if run.scores is not None}
    return sorted(
        {
            run.name
            for run in runs
            if run.kind == "method" and not run.by_hand and run.group not in scored
        }
    )


def _too_few(row: Row, seeded: bool) -> bool:
    n = row.headline
    if seeded:
        return n.num_data_seeds < MIN_DATA_SEEDS or n.num_seeds < MIN_SEEDS_EACH
    return n.num_seeds < MIN_SEEDS
