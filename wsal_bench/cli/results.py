"""`wsal-bench results`: look after a folder of runs."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

import click

from wsal_bench.cli.lazy import Entry, LazyGroup
from wsal_bench.cli.options import data_root_option, json_option, plugins_option, results_option
from wsal_bench.cli.output import document
from wsal_bench.errors import GateError

SCHEMA = "wsal-bench/verify/1"


class Group(LazyGroup):
    """The subcommands."""

    prefix = "results "
    table = MappingProxyType(
        {"verify": Entry("results:verify_", "Compare every file with what its record vouches for.")}
    )


@click.group("results", cls=Group)
def results_() -> None:
    """Look after a folder of runs."""


@click.command("verify")
@click.option("--repair", is_flag=True, help="Score again what can be, without training.")
@results_option
@data_root_option
@plugins_option
@json_option
@click.pass_context
def verify_(ctx: click.Context, /, results: Path, repair: bool, as_json: bool) -> None:
    """Check all activations, segments and scores of a store; exit code 5 where one is damaged.

    Nothing is written without --repair, which scores again where scores alone are damaged, and cuts
    again where segments are. All else is made again by the `run` that made it.
    """
    from wsal_bench.running.verifying import verify

    found = verify(results, repair=repair)
    if as_json:
        click.echo(document(SCHEMA, "data", found.to_json()))
    else:
        for one in found.findings:
            outcome = "repaired" if one.repaired else one.remedy
            problem = f" ({one.problem})" if one.problem else ""
            click.echo(f"{outcome}: {one.path}: {one.message}{problem}")
        for path in found.strays:
            click.echo(f"ignored: {path}: no run made this folder")
        if found.unvouched:
            click.echo(
                f"{found.unvouched} runs of earlier versions vouch for no file; their `run` adds it"
            )
        left = sum(not one.repaired for one in found.findings)
        click.echo(
            f"{found.runs} runs, {found.files} files, {left or 'no'} damaged"
            + (f", {len(found.findings) - left} repaired" if len(found.findings) > left else "")
        )
    if not found.ok:
        ctx.exit(GateError.exit_code)
