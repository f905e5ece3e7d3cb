"""`wsal-bench data template`: a small data set to fill with one's own."""

from __future__ import annotations

from pathlib import Path

import click

from wsal_bench.cli.options import json_option
from wsal_bench.cli.output import document

SCHEMA = "wsal-bench/template/1"


@click.command("template")
@click.argument("folder", type=click.Path(path_type=Path))
@json_option
def command(folder: Path, as_json: bool) -> None:
    """Write a commented example data set that runs; replace its files by yours."""
    from wsal_bench.data.template import write_template

    files = write_template(folder)
    if as_json:
        click.echo(document(SCHEMA, "data", {"folder": folder, "files": files}))
        return
    click.echo(f"wrote {len(files)} files to {folder}; this runs:")
    click.echo(f"wsal-bench run --methods mil --datasets folder:{folder}")
