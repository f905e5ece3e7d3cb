"""The page of a timeline: what stands where, in inches, so that all videos look alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from wsal_bench.report.timeline import Timeline, rows_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

# inches
WIDTH, LEFT, RIGHT, TOP, AXIS = 7.2, 0.62, 0.12, 0.28, 0.36
HEADER, GATE, CAS, BAR, SPACE = 0.19, 0.42, 0.52, 0.155, 0.07
LEGEND_ROW, PER_ROW = 0.17, 4
SMALL = 7.5  # points
GREY: Final = "#666666"
_MAX_ROWS = 6
_NAME = 36  # letters
_GAP = 0.003  # of the duration, between two bars


@dataclass(frozen=True)
class Lane:
    """A class and which bars stand in its lane.

    Args:
        label: index of the class.
        bars: rows of the segments that are drawn.
        rows: of each bar, 0 for the upper one.
        left_out: segments for which there is no room.
        truths: rows of the truth; None where it is not known.
    """

    label: int
    bars: tuple[int, ...]
    rows: tuple[int, ...]
    left_out: int
    truths: tuple[int, ...] | None

    @property
    def num_rows(self) -> int:
        """Rows of bars, that of the truth included."""
        return max(1, max(self.rows, default=-1) + 1 + (self.truths is not None))


def lane_of(timeline: Timeline, label: int, number: int) -> Lane:
    """The lane of a class with its bars among the best so many segments."""
    segments = timeline.segments
    mine = np.flatnonzero(segments.label[:number] == label)
    gap = _GAP * timeline.duration
    rows = rows_of(segments.start[mine], segments.end[mine], gap)
    kept = [(int(bar), row) for bar, row in zip(mine, rows, strict=True) if row < _MAX_ROWS]
    truths = None
    if timeline.judged is not None:
        truths = tuple(np.flatnonzero(timeline.judged.label == label).tolist())
    return Lane(
        label,
        tuple(bar for bar, _ in kept),
        tuple(row for _, row in kept),
        len(mine) - len(kept),
        truths,
    )


class Page:
    """Lanes from top to bottom; everything in inches, so that all videos look alike."""

    def __init__(self, figure: Figure, height: float, timeline: Timeline) -> None:
        self.figure, self.height, self.timeline = figure, height, timeline
        self.top = height - TOP
        self.last: Axes | None = None

    def title(self, number: int) -> None:
        """The video's name, what it is of and how much of it is shown."""
        every = len(self.timeline.segments)
        words = [self.timeline.title, f"best {number} of {every} segments" * (every > number)]
        at = (self.height - 0.14) / self.height
        self.figure.text(
            LEFT / WIDTH,
            at,
            _shortened(self.timeline.video_id),
            va="center",
            fontsize=9,
            fontweight="bold",
        )
        self.figure.text(
            1 - RIGHT / WIDTH, at, "; ".join(filter(None, words)), va="center", ha="right",
            fontsize=SMALL, color=GREY,
        )  # fmt: skip

    def header(self, lane: Lane) -> None:
        """The class's name and its score."""
        activations = self.timeline.activations
        words = []
        if activations is not None:
            words.append(f"video score {activations.video_scores[lane.label]:.2f}")
        if lane.left_out:
            words.append(f"{lane.left_out} more segments overlap these")
        at = (self.top + 0.07) / self.height
        name = self.timeline.class_names[lane.label]
        self.figure.text(LEFT / WIDTH, at, name, va="center", fontsize=8, fontweight="bold")
        self.figure.text(
            1 - RIGHT / WIDTH, at, ", ".join(words), va="center", ha="right",
            fontsize=SMALL, color=GREY,
        )  # fmt: skip

    def axes(self, height: float, name: str = "") -> Axes:
        """The next axes below, over the whole duration."""
        self.top -= height
        width = WIDTH - LEFT - RIGHT
        axes = self.figure.add_axes(
            (LEFT / WIDTH, self.top / self.height, width / WIDTH, height / self.height)
        )
        axes.set_xlim(0.0, self.timeline.duration)
        axes.tick_params(axis="x", bottom=False, labelbottom=False)
        axes.tick_params(axis="y", labelsize=6.5, length=2)
        axes.grid(axis="x", color="#DDDDDD", linewidth=0.5)
        axes.set_axisbelow(True)
        axes.spines["bottom"].set_color("#BBBBBB")
        axes.spines["left"].set_color("#BBBBBB")
        if name:
            self.figure.text(
                0.17 / WIDTH, (self.top + height / 2) / self.height, name, rotation=90,
                va="center", ha="center", fontsize=6.5, color=GREY,
            )  # fmt: skip
        self.last = axes
        return axes

    def skip(self, height: float) -> None:
        """Leaves room."""
        self.top -= height

    def finish(self, handles: Sequence[Patch]) -> None:
        """The time axis under the last lane, and the legend."""
        if self.last is not None:
            self.last.tick_params(axis="x", bottom=True, labelbottom=True, labelsize=SMALL)
            self.last.set_xlabel("time (s)", fontsize=8, labelpad=1)
        self.figure.legend(
            handles=handles, loc="lower center", ncols=min(len(handles), PER_ROW), frameon=False,
            fontsize=SMALL, handlelength=1.4, columnspacing=1.4, borderaxespad=0.2,
        )  # fmt: skip


def _shortened(name: str) -> str:
    """A name that leaves room for what stands beside it."""
    return name if len(name) <= _NAME else f"{name[: _NAME // 2]}...{name[-_NAME // 2 :]}"
