"""Rescored detections as tables, a JSON document and a picture of the spread."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from wsal_bench.report import numbers
from wsal_bench.report.board import average_title
from wsal_bench.report.table import Cell, Column, Table, csv_text, markdown
from wsal_bench.rescoring import Rescored, Rescoring

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SCHEMA = "wsal-bench/rescore/1"
_SAME = 1e-9  # arange's 0.30000000000000004 stands in the column of 0.3


def table(found: Rescoring) -> Table:
    """A row per protocol; a dash where its grid has no such threshold or average."""
    tious = _tious([found])
    averages = _averages([found])
    columns = [Column("protocol", "left"), Column("videos")]
    columns += [Column(f"@{tiou:g}") for tiou in tious]
    columns += [Column(average_title(name)) for name in averages]
    rows = []
    for row in found.rows:
        values = [at(row, tiou) for tiou in tious] + [average(row, name) for name in averages]
        first = (Cell(row.protocol.name), Cell(str(row.num_videos or numbers.DASH)))
        rows.append((*first, *(Cell(numbers.percent(v)) for v in values)))
    return Table(tuple(columns), tuple(rows))


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


def to_markdown(found: Sequence[Rescoring]) -> str:
    """A heading, table and notes for each set of detections."""
    parts = []
    for one in found:
        lines = [f"## {one.name}", "", markdown(table(one))]
        parts.append("\n".join([*lines, *(f"- {line}" for line in notes(one))]) + "\n")
    return "\n".join(parts)


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
    """A panel per set of detections: mAP at tIoU 0.5 and the headline, a line per protocol."""
    from matplotlib.figure import Figure  # half a second that no table needs

    names = [row.protocol.name for row in found[0].rows]
    height = 1.4 + 0.27 * len(names)
    picture = Figure(figsize=(2.6 + 3.4 * len(found), height), layout="constrained")
    panels = picture.subplots(1, len(found), sharey=True, squeeze=False)[0]
    series = (("mAP@0.5", "o", "#0072b2"), ("mAP@AVG(0.1:0.7)", "D", "#d55e00"))
    for panel, one in zip(panels, found, strict=True):
        place = {name: len(names) - 1 - index for index, name in enumerate(names)}
        for (title, marker, colour), pick in zip(series, (_half, _common), strict=True):
            points = [
                (100 * v, place[r.protocol.name]) for r in one.rows if (v := pick(r)) is not None
            ]
            if not points:
                continue
            x, y = zip(*points, strict=True)
            panel.plot(x, y, marker, color=colour, label=title, markersize=6)
            panel.axvspan(min(x), max(x), color=colour, alpha=0.08, linewidth=0)
        panel.set(title=one.name, xlabel="mAP (%)", yticks=range(len(names)))
        panel.set_yticklabels(names[::-1])
        panel.set_ylim(-0.6, len(names) - 0.4)
        panel.grid(alpha=0.3)
    handles, labels = panels[0].get_legend_handles_labels()
    picture.legend(handles, labels, loc="outside lower center", ncols=2, frameon=False)
    return picture


def at(row: Rescored, tiou: float) -> float | None:
    """The mAP at a threshold, or at the double beside it that the protocol's grid has."""
    if row.scores is None:
        return None
    found = [k for k, own in enumerate(row.scores.tiou) if abs(own - tiou) < _SAME]
    return float(row.scores.mean_ap[found[0]]) if found else None


def average(row: Rescored, name: str) -> float | None:
    """An average by name."""
    return None if row.scores is None else row.scores.averages.get(name)


def _half(row: Rescored) -> float | None:
    return at(row, 0.5)


def _common(row: Rescored) -> float | None:
    return average(row, "0.1:0.7")


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
