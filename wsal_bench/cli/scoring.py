"""`wsal-bench eval`: scores of a file of detections."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from wsal_bench.cli.diagnosis import choice, diagnose_files, diagnosis_options, show_diagnosis
from wsal_bench.cli.options import json_option, tious_option
from wsal_bench.cli.output import document
from wsal_bench.evaluation import Protocol, Scores, common, evaluate, protocol, with_tious
from wsal_bench.evaluation.formats import detections_from_json, truth_from_json
from wsal_bench.report import numbers
from wsal_bench.report.board import average_title
from wsal_bench.report.table import Cell, Column, Table, plain

SCHEMA = "wsal-bench/eval/1"


@click.command("eval")
@click.option("--truth", required=True, type=click.Path(path_type=Path), help="Annotation file.")
@click.option(
    "--detections", required=True, type=click.Path(path_type=Path), help="File of detections."
)
@click.option("--subset", help="Subset of the truth; by default the only one with segments.")
@tious_option
@click.option("--protocol", "rules", metavar="NAME", help="Rules; by default <truth>/common.")
@diagnosis_options
@json_option
def eval_(
    truth: Path,
    detections: Path,
    subset: str | None,
    tious: tuple[float, ...] | None,
    rules: str | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Score detections against a truth, both in the JSON of ActivityNet.

    Detections in videos outside the subset are false positives, as in the official algorithm.
    """
    diagnosis = choice(options)
    chosen = common(truth.stem) if rules is None else protocol(rules)
    if tious is not None:
        chosen = with_tious(chosen, tious)
    segments = truth_from_json(truth, subset)
    known = None if chosen.unknown_labels == "ignore" else segments.class_names
    found = detections_from_json(detections, known)
    scores = evaluate(segments, found, chosen)
    if diagnosis.wanted:
        data = diagnose_files(segments, found, scores, diagnosis)
        show_diagnosis(data, diagnosis, as_json=as_json)
        return
    click.echo(document(SCHEMA, "data", _data(scores)) if as_json else _text(scores, chosen))


def _data(scores: Scores) -> dict[str, object]:
    return {
        "tiou": list(scores.tiou),
        "ap": dict(zip(scores.class_names, scores.ap.T.tolist(), strict=True)),
        "map": scores.mean_ap.tolist(),
        "averages": scores.averages,
    }


def _text(scores: Scores, rules: Protocol) -> str:
    columns = [Column("AP (%)", "left"), *(Column(f"@{tiou:g}") for tiou in scores.tiou)]
    rows = [
        (Cell(name), *(Cell(numbers.percent(float(value))) for value in column))
        for name, column in zip(scores.class_names, scores.ap.T, strict=True)
    ]
    rows.append((Cell("mAP"), *(Cell(numbers.percent(float(v))) for v in scores.mean_ap)))
    averages = [
        f"{average_title(name)} {numbers.percent(value)}" for name, value in scores.averages.items()
    ]
    counts = scores.counts
    summary = (
        f"{counts.detections:,} detections ({counts.outside:,} outside the truth's videos, "
        f"{counts.ignored:,} ignored), {counts.truths:,} true segments; {rules.description}."
    )
    return "\n".join([plain(Table(tuple(columns), tuple(rows))), ", ".join(averages), summary])
