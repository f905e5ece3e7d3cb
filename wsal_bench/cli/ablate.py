"""`wsal-bench ablate`: what each part of a method is worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import click

from wsal_bench import plugins
from wsal_bench.cli.failures import CELLS_FAILED
from wsal_bench.cli.options import NamesType, columns_options
from wsal_bench.cli.output import (
    FORMATS,
    columns_of,
    document,
    named_forms,
    note,
    show,
    write_files,
)
from wsal_bench.cli.progress import Display
from wsal_bench.cli.requests import TrainingOptions, training_options
from wsal_bench.errors import UsageError, did_you_mean
from wsal_bench.plugins.contract import Method
from wsal_bench.report import study as page
from wsal_bench.running.cells import Cell, RunRequest
from wsal_bench.running.datasource import Catalog
from wsal_bench.studies.ablation import Ablation, Plan, build
from wsal_bench.studies.runs import ScoredRun
from wsal_bench.studies.stored import read_cell


@dataclass(frozen=True)
class Part:
    """Some rows of the table and the request that makes them.

    Args:
        request: its cells.
        label: the row of all its cells; empty: each variant is a row.
    """

    request: RunRequest
    label: str = ""


@click.command()
@click.argument("method")
@click.option("--axes", type=NamesType(), default=(), help="Cross all values of these options.")
@training_options
@click.option("--render-only", is_flag=True, help="Make the table of what is stored; run nothing.")
@click.option(
    "--format",
    "form",
    type=click.Choice((*FORMATS, "all")),
    show_default="md, and a table on a terminal",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("-"),
    help="Folder for ablation-<method>-<dataset>.md, .csv, .json, .tex.",
)
@columns_options
@click.pass_context
def ablate(
    ctx: click.Context,
    /,
    method: str,
    axes: tuple[str, ...],
    render_only: bool,
    form: str | None,
    out: Path,
    wide: bool,
    columns: tuple[str, ...] | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Compare a method's variants and controls with each other and with what it starts from.

    Finished cells are taken from the results folder; the others are run first.
    """
    kind: type[Method] = plugins.load("methods", method)
    training = TrainingOptions(**options)
    plan = _plan(method, kind, axes)
    parts = _parts(plan, kind, training)
    failed = 0 if render_only else _run(parts, debug=ctx.find_root().params["debug"])
    studies = _studies(plan, parts, training.recipe)
    shown = {
        study.dataset: columns_of(wide, columns, page.keys(study), page.wide_keys(study))
        for study in studies
    }
    contents: dict[str, bytes] = {}
    for study in studies if str(out) != "-" else ():
        stem = f"ablation-{method}-{study.dataset}{'-quick' if study.quick else ''}"
        forms = _forms(study, shown[study.dataset])
        contents |= named_forms(stem, forms, form or FORMATS[0])
    write_files(out, contents)
    if as_json:
        found = {"ablations": [page.content(study) for study in studies]}
        click.echo(document(page.SCHEMA, "data", found))
    else:
        _print(studies, shown, form)
    if training.quick:
        note("this was a quick run: it ranks nothing")
    if failed:
        ctx.exit(CELLS_FAILED)


def _plan(method: str, kind: type[Method], axes: Sequence[str]) -> Plan:
    """What is compared.

    Raises:
        UsageError: an axis that the method does not declare, or nothing to compare.
    """
    for axis in axes:
        if axis not in kind.axes:
            hint = did_you_mean(axis, kind.axes, kind="axes")
            raise UsageError(f"{method} has no axis {axis!r}", hint=hint)
    variants = [*kind.variants, *kind.controls]
    if not variants and not axes:
        raise UsageError(
            f"{method} has no variants to compare",
            hint="cross some of its options with --axes"
            if kind.axes
            else "it declares neither variants nor axes",
        )
    baseline = f"{method}:{kind.baseline}" if kind.baseline else ""
    if axes:
        names = tuple(_label(axes, values) for values in _grid(kind, axes))
        rows = (*names, baseline) if baseline else names
    else:
        parents = dict.fromkeys(need.method for need in kind.needs.values())
        rows = (*parents, *(f"{method}:{variant}" for variant in variants))
    return Plan(method, rows, dict(kind.components), baseline, tuple(axes))


def _parts(plan: Plan, kind: type[Method], training: TrainingOptions) -> list[Part]:
    if not plan.axes:
        parents = tuple(dict.fromkeys(need.method for need in kind.needs.values()))
        return [Part(training.request((*parents, f"{plan.method}:*"), floors=False))]
    name = f"{plan.method}:{next(iter(kind.variants))}" if kind.variants else plan.method
    parts = [
        Part(
            training.request(
                (name,),
                sets=tuple(
                    f"{name}.{axis}={value}" for axis, value in zip(plan.axes, values, strict=True)
                ),
                floors=False,
            ),
            _label(plan.axes, values),
        )
        for values in _grid(kind, plan.axes)
    ]
    if plan.baseline:
        parts.append(Part(training.request((plan.baseline,), floors=False)))
    return parts


def _run(parts: Sequence[Part], *, debug: bool) -> int:
    """How many cells failed."""
    from wsal_bench.running import runner

    with Display(debug=debug) as display:
        runner.run_all([part.request for part in parts], display.on_event)
    note(display.closing())
    return len(display.failed)


def _studies(plan: Plan, parts: Sequence[Part], recipe: str) -> list[Ablation]:
    """A table for each data set."""
    from wsal_bench.running.specs import plan as cells_of

    catalog = Catalog()
    runs: dict[str, dict[str, list[ScoredRun]]] = {}
    missing: list[Cell] = []
    for part in parts:
        for cell in cells_of(part.request, catalog):
            data = cell.spec.data
            rows = runs.setdefault(data.name, {})
            if not cell.asked:
                continue
            found = read_cell(
                part.request.results / cell.key, recipe=cell.recipe, protocol=cell.protocol.name
            )
            if found is None:
                missing.append(cell)
            else:
                rows.setdefault(part.label or cell.spec.name, []).append(found)
    if missing:
        note(f"{len(missing)} cells are not in the results folder yet")
    return [build(rows, plan, dataset=name, recipe=recipe) for name, rows in runs.items()]


def _grid(kind: type[Method], axes: Sequence[str]) -> list[tuple[Any, ...]]:
    return list(product(*(kind.axes[axis] for axis in axes)))


def _label(axes: Sequence[str], values: Sequence[Any]) -> str:
    return ", ".join(f"{axis}={value}" for axis, value in zip(axes, values, strict=True))


def _print(
    studies: Sequence[Ablation], columns: Mapping[str, Sequence[str] | None], form: str | None
) -> None:
    for index, study in enumerate(studies):
        chosen = columns[study.dataset]
        if index:
            click.echo()
        show(form, _forms(study, chosen), partial(_for_eyes, study, chosen))


def _for_eyes(study: Ablation, columns: Sequence[str] | None, width: int, styled: bool) -> str:
    return page.to_terminal(study, columns, width=width, styled=styled)


def _forms(study: Ablation, columns: Sequence[str] | None) -> Mapping[str, str]:
    return {
        "md": page.to_markdown(study, columns),
        "csv": page.to_csv(study),
        "json": document(page.SCHEMA, "data", page.to_json(study)["data"]) + "\n",
        "latex": page.to_latex(study, columns),
    }
