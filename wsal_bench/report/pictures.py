"""Figures as files: SVG and PNG, the same bytes for the same numbers."""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from wsal_bench.report.escaping import for_picture
from wsal_bench.together import write_together

if TYPE_CHECKING:
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

DPI = 200
FONT = "DejaVu Sans"  # comes with matplotlib
_LAST_RESORT = "Last Resort"  # has boxes for all characters, and draws none


def write_picture(draw: Callable[[], Figure], folder: Path, name: str) -> list[Path]:
    """Draws a figure and writes `<name>.svg` and `<name>.png`.

    Text is drawn as it is: a dollar sign begins no formula. Letters that the usual font lacks come
    from fonts of this machine; where none has them, the PNG shows a box and the SVG the letter.

    Args:
        draw: makes the figure; is called under the house's style, maybe twice.
        folder: is made where it is not there.
        name: of the files, without ending.

    Raises:
        DataError: a file cannot be written.
    """
    contents = {f"{name}.{ending}": content for ending, content in pictures(draw).items()}
    write_together(folder, contents)
    return [folder / file for file in contents]


def pictures(draw: Callable[[], Figure]) -> dict[str, bytes]:
    """A figure as the bytes of an SVG and of a PNG; see `write_picture`."""
    with _quiet():
        from matplotlib import rc_context  # a second of import that nothing else needs

        with rc_context(
            {
                "font.family": [FONT],
                "font.size": 9,
                "text.parse_math": False,
                "axes.spines.top": False,
                "axes.spines.right": False,
                "hatch.linewidth": 0.5,
                "svg.hashsalt": "wsal-bench",
                "svg.fonttype": "none",
            }
        ):
            figure = _cleaned(draw())
            if others := _fonts_for(_missing(figure)):
                with rc_context({"font.family": [FONT, *others]}):
                    return {ending: _bytes(_cleaned(draw()), ending) for ending in ("svg", "png")}
            return {ending: _bytes(figure, ending) for ending in ("svg", "png")}


def plain_logarithms(axis: Axis) -> None:
    """Writes the numbers of a logarithmic axis without formulas, which no text here holds."""
    from matplotlib.ticker import LogFormatter

    axis.set_major_formatter(LogFormatter())
    axis.set_minor_formatter(LogFormatter())


def _cleaned(figure: Figure) -> Figure:
    """The figure without characters in its texts that cannot be drawn or written."""
    from matplotlib.text import Text

    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            names = [label.get_text() for label in axis.get_ticklabels()]
            if (seen := [*map(for_picture, names)]) != names:
                axis.set_ticks(axis.get_ticklocs(), seen)  # else they come back when drawn
    for part in figure.findobj(Text):
        assert isinstance(part, Text)
        if (text := for_picture(part.get_text())) != part.get_text():
            part.set_text(text)
    return figure


@contextmanager
def _quiet() -> Iterator[None]:
    """Nothing that matplotlib says to programmers (fonts, caches, glyphs) reaches the user."""
    logger = logging.getLogger("matplotlib")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from")
            warnings.filterwarnings("ignore", "Matplotlib currently does not support")
            yield
    finally:
        logger.setLevel(level)


def _missing(figure: Figure) -> set[int]:
    """Characters of the figure's texts that the usual font has not."""
    from matplotlib.font_manager import FontProperties, findfont, get_font
    from matplotlib.text import Text

    texts = {part.get_text() for part in figure.findobj(Text)}
    known = get_font(findfont(FontProperties(family=FONT))).get_charmap()
    return {ord(letter) for text in texts for letter in text if not letter.isspace()} - set(known)


def _fonts_for(missing: set[int]) -> list[str]:
    """Fonts of this machine that have as many of the characters as there are."""
    from matplotlib.font_manager import fontManager, get_font

    found: list[str] = []
    for entry in sorted(fontManager.ttflist, key=lambda entry: (entry.name, entry.fname)):
        if not missing:
            break
        if entry.name.startswith(_LAST_RESORT) or entry.style != "normal":
            continue
        try:
            has = missing & set(get_font(entry.fname).get_charmap())
        except (OSError, RuntimeError):  # a font that only other programs can read
            continue
        if has:
            found.append(entry.name)
            missing = missing - has
    return found


def _bytes(figure: Figure, ending: str) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    if ending == "png":
        picture = io.BytesIO()
        figure.set_dpi(DPI)
        FigureCanvasAgg(figure).print_png(picture, metadata={"Software": None})  # type: ignore[no-untyped-call]
        return picture.getvalue()
    text = io.StringIO()
    FigureCanvasSVG(figure).print_svg(text, metadata={"Date": None})  # type: ignore[no-untyped-call]
    return text.getvalue().encode()
