"""Profiles of training steps as tables and as a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wsal_bench.report import table as tables
from wsal_bench.report.pictures import write_picture
from wsal_bench.report.table import Cell, Column, Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# what stands out is what the suite itself computes; the rest is torch's
_COLOURS: Mapping[str, str] = {
    "data": "#999999",
    "forward": "#0072b2",
    "loss": "#56b4e9",
    "similarity": "#e69f00",
    "kernels": "#d55e00",
    "backward": "#009e73",
    "optimiser": "#cc79a7",
    "other": "#dddddd",
}
_NARROW = 0.04  # of a bar: no room for a number


def markdown(data: Mapping[str, Any]) -> str:
    """Seconds of a training step by part."""
    columns = (Column("part", "left"), Column("median ms"), Column("share"))
    rows = [
        (Cell(part), Cell(f"{1e3 * seconds:.3g}"), Cell(f"{data['share'][part]:.1%}"))
        for part, seconds in data["seconds"].items()
    ]
    step = f"{1e3 * data['seconds_step']:.3g} ms, median of {data['steps']} steps"
    head = f"{data['method']} on {data['dataset']}: {step}; similarity and kernels "
    return f"{head}{data['kernels_share']:.1%}\n\n{tables.markdown(Table(columns, tuple(rows)))}"


def write_pictures(runs: Sequence[Mapping[str, Any]], folder: Path) -> list[Path]:
    """Writes profile-methods.svg and .png: a bar for each run, cut into its parts.

    Raises:
        DataError: a file cannot be written.
    """
    return write_picture(lambda: _bars(runs), folder, "profile-methods")


def _bars(runs: Sequence[Mapping[str, Any]]) -> Figure:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 0.55 * len(runs) + 1.9), layout="constrained")
    axes = figure.add_subplot()
    longest = max(sum(run["seconds"].values()) for run in runs)
    for place, run in enumerate(runs):
        begin = 0.0
        for part, seconds in run["seconds"].items():
            label = part if place == 0 else None
            axes.barh(
                place, 1e3 * seconds, 0.7, left=1e3 * begin, color=_COLOURS[part], label=label
            )
            if seconds > _NARROW * longest:
                middle = 1e3 * (begin + seconds / 2)
                axes.text(middle, place, f"{run['share'][part]:.0%}", ha="center", va="center")
            begin += seconds
    names = [f"{run['method']} on {run['dataset']}" for run in runs]
    axes.set_yticks(range(len(runs)), names)
    axes.invert_yaxis()
    axes.set_xlabel("ms of a training step, median of each part")
    axes.set_title(runs[0]["environment"]["device_name"], fontsize="medium")
    figure.legend(loc="outside lower center", ncols=len(_COLOURS), frameon=False, fontsize="small")
    return figure
