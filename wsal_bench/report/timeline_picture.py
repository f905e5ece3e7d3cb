"""The picture of a timeline: attention, then a lane per class with CAS, truth and segments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np

from wsal_bench.report.pictures import write_picture
from wsal_bench.report.timeline import (
    MAX_CLASSES,
    MAX_SEGMENTS,
    Timeline,
    rows_of,
    shown_classes,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

# inches
_WIDTH, _LEFT, _RIGHT, _TOP, _AXIS = 7.2, 0.62, 0.12, 0.28, 0.36
_HEADER, _GATE, _CAS, _BAR, _SPACE = 0.19, 0.42, 0.52, 0.155, 0.07
_LEGEND_ROW, _PER_ROW = 0.17, 4
_SMALL, _TINY = 7.5, 5.5  # points
_TEXT_WIDTH = 0.2  # of a score
_MAX_ROWS = 6
_NAME = 36  # letters
_GAP = 0.003  # of the duration, between two bars


@dataclass(frozen=True)
class Style:
    """How a bar looks, and what the legend calls it.

    Args:
        face: colour.
        edge: colour.
        text: colour of the score in it.
        name: in the legend; {tiou} is filled in.
    """

    face: str
    edge: str
    text: str
    name: str


# dark against light, so that they differ in print without colours and for every reader
STYLES: Final[Mapping[str, Style]] = MappingProxyType(
    {
        "found": Style("#333333", "#333333", "white", "truth, found"),
        "later": Style("#AAAAAA", "#333333", "black", "truth, found by one not shown"),
        "missed": Style("white", "#333333", "black", "truth, missed"),
        "true": Style("#009E73", "#006B4E", "white", "true positive (tIoU {tiou:g})"),
        "false": Style("#FAD2B5", "#D55E00", "black", "false positive"),
        "uncounted": Style("white", "#999999", "#666666", "not counted"),
        "plain": Style("#56B4E9", "#0072B2", "black", "segment"),
    }
)
_LINE, _AREA, _GREY = "#0072B2", "#CC79A7", "#666666"


def write_timeline(timeline: Timeline, folder: Path, number: int = MAX_SEGMENTS) -> list[Path]:
    """Draws a timeline and writes `<video>.svg` and `<video>.png`.

    Args:
        timeline: the video.
        folder: is made where it is not there.
        number: segments to draw, the best ones.

    Raises:
        DataError: a file cannot be written.
    """
    name = timeline.video_id.replace("/", "_").lstrip(".") or "video"
    return write_picture(lambda: draw(timeline, number), folder, name)


def draw(timeline: Timeline, number: int = MAX_SEGMENTS, max_classes: int = MAX_CLASSES) -> Figure:
    """The figure of a timeline.

    Args:
        timeline: the video.
        number: segments to draw, the best ones.
        max_classes: lanes; more only where more classes have truth.
    """
    from matplotlib.figure import Figure

    classes = shown_classes(timeline, number, max_classes)
    lanes = [_lane(timeline, label, number) for label in classes]
    cas, gate = timeline.cas, timeline.attention
    curve = _CAS if cas is not None else 0.0
    heights = [_HEADER + curve + _BAR * lane.num_rows + _SPACE for lane in lanes]
    total = _TOP + (_GATE + _SPACE if gate is not None else 0.0) + sum(heights)
    handles = _legend(timeline, lanes, number)
    total += _AXIS + _LEGEND_ROW * -(-len(handles) // _PER_ROW) + 0.06
    figure = Figure(figsize=(_WIDTH, total))
    page = _Page(figure, total, timeline)
    page.title(number)
    if gate is not None:
        _draw_gate(page.axes(_GATE, "attention"), timeline)
        page.skip(_SPACE)
    for lane in lanes:
        page.skip(_HEADER)
        page.header(lane)
        if cas is not None:
            _draw_cas(page.axes(_CAS, "CAS"), timeline, lane, lanes)
        _draw_bars(page.axes(_BAR * lane.num_rows), timeline, lane, number)
        page.skip(_SPACE)
    page.finish(handles)
    return figure


@dataclass(frozen=True)
class _Lane:
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


def _lane(timeline: Timeline, label: int, number: int) -> _Lane:
    segments = timeline.segments
    mine = np.flatnonzero(segments.label[:number] == label)
    gap = _GAP * timeline.duration
    rows = rows_of(segments.start[mine], segments.end[mine], gap)
    kept = [(int(bar), row) for bar, row in zip(mine, rows, strict=True) if row < _MAX_ROWS]
    truths = None
    if timeline.judged is not None:
        truths = tuple(np.flatnonzero(timeline.judged.label == label).tolist())
    return _Lane(
        label,
        tuple(bar for bar, _ in kept),
        tuple(row for _, row in kept),
        len(mine) - len(kept),
        truths,
    )


class _Page:
    """Lanes from top to bottom; everything in inches, so that all videos look alike."""

    def __init__(self, figure: Figure, height: float, timeline: Timeline) -> None:
        self.figure, self.height, self.timeline = figure, height, timeline
        self.top = height - _TOP
        self.last: Axes | None = None

    def title(self, number: int) -> None:
        """The video's name, what it is of and how much of it is shown."""
        every = len(self.timeline.segments)
        words = [self.timeline.title, f"best {number} of {every} segments" * (every > number)]
        at = (self.height - 0.14) / self.height
        self.figure.text(
            _LEFT / _WIDTH,
            at,
            _shortened(self.timeline.video_id),
            va="center",
            fontsize=9,
            fontweight="bold",
        )
        self.figure.text(
            1 - _RIGHT / _WIDTH, at, "; ".join(filter(None, words)), va="center", ha="right",
            fontsize=_SMALL, color=_GREY,
        )  # fmt: skip

    def header(self, lane: _Lane) -> None:
        """The class's name and its score."""
        activations = self.timeline.activations
        words = []
        if activations is not None:
            words.append(f"video score {activations.video_scores[lane.label]:.2f}")
        if lane.left_out:
            words.append(f"{lane.left_out} more segments overlap these")
        at = (self.top + 0.07) / self.height
        name = self.timeline.class_names[lane.label]
        self.figure.text(_LEFT / _WIDTH, at, name, va="center", fontsize=8, fontweight="bold")
        self.figure.text(
            1 - _RIGHT / _WIDTH, at, ", ".join(words), va="center", ha="right",
            fontsize=_SMALL, color=_GREY,
        )  # fmt: skip

    def axes(self, height: float, name: str = "") -> Axes:
        """The next axes below, over the whole duration."""
        self.top -= height
        width = _WIDTH - _LEFT - _RIGHT
        axes = self.figure.add_axes(
            (_LEFT / _WIDTH, self.top / self.height, width / _WIDTH, height / self.height)
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
                0.17 / _WIDTH, (self.top + height / 2) / self.height, name, rotation=90,
                va="center", ha="center", fontsize=6.5, color=_GREY,
            )  # fmt: skip
        self.last = axes
        return axes

    def skip(self, height: float) -> None:
        """Leaves room."""
        self.top -= height

    def finish(self, handles: Sequence[Patch]) -> None:
        """The time axis under the last lane, and the legend."""
        if self.last is not None:
            self.last.tick_params(axis="x", bottom=True, labelbottom=True, labelsize=_SMALL)
            self.last.set_xlabel("time (s)", fontsize=8, labelpad=1)
        self.figure.legend(
            handles=handles, loc="lower center", ncols=min(len(handles), _PER_ROW), frameon=False,
            fontsize=_SMALL, handlelength=1.4, columnspacing=1.4, borderaxespad=0.2,
        )  # fmt: skip


