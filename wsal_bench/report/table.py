"""A table of texts, and the forms that it is printed in."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from tabulate import tabulate

_LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "±": r"$\pm$",
    "✓": r"\checkmark",
    "Δ": r"$\Delta$",
    "≈": r"$\approx$",
}


@dataclass(frozen=True)
class Column:
    """A heading and how its cells line up."""

    title: str
    align: Literal["left", "right", "center"] = "right"


@dataclass(frozen=True)
class Cell:
    """A text, maybe the best of its column."""

    text: str
    bold: bool = False


@dataclass(frozen=True)
class Table:
    """Rows of cells under headings.

    Raises:
        ValueError: a row with more or fewer cells than there are columns.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"a row of {len(row)} cells under {len(self.columns)} columns")


def markdown(table: Table) -> str:
    """A table of pipes, readable as it is; ends with a line break."""
    rows = [
        [_escaped(f"**{cell.text}**" if cell.bold else cell.text) for cell in row]
        for row in table.rows
    ]
    return _lines(table, rows, "pipe")


def plain(table: Table) -> str:
    """Columns under a ruled heading, for a terminal; ends with a line break."""
    rows = [[f"*{cell.text}" if cell.bold else cell.text for cell in row] for row in table.rows]
    return _lines(table, rows, "simple")


def latex(table: Table, *, caption: str, label: str) -> str:
    """A `table` environment with rules of the package booktabs; check marks need amssymb."""
    layout = "".join(column.align[0] for column in table.columns)
    lines = [
        r"\begin{table}[t]",
        r"\centering",
        rf"\caption{{{_latex(caption)}}}",
        rf"\label{{{label}}}",
        rf"\begin{{tabular}}{{{layout}}}",
        r"\toprule",
        " & ".join(_latex(column.title) for column in table.columns) + r" \\",
        r"\midrule",
    ]
    for row in table.rows:
        cells = [
            rf"\textbf{{{_latex(cell.text)}}}" if cell.bold else _latex(cell.text) for cell in row
        ]
        lines.append(" & ".join(cells) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", r"\end{table}", ""])


def csv_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """Comma-separated values under the keys of the first row; None is an empty field."""
    if not rows:
        return ""
    file = io.StringIO()
    writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


def _lines(table: Table, rows: Sequence[Sequence[str]], form: str) -> str:
    text = tabulate(
        rows,
        headers=[column.title for column in table.columns],
        tablefmt=form,
        colalign=[column.align for column in table.columns] if rows else None,
        disable_numparse=True,
    )
    return text + "\n"


def _escaped(text: str) -> str:
    return text.replace("|", r"\|")


def _latex(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in text)
