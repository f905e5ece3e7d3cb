"""The picture of a timeline: attention, then a lane per class with CAS, truth and segments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from wsal_bench.report.pictures import write_picture
from wsal_bench.report.timeline import MAX_CLASSES, MAX_SEGMENTS, Timeline, shown_classes
from wsal_bench.report.timeline_page import (
    AXIS,
    BAR,
    CAS,
    GATE,
    HEADER,
    LEFT,
    LEGEND_ROW,
    PER_ROW,
    RIGHT,
    SPACE,
    TOP,
    WIDTH,
    Lane,
    Page,
    lane_of,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

_TINY = 5.5  # points
_TEXT_WIDTH = 0.2  # inches of a score


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
_LINE, _AREA = "#0072B2", "#CC79A7"


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
    lanes = [lane_of(timeline, label, number) for label in classes]
    cas, gate = timeline.cas, timeline.attention
    curve = CAS if cas is not None else 0.0
    heights = [HEADER + curve + BAR * lane.num_rows + SPACE for lane in lanes]
    total = TOP + (GATE + SPACE if gate is not None else 0.0) + sum(heights)
    handles = _legend(timeline, lanes, number)
    total += AXIS + LEGEND_ROW * -(-len(handles) // PER_ROW) + 0.06
    figure = Figure(figsize=(WIDTH, total))
    page = Page(figure, total, timeline)
    page.title(number)
    if gate is not None:
        _draw_gate(page.axes(GATE, "attention"), timeline)
        page.skip(SPACE)
    for lane in lanes:
        page.skip(HEADER)
        page.header(lane)
        if cas is not None:
            _draw_cas(page.axes(CAS, "CAS"), timeline, lane, lanes)
        _draw_bars(page.axes(BAR * lane.num_rows), timeline, lane, number)
        page.skip(SPACE)
    page.finish(handles)
    return figure


def _draw_gate(axes: Axes, timeline: Timeline) -> None:
    assert timeline.activations is not None and timeline.attention is not None
    values, times = timeline.attention, timeline.activations.times
    low, high = min(0.0, float(values.min())), max(1.0, float(values.max()))
    axes.stairs(values, times, baseline=low, fill=True, color=_AREA, alpha=0.35, linewidth=0)
    axes.stairs(values, times, baseline=None, color=_AREA, linewidth=0.7)
    axes.set_ylim(low, high)
    axes.set_yticks([low, high])


def _draw_cas(axes: Axes, timeline: Timeline, lane: Lane, lanes: Sequence[Lane]) -> None:
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


def _draw_bars(axes: Axes, timeline: Timeline, lane: Lane, shown: int) -> None:
    names, first = [], 0
    if lane.truths is not None:
        assert timeline.judged is not None
        names, first = ["truth"], 1
        for row in lane.truths:
            kind = _found(timeline, row, shown)
            start, end = float(timeline.judged.start[row]), float(timeline.judged.end[row])
            _bar(axes, STYLES[kind], start, end, 0)
    scale = timeline.duration / (WIDTH - LEFT - RIGHT)  # seconds per inch
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


def _legend(timeline: Timeline, lanes: Sequence[Lane], number: int) -> list[Patch]:
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