def _draw_gate(axes: Axes, timeline: Timeline) -> None:
    assert timeline.activations is not None and timeline.attention is not None
    values, times = timeline.attention, timeline.activations.times
    low, high = min(0.0, float(values.min())), max(1.0, float(values.max()))
    axes.stairs(values, times, baseline=low, fill=True, color=_AREA, alpha=0.35, linewidth=0)
    axes.stairs(values, times, baseline=None, color=_AREA, linewidth=0.7)
    axes.set_ylim(low, high)
    axes.set_yticks([low, high])


def _draw_cas(axes: Axes, timeline: Timeline, lane: _Lane, lanes: Sequence[_Lane]) -> None:
    assert timeline.activations is not None and timeline.cas is not None
    shown = timeline.cas[:, [one.label for one in lanes]]
    low, high = float(shown.min()), float(shown.max())
    room = 0.06 * (high - low or 1.0)
    times = timeline.activations.times
    for row in lane.truths or ():
        assert timeline.judged is not None
        span = (timeline.judged.start[row], timeline.judged.end[row])
        axes.axvspan(*span, color="#E8E8E8", linewidth=0, zorder=0)
    middles = (times[:-1] + times[1:]) / 2
    axes.plot(middles, timeline.cas[:, lane.label], color=_LINE, linewidth=0.9)
    axes.set_ylim(low - room, high + room)  # the same in all lanes: heights can be compared
    axes.locator_params(axis="y", nbins=3)
    axes.spines["bottom"].set_visible(False)


