"""`wsal-bench rescore`: the same detections under every protocol."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from wsal_bench.cli.options import (
    NamesType,
    columns_options,
    json_option,
    plugins_option,
    results_option,
)
from wsal_bench.cli.output import columns_of, document, note, show
from wsal_bench.errors import DataError, UsageError
from wsal_bench.evaluation.formats import truth_from_json, truth_from_npz, with_ambiguous
from wsal_bench.report import rescored as page
from wsal_bench.running.cells import OWN_RECIPE
from wsal_bench.running.lookup import find_run
from wsal_bench.studies.rescore import protocols_of, rescore
from wsal_bench.studies.targets import Target, is_run, open_file, open_run
from wsal_bench.types import GroundTruth

Command = TypeVar("Command", bound=Callable[..., Any])


def truth_options(command: Command) -> Command:
    """What says what is true: `--truth`, `--subset`, `--ambiguous`; for files of detections."""
    for option in (
        click.option(
            "--ambiguous",
            type=click.Path(path_type=Path),
            help="Lines `video start end`: stretches that nobody is sure of.",
        ),
        click.option("--subset", help="Subset of the truth; by default the only one there is."),
        click.option(
            "--truth",
            "truth_files",
            type=click.Path(path_type=Path),
            multiple=True,
            help="Annotation of files of detections; repeatable, the first that fits is taken.",
        ),
    ):
        command = option(command)
    return command


@click.command("rescore")
@click.argument("targets", metavar="RUN|DETECTIONS...", nargs=-1, required=True)
@click.option(
    "--protocols",
    "names",
    type=NamesType(),
    default="all",
    show_default=True,
    help="Names, or all of the data set's.",
)
@click.option("--dataset", help="Whose protocols; by default the run's, or what videos' names say.")
@truth_options
@click.option("--recipe", default=OWN_RECIPE, show_default=True, help="Of runs: how they were cut.")
@click.option("--csv", "as_csv", is_flag=True, help="Print comma-separated values.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for rescored.svg and rescored.png: the spread as a picture.",
)
@columns_options
@results_option
@plugins_option
@json_option
def rescore_(
    targets: tuple[str, ...],
    names: tuple[str, ...],
    dataset: str | None,
    truth_files: tuple[Path, ...],
    subset: str | None,
    ambiguous: Path | None,
    recipe: str,
    as_csv: bool,
    out: Path | None,
    wide: bool,
    columns: tuple[str, ...] | None,
    results: Path,
    as_json: bool,
) -> None:
    """Score the same detections under every protocol of their data set.

    Nothing is trained or localized again: what differs between the rows is the rules alone. A
    protocol that cannot be computed from what is there is a row that says why.
    """
    if as_csv and as_json:
        raise UsageError("--csv and --json are two forms", hint="choose one")
    truths = read_truths(truth_files, subset, ambiguous)
    opened = [open_target(text, results, recipe, truths) for text in targets]
    names_of = {dataset} if dataset else {target.dataset for target in opened}
    if len(names_of) != 1 or None in names_of:
        raise UsageError(
            f"detections of several data sets, or of none that is known: "
            f"{', '.join(sorted(str(name) for name in names_of))}",
            hint="name one with --dataset, and rescore the others apart",
        )
    rules = protocols_of(str(names_of.pop()), names)
    found = [rescore(one.name, one.detections, one.truths, rules) for one in opened]
    if not any(row.scores for one in found for row in one.rows):
        problems = "; ".join(dict.fromkeys(row.problem for one in found for row in one.rows))
        raise UsageError(f"none of the protocols can be computed: {problems}")
    if out is not None:
        from wsal_bench.report.pictures import write_picture

        for path in write_picture(lambda: page.figure(found), out, "rescored"):
            note(f"wrote {path}")
    if as_json:
        click.echo(document(page.SCHEMA, "data", page.content(found)))
    else:
        shown = columns_of(wide, columns, page.keys(found), page.keys(found))
        forms = {"md": page.to_markdown(found, shown), "csv": page.to_csv(found)}
        show(
            "csv" if as_csv else None,
            forms,
            lambda width, styled: page.to_terminal(found, shown, width=width, styled=styled),
        )


def read_truths(
    paths: tuple[Path, ...], subset: str | None, ambiguous: Path | None
) -> list[GroundTruth]:
    """The annotations that were named, each with the ambiguous stretches.

    Raises:
        UsageError: stretches without an annotation, or a subset that is not there.
        DataError: a file cannot be read.
    """
    if (ambiguous is not None or subset is not None) and not paths:
        raise UsageError("--ambiguous and --subset belong to --truth FILE", hint="add --truth")
    truths = []
    for path in paths:
        truth = truth_from_npz(path) if path.suffix == ".npz" else truth_from_json(path, subset)
        truths.append(truth if ambiguous is None else with_ambiguous(truth, ambiguous))
    return truths


def open_target(text: str, results: Path, recipe: str, truths: list[GroundTruth]) -> Target:
    """A run or a file of detections by its name on the command line.

    Raises:
        UsageError: no such run or file, or it cannot be scored.
        DataError: something cannot be read.
    """
    if not is_run(text):
        return open_file(Path(text), truths)
    if Path(text).suffix in (".json", ".npz"):
        raise DataError("no such file of detections", path=Path(text))
    run = find_run(results, text)
    if run is None:
        raise UsageError(
            f"{text!r} is neither a run in {results} nor a file of detections",
            hint="list the runs with: wsal-bench list runs",
        )
    return open_run(Path(run["directory"]), recipe)
