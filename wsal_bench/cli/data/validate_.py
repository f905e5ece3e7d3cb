"""`wsal-bench data validate`: everything that is wrong, in one report."""

from __future__ import annotations

from typing import Any

import click

from wsal_bench.cli.counting import Counting
from wsal_bench.cli.data.shared import asked, source_options
from wsal_bench.cli.output import document, note
from wsal_bench.errors import DataError

SCHEMA = "wsal-bench/validate/1"


@click.command("validate")
@click.argument("source", nargs=-1, required=True, metavar="NAME|[DATASET] SRC")
@click.option("--as", "name", metavar="NAME", help="Check it as this known data set.")
@click.option("--seal", is_flag=True, help="Add what older imported data sets lack: checksums.")
@source_options
@click.pass_context
def command(ctx: click.Context, /, source: tuple[str, ...], seal: bool, **options: Any) -> None:
    """Check an imported data set, or a folder before it is imported; exit code 3 on problems.

    All problems are listed: missing, broken or empty files, NaN, wrong width, features that end
    before the last segment, unknown classes, duplicates, videos in both splits, changed bytes.
    A class in one split only, and labels that differ in case or spaces, are warnings.

    --seal is for data sets that were imported before stores had a seal: where no problem was found
    it is added, with quick checksums of the features. No feature and no number changes.
    """
    from wsal_bench.data.problems import report
    from wsal_bench.data.requests import seal as seal_of
    from wsal_bench.data.requests import validate

    given = asked(source, options, "NAME or [DATASET] SRC")
    with Counting("reading") as bar:
        found = validate(given.request, jobs=given.jobs, report=bar.done)
    if given.as_json:
        click.echo(document(SCHEMA, "data", found.to_json()))
    else:
        note(f"recognised {found.root}: {found.layout}")
        for text in found.notes:
            click.echo(f"note: {text}")
        for doubt in found.warnings:
            click.echo(f"warning: {doubt.code}: {doubt}")
        if found.problems:
            click.echo(report(found.problems))
        told = f"{found.videos} videos, {_count(len(found.problems), 'problem')}"
        doubted = f", {_count(len(found.warnings), 'warning')}" if found.warnings else ""
        click.echo(told + doubted)
    if seal and not found.problems:
        added = seal_of(given.request)
        note(f"{found.root}: " + ("sealed" if added else "was sealed already"))
    if found.problems:
        ctx.exit(DataError.exit_code)


def _count(number: int, what: str) -> str:
    return f"{number or 'no'} {what}{'' if number == 1 else 's'}"
