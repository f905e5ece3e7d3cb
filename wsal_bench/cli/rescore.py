"""`wsal-bench rescore`: the same detections under every protocol."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from wsal_bench.cli.options import (
    NamesType,
    Renamed,
    columns_options,
    dataset_option,
    json_option,
    plot_option,
    plugins_option,
    recipe_option,
    results_option,
)
from wsal_bench.cli.output import columns_of, document, note, show, warn
from wsal_bench.errors import DataError, UsageError
from wsal_bench.evaluation.formats import truth_from_json, truth_from_npz, with_ambiguous
from wsal_bench.report import rescored as page
from wsal_bench.running.lookup import one_run, some_runs
from wsal_bench.running.names import is_pattern, run_name
from wsal_bench.studies.rescore import protocols_of, rescore
from wsal_bench.studies.targets import Target, is_run, open_file, open_run
from wsal_bench.types import GroundTruth

_NEITHER = "no run and no file of detections"
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
    cls=Renamed,
    former=("--protocol",),
    type=NamesType(),
    default="all",
    show_default=True,
    help="Names, or all of the data set's.",
)
@dataset_option("Whose protocols; by default the run's, or what videos' names say.")
@truth_options
@recipe_option("Of runs: how they were cut.")
@click.option(
    "--format",
    "form",
    type=click.Choice(("md", "csv")),
    show_default="md, and a table on a terminal",
)
@click.option("--csv", "as_csv", is_flag=True, hidden=True, help="Is --format csv.")
@plot_option("Folder for rescored.svg and rescored.png: the spread as a picture.")
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
    form: str | None,
    as_csv: bool,
    plot: Path | None,
    wide: bool,
    columns: tuple[str, ...] | None,
    results: Path,
    as_json: bool,
) -> None:
    """Score the same detections under every protocol of their data set.

    Nothing is trained or localized again: what differs between the rows is the rules alone. A
    protocol that cannot be computed from what is there is a row that says why.
    """
    if as_json and (form or as_csv):
        raise UsageError("--format and --json are two forms", hint="choose one")
    truths = read_truths(truth_files, subset, ambiguous)
    opened = [one for text in targets for one in open_targets(text, results, recipe, truths)]
    names_of = {dataset} if dataset else {target.dataset for target in opened}
    if len(names_of) != 1 or None in names_of:
        raise UsageError(
            f"detections of several data sets, or of none that is known: "
            f"{', '.join(sorted(str(name) for name in names_of))}",
            hint="name one with --datasets, and rescore the others apart",
        )
    rules = protocols_of(str(names_of.pop()), names)
    found = [rescore(one.name, one.detections, one.truths, rules) for one in opened]
    if not any(row.scores for one in found for row in one.rows):
        problems = "; ".join(dict.fromkeys(row.problem for one in found for row in one.rows))
        raise UsageError(f"none of the protocols can be computed: {problems}")
    if plot is not None:
        from wsal_bench.report.pictures import write_picture

        for path in write_picture(lambda: page.figure(found), plot, "rescored"):
            note(f"wrote {path}")
    if as_json:
        click.echo(document(page.SCHEMA, "data", page.content(found)))
    else:
        shown = columns_of(wide, columns, page.keys(found), page.keys(found))
        forms = {"md": page.to_markdown(found, shown), "csv": page.to_csv(found)}
        show(
            "csv" if as_csv else form,
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


def open_targets(text: str, results: Path, recipe: str, truths: list[GroundTruth]) -> list[Target]:
    """What a name on the command line means; failed runs of a pattern are left out, with a warning.

    Raises:
        UsageError: no such run or file, several runs fit what is no pattern, or one of them cannot
            be scored.
        DataError: something cannot be read.
    """
    if not (is_run(text) and is_pattern(text)):
        return [open_target(text, results, recipe, truths)]
    runs = some_runs(results, text, _NEITHER)
    good = [run for run in runs if not run.failed]
    for run in runs:
        if run.failed and good:
            warn(f"{run_name(run.spec)} is left out: it failed")
    return [open_run(run.directory, recipe) for run in good or runs]


def open_target(text: str, results: Path, recipe: str, truths: list[GroundTruth]) -> Target:
    """A run or a file of detections by its name on the command line.

    Raises:
        UsageError: no such run or file, several runs fit, or it cannot be scored.
        DataError: something cannot be read.
    """
    if not is_run(text):
        return open_file(Path(text), truths)
    if Path(text).suffix in (".json", ".npz"):
        raise DataError("no such file of detections", path=Path(text))
    return open_run(one_run(results, text, _NEITHER).directory, recipe)