def _found(timeline: Timeline, row: int, number: int) -> str:
    """The style of a true segment, by the rank of what found it."""
    assert timeline.judged is not None
    rank = int(timeline.judged.taken_by[row])
    return "missed" if rank < 0 else "found" if rank < number else "later"


def _draw_bars(axes: Axes, timeline: Timeline, lane: _Lane, shown: int) -> None:
    names, first = [], 0
    if lane.truths is not None:
        assert timeline.judged is not None
        names, first = ["truth"], 1
        for row in lane.truths:
            kind = _found(timeline, row, shown)
            start, end = float(timeline.judged.start[row]), float(timeline.judged.end[row])
            _bar(axes, STYLES[kind], start, end, 0)
    scale = timeline.duration / (_WIDTH - _LEFT - _RIGHT)  # seconds per inch
    for bar, row in zip(lane.bars, lane.rows, strict=True):
        style = STYLES[timeline.outcomes[bar] or "plain"]
        start, end = float(timeline.segments.start[bar]), float(timeline.segments.end[bar])
        _bar(axes, style, start, end, first + row)
        if (end - start) / scale >= _TEXT_WIDTH:
            axes.text(
                (start + end) / 2, first + row + 0.02, f"{timeline.segments.score[bar]:.2f}",
                ha="center", va="center", fontsize=_TINY, color=style.text, clip_on=True,
            )  # fmt: skip
    axes.set_ylim(lane.num_rows - 0.5, -0.5)
    names += ["segments"] if lane.bars else []
    axes.set_yticks(range(len(names)), names, fontsize=6.5)
    axes.tick_params(axis="y", length=0)


def _bar(axes: Axes, style: Style, start: float, end: float, row: int) -> None:
    axes.barh(
        row, end - start, 0.78, left=start, color=style.face, edgecolor=style.edge, linewidth=0.6
    )


def _shortened(name: str) -> str:
    """A name that leaves room for what stands beside it."""
    return name if len(name) <= _NAME else f"{name[: _NAME // 2]}...{name[-_NAME // 2 :]}"


def _legend(timeline: Timeline, lanes: Sequence[_Lane], number: int) -> list[Patch]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    truths = [_found(timeline, row, number) for lane in lanes for row in lane.truths or ()]
    bars = [timeline.outcomes[bar] or "plain" for lane in lanes for bar in lane.bars]
    kinds = [kind for kind in STYLES if kind in {*truths, *bars}]
    handles: list[Patch] = [
        Patch(
            facecolor=STYLES[kind].face, edgecolor=STYLES[kind].edge, linewidth=0.6,
            label=STYLES[kind].name.format(tiou=timeline.tiou),
        )
        for kind in kinds
    ]  # fmt: skip
    if timeline.cas is not None:
        handles.append(Line2D([], [], color=_LINE, linewidth=1, label="CAS"))  # type: ignore[arg-type]
    if timeline.attention is not None:
        handles.append(Patch(facecolor=_AREA, alpha=0.4, label="attention"))
    return handles
