"""`wsal-bench run`: methods x data sets x seeds, trained, localized, scored and stored."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from typing import Any

import click

from wsal_bench.cli.failures import CELLS_FAILED
from wsal_bench.cli.options import NamesType
from wsal_bench.cli.output import document, note
from wsal_bench.cli.progress import Display, defaults_used, plan_summary
from wsal_bench.cli.requests import TrainingOptions, training_options
from wsal_bench.errors import UsageError
from wsal_bench.plugins import blame
from wsal_bench.report import numbers
from wsal_bench.report.numbers import average_heading
from wsal_bench.report.stamp import stamped
from wsal_bench.report.table import Cell as Text
from wsal_bench.report.table import Column, Table, plain, shown_tious
from wsal_bench.running.cells import Cell, RunRequest
from wsal_bench.running.events import CellResult
from wsal_bench.statistics import nested_mean_std

SCHEMA = "wsal-bench/run/1"
PLAN_SCHEMA = "wsal-bench/plan/1"


@click.command()
@click.option(
    "--methods",
    type=NamesType(),
    required=True,
    help="Methods, variants (ftcl:fsd), groups (baseline), patterns.",
)
@training_options
@click.option("--dry-run", is_flag=True, help="Print the plan and stop.")
@click.option(
    "--pdb", "debugger", is_flag=True, help="Enter the debugger where a cell fails; --in-process."
)
@click.pass_context
def run(
    ctx: click.Context,
    /,
    methods: tuple[str, ...],
    dry_run: bool,
    debugger: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Train, localize and score methods; finished cells are skipped, broken-off ones continue."""
    if debugger and as_json:
        raise UsageError("--pdb talks on stdout, and --json is one document there")
    options["in_process"] |= debugger
    request = TrainingOptions(**options).request(methods)
    if dry_run:
        _print_plan(request, as_json=as_json)
        return
    from wsal_bench.running import runner  # imports torch

    with Display(debug=ctx.find_root().params["debug"], moving=not debugger) as display:
        results = runner.run(request, display.on_event, _debug if debugger else None)
    if as_json:
        cells = [result.to_json() for result in results]
        click.echo(document(SCHEMA, "data", {"cells": cells, "quick": request.quick}))
    else:
        click.echo(summary(results, quick=request.quick), nl=False)
    if request.quick:
        note("this was a quick run: it ranks nothing")
    note(f"{display.closing()}; next: {_next(request, bool(display.failed))}")
    if display.failed:
        ctx.exit(CELLS_FAILED)


def _next(request: RunRequest, failed: bool) -> str:
    """What a user would do now."""
    if failed:
        return "the same command tries what failed again, --pdb stops where it fails"
    return f"wsal-bench leaderboard --results {shlex.quote(str(request.results))}"


def _debug(error: BaseException) -> None:
    """Post-mortem, in the frames of what a method raised."""
    import pdb

    note(f"{blame.sentence(error)}\nthe debugger: w where, u up, p EXPRESSION, q goes on")
    with redirect_stdout(sys.__stdout__):  # the terminal's, for history and editing
        pdb.post_mortem(error.__traceback__)


def _print_plan(request: RunRequest, *, as_json: bool) -> None:
    from wsal_bench.running import runner  # imports torch

    planned = runner.preview(request)
    if as_json:
        found = {"cells": [_planned(cell) for cell in planned.cells]}
        click.echo(document(PLAN_SCHEMA, "data", found))
    else:
        click.echo(plan_summary(planned))
        for text in defaults_used(planned.cells):
            note(text)


def _planned(cell: Cell) -> dict[str, Any]:
    return {
        "method": cell.spec.name,
        "dataset": cell.spec.data.name,
        "data_seed": cell.spec.data.seed,
        "seed": cell.spec.seed,
        "protocol": cell.protocol.name,
        "recipe": cell.recipe,
        "preset": cell.spec.preset,
        "options": dict(cell.spec.config),
        "asked": cell.asked,
        "directory": cell.key,
    }


def summary(results: Sequence[CellResult], *, quick: bool = False) -> str:
    """A table for each data set: each method's mean over its seeds, in the order of the run."""
    by_dataset: dict[str, dict[str, list[CellResult]]] = {}
    for result in results:
        by_dataset.setdefault(result.dataset, {}).setdefault(result.method, []).append(result)
    parts = []
    for dataset, methods in by_dataset.items():
        scored = [one for rows in methods.values() for one in rows if one.status != "failed"]
        if scored:
            parts.append(
                f"{stamped(dataset, quick=quick)}, {scored[0].protocol}, mAP in percent\n"
                f"{plain(_table(methods, scored[0]))}"
            )
        else:
            parts.append(f"{dataset}: no cell has a score\n")
    return "\n".join(parts)


def _table(methods: dict[str, list[CellResult]], first: CellResult) -> Table:
    """The headline, three tIoUs and the number of seeds: what fits a terminal."""
    tious = shown_tious(first.tiou)
    columns = [Column("method", "left"), Column(average_heading(first.average))]
    columns += [*(Column(f"@{tiou:g}") for tiou in tious), Column("seeds"), Column("failed")]
    rows = []
    for method, results in methods.items():
        good = [result for result in results if result.status != "failed"]
        values = [{(one.data_seed, one.seed): one.averages[first.average] for one in good}]
        for tiou in tious:
            index = first.tiou.index(tiou)
            values.append({(one.data_seed, one.seed): one.map[index] for one in good})
        means = [nested_mean_std(part) if part else None for part in values]
        texts = [numbers.DASH if means[0] is None else numbers.mean_and_std(means[0])]
        texts += [numbers.DASH if one is None else numbers.percent(one.mean) for one in means[1:]]
        counts = (str(len(good)), str(len(results) - len(good)))
        rows.append(tuple(Text(text) for text in (method, *texts, *counts)))
    return Table(tuple(columns), tuple(rows))
