"""Pictures of a diagnosis: precision-recall, kinds of errors, classes, sensitivity; SVG and PNG."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from wsal_bench.report.diagnosis import bucket_range, middle_tiou
from wsal_bench.report.numbers import average_title
from wsal_bench.report.pictures import write_picture
from wsal_bench.report.stamp import QUICK

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Document = Mapping[str, Any]
MAX_CLASSES = 40
# Okabe and Ito's colours, told apart by most colour-blind readers; hatches for print without any
KIND_COLOURS = ("#009E73", "#56B4E9", "#CC79A7", "#E69F00", "#D55E00", "#999999")
KIND_HATCHES = ("", "//", "xx", "..", "\\\\", "")
BLUE, ORANGE, GREY = "#0072B2", "#E69F00", "#666666"


def write_plots(data: Document, folder: Path) -> list[Path]:
    """Draws all pictures of a diagnosis; equal diagnoses, equal bytes.

    Args:
        data: the content of a document `wsal-bench/diagnosis/1`.
        folder: is made where it is not there.

    Returns:
        The files: `<picture>.svg` and `<picture>.png`.

    Raises:
        DataError: a file cannot be written.
    """
    return [
        path
        for name, draw in PICTURES.items()
        for path in write_picture(partial(_stamped, draw, data), folder, name)
    ]


def _stamped(draw: Callable[[Document], Figure], data: Document) -> Figure:
    """A picture that says where it is of a quick run."""
    figure = draw(data)
    if data.get("quick"):
        figure.suptitle(QUICK)
    return figure


def precision_recall(data: Document) -> Figure:
    """Mean interpolated precision over classes against recall, a line for each tIoU."""
    from matplotlib import colormaps

    figure = _figure(5.0, 3.6)
    axes = figure.add_subplot()
    recall, tious = data["curves"]["recall"], data["tiou"]
    colours = colormaps["viridis"](np.linspace(0, 0.88, len(tious)))
    for index, (tiou, curve) in enumerate(zip(tious, data["curves"]["precision"], strict=True)):
        label = f"{tiou:g}: mAP {100 * data['map'][index]:.1f}"
        style = ("-", "--", "-.", ":")[index % 4]
        percent = [100 * value for value in curve]
        axes.plot([100 * r for r in recall], percent, style, color=colours[index], label=label)
    axes.set(xlabel="recall (%)", ylabel="precision, mean over classes (%)")
    axes.set(xlim=(0, 100), ylim=(0, 101))
    axes.grid(alpha=0.3)
    axes.legend(title="tIoU", loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    return figure


def error_profile(data: Document) -> Figure:
    """Left: kinds of the best-ranked detections. Right: what removing a kind would add."""
    figure = _figure(8.4, 3.6)
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    errors, middle = data["errors"], middle_tiou(data)
    counts = np.array(errors["slices"][middle], dtype=float)
    total = counts.sum(axis=1, keepdims=True)
    share = 100 * np.divide(counts, total, out=np.zeros_like(counts), where=total > 0)
    bottom, ranks = np.zeros(len(share)), np.arange(len(share))
    for kind, name in enumerate(errors["kinds"]):
        left.bar(
            ranks, share[:, kind], bottom=bottom, width=0.85, label=name,
            color=KIND_COLOURS[kind], hatch=KIND_HATCHES[kind], edgecolor="white", linewidth=0.4,
        )  # fmt: skip
        bottom += share[:, kind]
    ticks = [
        f"{rank + 1}G\n{int(number.item()):,}" for rank, number in zip(ranks, total, strict=True)
    ]
    left.set_xticks(ranks, ticks, fontsize="small")
    left.set(ylim=(0, 100))
    left.set_xlabel("ranks of each class (G: its true segments), and detections there")
    left.set(ylabel="detections (%)", title=f"at tIoU {data['tiou'][middle]:g}")
    left.legend(
        loc="upper center", bbox_to_anchor=(0.5, -0.24), ncols=3, frameon=False, fontsize="small"
    )
    _gains(right, data)
    return figure


def _gains(axes: Axes, data: Document) -> None:
    gain, kinds = data["errors"]["gain"], data["errors"]["kinds"][1:]
    rows = np.arange(len(kinds))
    for offset, (key, name, alpha) in enumerate(
        (("map", "mAP", 1.0), ("normalised_map", "normalised mAP", 0.45))
    ):
        values = [100 * gain[kind][key] for kind in kinds]
        place = rows + (offset - 0.5) * 0.38
        axes.barh(place, values, height=0.36, color=BLUE, alpha=alpha, label=name)
        for row, value in zip(place, values, strict=True):
            axes.annotate(
                f"{value:+.1f}", (value, row), (3, 0), textcoords="offset points",
                va="center", fontsize="small",
            )  # fmt: skip
    axes.set_yticks(rows, kinds)
    axes.invert_yaxis()
    # removing a false positive never lowers a score
    most = max(100 * value for kind in kinds for value in gain[kind].values())
    axes.set_xlim(0, 1.2 * max(most, 0.1))
    axes.set(xlabel=f"gain in {average_title(data['average'])} (points)", title="each kind removed")
    axes.legend(
        loc="upper center", bbox_to_anchor=(0.4, -0.24), ncols=2, frameon=False, fontsize="small"
    )


def per_class(data: Document) -> Figure:
    """Average precision of each class, best first; of many classes the best and the worst."""
    middle, title = middle_tiou(data), average_title(data["average"]).removeprefix("m")
    rows = sorted(data["classes"], key=lambda one: one["average_ap"], reverse=True)
    cut = len(rows) > MAX_CLASSES
    if cut:
        rows = [*rows[: MAX_CLASSES // 2], *rows[-MAX_CLASSES // 2 :]]
    figure = _figure(6.0, 1.3 + 0.24 * len(rows))
    axes = figure.add_subplot()
    place = np.arange(len(rows))
    axes.barh(place, [100 * one["average_ap"] for one in rows], height=0.7, color=BLUE, label=title)
    half = [100 * one["ap"][middle] for one in rows]
    axes.plot(
        half, place, "D", color=ORANGE, markeredgecolor="black", markeredgewidth=0.6,
        markersize=4.5, linestyle="none", clip_on=False, zorder=3,
        label=f"AP@{data['tiou'][middle]:g}",
    )  # fmt: skip
    mean = 100 * data["average_map"]
    axes.axvline(mean, color="black", linestyle="--", linewidth=1, label=f"m{title}: {mean:.1f}")
    axes.set_yticks(place, [f"{one['name']} ({one['truths']:,})" for one in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set(xlim=(0, 100), xlabel="average precision (%); in brackets: true segments")
    if cut:
        axes.set_title(f"the best and the worst {MAX_CLASSES // 2} of {len(data['classes'])}")
    axes.grid(axis="x", alpha=0.3)
    axes.set_axisbelow(True)
    figure.legend(loc="outside lower center", ncols=3, frameon=False)
    return figure


def sensitivity(data: Document) -> Figure:
    """By length, coverage and instances: normalised mAP above, missed truths below."""
    parts, middle = data["sensitivity"], middle_tiou(data)
    figure = _figure(3.1 * len(parts) + 0.4, 4.9)
    rows = figure.subplots(2, len(parts), sharey="row", sharex="col", squeeze=False)
    overall = 100 * data["average_normalised_map"]
    found, total = data["missed"]["found"][middle], data["missed"]["truths"]
    missed = 100 * (1 - found / total)
    for column, part in enumerate(parts):
        upper, lower = rows[0, column], rows[1, column]
        scores = [None if value is None else 100 * value for value in part["average"]]
        shares = [None if row[middle] is None else 100 * row[middle] for row in part["missed"]]
        _bars(upper, scores, BLUE, overall)
        _bars(lower, shares, ORANGE, missed)
        upper.set_title(part["trait"])
        lower.set_xticks(range(len(part["names"])), _ticks(part), fontsize="small")
        lower.set_xlabel(_unit(part["trait"]))
    for row in rows:  # each row shares its scale: the tallest bar of all, and its number
        tallest = max(patch.get_height() for axes in row for patch in axes.patches)
        row[0].set_ylim(0, 1.18 * max(tallest, 1.0))
    rows[0, 0].set_ylabel(f"normalised\n{average_title(data['average'])} (%)")
    rows[1, 0].set_ylabel(f"missed at\ntIoU {data['tiou'][middle]:g} (%)")
    figure.supxlabel(
        "dashed: all true segments; n: true segments in the bucket", fontsize="small", color=GREY
    )
    return figure


def _bars(axes: Axes, values: Sequence[float | None], colour: str, overall: float) -> None:
    heights = [0.0 if value is None else value for value in values]
    axes.bar(range(len(values)), heights, color=colour, width=0.75)
    axes.axhline(overall, color=GREY, linestyle="--", linewidth=1, zorder=0.5)
    behind = {"boxstyle": "square,pad=0.1", "facecolor": "white", "edgecolor": "none"}
    for place, value in enumerate(values):
        axes.annotate(
            "no truth" if value is None else f"{value:.0f}", (place, heights[place]), (0, 3),
            textcoords="offset points", ha="center", va="bottom", fontsize="small", bbox=behind,
        )  # fmt: skip


def _ticks(part: Document) -> list[str]:
    """Name, range and number of truths of each bucket, one above the other."""
    ticks = []
    for name, low, high, count in zip(
        part["names"], part["edges"][:-1], part["edges"][1:], part["truths"], strict=True
    ):
        span = bucket_range(part["trait"], low, high)
        ticks.append(f"{name}\n{span}\nn={count:,}")
    return ticks


def _unit(trait: str) -> str:
    return {
        "length": "seconds",
        "coverage": "percent of the video",
        "instances": "of the class in the video",
    }[trait]


def _figure(width: float, height: float) -> Figure:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


PICTURES: Mapping[str, Callable[[Document], Figure]] = {
    "precision_recall": precision_recall,
    "error_profile": error_profile,
    "per_class": per_class,
    "sensitivity": sensitivity,
}
