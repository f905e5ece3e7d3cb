"""Rescored detections as tables, a JSON document and a picture of the spread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from wsal_bench.report import numbers
from wsal_bench.report.escaping import for_markdown
from wsal_bench.report.numbers import average_heading
from wsal_bench.report.table import (
    Cell,
    Field,
    Table,
    chosen,
    csv_text,
    markdown,
    shown_tious,
    table_of,
)
from wsal_bench.report.terminal import for_eyes
from wsal_bench.studies.rescore import Rescored, Rescoring

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SCHEMA = "wsal-bench/rescore/1"
_TITLES = ("mAP@0.5", "mAP@AVG(0.1:0.7)")
_COLOURS = ("#0072B2", "#D55E00")
_USUAL = ("0.1:0.5", "0.1:0.7", "0.3:0.7")  # averages that papers print
_SAME = 1e-9  # arange's 0.30000000000000004 stands in the column of 0.3


def table(found: Rescoring, columns: Sequence[str] | None = None) -> Table:
    """A row per protocol; a dash where its grid has no such threshold or average.

    Args:
        found: one set of detections.
        columns: names of columns; None: the usual ones.
    """
    wanted = usual_keys([found]) if columns is None else columns
    known = {field.key for field in _fields([found])}
    return table_of(chosen(_fields([found]), [key for key in wanted if key in known]), [found.rows])


def keys(found: Sequence[Rescoring]) -> list[str]:
    """What columns may be called; the first is always shown."""
    return [field.key for field in _fields(found)]


def usual_keys(found: Sequence[Rescoring]) -> list[str]:
    """The columns of a page: they fit a terminal of 80 places."""
    averages = _averages(found)
    usual = [name for name in averages if name in _USUAL] or averages[:3]
    return ["videos", *(f"{tiou:g}" for tiou in shown_tious(_tious(found))), *usual]


def _fields(found: Sequence[Rescoring]) -> list[Field[Rescored]]:
    return [
        Field("protocol", "protocol", lambda row: Cell(row.protocol.name), "left"),
        Field("videos", "videos", lambda row: Cell(str(row.num_videos or numbers.DASH))),
        *(_number(f"{tiou:g}", f"@{tiou:g}", partial(at, tiou=tiou)) for tiou in _tious(found)),
        *(
            _number(name, average_heading(name), partial(average, name=name))
            for name in _averages(found)
        ),
    ]


def _number(key: str, title: str, value: Callable[[Rescored], float | None]) -> Field[Rescored]:
    return Field(key, title, lambda row: Cell(numbers.percent(value(row))))


def notes(found: Rescoring) -> list[str]:
    """The spread that the rules make, and why some have no number."""
    lines = []
    for tiou in (0.5,) if any(abs(tiou - 0.5) < _SAME for tiou in _tious([found])) else ():
        known = [(value, row) for row in found.rows if (value := at(row, tiou)) is not None]
        if len(known) > 1:
            (low, least), (high, most) = (f(known, key=lambda p: p[0]) for f in (min, max))
            lines.append(
                f"At tIoU {tiou:g} the rules alone move these {found.num_detections:,} detections "
                f"by {100 * (high - low):.1f} points: {numbers.percent(low)} under "
                f"{least.protocol.name}, {numbers.percent(high)} under {most.protocol.name}."
            )
    lines += [
        f"{row.protocol.name}: no number, {row.problem}." for row in found.rows if row.problem
    ]
    return lines


def to_markdown(found: Sequence[Rescoring], columns: Sequence[str] | None = None) -> str:
    """A heading, table and notes for each set of detections."""
    parts = []
    for one in found:
        lines = [f"## {for_markdown(one.name)}", "", markdown(table(one, columns))]
        lines += [f"- {for_markdown(line, code=True)}" for line in notes(one)]
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def to_terminal(
    found: Sequence[Rescoring],
    columns: Sequence[str] | None = None,
    *,
    width: int,
    styled: bool = True,
) -> str:
    """The same for eyes; `styled`: bold text may be written."""
    return "\n".join(
        for_eyes(one.name, table(one, columns), notes(one), width=width, styled=styled)
        for one in found
    )


def to_csv(found: Sequence[Rescoring]) -> str:
    """One line per detections and protocol; fractions, an empty field where there is no number."""
    rows = []
    for one in found:
        for row in one.rows:
            line: dict[str, Any] = {"detections": one.name, "protocol": row.protocol.name}
            line["videos"] = row.num_videos or None
            line |= {f"map {tiou:g}": at(row, tiou) for tiou in _tious(found)}
            line |= {f"average {name}": average(row, name) for name in _averages(found)}
            rows.append({**line, "problem": row.problem})
    return csv_text(rows)


def content(found: Sequence[Rescoring]) -> dict[str, Any]:
    """The data of `rescore --json`; fractions."""
    return {"detections": [_document(one) for one in found]}


def figure(found: Sequence[Rescoring]) -> Figure:
    """A row of panels per set of detections: mAP at tIoU 0.5, and the average 0.1:0.7.

    Panels below each other share their axis, so that sets can be compared.
    """
    from matplotlib.figure import Figure  # half a second that no table needs

    names = [row.protocol.name for row in found[0].rows]
    height = 0.9 + (0.5 + 0.24 * len(names)) * len(found)
    picture = Figure(figsize=(7.2, height), layout="constrained")
    grid = picture.subplots(len(found), 2, sharey=True, sharex="col", squeeze=False)
    for panels, one in zip(grid, found, strict=True):
        values = [[at(row, 0.5) for row in one.rows], [average(row, "0.1:0.7") for row in one.rows]]
        for panel, title, column, colour in zip(panels, _TITLES, values, _COLOURS, strict=True):
            _dots(panel, column, colour)
            panel.set(
                title=one.name if panel is panels[0] else "",
                xlabel=f"{title} (%)" if one is found[-1] else "",
            )
            panel.tick_params(labelbottom=True)
            panel.set_yticks(range(len(names)), names)
            panel.set_ylim(len(names) - 0.4, -0.6)
    for panels in grid.T:
        ends = [value for panel in panels for line in panel.lines for value in line.get_xdata()]
        if ends:
            reach = max(max(ends) - min(ends), 1.0)
            panels[0].set_xlim(min(ends) - 0.08 * reach, max(ends) + 0.15 * reach)
    return picture


def _dots(panel: Axes, column: Sequence[float | None], colour: str) -> None:
    """Values with their numbers beside them, a line at the first protocol's, a band of all."""
    known = [(100 * value, row) for row, value in enumerate(column) if value is not None]
    panel.grid(axis="y", alpha=0.3)
    if not known:
        return
    x = [value for value, _ in known]
    panel.axvspan(min(x), max(x), color=colour, alpha=0.08, linewidth=0)
    if column[0] is not None:
        panel.axvline(100 * column[0], color=colour, alpha=0.5, linewidth=0.8, linestyle="--")
    for value, row in known:
        panel.plot(value, row, "o", color=colour, markersize=5)
        panel.annotate(
            f"{value:.1f}", (value, row), (5, 0), textcoords="offset points", va="center",
            fontsize=7,
        )  # fmt: skip


