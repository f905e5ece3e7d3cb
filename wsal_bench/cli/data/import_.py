"""`wsal-bench data import`: from a download or a folder of features to a store."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from wsal_bench.cli.data.shared import Bar, source_options
from wsal_bench.cli.output import document, note
from wsal_bench.errors import UsageError

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
    from wsal_bench.data.requests import ImportRequest, import_data

    if len(source) > 2:
        raise UsageError(f"{len(source)} sources were given", hint="write [DATASET] SRC")
    as_json, jobs = options.pop("as_json"), options.pop("jobs") or os.cpu_count() or 1
    request = ImportRequest(
        path=Path(source[-1]).expanduser(),
        dataset=source[0] if len(source) == 2 else None,
        **options,
    )
    with Bar() as bar:
        outcome = import_data(request, jobs=jobs, report=bar.report, say=note)
    if as_json:
        click.echo(document(SCHEMA, "data", outcome.to_json()))
        return
    for line in outcome.lines():
        click.echo(line)
