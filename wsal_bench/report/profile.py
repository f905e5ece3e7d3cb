"""A profile of the kernels as a table and as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from wsal_bench.report.numbers import DASH
from wsal_bench.report.pictures import pictures, plain_logarithms
from wsal_bench.report.table import Cell, Column, Table, markdown

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORWARD, BOTH = "forward", "forward+backward"
_COLOURS = {
    "reference": "#777777",
    "torch": "#0072b2",
    "cpu": "#d55e00",
    "cuda": "#009e73",
    "fused": "#e69f00",
    "tslearn": "#cc79a7",
}


def to_markdown(rows: Sequence[dict[str, Any]], notes: Sequence[str]) -> str:
    """The rows of a document, and below what is not in them."""
    left, right = ("kernel", "backend", "pass", "dtype"), (
        "B", "L", "median ms", "min ms", "IQR ms", "warm-up s", "peak MB", "Mcells/s",
        "x reference",
    )  # fmt: skip
    columns = [*(Column(name, "left") for name in left), *(Column(name) for name in right)]
    table = Table(tuple(columns), tuple(tuple(map(Cell, _texts(row))) for row in rows))
    return markdown(table) + "".join(f"\n- {note}" for note in notes) + "\n" * bool(notes)


def _texts(row: dict[str, Any]) -> list[str]:
    peak, ratio = row["peak_bytes"], row["reference_ratio"]
    length = str(row["length"]) + (f" (D={row['dim']})" if row["dim"] else "")
    times = (row["seconds_median"], row["seconds_min"], row["seconds_iqr"])
    return [
        row["kernel"],
        row["backend"],
        row["pass"],
        row["dtype"],
        str(row["batch"]),
        length,
        *(f"{1e3 * value:.3g}" if value < 1 else f"{1e3 * value:.0f}" for value in times),
        f"{row['warmup_seconds']:.2g}",
        DASH if peak is None else f"{peak / 1e6:.3g}",
        f"{row['cells_per_second'] / 1e6:.3g}",
        DASH if ratio is None else f"{ratio:.3g}" if ratio < 1000 else f"{ratio:,.0f}",
    ]


def to_pictures(rows: Sequence[dict[str, Any]], title: str) -> dict[str, bytes]:
    """Fastest seconds over length on logarithmic axes, a panel for each kernel; `svg` and `png`.

    Colours are backends, solid lines forward + backward, dotted ones forward alone. Where a
    profile has several batch sizes or precisions, the largest batch in the first precision is
    drawn: more lines cannot be told apart.
    """
    return pictures(lambda: _figure(rows, title))


def _figure(rows: Sequence[dict[str, Any]], title: str) -> Figure:
    from matplotlib.figure import Figure  # a second of import that the table does not need

    batch, dtype = max(row["batch"] for row in rows), rows[0]["dtype"]
    drawn = [row for row in rows if row["batch"] == batch and row["dtype"] == dtype]
    kernels = list(dict.fromkeys(row["kernel"] for row in drawn))
    across = min(len(kernels), 3)
    down = -(-len(kernels) // across)
    figure = Figure(figsize=(3.4 * across + 1.6, 2.9 * down + 0.6), layout="constrained")
    panels = list(figure.subplots(down, across, squeeze=False, sharex=True, sharey=True).flat)
    for axes, kernel in zip(panels, kernels, strict=False):
        _panel(axes, kernel, [row for row in drawn if row["kernel"] == kernel])
    for axes in panels[len(kernels) :]:
        axes.set_visible(False)
    for axes in panels[max(len(kernels) - across, 0) : len(kernels)]:
        axes.tick_params(labelbottom=True)  # nothing is drawn below
    figure.suptitle(f"{title}, B = {batch}, {dtype}", fontsize="medium")
    figure.supxlabel("length L (L x L cells)", fontsize="medium")
    figure.supylabel("seconds of a batch, fastest sample", fontsize="medium")
    _legend(figure, drawn)
    return figure


def _panel(axes: Any, kernel: str, rows: Sequence[dict[str, Any]]) -> None:
    axes.set(xscale="log", yscale="log")
    plain_logarithms(axes.yaxis)
    axes.set_title(kernel, fontsize="medium")
    lengths = sorted({row["length"] for row in rows})
    axes.set_xticks(lengths, labels=list(map(str, lengths)))
    axes.minorticks_off()
    axes.grid(alpha=0.3)
    for backend in dict.fromkeys(row["backend"] for row in rows):
        for passes, style in ((BOTH, "-"), (FORWARD, ":")):
            line = sorted(
                (row["length"], row["seconds_min"])
                for row in rows
                if row["backend"] == backend and row["pass"] == passes
            )
            colour = _COLOURS.get(backend, "black")
            axes.plot(*zip(*line, strict=True), style, color=colour, marker="o", markersize=3)


def _legend(figure: Any, rows: Sequence[dict[str, Any]]) -> None:
    from matplotlib.lines import Line2D

    shown: dict[str, Line2D] = {}
    for backend in dict.fromkeys(row["backend"] for row in rows):
        colour = _COLOURS.get(backend, "black")
        shown[backend] = Line2D([], [], color=colour, marker="o", markersize=3)
    shown["forward + backward"] = Line2D([], [], color="black")
    shown["forward"] = Line2D([], [], color="black", linestyle=":")
    figure.legend(
        list(shown.values()), list(shown), loc="outside right center", frameon=False,
        fontsize="small",
    )  # fmt: skip
