"""`wsal-bench data path`: where an imported data set lies."""

from __future__ import annotations

import click

from wsal_bench.cli.options import data_root_option, json_option
from wsal_bench.cli.output import document
from wsal_bench.data.places import data_root, store_path
from wsal_bench.errors import DataError, did_you_mean

SCHEMA = "wsal-bench/path/1"


@click.command("path")
@click.argument("name", required=False)
@data_root_option
@json_option
def command(name: str | None, as_json: bool) -> None:
    """Print the folder of an imported data set; without NAME that of all of them."""
    from wsal_bench.data.store import is_store

    root = data_root()
    there = sorted(path.name for path in root.iterdir() if is_store(path)) if root.is_dir() else []
    if name is not None and name not in there:
        raise DataError(
            f"no imported data set {name!r}",
            hint=did_you_mean(name, there, kind="imported"),
            path=root,
        )
    path = root if name is None else store_path(name)
    if as_json:
        click.echo(document(SCHEMA, "data", {"path": path, "imported": there}))
    else:
        click.echo(str(path))
