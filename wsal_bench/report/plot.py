"""The picture of a leaderboard: each row's headline with its interval, references apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from wsal_bench.report import numbers
from wsal_bench.report.board import title
from wsal_bench.report.numbers import average_title
from wsal_bench.studies.leaderboard import Leaderboard, Row

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

METHOD, BY_HAND, REFERENCE = "#0072B2", "#D55E00", "#666666"
_ROW, _PANEL, _HEAD, _FOOT = 0.27, 0.62, 0.62, 0.3  # inches
_GREY = "#666666"


def forest(board: Leaderboard) -> Figure:
    """A dot and an interval for each row: methods, rows set by hand, floors and ceilings.

    Each block is a panel. Those of methods share their range; references go from 0 to 100.

    Args:
        board: needs at least one scored row.

    Raises:
        ValueError: there is nothing to draw.
    """
    from matplotlib.figure import Figure  # a second of import that no form of the table needs

    rules = board.protocol
    blocks = [
        (name, rows, colour)
        for name, rows, colour in (
            ("methods", board.rows, METHOD),
            ("options set by hand, not ranked", board.by_hand, BY_HAND),
            ("floors and ceilings, made from the truth", board.references, REFERENCE),
        )
        if rows
    ]
    if rules is None or not blocks:
        raise ValueError(f"no scores of {board.dataset} to draw")
    heights = [_PANEL + _ROW * len(rows) for _, rows, _ in blocks]
    figure = Figure(figsize=(7.2, _HEAD + _FOOT + sum(heights)), layout="constrained")
    panels = figure.subplots(
        len(blocks), 1, squeeze=False, height_ratios=[len(rows) + 1 for _, rows, _ in blocks]
    )[:, 0]
    for panel, (name, rows, colour) in zip(panels, blocks, strict=True):
        _panel(panel, rows, colour)
        panel.set_title(name, loc="left", fontsize="medium", color=colour)
        if rows is board.references:
            panel.set_xlim(-2, 102)
    compared = [
        panel
        for panel, (_, rows, _) in zip(panels, blocks, strict=True)
        if rows is not board.references
    ]
    low = min((panel.get_xlim()[0] for panel in compared), default=0.0)
    high = max((panel.get_xlim()[1] for panel in compared), default=1.0)
    for panel in compared:
        panel.set_xlim(low, high)
    figure.suptitle(f"{title(board)}\n{_subtitle(board)}", fontsize="medium")
    panels[-1].set_xlabel(f"{average_title(rules.headline)} (%)")
    legend = _legend([row for _, rows, _ in blocks for row in rows])
    figure.supxlabel(legend, fontsize="small", color=_GREY)
    return figure


def _subtitle(board: Leaderboard) -> str:
    rules = board.protocol
    assert rules is not None
    videos = num_videos(board)
    parts = [f"{rules.name} version {rules.version}", f"{board.recipe} recipe"]
    return ", ".join([*parts, f"{videos:,} test videos"] if videos else parts)


def num_videos(board: Leaderboard) -> int:
    """Test videos behind each score (of one data seed); 0 where the scores do not say."""
    for row in (*board.rows, *board.by_hand, *board.references):
        for run in row.runs:
            scores = run.full_scores
            if scores is not None and scores.support is not None:
                return sum(bool(group) for group in scores.support.groups)
    return 0


def _panel(panel: Axes, rows: Sequence[Row], colour: str) -> None:
    for place, row in enumerate(rows):
        value, (low, high) = 100 * row.headline.mean, _reach(row)
        panel.plot([low, high], [place, place], "-", color=colour, linewidth=1.6, alpha=0.75)
        panel.plot(value, place, "o", color=colour, markersize=5)
        text = numbers.mean_and_std(row.headline)
        panel.annotate(
            text, (1.0, place), (6, 0), xycoords=("axes fraction", "data"),
            textcoords="offset points", va="center", fontsize="small", annotation_clip=False,
        )  # fmt: skip
    panel.set_yticks(range(len(rows)), [row.name for row in rows])
    panel.set_ylim(len(rows) - 0.4, -0.6)
    panel.margins(x=0.06)
    panel.grid(axis="x", alpha=0.3)
    panel.tick_params(axis="y", length=0)


def _reach(row: Row) -> tuple[float, float]:
    """Ends of the line in percent: the interval, else one standard deviation, else the value."""
    interval = row.statistics.interval if row.statistics else None
    if interval is not None:
        return 100 * interval.low, 100 * interval.high
    spread = row.headline.std or 0.0
    return 100 * (row.headline.mean - spread), 100 * (row.headline.mean + spread)


def _legend(rows: Sequence[Row]) -> str:
    known = [row.statistics is not None and row.statistics.interval is not None for row in rows]
    lines = "lines: 95 % intervals (test videos and seeds)"
    if not all(known):
        spread = "one standard deviation over seeds"
        lines = f"{lines}, else {spread}" if any(known) else f"lines: {spread}"
    seeds = any(row.headline.std is not None for row in rows)
    return f"{lines}; numbers: mean ± standard deviation over seeds" if seeds else lines
