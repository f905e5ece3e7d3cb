"""A table of texts, and the forms that it is printed in."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from tabulate import tabulate

from wsal_bench.report.escaping import for_csv, for_latex, for_markdown, for_terminal
from wsal_bench.report.numbers import DASH

WIDTH = 80  # of a terminal, and of lines that are read in one
Align = Literal["left", "right", "center"]
Row = TypeVar("Row")


@dataclass(frozen=True)
class Column:
    """A heading and how its cells line up."""

    title: str
    align: Align = "right"


@dataclass(frozen=True)
class Cell:
    """A text, maybe the best of its column."""

    text: str
    bold: bool = False


@dataclass(frozen=True)
class Table:
    """Rows of cells under headings.

    Args:
        columns: the headings.
        rows: from top to bottom.
        rules: indices of rows that a line stands above.

    Raises:
        ValueError: a row with more or fewer cells than there are columns.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    rules: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"a row of {len(row)} cells under {len(self.columns)} columns")


@dataclass(frozen=True)
class Field(Generic[Row]):
    """A column that a reader may choose.

    Args:
        key: what it is called on the command line.
        title: its heading.
        cell: what stands in it.
        align: how its cells line up.
    """

    key: str
    title: str
    cell: Callable[[Row], Cell]
    align: Align = "right"


def table_of(fields: Sequence[Field[Row]], blocks: Sequence[Sequence[Row]]) -> Table:
    """Blocks of rows with a line between two of them."""
    rows = [tuple(field.cell(row) for field in fields) for block in blocks for row in block]
    columns = tuple(Column(field.title, field.align) for field in fields)
    filled = [len(block) for block in blocks if block]
    rules = tuple(sum(filled[:index]) for index in range(1, len(filled)))
    return Table(columns, tuple(rows), rules)


def chosen(fields: Sequence[Field[Row]], keys: Sequence[str]) -> list[Field[Row]]:
    """The first field, then those that are named, in the order of their names.

    Raises:
        KeyError: there is no such field.
    """
    by_key = {field.key: field for field in fields}
    return [fields[0], *(by_key[key] for key in dict.fromkeys(keys) if key != fields[0].key)]


def shown_tious(tious: Sequence[float]) -> list[float]:
    """Three of the thresholds: 0.3, 0.5 and 0.7, else the first, the middle and the last."""
    usual = [tiou for tiou in tious if round(tiou, 6) in (0.3, 0.5, 0.7)]
    if len(usual) == 3 or len(tious) <= 3:
        return usual if len(usual) == 3 else [*tious]
    return [tious[0], tious[len(tious) // 2], tious[-1]]


def markdown(table: Table) -> str:
    """A table of pipes; ends with a line break.

    It is lined up where that fits a terminal, and without any spaces where only that does.
    """
    rows = [[_marked(cell, for_markdown(cell.text)) for cell in row] for row in table.rows]
    cells = [[for_markdown(column.title) for column in table.columns], *rows]
    widths = [max(width_of(row[k]) for row in cells) for k in range(len(table.columns))]
    if sum(widths) + 3 * len(widths) + 1 > WIDTH:
        widths = [0] * len(widths)
    ends = {"left": (":", "-"), "right": ("-", ":"), "center": (":", ":")}
    rule = []
    for column, width in zip(table.columns, widths, strict=True):
        first, last = ends[column.align]
        rule.append(f"{first}{'-' * (max(width, 3) - 2)}{last}")
    padded = [
        [
            _padded(text, width, column.align)
            for text, width, column in zip(row, widths, table.columns, strict=True)
        ]
        for row in cells
    ]
    lines = [padded[0], rule, *padded[1:]]
    usual, tight = (
        "".join(f"|{room}{f'{room}|{room}'.join(line)}{room}|\n" for line in lines)
        for room in (" ", "")
    )
    return tight if _widest(tight) <= WIDTH < _widest(usual) else usual


def plain(table: Table) -> str:
    """Columns under a ruled heading, for a terminal; ends with a line break."""
    rows = [
        [for_terminal(f"*{cell.text}" if cell.bold else cell.text) for cell in row]
        for row in table.rows
    ]
    text = tabulate(
        rows,
        headers=[for_terminal(column.title) for column in table.columns],
        tablefmt="simple",
        colalign=[column.align for column in table.columns] if rows else None,
        disable_numparse=True,
    )
    return text + "\n"


def latex(table: Table, *, caption: str, label: str) -> str:
    """A `table` environment that fits its column, with rules of the package booktabs."""
    layout = "".join(column.align[0] for column in table.columns)
    lines = [
        r"\begin{table}[t]",
        r"% \usepackage{amssymb,booktabs,graphicx}; names in other scripts: lualatex or xelatex",
        r"\centering\setlength{\belowcaptionskip}{4pt}",
        rf"\caption{{{for_latex(caption)}}}",
        rf"\label{{{re.sub(r'[^A-Za-z0-9:.-]+', '-', label)}}}",
        r"\footnotesize\setlength{\tabcolsep}{3pt}",
        "% no wider than the column, and no larger than it is",
        r"\resizebox{\ifdim\width>\columnwidth\columnwidth\else\width\fi}{!}{%",
        rf"\begin{{tabular}}{{@{{}}{layout}@{{}}}}",
        r"\toprule",
        " & ".join(for_latex(column.title) for column in table.columns) + r" \\",
        r"\midrule",
    ]
    for index, row in enumerate(table.rows):
        if index in table.rules:
            lines.append(r"\midrule")
        lines.append(" & ".join(map(_latex, row)) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}}", r"\end{table}", ""])


def csv_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """Comma-separated values under the keys of the first row; None is an empty field."""
    if not rows:
        return ""
    file = io.StringIO()
    writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: for_csv(value) for key, value in row.items()} for row in rows)
    return file.getvalue()


def _latex(cell: Cell) -> str:
    text = "--" if cell.text == DASH else for_latex(cell.text)
    return rf"\textbf{{{text}}}" if cell.bold else text


def _marked(cell: Cell, text: str) -> str:
    return f"**{text}**" if cell.bold else text


def _padded(text: str, width: int, align: Align) -> str:
    room = " " * max(width - width_of(text), 0)
    if align == "center":
        return f"{room[: len(room) // 2]}{text}{room[len(room) // 2 :]}"
    return text + room if align == "left" else room + text


def _widest(text: str) -> int:
    return max(map(width_of, text.splitlines()))


def width_of(text: str) -> int:
    """Places that a text takes in a terminal: two for a Chinese character."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)
