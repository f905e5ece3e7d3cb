"""What names from elsewhere may do to a page: nothing."""

from __future__ import annotations

import csv
import io

import pytest

from wsal_bench.report.escaping import for_csv, for_latex, for_markdown, for_terminal
from wsal_bench.report.table import Cell, Column, Table, csv_text, markdown
from wsal_bench.report.terminal import terminal


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x07", r"\x1b[31mred\x07"),
        ("a\rb\x00\x9b", r"a\rb\x00\x9b"),
        ("right\u202eleft", r"right\u202eleft"),
        ("half \ud800", r"half \ud800"),
        ("two\nlines, 游泳 ±", "two\nlines, 游泳 ±"),
    ],
)
def test_a_terminal_gets_no_control_character(text: str, shown: str) -> None:
    assert for_terminal(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<img src=x onerror=alert(1)>", "&lt;img src=x onerror=alert(1)&gt;"),
        ("a|b", r"a\|b"),
        ("[x](javascript:1)", r"[x]\(javascript:1)"),
        ("**loud** _soft_ a_b", r"\*\*loud\*\* \_soft\_ a_b"),
        ("one\n\n# two", "one # two"),
        ("`code`", r"\`code\`"),
        ("ftcl:full [epochs=5]", "ftcl:full [epochs=5]"),
    ],
)
def test_markdown_shows_names_as_they_are(text: str, shown: str) -> None:
    assert for_markdown(text) == shown


def test_code_in_a_sentence_stays_code() -> None:
    assert for_markdown("see `a_b*` <b>", code=True) == "see `a_b*` &lt;b&gt;"


def test_latex_prints_signs_and_real_minus_signs() -> None:
    assert for_latex("-1.2 [-3.4, +5.6] of acm-net, 0.1-0.7, x-3") == (
        "$-$1.2 [$-$3.4, +5.6] of acm-net, 0.1-0.7, x-3"
    )
    assert for_latex(r"50 % of a_b & \input{x} ^ ~ #$ †") == (
        r"50 \% of a\_b \& \textbackslash{}input\{x\} \textasciicircum{} \textasciitilde{} "
        r"\#\$ $\dagger$"
    )


def test_a_spreadsheet_computes_nothing() -> None:
    text = csv_text([{"name": "=HYPERLINK(1)", "score": -0.5, "none": None}])
    (row,) = csv.DictReader(io.StringIO(text))
    assert row == {"name": "'=HYPERLINK(1)", "score": "-0.5", "none": ""}
    assert [for_csv(name) for name in ("+1", "@x", "\tx", "mil")] == ["'+1", "'@x", "'\tx", "mil"]


def test_tables_escape_their_cells_and_read_no_markup() -> None:
    table = Table((Column("name", "left"),), ((Cell("[bold]x[/bold] \x1b[1m|<b>"),),))
    assert r"[bold]x[/bold] \\x1b[1m\|&lt;b&gt;" in markdown(table)
    assert r"[bold]x[/bold] \x1b[1m|<b>" in terminal(table, width=80, styled=False)
