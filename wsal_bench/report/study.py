"""An ablation as markdown, CSV, LaTeX and a JSON document."""

from __future__ import annotations

from typing import Any

from wsal_bench.evaluation import Protocol
from wsal_bench.report import numbers, uncertainty
from wsal_bench.report.board import average_title
from wsal_bench.report.stamp import QUICK_NOTE, stamped
from wsal_bench.report.table import Cell, Column, Table, csv_text, latex, markdown
from wsal_bench.studies.ablation import Ablation, AblationRow

SCHEMA = "wsal-bench/ablation/1"
_MARK = "✓"


def title(study: Ablation) -> str:
    """What the table is of, and what must be known of it."""
    share = study.coverage.share if study.coverage else ""
    subject = f"Ablation of {study.plan.method} on {study.dataset}"
    return stamped(subject, quick=study.quick, share=share)


def table(study: Ablation) -> Table:
    """Check marks, per tIoU, the headline with its spread, and the difference to the control."""
    plan, protocol = study.plan, study.protocol
    columns = [Column(plan.method, "left")]
    columns += [Column(title, "center") for title in plan.components]
    columns += [Column(name) for name in plan.axes]
    tious = protocol.tious if protocol else ()
    columns += [Column(f"@{tiou:g}") for tiou in tious]
    columns.append(Column(average_title(protocol.headline) if protocol else "mAP"))
    columns.append(Column("SE"))
    if plan.baseline:
        columns.append(Column(f"Δ to {plan.baseline} [95 %]"))
    rows = []
    for row in study.rows:
        cells = [row.name, *(_MARK if on else "" for on in row.parts.values())]
        cells += [str(value) for value in row.options.values()]
        cells += [numbers.percent(value.mean) for value in row.mean_ap] or [numbers.DASH] * len(
            tious
        )
        cells.append(
            numbers.DASH
            if row.headline is None
            else numbers.mean_and_std(row.headline, always=True)
        )
        cells.append(uncertainty.error_cell(row.statistics))
        if plan.baseline:
            cells.append(uncertainty.difference_cell(row.statistics))
        rows.append(tuple(Cell(text) for text in cells))
    return Table(tuple(columns), tuple(rows))


def notes(study: Ablation) -> list[str]:
    """What stands behind the numbers, a sentence each."""
    protocol = study.protocol
    found = [QUICK_NOTE] if study.quick else []
    if study.coverage is not None:
        found.append(f"Scored: {study.coverage.sentence}.")
    if protocol is not None:
        found.append(
            f"Protocol `{protocol.name}` version {protocol.version}, {study.recipe} recipe, "
            "mAP in percent."
        )
    found.append(_seeds(study.rows))
    average = average_title(protocol.headline) if protocol else "mAP"
    statistics = [row.statistics for row in study.rows]
    found += uncertainty.notes(statistics, study.plan.baseline, average)
    failed = [f"{row.name} ({row.num_failed})" for row in study.rows if row.num_failed]
    if failed:
        found.append(f"Failed cells: {', '.join(failed)}.")
    return found


def to_markdown(study: Ablation) -> str:
    """Heading, table and notes."""
    lines = [f"# {title(study)}", "", markdown(table(study))]
    return "\n".join([*lines, *(f"- {note}" for note in notes(study))]) + "\n"


def to_latex(study: Ablation) -> str:
    """A table of the package booktabs; its check marks need amssymb."""
    caption = f"{title(study)}. {' '.join(notes(study))}"
    label = f"tab:ablation-{study.plan.method}-{study.dataset}"
    return latex(table(study), caption=caption.replace("`", ""), label=label)


def to_csv(study: Ablation) -> str:
    """One line a row; scores as fractions."""
    return csv_text([{**_flat(row, study.protocol), "quick": study.quick} for row in study.rows])


def to_json(study: Ablation) -> dict[str, Any]:
    """The document of `ablate --json`; scores are fractions."""
    return {"schema": SCHEMA, "data": {"ablations": [content(study)]}}


def content(study: Ablation) -> dict[str, Any]:
    """One ablation as plain values; scores are fractions."""
    protocol = study.protocol
    return {
        "method": study.plan.method,
        "dataset": study.dataset,
        "protocol": protocol and {"name": protocol.name, "version": protocol.version},
        "recipe": study.recipe,
        "quick": study.quick,
        "scored": study.coverage and study.coverage.to_json(),
        "tiou": list(protocol.tious) if protocol else [],
        "average": protocol.headline if protocol else None,
        "baseline": study.plan.baseline or None,
        "axes": list(study.plan.axes),
        "rows": [_document(row) for row in study.rows],
    }


def _seeds(rows: tuple[AblationRow, ...]) -> str:
    known = {(row.headline.num_data_seeds, row.headline.num_seeds) for row in rows if row.headline}
    counts = " or ".join(f"{data} x {seeds}" for data, seeds in sorted(known)) or "no"
    return f"{counts} data seeds x training seeds; ± is the standard deviation, nested, not pooled."


def _document(row: AblationRow) -> dict[str, Any]:
    head = row.headline
    return {
        "name": row.name,
        "parts": dict(row.parts),
        "options": dict(row.options),
        "map": [value.mean for value in row.mean_ap],
        "map_std": [value.std for value in row.mean_ap],
        "mean": head and head.mean,
        "std": head and head.std,
        "std_over": head and head.std_over,
        "num_data_seeds": head.num_data_seeds if head else 0,
        "num_seeds": head.num_seeds if head else 0,
        **uncertainty.document(row.statistics),
        "num_failed": row.num_failed,
    }


def _flat(row: AblationRow, protocol: Protocol | None) -> dict[str, Any]:
    head = row.headline
    flat: dict[str, Any] = {"name": row.name, **row.parts, **row.options}
    for index, tiou in enumerate(protocol.tious if protocol else ()):
        flat[f"map {tiou:g}"] = row.mean_ap[index].mean if row.mean_ap else None
    return flat | {
        "mean": head.mean if head else None,
        "std": head.std if head else None,
        "num_data_seeds": head.num_data_seeds if head else 0,
        "num_seeds": head.num_seeds if head else 0,
        **uncertainty.flat(row.statistics),
    }
