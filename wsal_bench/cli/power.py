"""`wsal-bench power`: what a design can find, before one trains."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import click
import numpy as np

from wsal_bench.cli.options import dataset_option, json_option, plugins_option, results_option
from wsal_bench.cli.output import document, note
from wsal_bench.errors import UsageError, did_you_mean
from wsal_bench.report.numbers import percent
from wsal_bench.report.table import Cell, Column, Table, plain
from wsal_bench.running.cells import OWN_RECIPE
from wsal_bench.running.results import ResultStore
from wsal_bench.statistics import Plan, Power, Variances, power_of, samples_of, variances_of
from wsal_bench.statistics.power import POWER
from wsal_bench.studies.leaderboard import rows_of
from wsal_bench.studies.stored import collect, datasets

SCHEMA = "wsal-bench/power/1"
USUAL = Variances(group=0.24, both=0.2, seed=0.015, data=0.01)
"""Where nothing is stored: rough figures of methods of one kind on a few hundred videos."""

_COUNT = click.IntRange(min=1)


@click.command("power")
@click.option("--groups", type=_COUNT, help="Groups of test videos (people, matches; or videos).")
@click.option("--seeds", type=_COUNT, help="Training seeds on each data seed.")
@click.option("--data-seeds", type=_COUNT, help="Data seeds; 1 for data that are not drawn.")
@click.option("--rows", type=click.IntRange(min=2), help="Methods in the table.")
@click.option(
    "--against",
    type=click.Choice(("best", "control")),
    default="best",
    show_default=True,
    help="best: the data choose what rows are compared with; control: named before.",
)
@dataset_option("Take variances, and what is not given, from its stored runs; else rough ones.")
@click.option("--recipe", default=OWN_RECIPE, show_default=True, help="Of the stored runs.")
@results_option
@plugins_option
@json_option
def power(
    dataset: str | None,
    recipe: str,
    results: Path,
    against: str,
    as_json: bool,
    **sizes: int | None,
) -> None:
    """Say which difference a design finds with 80 % power, all comparisons counted.

    The design asked for stands first; below it the same with twice the seeds, twice the groups and
    half the rows. In points of mAP.
    """
    if dataset is None:
        variances, known = USUAL, Plan(groups=200, seeds=6, data_seeds=1, rows=4)
        source = "rough figures, not of your data: name stored runs with --datasets"
    else:
        variances, known, runs = _stored(results, dataset, recipe)
        source = f"{runs} stored runs on {dataset}"
    asked = {key: value for key, value in sizes.items() if value is not None}
    plan = replace(known, **asked, chosen=against == "best")
    if plan.groups < 2:
        raise UsageError("--groups 1 has no error bars", hint="at least 2 groups of test videos")
    found = {name: power_of(one, variances) for name, one in _plans(plan).items()}
    if as_json:
        click.echo(document(SCHEMA, "data", _content(found, variances, source)))
        return
    click.echo(plain(_table(found)), nl=False)
    note(f"variances: {source}")


def _plans(plan: Plan) -> dict[str, Plan]:
    """What was asked for, and what else one could do."""
    found = {"asked": plan, "twice the seeds": replace(plan, seeds=2 * plan.seeds)}
    found["twice the groups"] = replace(plan, groups=2 * plan.groups)
    if plan.rows > 3:
        found["half the rows"] = replace(plan, rows=plan.rows // 2)
    return found


def _stored(results: Path, dataset: str, recipe: str) -> tuple[Variances, Plan, int]:
    """Median variances of all pairs of stored rows, their design, and how many runs there are.

    Raises:
        UsageError: no runs on that data set, or fewer than two rows that can be compared.
    """
    with ResultStore(results).indexed() as store:
        known = datasets(store.runs)
        if dataset not in known:
            hint = did_you_mean(dataset, known) if known else "make some with wsal-bench run"
            raise UsageError(f"no runs on {dataset!r} in {results}", hint=hint)
        found = collect(store.runs, dataset, recipe=recipe, protocol=None)
        rows = {
            row.name: row.scores
            for row in rows_of([run for run in found.runs if run.kind == "method" and run.scores])
        }
        if len(rows) < 2:
            raise UsageError(
                f"{dataset!r} has {len(rows)} row, and a difference needs two",
                hint="run a second method, or leave --datasets out",
            )
        try:
            samples = samples_of(rows)
        except ValueError as error:
            raise UsageError(f"the runs on {dataset!r} cannot be compared: {error}") from error
    pairs = np.array([list(asdict(one).values()) for one in variances_of(samples)])
    plan = Plan(
        groups=len(samples[0].weights),
        seeds=min(one.values.shape[1] for one in samples),
        data_seeds=len(samples),
        rows=len(rows),
    )
    runs = sum(len(one) for one in rows.values())
    return Variances(*np.median(pairs, axis=0).tolist()), plan, runs


def _table(found: dict[str, Power]) -> Table:
    titles = ("groups", "data x seeds", "rows", "SE", "finds", "equal within")
    rows = [
        (
            Cell(name),
            Cell(str(one.plan.groups)),
            Cell(f"{one.plan.data_seeds} x {one.plan.seeds}"),
            Cell(str(one.plan.rows)),
            Cell(percent(one.standard_error)),
            Cell(percent(one.detectable)),
            Cell(percent(one.margin)),
        )
        for name, one in found.items()
    ]
    return Table((Column("design", "left"), *map(Column, titles)), tuple(rows))


def _content(found: dict[str, Power], variances: Variances, source: str) -> dict[str, Any]:
    designs = [{"name": name, **asdict(one.plan), **_numbers(one)} for name, one in found.items()]
    return {"source": source, "variances": asdict(variances), "power": POWER, "designs": designs}


def _numbers(one: Power) -> dict[str, float]:
    return {key: value for key, value in asdict(one).items() if key != "plan"}
