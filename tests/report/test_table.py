"""The forms of a table, and that the usual ones fit."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

import pytest
from rich.cells import cell_len

from tests.studies.test_leaderboard import SIX, board, run, runs, scored
from wsal_bench.report import board as page
from wsal_bench.report.board_columns import usual_keys, wide_keys
from wsal_bench.report.table import (
    Cell,
    Column,
    Table,
    latex,
    markdown,
    shown_tious,
)
from wsal_bench.report.terminal import terminal
from wsal_bench.studies.leaderboard import Leaderboard


def ranked() -> Leaderboard:
    """Six rows of a ranking with long names, and two floors."""
    names = (f"{name}:shuffled" for name in ("ftcl", "pmil", "abcd", "efgh", "ijkl", "mnop"))
    rows = [
        [
            replace(scored(found, seed), method=name.split(":")[0], variant="shuffled")
            for seed in SIX
        ]
        for name, found in zip(names, (9, 8, 7, 6, 5, 2), strict=True)
    ]
    floors = [
        replace(scored(n, 0), method=f"floor:{m}") for n, m in ((1, "random"), (2, "constant"))
    ]
    return board(*rows, floors)


def lines_of_table(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith(("|", "ftcl", "floor", "method"))]


def test_the_usual_table_fits_a_terminal_in_every_form() -> None:
    table = ranked()
    assert usual_keys(table) == [
        "method", "average", "difference", "0.3", "0.5", "0.7", "n"
    ]  # fmt: skip
    text = page.to_terminal(table, width=80, styled=False)
    assert max(map(cell_len, text.splitlines())) <= 80
    assert max(map(cell_len, lines_of_table(page.to_markdown(table)))) <= 80
    assert text.count("-58.3 [-110.5, -6.2]") == 1  # no number is broken or cut
    assert "\n\nfloor:" in text  # floors stand below a line
    assert "Below the line: floors and ceilings" in text
    assert "|" not in text and "`" not in text and "#" not in text


def test_a_narrow_terminal_breaks_names_and_never_numbers() -> None:
    text = page.to_terminal(ranked(), width=40, styled=False)
    assert "-58.3 [-110.5, -6.2]" in text
    assert "\nftcl:shuffle" in text and "\nd\n" in text


def test_wide_tables_hold_everything_and_are_not_cut() -> None:
    table = ranked()
    text = page.to_terminal(table, wide_keys(table), width=80, styled=False)
    heading = next(line for line in text.splitlines() if line.startswith("method"))
    for word in ("SE", "@0.1", "@0.6", "parameters", "0.3:0.7"):
        assert word in heading
    assert "paper" not in heading  # there is no figure
    assert "…" not in text


def test_bold_is_written_only_where_it_is_wanted() -> None:
    table = board(runs("mil", [0.1] * 6), runs("ftcl", [0.2] * 6))
    assert "\x1b[1m20.0 ± 0.0\x1b[0m" in page.to_terminal(table, width=80)
    assert "\x1b" not in page.to_terminal(table, width=80, styled=False)


def test_markdown_lines_up_where_that_fits_and_counts_wide_letters_twice() -> None:
    columns = (Column("class", "left"), Column("AP"))
    rows = ((Cell("游泳"), Cell("1.0")), (Cell("wave"), Cell("12.0", bold=True)))
    assert markdown(Table(columns, rows)) == (
        "| class |       AP |\n| :---- | -------: |\n| 游泳  |      1.0 |\n| wave  | **12.0** |\n"
    )
    for length, line in (
        (66, "| wave | **12.0** |"),
        (76, "|wave|**12.0**|"),
        (90, "| wave | **12.0** |"),  # nothing makes it fit
    ):
        long = Table(columns, (*rows, (Cell("x" * length), Cell("1"))))
        assert f"\n{line}\n" in markdown(long)


def test_latex_fits_its_column_and_rules_off_the_floors() -> None:
    table = ranked()
    text = page.to_latex(table)
    body = text[text.index(r"\toprule") : text.index(r"\bottomrule")]
    assert body.count(r"\midrule") == 2
    assert body.index("mnop:shuffled") < body.rindex(r"\midrule") < body.index("floor:random")
    assert r"\resizebox{\ifdim\width>\columnwidth\columnwidth" in text
    assert "$-$58.3 [$-$110.5, $-$6.2]" in text
    caption = text[text.index(r"\caption") : text.index(r"\label")]
    for words in (r"$\Delta$: difference of", r"$\approx$: inside the noise", "Below the line"):
        assert words in caption
    assert text.count("{") - text.count(r"\{") == text.count("}") - text.count(r"\}")
    assert r"\label{tab:a-b}" in latex(Table((), ()), caption="", label="tab:a}\\%b")


def test_columns_are_shown_in_the_order_of_their_names_behind_the_methods() -> None:
    table = board(runs("mil", [0.1, 0.3]))
    text = page.to_markdown(table, ["n", "0.5", "train"])
    heading, _, row = lines_of_table(text)
    assert [cell.strip() for cell in heading.split("|")[1:-1]] == ["method", "n", "@0.5", "train s"]
    assert [cell.strip() for cell in row.split("|")[1:-1]] == ["mil", "1 x 2", "20.0 ± 14.1", "-"]
    assert "n: data seeds x training seeds." in text
    assert "n: data seeds" not in page.to_markdown(table, ["0.5"])


@pytest.mark.parametrize(
    ("tious", "shown"),
    [
        ((0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7), [0.3, 0.5, 0.7]),
        ((0.1, 0.2, 0.3, 0.4, 0.5), [0.1, 0.3, 0.5]),
        (tuple(round(0.5 + 0.05 * k, 2) for k in range(10)), [0.5, 0.75, 0.95]),
        ((0.5,), [0.5]),
    ],
)
def test_three_thresholds_stand_for_all(tious: tuple[float, ...], shown: list[float]) -> None:
    assert shown_tious(tious) == shown


def test_a_table_of_one_block_has_no_line_in_it() -> None:
    cells = count()
    table = Table((Column("a", "left"), Column("b")), ((Cell(str(next(cells))), Cell("1")),))
    assert terminal(table, styled=False).splitlines()[2:] == ["0  1"]


def test_names_remarks_and_errors_are_escaped_on_the_page() -> None:
    evil = '<img src=x onerror="x">'
    failed = replace(run("ftcl"), scores=None, error=f"{evil}\x1b[2J")
    table = replace(board([run("mil")], [failed]), remarks=(evil,), dataset=evil)
    text = page.to_markdown(table)
    assert "<img" not in text
    assert text.count("&lt;img") == 3
    assert "\x1b" not in text + page.to_terminal(table, width=80, styled=False)
