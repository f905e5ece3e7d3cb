"""`wsal-bench audit`: what the difference between two numbers is made of."""

from __future__ import annotations

from pathlib import Path

import click

from wsal_bench.cli.options import (
    dataset_option,
    json_option,
    plugins_option,
    recipe_option,
    results_option,
)
from wsal_bench.cli.output import document, show
from wsal_bench.cli.rescore import open_target, read_truths, truth_options
from wsal_bench.errors import UsageError
from wsal_bench.evaluation import Protocol, common, protocol
from wsal_bench.report import audited as page
from wsal_bench.studies.audit_runs import audit
from wsal_bench.studies.targets import Target, is_run


@click.command("audit")
@click.argument("a", metavar="A")
@click.argument("b", metavar="B")
@click.option("--protocol-a", "rules_a", metavar="NAME", help="The rules A was scored under.")
@click.option("--protocol-b", "rules_b", metavar="NAME", help="The rules B was scored under.")
@dataset_option("Whose common rules; by default the run's, or what videos' names say.")
@truth_options
@recipe_option("Of runs: how they were cut.")
@results_option
@plugins_option
@json_option
def audit_(
    a: str,
    b: str,
    rules_a: str | None,
    rules_b: str | None,
    dataset: str | None,
    truth_files: tuple[Path, ...],
    subset: str | None,
    ambiguous: Path | None,
    recipe: str,
    results: Path,
    as_json: bool,
) -> None:
    """Say how much of the difference between A and B is what: runs, or files of detections.

    Protocol and recipe are exchanged between the two; selection, seeds and the sampling of test
    videos are stated as far as the runs tell. Differences are A minus B.
    """
    truths = read_truths(truth_files, subset, ambiguous)
    first = open_target(a, results, recipe, truths) if is_run(a) else None
    second = open_target(b, results, recipe, truths) if is_run(b) else None
    if not truths:  # a run's truth serves a file beside it
        truths = [truth for run in (first, second) if run is not None for truth in run.truths][:1]
    first = first or open_target(a, results, recipe, truths)
    second = second or open_target(b, results, recipe, truths)
    known = [one.dataset for one in (first, second) if one.dataset is not None]
    fallback = known[0] if known else truth_files[0].stem if truth_files else None
    rules = [
        protocol(name) if name is not None else _default(target, recipe, dataset, fallback)
        for name, target in ((rules_a, first), (rules_b, second))
    ]
    found = audit(first, second, *rules)
    if as_json:
        click.echo(document(page.SCHEMA, "data", page.content(found)))
    else:
        show(
            None,
            {"md": page.to_markdown(found)},
            lambda width, styled: page.to_terminal(found, width=width, styled=styled),
        )


def _default(target: Target, recipe: str, dataset: str | None, fallback: str | None) -> Protocol:
    """What a run was scored under, else the common rules of the data set."""
    if target.run is not None and dataset is None:
        stored = [key for key in target.run.scores if key.recipe == recipe]
        if stored:
            return target.run.scores[stored[0]].protocol
    name = dataset or target.dataset or fallback
    if name is None:
        raise UsageError(
            f"nothing says what {target.name} is scored under",
            hint="name protocols with --protocol-a and --protocol-b",
        )
    return common(name)
