"""`wsal-bench eval`: scores of a file of detections."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from wsal_bench.cli.diagnosis import choice, diagnose_files, diagnosis_options, show_diagnosis
from wsal_bench.cli.options import dataset_option, json_option, tious_option
from wsal_bench.cli.output import document, note
from wsal_bench.cli.pair import Pair, excluding, read_pair
from wsal_bench.errors import UsageError
from wsal_bench.evaluation import Protocol, Scores, common, evaluate, protocol, with_tious
from wsal_bench.report import numbers
from wsal_bench.report.numbers import average_title
from wsal_bench.report.table import Cell, Column, Table, plain

SCHEMA = "wsal-bench/eval/1"
_FILE = click.Path(path_type=Path)


@click.command("eval")
@click.argument("files", nargs=-1, type=_FILE, metavar="[TRUTH DETECTIONS]")
@click.option("--truth", type=_FILE, help="Annotation file, JSON or npz.")
@click.option("--detections", type=_FILE, help="File of detections, JSON or npz.")
@click.option("--subset", help="Subset of the truth; by default the only one with segments.")
@tious_option
@click.option(
    "--protocol", "rules", metavar="NAME", help="Rules; by default the common ones of the data set."
)
@dataset_option(
    "Whose common rules; by default what videos' names say, else the truth's file name."
)
@click.option("--ambiguous", type=_FILE, help="Stretches nobody is sure of: `video start end`.")
@click.option(
    "--exclude-videos",
    "excluded",
    metavar="NAMES|FILE",
    help="Videos that do not count: names with commas between, or a file with one a line.",
)
@click.option("-v", "--verbose", is_flag=True, help="Say what is unusual in the files.")
@diagnosis_options
@json_option
def eval_(
    files: tuple[Path, ...],
    truth: Path | None,
    detections: Path | None,
    subset: str | None,
    tious: tuple[float, ...] | None,
    rules: str | None,
    dataset: str | None,
    ambiguous: Path | None,
    excluded: str | None,
    verbose: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Score detections against a truth, both in the JSON of ActivityNet or as npz.

    By the common rules detections in videos outside the subset are false positives, as in the
    official algorithm. `wsal-bench list protocols` names the published rules. Videos of
    THUMOS14 are known by their names.
    """
    diagnosis = choice(options)
    truth, detections = _two_files(files, truth, detections)
    pair = read_pair(truth, detections, subset, ambiguous, _rules(rules, dataset))
    chosen = pair.rules if tious is None else with_tious(pair.rules, tious)
    if excluded is not None:
        chosen = excluding(chosen, excluded, pair)
    scores = evaluate(pair.truth, pair.detections, chosen)
    if verbose:
        for sentence in (*pair.notes, *_remarks(scores)):
            note(sentence)
    if diagnosis.wanted:
        data = diagnose_files(pair.truth, pair.detections, scores, diagnosis)
        show_diagnosis(data, diagnosis, as_json=as_json)
        return
    click.echo(document(SCHEMA, "data", _data(scores)) if as_json else _text(scores, chosen, pair))


def _rules(name: str | None, dataset: str | None) -> Protocol | None:
    """The rules that were named; None: the files tell.

    Raises:
        UsageError: there are none of that name, or both were named.
    """
    if name is not None and dataset is not None:
        raise UsageError("--protocol and --datasets both name rules", hint="choose one")
    return protocol(name) if name is not None else common(dataset) if dataset else None


def _two_files(
    files: tuple[Path, ...], truth: Path | None, detections: Path | None
) -> tuple[Path, Path]:
    """Truth and detections, given by option or one after the other."""
    if len(files) == 2 and truth is None and detections is None:
        return files[0], files[1]
    if files or truth is None or detections is None:
        raise UsageError(
            "eval needs a truth and a file of detections, each once",
            hint="wsal-bench eval truth.json detections.json, or --truth FILE --detections FILE",
        )
    return truth, detections


def _remarks(scores: Scores) -> list[str]:
    counts = scores.counts
    return [
        f"{counts.tied:,} detections share their score with another of their class: "
        f"only the tie rule ({scores.protocol.ties}) orders them"
    ]


def _data(scores: Scores) -> dict[str, object]:
    return {
        "tiou": list(scores.tiou),
        "ap": dict(zip(scores.class_names, scores.ap.T.tolist(), strict=True)),
        "map": scores.mean_ap.tolist(),
        "averages": scores.averages,
        "average": scores.protocol.headline,
        "protocol": scores.protocol.name,
        "protocol_version": scores.protocol.version,
        "counts": asdict(scores.counts),
    }


def _num_videos(pair: Pair, rules: Protocol) -> int:
    """The videos whose truth counts."""
    kept = rules.excluded_rule == "truth-kept"
    return sum(kept or name not in rules.excluded_videos for name in pair.truth.video_ids)


def _text(scores: Scores, rules: Protocol, pair: Pair) -> str:
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
        f"{counts.ignored:,} ignored, {counts.tied:,} with a tied score), {counts.truths:,} true "
        f"segments in {_num_videos(pair, rules):,} videos."
    )
    named = f"{rules.name} (version {rules.version}): {rules.description}."
    table = plain(Table(tuple(columns), tuple(rows)))
    return "\n".join([table, ", ".join(averages), summary, named])
