"""An ablation as markdown, CSV, LaTeX, a JSON document, and for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wsal_bench.evaluation import Protocol
from wsal_bench.report import numbers, uncertainty
from wsal_bench.report.escaping import for_markdown
from wsal_bench.report.numbers import average_heading, average_title
from wsal_bench.report.stamp import QUICK_NOTE, stamped
from wsal_bench.report.table import (
    Cell,
    Field,
    Table,
    chosen,
    csv_text,
    latex,
    markdown,
    shown_tious,
    table_of,
)
from wsal_bench.report.terminal import for_eyes
from wsal_bench.studies.ablation import Ablation, AblationRow

SCHEMA = "wsal-bench/ablation/1"
_MARK = "✓"


def title(study: Ablation) -> str:
    """What the table is of, and what must be known of it."""
    share = study.coverage.share if study.coverage else ""
    subject = f"Ablation of {study.plan.method} on {study.dataset}"
    return stamped(subject, quick=study.quick, share=share)


def keys(study: Ablation) -> list[str]:
    """What columns may be called; the first is always shown."""
    return [field.key for field in _fields(study)]


def wide_keys(study: Ablation) -> list[str]:
    """All columns that hold anything."""
    return [key for key in keys(study) if study.plan.baseline or key != "difference"]


def usual_keys(study: Ablation) -> list[str]:
    """The columns of a page: they fit a terminal of 80 places.

    The numbers of seeds are a column where they differ, else a sentence.
    """
    parts = [*study.plan.components, *study.plan.axes]
    tious = [f"{tiou:g}" for tiou in shown_tious(study.protocol.tious if study.protocol else ())]
    n = ["n"] if len(_seeds_of(study)) > 1 else []
    return [
        "method", *parts, "average", "difference" if study.plan.baseline else "interval", *tious, *n
    ]  # fmt: skip


def table(study: Ablation, columns: Sequence[str] | None = None) -> Table:
    """Check marks, the headline with its spread, the difference to the control, single tIoUs.

    Args:
        study: what is shown.
        columns: names of columns; None: the usual ones.
    """
    wanted = usual_keys(study) if columns is None else columns
    return table_of(chosen(_fields(study), wanted), [study.rows])


def _fields(study: Ablation) -> list[Field[AblationRow]]:
    plan, rules = study.plan, study.protocol
    fields: list[Field[AblationRow]] = [
        Field("method", plan.method, lambda row: Cell(row.name), "left")
    ]
    fields += [_part(name) for name in plan.components]
    fields += [_option(name) for name in plan.axes]
    heading = average_heading(rules.headline) if rules else "mAP"
    fields += [
        Field("average", heading, _headline),
        Field(
            "difference",
            "Δ [95 %]",
            lambda row: Cell(uncertainty.difference_cell(row.statistics, study.margin)),
        ),
        Field("interval", "[95 %]", lambda row: Cell(uncertainty.interval_cell(row.statistics))),
        Field("se", "SE", lambda row: Cell(uncertainty.error_cell(row.statistics))),
    ]
    fields += [_at(index, tiou) for index, tiou in enumerate(rules.tious if rules else ())]
    return [*fields, Field("n", "n", lambda row: Cell(numbers.seeds(row.headline)))]


def _part(name: str) -> Field[AblationRow]:
    return Field(name, name, lambda row: Cell(_MARK if row.parts[name] else ""), "center")


def _option(name: str) -> Field[AblationRow]:
    return Field(name, name, lambda row: Cell(str(row.options[name])))


def _at(index: int, tiou: float) -> Field[AblationRow]:
    def cell(row: AblationRow) -> Cell:
        return Cell(numbers.percent(row.mean_ap[index].mean) if row.mean_ap else numbers.DASH)

    return Field(f"{tiou:g}", f"@{tiou:g}", cell)


def _headline(row: AblationRow) -> Cell:
    if row.headline is None:
        return Cell(numbers.DASH)
    return Cell(numbers.mean_and_std(row.headline, always=True))


def notes(study: Ablation, columns: Sequence[str] | None = None) -> list[str]:
    """What stands behind the numbers, a sentence each."""
    protocol = study.protocol
    shown = usual_keys(study) if columns is None else columns
    found = [QUICK_NOTE] if study.quick else []
    if study.coverage is not None:
        found.append(f"Scored: {study.coverage.sentence}.")
    if protocol is not None:
        found.append(
            f"Protocol `{protocol.name}` version {protocol.version}, {study.recipe} recipe, "
            "mAP in percent."
        )
    counts = " or ".join(_seeds_of(study)) or "no"
    found.append(
        f"{counts} data seeds x training seeds; ± is the standard deviation, nested, not pooled."
    )
    average = average_title(protocol.headline) if protocol else "mAP"
    statistics = {row.name: row.statistics for row in study.rows}
    about = uncertainty.About(
        reference=study.plan.baseline,
        average=average,
        chosen=False,
        errors="se" in shown,
        margin=study.margin,
    )
    found += uncertainty.notes(statistics, about)
    failed = [f"{row.name} ({row.num_failed})" for row in study.rows if row.num_failed]
    if failed:
        found.append(f"Failed cells: {', '.join(failed)}.")
    return found


def to_markdown(study: Ablation, columns: Sequence[str] | None = None) -> str:
    """Heading, table and notes."""
    lines = [f"# {for_markdown(title(study))}", "", markdown(table(study, columns))]
    lines += [f"- {for_markdown(note, code=True)}" for note in notes(study, columns)]
    return "\n".join(lines) + "\n"


def to_terminal(
    study: Ablation, columns: Sequence[str] | None = None, *, width: int, styled: bool = True
) -> str:
    """The same for eyes; `styled`: bold text may be written."""
    found, sentences = table(study, columns), notes(study, columns)
    return for_eyes(title(study), found, sentences, width=width, styled=styled)


def to_latex(study: Ablation, columns: Sequence[str] | None = None) -> str:
    """A table of the package booktabs, the legend in its caption."""
    caption = f"{title(study)}. {' '.join(notes(study, columns))}".replace("`", "")
    label = f"tab:ablation-{study.plan.method}-{study.dataset}"
    return latex(table(study, columns), caption=caption, label=label)


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
        "margin": study.margin,
        "rows": [_document(row, study.margin) for row in study.rows],
    }


def _seeds_of(study: Ablation) -> list[str]:
    """Each `3 x 2` that some row has."""
    return sorted({numbers.seeds(row.headline) for row in study.rows if row.headline})


def _document(row: AblationRow, margin: float | None) -> dict[str, Any]:
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
        **uncertainty.document(row.statistics, margin),
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
