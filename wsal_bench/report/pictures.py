"""Figures as files: SVG and PNG, the same bytes for the same numbers."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from wsal_bench.files import make_folder, write_bytes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DPI = 200


def write_picture(draw: Callable[[], Figure], folder: Path, name: str) -> list[Path]:
    """Draws a figure and writes `<name>.svg` and `<name>.png`.

    Args:
        draw: makes the figure; is called under the house's style.
        folder: is made where it is not there.
        name: of the files, without ending.

    Raises:
        DataError: a file cannot be written.
    """
    from matplotlib import rc_context  # a second of import that nothing else needs

    make_folder(folder)
    written = []
    with rc_context(
        {
            "font.size": 9,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "hatch.linewidth": 0.5,
            "svg.hashsalt": "wsal-bench",
            "svg.fonttype": "none",
        }
    ):
        figure = draw()
        for ending in ("svg", "png"):
            path = folder / f"{name}.{ending}"
            write_bytes(path, _bytes(figure, ending))
            written.append(path)
    return written


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
