"""The facts of a data set as tables and pictures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from wsal_bench.data.statistics import SplitFacts, Spread
from wsal_bench.report.pictures import plain_logarithms, write_picture
from wsal_bench.report.table import Cell, Column, Table
from wsal_bench.types import GroundTruth

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DASH = "-"
_COLOURS = {"train": "tab:blue", "test": "tab:orange"}
_MOST_NAMES = 60  # more of them on an axis cannot be read


def summary_table(facts: Mapping[str, SplitFacts]) -> Table:
    """One row for each fact, one column for each split."""
    rows: list[tuple[str, list[str]]] = [
        ("videos", [f"{one.videos:,}" for one in facts.values()]),
        ("videos without a segment", [f"{one.empty_videos:,}" for one in facts.values()]),
        ("segments", [f"{one.instances:,}" for one in facts.values()]),
        ("ambiguous stretches", [f"{one.ambiguous:,}" for one in facts.values()]),
        ("hours", [_hours(one.durations) for one in facts.values()]),
        ("duration (s)", [_spread(one.durations) for one in facts.values()]),
        ("segments of a video", [_spread(one.instances_per_video) for one in facts.values()]),
        ("length of a segment (s)", [_spread(one.lengths) for one in facts.values()]),
        ("foreground of a video", [_spread(one.foreground, 100) for one in facts.values()]),
        ("foreground of all seconds", [_share(one.pooled_foreground) for one in facts.values()]),
        ("classes of a video", [_counts(one.labels_per_video) for one in facts.values()]),
    ]
    columns = (Column("", "left"), *(Column(split, "left") for split in facts))
    return Table(columns, tuple((Cell(name), *map(Cell, texts)) for name, texts in rows))


def class_table(facts: SplitFacts) -> Table:
    """One row for each class."""
    titles = ("videos", "segments", "median length (s)", "alone", "mostly with", "P(other | class)")
    rows = tuple(
        (
            Cell(one.name),
            Cell(str(one.videos)),
            Cell(str(one.instances)),
            Cell(DASH if one.length is None else f"{one.length.median:.1f}"),
            Cell(_share(one.alone) if one.videos else DASH),
            Cell(one.companion or DASH),
            Cell(_share(one.together) if one.companion else DASH),
        )
        for one in facts.classes
    )
    return Table((Column("class", "left"), *(Column(title) for title in titles)), rows)


def draw(
    name: str, facts: Mapping[str, SplitFacts], truths: Mapping[str, GroundTruth], folder: Path
) -> list[Path]:
    """Writes all pictures, each as SVG and PNG.

    Args:
        name: of the data set, in the titles.
        facts: by split.
        truths: by split, the same ones.
        folder: is made where it is not there.

    Raises:
        DataError: a file cannot be written.
    """
    return [
        *write_picture(lambda: _histograms(name, facts, truths), folder, "durations-and-lengths"),
        *write_picture(lambda: _balance(name, facts), folder, "classes"),
        *write_picture(lambda: _heat_map(name, facts), folder, "co-occurrence"),
    ]


def _histograms(
    name: str, facts: Mapping[str, SplitFacts], truths: Mapping[str, GroundTruth]
) -> Figure:
    from matplotlib.figure import Figure

    from wsal_bench.data.statistics import covered_seconds

    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots(2, 2)
    drawn: dict[str, Mapping[str, Any]] = {
        "duration of a video (s)": {
            split: truths[split].durations for split, one in facts.items() if one.durations
        },
        "segments of a video": {
            split: np.bincount(truth.video, minlength=1) for split, truth in truths.items()
        },
        "length of a segment (s)": {
            split: truth.end - truth.start for split, truth in truths.items()
        },
        "foreground of a video (%)": {
            split: 100 * np.minimum(covered_seconds(truths[split]) / truths[split].durations, 1.0)
            for split, one in facts.items()
            if one.durations
        },
    }
    for place, (title, values) in zip(axes.flat, drawn.items(), strict=True):
        _histogram(place, title, values, logarithmic="%" not in title)
    axes.flat[0].legend(frameon=False)
    figure.suptitle(name)
    return figure


def _histogram(axes: Axes, title: str, values: Mapping[str, Any], *, logarithmic: bool) -> None:
    """Outlines of the shares of videos or segments; on one grid for all splits."""
    positive = {split: one[one > 0] for split, one in values.items()}
    everything = np.concatenate([np.empty(0), *positive.values()])
    axes.set(xlabel=title, ylabel="share (%)")
    if not len(everything):
        axes.text(0.5, 0.5, "unknown", ha="center", transform=axes.transAxes)
        axes.set(xticks=[], yticks=[])
        return
    low, high = float(everything.min()), float(everything.max())
    if logarithmic and high > 1.2 * low:
        bins = np.geomspace(low, high * 1.0001, 25)
        axes.set_xscale("log")
        plain_logarithms(axes.xaxis)
    else:
        bins = np.linspace(min(low, 0.0), high + 1e-9, 25)
    for split, one in positive.items():
        weights = np.full(len(one), 100.0 / max(len(one), 1))
        colour = _COLOURS.get(split, "tab:green")
        axes.hist(one, list(bins), weights=weights, histtype="stepfilled", alpha=0.2, color=colour)
        axes.hist(one, list(bins), weights=weights, histtype="step", color=colour, label=split)


def _balance(name: str, facts: Mapping[str, SplitFacts]) -> Figure:
    """Segments and videos of each class."""
    from matplotlib.figure import Figure

    first = next(iter(facts.values()))
    names = [one.name for one in first.classes]
    named = len(names) <= _MOST_NAMES
    height = max(2.5, 0.16 * len(names) + 1.2) if named else 9.0
    figure = Figure(figsize=(8, height), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    thick = 0.8 / len(facts)
    for place, what in zip(axes, ("videos", "instances"), strict=True):
        for number, (split, one) in enumerate(facts.items()):
            values = [getattr(facts_of, what) for facts_of in one.classes]
            at = np.arange(len(names)) + (number - (len(facts) - 1) / 2) * thick
            place.barh(at, values, thick, label=split, color=_COLOURS.get(split, "tab:green"))
        place.set(xlabel="videos" if what == "videos" else "segments")
        place.set_ylim(len(names) - 0.5, -0.5)
    ticks = np.arange(len(names)) if named else np.arange(0, len(names), 10)
    axes[0].set_yticks(ticks, [names[tick] for tick in ticks])
    axes[1].legend(frameon=False)
    figure.suptitle(name)
    return figure


def _heat_map(name: str, facts: Mapping[str, SplitFacts]) -> Figure:
    """P(column | row) of the training split: what else a video of a class shows."""
    from matplotlib.figure import Figure

    split, one = next(iter(facts.items()))
    names = [facts_of.name for facts_of in one.classes]
    named = len(names) <= _MOST_NAMES
    side = min(max(4.0, 0.24 * len(names) + 2.2), 12.0)
    figure = Figure(figsize=(side + 0.8, side), layout="constrained")
    axes = figure.add_subplot()
    shown = np.ma.masked_where(np.eye(len(names), dtype=bool), one.co_occurrence)
    image = axes.imshow(shown, vmin=0.0, vmax=1.0, cmap="magma_r")
    ticks = np.arange(len(names)) if named else np.arange(0, len(names), 10)
    axes.set_xticks(ticks, [names[tick] for tick in ticks], rotation=90)
    axes.set_yticks(ticks, [names[tick] for tick in ticks])
    axes.set(xlabel="other class", ylabel="class", title=f"{name}, {split}: P(other | class)")
    if len(names) <= 25:
        for row, column in np.argwhere(np.nan_to_num(one.co_occurrence) >= 0.005):
            if row != column:
                value = one.co_occurrence[row, column]
                colour = "white" if value > 0.5 else "black"
                text = f"{100 * value:.0f}"
                axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=6)
    figure.colorbar(image, shrink=0.7)
    return figure


def _spread(spread: Spread | None, factor: float = 1.0) -> str:
    """Median [5 %, 95 %]."""
    if spread is None:
        return DASH
    unit = " %" if factor == 100 else ""
    low, middle, high = (factor * x for x in (spread.p5, spread.median, spread.p95))
    return f"{middle:.3g} [{low:.3g}, {high:.3g}]{unit}"


def _share(value: float | None) -> str:
    return DASH if value is None else f"{100 * value:.0f} %"


def _hours(spread: Spread | None) -> str:
    return DASH if spread is None else f"{spread.count * spread.mean / 3600:.2f}"


def _counts(counts: Mapping[int, int]) -> str:
    return ", ".join(f"{labels}: {videos}" for labels, videos in counts.items())
