"""The columns of a leaderboard: which there are, and which a page shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from wsal_bench.evaluation import Protocol
from wsal_bench.report import numbers, uncertainty
from wsal_bench.report.table import Cell, Field, Table, chosen, shown_tious, table_of
from wsal_bench.statistics import NestedMean
from wsal_bench.studies.leaderboard import Leaderboard, Row


def keys(board: Leaderboard) -> list[str]:
    """What columns may be called; the first is always shown."""
    return [field.key for field in _fields(board, bare=False)]


def usual_keys(board: Leaderboard) -> list[str]:
    """The columns of a page: they fit a terminal of 80 places."""
    if board.protocol is None:
        return []
    known = any(row.statistics and row.statistics.interval for row in all_rows(board))
    difference = ["difference"] if board.best else ["interval"] if known else []
    tious = [f"{tiou:g}" for tiou in shown_tious(board.protocol.tious)]
    paper = ["paper"] if has_paper(board) else []
    return ["method", "average", *difference, *tious, "n", *paper]


def table(
    board: Leaderboard, blocks: Sequence[Sequence[Row]], columns: Sequence[str] | None = None
) -> Table:
    """Blocks of a board's rows under some columns.

    Args:
        board: what the rows are of.
        blocks: a line stands between two of them.
        columns: names of columns; None: the usual ones, scores at single tIoUs without spread.
    """
    wanted = usual_keys(board) if columns is None else columns
    if columns is None and not any(_compared(row) for block in blocks for row in block):
        wanted = [key for key in wanted if key != "difference"]
    return table_of(chosen(_fields(board, bare=columns is None), wanted), blocks)


def _compared(row: Row) -> bool:
    return row.statistics is not None and row.statistics.comparison is not None


def _fields(board: Leaderboard, *, bare: bool) -> list[Field[Row]]:
    """All columns; `bare`: scores at single tIoUs without their spread."""
    rules = board.protocol
    if rules is None:
        return []
    others = [name for name in rules.averages if name != rules.headline]
    fields: list[Field[Row]] = [
        Field("method", "method", lambda row: Cell(row.name), "left"),
        _score(board, "average", numbers.average_heading(rules.headline), lambda row: row.headline),
        Field(
            "difference",
            "Δ [95 %]",
            lambda row: Cell(uncertainty.difference_cell(row.statistics, board.margin)),
        ),
        Field("interval", "[95 %]", lambda row: Cell(uncertainty.interval_cell(row.statistics))),
        Field("se", "SE", lambda row: Cell(uncertainty.error_cell(row.statistics))),
    ]
    fields += [
        _score(board, name, numbers.average_heading(name), _average(name)) for name in others
    ]
    fields += [
        _score(board, f"{tiou:g}", f"@{tiou:g}", _at(index), bare=bare)
        for index, tiou in enumerate(rules.tious)
    ]
    return [
        *fields,
        Field("n", "n", lambda row: Cell(numbers.seeds(row.headline))),
        Field("parameters", "parameters", lambda row: Cell(numbers.count(row.parameters))),
        Field("train", "train s", lambda row: Cell(numbers.seconds(row.seconds.get("train")))),
        Field("infer", "infer s", lambda row: Cell(numbers.seconds(row.seconds.get("infer")))),
        Field("paper", "paper", lambda row: Cell(_paper(row, rules))),
    ]


def wide_keys(board: Leaderboard) -> list[str]:
    """All columns that hold anything."""
    empty = [] if has_paper(board) else ["paper"]
    empty += [] if board.best else ["difference"]
    return [key for key in keys(board) if key not in empty]


def _average(name: str) -> Callable[[Row], NestedMean]:
    return lambda row: row.averages[name]


def _at(index: int) -> Callable[[Row], NestedMean]:
    return lambda row: row.mean_ap[index]


def _score(
    board: Leaderboard,
    key: str,
    heading: str,
    value: Callable[[Row], NestedMean],
    *,
    bare: bool = False,
) -> Field[Row]:
    """A score; the best of a ranking in bold."""
    best = max((value(row).mean for row in board.rows), default=0.0)

    def cell(row: Row) -> Cell:
        found = value(row)
        text = numbers.percent(found.mean) if bare else numbers.mean_and_std(found)
        return Cell(text, board.is_ranking and row in board.rows and found.mean == best)

    return Field(key, heading, cell)


def _paper(row: Row, rules: Protocol) -> str:
    value = row.paper.get(rules.headline)
    return numbers.DASH if value is None else f"{value:.1f}"


def has_paper(board: Leaderboard) -> bool:
    """True where a row has a published number."""
    rules = board.protocol
    return rules is not None and any(rules.headline in row.paper for row in all_rows(board))


def all_rows(board: Leaderboard) -> tuple[Row, ...]:
    """Those of methods, those set by hand, then floors and ceilings."""
    return (*board.rows, *board.by_hand, *board.references)
