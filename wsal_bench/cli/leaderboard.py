"""`wsal-bench leaderboard`: the table of the stored runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import click

from wsal_bench.cli.options import (
    NamesType,
    Renamed,
    columns_options,
    json_option,
    plugins_option,
    results_option,
)
from wsal_bench.cli.output import FORMATS, columns_of, document, note, show, warn, write_forms
from wsal_bench.errors import UsageError, did_you_mean
from wsal_bench.localization import recipe as presets
from wsal_bench.report import board as page
from wsal_bench.report.board_columns import keys, wide_keys
from wsal_bench.running.cells import OWN_RECIPE
from wsal_bench.running.results import ResultStore, StoredRun
from wsal_bench.studies.leaderboard import Leaderboard, build
from wsal_bench.studies.stored import Collection, collect, recipes
from wsal_bench.studies.stored import datasets as stored_datasets


@click.command()
@results_option
@plugins_option
@click.option(
    "--datasets",
    cls=Renamed,
    former=("--dataset",),
    type=NamesType(),
    multiple=True,
    help="Only these data sets, as in simulated,hapt; by default all.",
)
@click.option("--protocol", help="Rules; by default <dataset>/common.")
@click.option(
    "--recipe", default=OWN_RECIPE, show_default=True, help="own, or one of `list recipes`."
)
@click.option(
    "--format",
    "form",
    type=click.Choice((*FORMATS, "all")),
    show_default="all, and a table on a terminal",
    help="Forms to write; stdout gets it, or md.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    show_default="<results>/leaderboards",
    help="Folder for <dataset>.md, .csv, .json, .tex; - writes no file.",
)
@click.option(
    "--remark",
    "remarks",
    multiple=True,
    metavar="TEXT",
    help="A sentence below the table, such as how options were chosen; repeatable.",
)
@click.option(
    "--plot",
    is_flag=False,
    flag_value="",
    metavar="[DIR]",
    help="Draw <dataset>.svg and .png too, into DIR or the folder of --out: rows with intervals.",
)
@columns_options
@json_option
def leaderboard(
    results: Path,
    datasets: tuple[tuple[str, ...], ...],
    protocol: str | None,
    recipe: str,
    form: str | None,
    out: Path | None,
    remarks: tuple[str, ...],
    plot: str | None,
    wide: bool,
    columns: tuple[str, ...] | None,
    as_json: bool,
) -> None:
    """Write and print the table of the stored runs; quick runs are never in it."""
    out = results / "leaderboards" if out is None else out
    store = ResultStore(results)
    for problem in store.problems():
        warn(f"{problem.directory}: left out, {problem.message}")
    stored = store.records(include_failed=True)
    chosen = _names(stored, tuple(name for part in datasets for name in part), results)
    _check_recipe(stored, recipe)
    boards = [
        replace(board, remarks=remarks) for board in _boards(stored, chosen, protocol, recipe)
    ]
    shown = {
        board.dataset: columns_of(wide, columns, keys(board), wide_keys(board)) for board in boards
    }
    if plot is not None and not plot and str(out) == "-":
        raise UsageError("--plot draws a file", hint="name a folder: --plot DIR")
    for board in boards if str(out) != "-" else ():
        write_forms(out, board.dataset, _forms(board, shown[board.dataset]), form or "all")
    for board in boards if plot is not None else ():
        if board.protocol is not None:
            _draw(board, Path(plot or out))
    if as_json:
        found = {"leaderboards": [page.content(board) for board in boards]}
        click.echo(document(page.SCHEMA, "data", found))
        return
    for index, board in enumerate(boards):
        columns_shown = shown[board.dataset]
        if index:
            click.echo()
        forms = _forms(board, columns_shown)
        show(form, forms, partial(_for_eyes, board, columns_shown))


def _names(stored: list[StoredRun], wanted: tuple[str, ...], results: Path) -> list[str]:
    known = stored_datasets(stored)
    for name in wanted:
        if name not in known:
            raise UsageError(
                f"no run on data set {name!r} in {results}", hint=did_you_mean(name, known)
            )
    if not known:
        quick = ", only quick ones, which rank nothing" if stored else ""
        raise UsageError(f"no run in {results}{quick}", hint="make some with wsal-bench run")
    return list(dict.fromkeys(wanted)) or known


def _check_recipe(stored: list[StoredRun], recipe: str) -> None:
    known = {OWN_RECIPE, *presets.names(), *recipes(stored)}
    if recipe not in known:
        raise UsageError(f"no recipe {recipe!r}", hint=did_you_mean(recipe, known))


def _boards(
    stored: list[StoredRun], names: list[str], protocol: str | None, recipe: str
) -> list[Leaderboard]:
    """The tables of those data sets on which a method, or at least a floor, has scores.

    Raises:
        UsageError: there is no such table.
    """
    boards, empty = [], []
    for name in names:
        found = collect(stored, name, recipe=recipe, protocol=protocol)
        board = _board(found)
        if board.rows or board.by_hand or (board.references and not found.num_unscored):
            boards.append(board)
        else:
            empty.append(
                f"no method on {name!r} has scores under {found.protocol} with the {recipe} "
                f"recipe (failed runs: {len(board.failures)}), so nothing is written"
            )
    if not boards:
        raise UsageError("; ".join(empty), hint=f"make some: wsal-bench run --recipe {recipe}")
    for message in empty:
        warn(message)
    return boards


def _board(found: Collection) -> Leaderboard:
    if found.num_unscored:
        note(
            f"{found.dataset}: {found.num_unscored} runs are left out, they have no scores under "
            f"{found.protocol} with the {found.recipe} recipe"
        )
    return build(found.runs, dataset=found.dataset, recipe=found.recipe)


def _for_eyes(board: Leaderboard, columns: Sequence[str] | None, width: int, styled: bool) -> str:
    return page.to_terminal(board, columns, width=width, styled=styled)


def _forms(board: Leaderboard, columns: Sequence[str] | None) -> dict[str, str]:
    return {
        "md": page.to_markdown(board, columns),
        "csv": page.to_csv(board),
        "json": document(page.SCHEMA, "data", page.to_json(board)["data"]) + "\n",
        "latex": page.to_latex(board, columns),
    }


def _draw(board: Leaderboard, out: Path) -> None:
    from wsal_bench.report.pictures import write_picture
    from wsal_bench.report.plot import forest

    for path in write_picture(lambda: forest(board), out, board.dataset):
        note(f"wrote {path}")
