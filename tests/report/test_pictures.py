"""Pictures of any names, without a word from the library that draws them."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, get_font

from tests.report.test_table import ranked
from tests.studies.test_leaderboard import board, run, runs
from wsal_bench.report.pictures import FONT, _fonts_for, pictures, plain_logarithms, write_picture
from wsal_bench.report.plot import BY_HAND, METHOD, REFERENCE, forest

NAMES = ("a$b", r"$\frac{1}{$", "游泳 مرحبا तैरना", "\x00\x1b[1m<x>&\ud800")


def named() -> Figure:
    figure = Figure(figsize=(3, 2), layout="constrained")
    axes = figure.add_subplot()
    axes.barh(range(4), range(4), label="$_$")
    axes.set_yticks(range(4), NAMES)
    axes.set_title(NAMES[1])
    axes.legend()
    return figure


def test_names_in_any_script_are_drawn_and_nothing_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with warnings.catch_warnings(record=True) as said, caplog.at_level(logging.WARNING):
        warnings.simplefilter("always")
        written = write_picture(named, tmp_path, "odd")
    assert [path.name for path in written] == ["odd.svg", "odd.png"]
    assert not said and not caplog.records and capfd.readouterr().err == ""
    texts = {part.text for part in ElementTree.parse(written[0]).iter() if part.text}
    assert {"a$b", r"$\frac{1}{$", "游泳 مرحبا तैरना", r"\x00\x1b[1m<x>&\ud800"} <= texts


def test_letters_that_the_usual_font_lacks_come_from_another() -> None:
    own = set(get_font(findfont(FONT)).get_charmap())
    other = set(get_font(findfont("STIXGeneral")).get_charmap())
    letter = min(other - own)
    fonts = _fonts_for({letter})
    assert len(fonts) == 1
    assert letter in get_font(findfont(fonts[0])).get_charmap()


def test_logarithmic_axes_hold_no_formula() -> None:
    def draw() -> Figure:
        figure = Figure()
        axes = figure.add_subplot()
        axes.loglog([1, 1e3], [1e-4, 1])
        plain_logarithms(axes.xaxis)
        plain_logarithms(axes.yaxis)
        return figure

    assert b"mathdefault" not in pictures(draw)["svg"]


def test_a_forest_has_a_dot_and_an_interval_for_each_row_and_floors_apart() -> None:
    table = ranked()
    methods, floors = forest(table).axes
    assert [label.get_text() for label in methods.get_yticklabels()] == [
        row.name for row in table.rows
    ]
    assert [label.get_text() for label in floors.get_yticklabels()] == [
        "floor:random",
        "floor:constant",
    ]
    line, dot = methods.lines[:2]
    statistics = table.rows[0].statistics
    assert statistics is not None and statistics.interval is not None
    ends = [100 * statistics.interval.low, 100 * statistics.interval.high]
    assert np.asarray(line.get_xdata()) == pytest.approx(ends)
    assert np.asarray(dot.get_xdata()) == pytest.approx([75.0])
    assert methods.get_ylim()[0] > methods.get_ylim()[1]  # the best on top
    assert floors.get_xlim()[0] < 0 and floors.get_xlim()[1] > 100
    colours = [
        {to_hex(line.get_color()).upper() for line in one.lines} for one in (methods, floors)
    ]
    assert colours == [{METHOD}, {REFERENCE}]
    assert len({METHOD, BY_HAND, REFERENCE}) == 3


def test_a_forest_says_what_it_is_of_and_whether_it_ranks() -> None:
    title = forest(ranked()).get_suptitle()
    assert title == "toy\ntoy/common version 1, own recipe, 12 test videos"
    assert "(not a ranking)" in forest(board([run("mil")])).get_suptitle()


def test_rows_set_by_hand_share_the_axis_of_the_methods() -> None:
    tuned = runs("mil", [0.8] * 6, by_hand=("mil.epochs=5",))
    figure = forest(board(runs("ftcl", [0.1] * 6), tuned, [run("floor:random", 0.0)]))
    methods, by_hand, _ = figure.axes
    assert methods.get_xlim() == by_hand.get_xlim()
    assert methods.get_xlim()[0] < 10 and methods.get_xlim()[1] > 80
