"""`wsal-bench data stats`: what a data set is like, and what its labels can tell."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from wsal_bench.cli.options import data_root_option, json_option, plot_option, plugins_option
from wsal_bench.cli.output import document, note

SCHEMA = "wsal-bench/stats/1"


@click.command("stats")
@click.argument("name", metavar="DATASET|TRUTH.json")
@click.option(
    "--variant", default="default", show_default=True, help="Which truth of the data set."
)
@click.option("--classes", "with_classes", is_flag=True, help="A row for each class too.")
@plot_option("Folder for pictures (SVG and PNG).")
@data_root_option
@plugins_option
@json_option
def command(name: str, variant: str, with_classes: bool, plot: Path | None, as_json: bool) -> None:
    """Durations, segments, foreground, class balance, and which classes labels can tell apart.

    DATASET is what `run --datasets` takes (hapt, simulated, imported:NAME, folder:PATH); a truth
    file in the form of ActivityNet works too.
    """
    from wsal_bench.data.looking import truths_of
    from wsal_bench.data.statistics import identifiability, split_facts
    from wsal_bench.report.dataset import class_table, draw, summary_table
    from wsal_bench.report.table import plain

    truths = truths_of(name, variant)
    facts = {split: split_facts(truth) for split, truth in truths.items()}
    if plot is not None:
        for path in draw(name, facts, truths, plot):
            note(f"wrote {path}")
    if as_json:
        found: Mapping[str, object] = {
            "name": name,
            "splits": {split: one.to_json() for split, one in facts.items()},
            "identifiability": {split: identifiability(one) for split, one in facts.items()},
        }
        click.echo(document(SCHEMA, "data", found))
        return
    click.echo(plain(summary_table(facts)))
    click.echo("median [5 %, 95 %] where three numbers stand\n")
    for split, one in facts.items():
        if with_classes:
            click.echo(f"{split}\n{plain(class_table(one))}")
        said = identifiability(one)
        verdict = "every class is identified by video labels, as far as company goes"
        for text in said or [verdict]:
            click.echo(f"{split}: {text}")
