"""A picture of a leaderboard: mAP against tIoU, as SVG."""

from __future__ import annotations

import io

from wsal_bench.report.board import title
from wsal_bench.studies.leaderboard import Leaderboard


def to_svg(board: Leaderboard) -> str:
    """Lines of mean mAP over tIoU, a band of one standard deviation; equal boards, equal bytes.

    Args:
        board: needs at least one scored row.

    Raises:
        ValueError: there is nothing to draw.
    """
    from matplotlib import rc_context  # a second of import that no other form of the table needs
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    if board.protocol is None:
        raise ValueError(f"no scores of {board.dataset} to draw")
    tious = board.protocol.tious
    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.add_subplot()
    for row in (*board.rows, *board.by_hand, *board.references):
        mean = [100 * value.mean for value in row.mean_ap]
        style = "-" if row.kind == "method" else ":"
        (line,) = axes.plot(tious, mean, style, marker="o", markersize=3, label=row.name)
        if all(value.std is not None for value in row.mean_ap):
            std = [100 * (value.std or 0.0) for value in row.mean_ap]
            low = [m - s for m, s in zip(mean, std, strict=True)]
            high = [m + s for m, s in zip(mean, std, strict=True)]
            axes.fill_between(tious, low, high, alpha=0.15, color=line.get_color(), linewidth=0)
    axes.set(xlabel="tIoU", ylabel="mAP (%)", ylim=(0, None), title=title(board))
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small", loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    picture = io.StringIO()
    with rc_context({"svg.hashsalt": "wsal-bench", "svg.fonttype": "none"}):
        FigureCanvasSVG(figure).print_svg(  # type: ignore[no-untyped-call]
            picture, metadata={"Date": None}
        )
    return picture.getvalue()