def at(row: Rescored, tiou: float) -> float | None:
    """The mAP at a threshold, or at the double beside it that the protocol's grid has."""
    if row.scores is None:
        return None
    found = [k for k, own in enumerate(row.scores.tiou) if abs(own - tiou) < _SAME]
    return float(row.scores.mean_ap[found[0]]) if found else None


def average(row: Rescored, name: str) -> float | None:
    """An average by name."""
    return None if row.scores is None else row.scores.averages.get(name)


def _tious(found: Sequence[Rescoring]) -> list[float]:
    tious: list[float] = []
    for row in (row for one in found for row in one.rows):
        new = (t for t in row.protocol.tious if all(abs(t - other) >= _SAME for other in tious))
        tious += [round(tiou, 9) for tiou in new]
    return sorted(tious)


def _averages(found: Sequence[Rescoring]) -> list[str]:
    return sorted({name for one in found for row in one.rows for name in row.protocol.averages})


def _document(one: Rescoring) -> dict[str, Any]:
    return {
        "name": one.name,
        "num_detections": one.num_detections,
        "rows": [
            {
                "protocol": row.protocol.name,
                "version": row.protocol.version,
                "num_videos": row.num_videos or None,
                "tiou": list(row.protocol.tious),
                "map": row.scores.mean_ap.tolist() if row.scores else None,
                "averages": row.scores.averages if row.scores else None,
                "average": row.protocol.headline,
                "counts": vars(row.scores.counts) if row.scores else None,
                "problem": row.problem or None,
            }
            for row in one.rows
        ],
    }
