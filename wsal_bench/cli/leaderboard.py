"""`wsal-bench leaderboard`: the table of the stored runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import click

from wsal_bench.cli.options import (
    NamesType,
    Renamed,
    columns_options,
    json_option,
    plugins_option,
    recipe_option,
    results_option,
)
from wsal_bench.cli.output import (
    FORMATS,
    columns_of,
    document,
    named_forms,
    note,
    show,
    tell_damage,
    warn,
    write_files,
)
from wsal_bench.errors import UsageError, did_you_mean
from wsal_bench.localization import recipe as presets
from wsal_bench.report import board as page
from wsal_bench.report.board_columns import keys, wide_keys
from wsal_bench.running.cells import OWN_RECIPE
from wsal_bench.running.index import StoreIndex
from wsal_bench.running.results import Contents, ResultStore, StoredRun
from wsal_bench.studies.known_statistics import KnownStatistics
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
@recipe_option("own, or one of `list recipes`.")
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
@click.option("--preset", help="Only runs of this preset; published: of published defaults.")
@click.option("--quick", is_flag=True, help="The quick runs instead, stamped as such.")
@click.option(
    "--allow-missing",
    is_flag=True,
    help="Rank although videos of the protocol have no features; each row says so.",
)
@click.option(
    "--margin",
    type=click.FloatRange(min=0, min_open=True),
    metavar="POINTS",
    help="Mark rows that are equal to the first within so many points (two one-sided tests).",
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
    margin: float | None,
    wide: bool,
    columns: tuple[str, ...] | None,
    as_json: bool,
    **chosen: Any,
) -> None:
    """Write and print the table of the stored runs; quick ones are never beside others."""
    out = results / "leaderboards" if out is None else out
    wanted = tuple(name for part in datasets for name in part)
    with ResultStore(results).indexed() as contents:
        stored = contents.runs
        shown = _shown(stored, Shown(recipe, protocol, **chosen))
        known = _names(stored, wanted, results, quick=shown.quick)
        _check_recipe(stored, recipe)
        share = None if margin is None else margin / 100
        boards = [
            replace(board, remarks=remarks, margin=share)
            for board in _boards(contents, known, shown)
        ]
    picked = {
        board.dataset: columns_of(wide, columns, keys(board), wide_keys(board)) for board in boards
    }
    if plot is not None and not plot and str(out) == "-":
        raise UsageError("--plot draws a file", hint="name a folder: --plot DIR")
    written: dict[Path, dict[str, bytes]] = {out: {}, Path(plot or out): {}}
    for board in boards:
        stem = board.dataset + shown.suffix
        if str(out) != "-":
            written[out] |= named_forms(stem, _forms(board, picked[board.dataset]), form or "all")
        if plot is not None and board.protocol is not None:
            written[Path(plot or out)] |= _picture(board, stem)
    for folder, files in written.items():
        write_files(folder, files)
    tell_damage(contents)
    if as_json:
        found = {"leaderboards": [page.content(board) for board in boards]}
        click.echo(document(page.SCHEMA, "data", found))
        return
    for index, board in enumerate(boards):
        if index:
            click.echo()
        forms = _forms(board, picked[board.dataset])
        show(form, forms, partial(_for_eyes, board, picked[board.dataset]))


@dataclass(frozen=True)
class Shown:
    """Which of the stored runs a table shows, and under what."""

    recipe: str
    protocol: str | None
    preset: str | None
    quick: bool
    allow_missing: bool

    @property
    def suffix(self) -> str:
        """What the names of the files end in, so that no table takes another one's place."""
        return (f"-{self.preset}" if self.preset else "") + ("-quick" if self.quick else "")


def _shown(stored: list[StoredRun], asked: Shown) -> Shown:
    """Quick runs too where there are no others: their table says that it ranks nothing."""
    quick, others = stored_datasets(stored, quick=True), stored_datasets(stored)
    if asked.quick or not quick:
        return asked
    if not others:
        note("there are only quick runs; their tables rank nothing")
        return replace(asked, quick=True)
    if alone := sorted(set(quick) - set(others)):
        note(f"only quick runs on {', '.join(alone)}: --quick shows them")
    return asked


def _names(
    stored: list[StoredRun], wanted: tuple[str, ...], results: Path, *, quick: bool
) -> list[str]:
    kind, known = "quick " if quick else "", stored_datasets(stored, quick=quick)
    for name in wanted:
        if name not in known:
            raise UsageError(
                f"no {'quick ' if quick else ''}run on data set {name!r} in {results}",
                hint=did_you_mean(name, known),
            )
    if not known:
        raise UsageError(f"no {kind}run in {results}", hint="make some with wsal-bench run")
    return list(dict.fromkeys(wanted)) or known


def _check_recipe(stored: list[StoredRun], recipe: str) -> None:
    known = {OWN_RECIPE, *presets.names(), *recipes(stored)}
    if recipe not in known:
        raise UsageError(f"no recipe {recipe!r}", hint=did_you_mean(recipe, known))


def _boards(store: Contents, names: list[str], shown: Shown) -> list[Leaderboard]:
    """The tables of those data sets on which a method, or at least a floor, has scores.

    Raises:
        UsageError: there is no such table.
    """
    boards, empty = [], []
    for name in names:
        found = collect(
            store.runs,
            name,
            recipe=shown.recipe,
            protocol=shown.protocol,
            quick=shown.quick,
            preset=shown.preset,
        )
        board = _board(found, store.index, allow_missing=shown.allow_missing)
        floors_alone = board.references and not found.num_unscored and not shown.preset
        if board.rows or board.by_hand or floors_alone:
            boards.append(board)
        else:
            preset = f" and the preset {shown.preset}" if shown.preset else ""
            empty.append(
                f"no method on {name!r} has scores under {found.protocol} with the {shown.recipe} "
                f"recipe{preset} (failed runs: {len(board.failures)}), so nothing is written"
            )
    if not boards:
        asked = f" --preset {shown.preset}" if shown.preset else ""
        hint = f"make some: wsal-bench run --recipe {shown.recipe}{asked}"
        raise UsageError("; ".join(empty), hint=hint)
    for message in empty:
        warn(message)
    return boards


def _board(found: Collection, index: StoreIndex | None, *, allow_missing: bool) -> Leaderboard:
    if found.num_unscored:
        note(
            f"{found.dataset}: {found.num_unscored} runs are left out, they have no scores under "
            f"{found.protocol} with the {found.recipe} recipe"
        )
    return build(
        found.runs,
        dataset=found.dataset,
        recipe=found.recipe,
        allow_missing=allow_missing,
        statistics=KnownStatistics(index),
    )


def _for_eyes(board: Leaderboard, columns: Sequence[str] | None, width: int, styled: bool) -> str:
    return page.to_terminal(board, columns, width=width, styled=styled)


def _forms(board: Leaderboard, columns: Sequence[str] | None) -> dict[str, str]:
    return {
        "md": page.to_markdown(board, columns),
        "csv": page.to_csv(board),
        "json": document(page.SCHEMA, "data", page.to_json(board)["data"]) + "\n",
        "latex": page.to_latex(board, columns),
    }


def _picture(board: Leaderboard, stem: str) -> dict[str, bytes]:
    from wsal_bench.report.pictures import pictures
    from wsal_bench.report.plot import forest

    drawn = pictures(lambda: forest(board))
    return {f"{stem}.{ending}": content for ending, content in drawn.items()}
