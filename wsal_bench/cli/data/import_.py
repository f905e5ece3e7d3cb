"""`wsal-bench data import`: from a download or a folder of features to a store."""

from __future__ import annotations

from typing import Any

import click

from wsal_bench.cli.counting import Counting
from wsal_bench.cli.data.shared import asked, source_options
from wsal_bench.cli.output import document, note

SCHEMA = "wsal-bench/import/1"


@click.command("import")
@click.argument("source", nargs=-1, required=True, metavar="[DATASET] SRC")
@click.option("--as", "name", metavar="NAME", help="Name of the data set; needed without DATASET.")
@click.option("--replace", is_flag=True, help="Replace a data set of that name.")
@source_options
def command(source: tuple[str, ...], **options: Any) -> None:
    """Check features and truth and write them as one compact data set.

    SRC is a folder in a known layout, or, after the name of a data set that reads its own archive,
    that archive. SRC is never changed. An import that was stopped goes on where it was.
    """
    from wsal_bench.data.requests import import_data

    given = asked(source, options, "[DATASET] SRC")
    with Counting("reading") as bar:
        outcome = import_data(given.request, jobs=given.jobs, report=bar.done, say=note)
    if given.as_json:
        click.echo(document(SCHEMA, "data", outcome.to_json()))
        return
    for line in outcome.lines():
        click.echo(line)
