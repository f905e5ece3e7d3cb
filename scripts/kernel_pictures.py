"""Draws docs/images/kernel-moves: the moves into a cell, for each kernel.

Usage: python scripts/kernel_pictures.py
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from wsal_bench.report.pictures import write_picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FOLDER = Path(__file__).parents[1] / "docs" / "images"
GREY, BLUE, ORANGE = "#888888", "#0a66c2", "#c4500a"


@dataclass(frozen=True)
class Moves:
    """One kernel.

    Args:
        title: its name.
        diagonal: what the move from (i-1, j-1) adds.
        up: what that from (i-1, j) adds.
        left: what that from (i, j-1) adds.
        cell: what entering the cell adds, whatever the move.
        border: what the cells before the first row and column hold.
        end: where the score is read.
    """

    title: str
    diagonal: str
    up: str
    left: str
    cell: str
    border: str
    end: str


KERNELS = (
    Moves("fsd_score", "0", "gate_insert", "gate_delete", "+ match", "0: begin anywhere", "corner"),
    Moves("lcs_score", "match\nif > threshold", "0", "0", "", "0", "corner"),
    Moves("soft_dtw", "0", "0", "0", "+ cost, min", "forbidden; begin at (1, 1)", "corner"),
    Moves("needleman_wunsch", "match", "gap_insert", "gap_delete", "", "sums of gaps", "corner"),
    Moves(
        "smith_waterman", "match", "gap_insert", "gap_delete", "", "begin at any match", "any cell"
    ),
)


def draw() -> Figure:
    """A panel for each kernel, and one that explains them."""
    figure = Figure(figsize=(9.6, 6.4), layout="constrained")
    panels = figure.subplots(2, 3)
    for axes, kernel in zip(panels.flat, KERNELS, strict=False):
        _panel(axes, kernel)
    _grid(panels.flat[-1])
    return figure


def _panel(axes: Axes, moves: Moves) -> None:
    """Four cells; three arrows into the last one."""
    axes.set(xlim=(-0.75, 1.8), ylim=(-1.95, 0.75), aspect="equal")
    axes.axis("off")
    axes.set_title(moves.title, family="monospace", fontsize=11)
    names = {(0, 0): "i-1, j-1", (1, 0): "i-1, j", (0, -1): "i, j-1", (1, -1): "i, j"}
    for (x, y), name in names.items():
        last = (x, y) == (1, -1)
        axes.plot(x, y, "o", ms=15, color=BLUE if last else "white", mec=BLUE if last else GREY)
        below = -1.35 if y else 0.27
        axes.text(x, below, name, ha="center", va="center", fontsize=8, color=GREY)
    for (x, y), text, place, turn in (
        ((0, 0), moves.diagonal, (0.53, -0.38), "center"),
        ((1, 0), moves.up, (1.08, -0.5), "left"),
        ((0, -1), moves.left, (0.5, -0.88), "center"),
    ):
        used = text != "0"
        axes.annotate(
            "",
            (1, -1),
            (x, y),
            arrowprops={
                "arrowstyle": "-|>",
                "shrinkA": 9,
                "shrinkB": 9,
                "color": ORANGE if used else GREY,
                "lw": 1.6 if used else 1.0,
            },
        )
        axes.text(*place, text, ha=turn, va="center", fontsize=8, color=ORANGE if used else GREY,
                  bbox={"fc": "white", "ec": "none", "pad": 0.8})  # fmt: skip
    if moves.cell:
        axes.text(1.18, -1.0, moves.cell, ha="left", va="center", fontsize=9, color=BLUE)
    axes.text(
        0.5, -1.62, f"border: {moves.border}", ha="center", va="center", fontsize=8, color="black"
    )
    axes.text(0.5, -1.85, f"score: {moves.end}", ha="center", va="center", fontsize=8)


def _grid(axes: Axes) -> None:
    """A path through a grid, and the anti-diagonals that can be computed at once."""
    axes.set(xlim=(-0.7, 5.2), ylim=(-5.2, 0.7), aspect="equal")
    axes.axis("off")
    axes.set_title("a path, and cells that do not wait for each other", fontsize=9)
    for i in range(5):
        for j in range(5):
            shade = f"C{(i + j) % 3}"
            axes.plot(j, -i, "s", ms=17, color=shade, alpha=0.18)
    path = [(0, 0), (1, 1), (1, 2), (2, 3), (3, 3), (4, 4)]
    axes.plot([j for _, j in path], [-i for i, _ in path], "-o", color=ORANGE, lw=2, ms=4)
    axes.text(2.0, -5.0, "one colour: one anti-diagonal", ha="center", va="center", fontsize=8)


if __name__ == "__main__":
    for written in write_picture(draw, FOLDER, "kernel-moves"):
        print(written)
