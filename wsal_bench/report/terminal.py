"""A table and a page for eyes, as wide as a terminal."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from wsal_bench.report.escaping import for_terminal
from wsal_bench.report.table import WIDTH, Table, width_of

if TYPE_CHECKING:
    from rich.text import Text

_NAME = 12  # places that a row's name has in the narrowest terminal


def terminal(table: Table, *, width: int = WIDTH, styled: bool = True) -> str:
    """A table for eyes: lines between blocks, bold where the best is; ends with a line break.

    Only text is broken into lines where the terminal is narrow: half a number is none.

    Args:
        table: what is shown.
        width: columns of the terminal.
        styled: bold and faint text may be written.
    """
    from rich import box  # no other form of a table needs it
    from rich.console import Console
    from rich.table import Table as Grid

    grid = Grid(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    cells = [[for_terminal(row[k].text) for row in table.rows] for k in range(len(table.columns))]
    widths = [max(map(width_of, texts), default=0) for texts in cells]
    headings = [
        [column.title] if column.align == "left" else _two_lines(column.title, width)
        for column, width in zip(table.columns, widths, strict=True)
    ]
    height = max(map(len, headings), default=0)
    least = []
    for column, lines, width_of_cells in zip(table.columns, headings, widths, strict=True):
        words = column.align == "left"
        widest = max(width_of_cells, *map(width_of, lines))
        least.append(min(widest, _NAME) if words else widest)
        grid.add_column(
            _styled(for_terminal("\n" * (height - len(lines)) + "\n".join(lines))),
            justify=column.align, no_wrap=not words, overflow="fold",
            min_width=least[-1],
        )  # fmt: skip
    for index, row in enumerate(table.rows):
        if index in table.rules:
            grid.add_section()
        grid.add_row(*(_styled(for_terminal(cell.text), bold=cell.bold) for cell in row))
    needed = sum(least) + 2 * (len(least) - 1)
    console = Console(
        file=io.StringIO(), width=max(width, needed), force_terminal=styled,
        color_system="standard" if styled else None,
        legacy_windows=False, highlight=False,
    )  # fmt: skip
    with console.capture() as captured:
        console.print(grid)
    return "".join(f"{line.rstrip()}\n" for line in captured.get().splitlines())


def _two_lines(heading: str, width: int) -> list[str]:
    """A heading in at most two lines, no wider than its cells where that can be."""
    words = heading.split()
    for width_of_lines in range(max([width, 1, *map(len, words)]), len(heading) + 1):
        lines = textwrap.wrap(heading, width_of_lines, break_long_words=False)
        if len(lines) <= 2:
            return lines
    return [heading]


def for_eyes(
    title: str, table: Table | None, notes: Sequence[str], *, width: int, styled: bool
) -> str:
    """A page for a terminal: heading, table, notes broken into lines; ends with a line break."""
    parts = [f"{for_terminal(title)}\n"]
    if table is not None:
        parts.append(terminal(table, width=width, styled=styled))
    lines = [
        textwrap.fill(
            for_terminal(" ".join(note.split())).replace("`", ""),
            min(max(width, 20), 100), initial_indent="- ", subsequent_indent="  ",
        )
        for note in notes
    ]  # fmt: skip
    if lines:
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def _styled(text: str, *, bold: bool = False) -> Text:
    from rich.text import Text

    return Text(text, style="bold" if bold else "")  # never markup: names hold brackets
