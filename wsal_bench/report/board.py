"""A leaderboard as markdown, CSV, LaTeX and a JSON document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wsal_bench.evaluation import Protocol
from wsal_bench.report import numbers, uncertainty
from wsal_bench.report.stamp import QUICK_NOTE, stamped
from wsal_bench.report.table import Cell, Column, Table, csv_text, latex, markdown
from wsal_bench.statistics import NestedMean
from wsal_bench.studies.leaderboard import Leaderboard, Row

SCHEMA = "wsal-bench/leaderboard/1"


def title(board: Leaderboard) -> str:
    """What the table is of, and whether its order means something."""
    share = board.coverage.share if board.coverage else ""
    return stamped(board.dataset, quick=board.quick, obstacles=board.obstacles, share=share)


def table(board: Leaderboard, rows: Sequence[Row], protocol: Protocol) -> Table:
    """Some rows of a board under its columns."""
    columns = [Column("method", "left"), Column(average_title(protocol.headline))]
    known = any(row.statistics is not None for row in rows)  # floors and ceilings have none
    compared = known and bool(board.best)
    columns += [Column("SE")] if known else []
    columns += [Column("Δ to best [95 %]")] if compared else []
    others = [name for name in protocol.averages if name != protocol.headline]
    columns += [Column(average_title(name)) for name in others]
    columns += [Column(f"@{tiou:g}") for tiou in protocol.tious]
    for heading in ("data x seeds", "parameters", "train s", "infer s", "paper"):
        columns.append(Column(heading))
    body = []
    for row in rows:
        values = [row.averages[name] for name in (protocol.headline, *others)] + [*row.mean_ap]
        best = _best(board, row, [protocol.headline, *others])
        cells = [
            Cell(numbers.mean_and_std(value), bold)
            for value, bold in zip(values, best, strict=True)
        ]
        paper = row.paper.get(protocol.headline)
        body.append(
            (
                Cell(row.name),
                cells[0],
                *([Cell(uncertainty.error_cell(row.statistics))] if known else []),
                *([Cell(uncertainty.difference_cell(row.statistics))] if compared else []),
                *cells[1:],
                Cell(f"{row.headline.num_data_seeds} x {row.headline.num_seeds}"),
                Cell(numbers.count(row.parameters)),
                Cell(numbers.seconds(row.seconds.get("train"))),
                Cell(numbers.seconds(row.seconds.get("infer"))),
                Cell(numbers.DASH if paper is None else f"{paper:.1f}"),
            )
        )
    return Table(tuple(columns), tuple(body))


def average_title(name: str) -> str:
    """An average with its range: `mAP@AVG(0.1:0.7)`; a single tIoU is no average."""
    try:
        return f"mAP@{float(name):g}"
    except ValueError:
        return f"mAP@AVG({name})"


def to_markdown(board: Leaderboard) -> str:
    """The whole page: table, reference rows, failures and what stands behind the numbers."""
    lines = [f"# {title(board)}", ""]
    if board.protocol is not None:
        if board.rows:
            lines += [markdown(table(board, board.rows, board.protocol))]
        if board.by_hand:
            floors = any(row.kind != "method" for row in board.by_hand)
            through = " (floors and ceilings through the `common` recipe)" if floors else ""
            lines += [f"With options set by hand, not ranked{through}:", ""]
            lines += [markdown(table(board, board.by_hand, board.protocol))]
        if board.references:
            lines += ["Floors and ceilings (through the `common` recipe):", ""]
            lines += [markdown(table(board, board.references, board.protocol))]
    lines += [f"- {note}" for note in notes(board)]
    if board.failures:
        lines += ["", "Failed cells:", ""]
        lines += [
            f"- {failure.name}, data seed {failure.data_seed}, seed {failure.seed}: {failure.error}"
            for failure in board.failures
        ]
    return "\n".join(lines) + "\n"


def notes(board: Leaderboard) -> list[str]:
    """What a reader must know before believing the table, a sentence each."""
    found = [QUICK_NOTE] if board.quick else []
    found += [f"Not a ranking: {reason}." for reason in board.obstacles]
    if board.coverage is not None:
        found.append(f"Scored: {board.coverage.sentence}.")
    if board.protocol is not None:
        rules = board.protocol
        found.append(
            f"Protocol `{rules.name}` version {rules.version}: {rules.description}. "
            f"Recipe: {board.recipe}. mAP in percent."
        )
        if spread := _spread(board):
            found.append(f"± is the standard deviation over {spread}; nothing is pooled.")
        statistics = [row.statistics for row in board.rows]
        found += uncertainty.notes(statistics, board.best, average_title(rules.headline))
    rows = (*board.rows, *(row for row in board.by_hand if row.kind == "method"))
    runs = [run for row in rows for run in row.runs]
    for what, values in (
        ("Track", {run.track for run in runs}),
        ("Selection", {run.selection for run in runs}),
        ("Options", {run.budget for run in runs}),
        ("Set by hand", {text for row in board.by_hand for text in row.by_hand}),
    ):
        if known := sorted(value for value in values if value):
            found.append(f"{what}: {'; '.join(known)}.")
    own = sorted({run.name for run in runs if run.own_segments})
    if own:
        found.append(f"Own segments, cut by no recipe: {', '.join(own)}.")
    if any(row.paper for row in board.rows):
        found.append("Paper: the published number, quoted, made with other code.")
    found += board.remarks
    return found


def to_csv(board: Leaderboard) -> str:
    """One line a row; scores as fractions, an empty field where a number is not known."""
    return csv_text([_flat(row, board.protocol) for row in _all_rows(board) if board.protocol])


def to_latex(board: Leaderboard) -> str:
    """All rows in one table of the package booktabs."""
    if board.protocol is None:
        return ""
    body = table(board, _all_rows(board), board.protocol)
    caption = (
        f"{title(board)}: mAP in percent under {board.protocol.name} version "
        f"{board.protocol.version}, {board.recipe} recipe."
    )
    return latex(body, caption=caption, label=f"tab:{board.dataset}")


def to_json(board: Leaderboard) -> dict[str, Any]:
    """The document of `leaderboard --json`; scores are fractions."""
    return {"schema": SCHEMA, "data": {"leaderboards": [content(board)]}}


def content(board: Leaderboard) -> dict[str, Any]:
    """One leaderboard as plain values; scores are fractions."""
    protocol = board.protocol
    return {
        "dataset": board.dataset,
        "protocol": protocol and {"name": protocol.name, "version": protocol.version},
        "recipe": board.recipe,
        "remarks": list(board.remarks),
        "quick": board.quick,
        "scored": board.coverage and board.coverage.to_json(),
        "ranking": board.is_ranking,
        "obstacles": list(board.obstacles),
        "best": board.best or None,
        "tiou": list(protocol.tious) if protocol else [],
        "average": protocol.headline if protocol else None,
        "rows": [_document(row) for row in board.rows],
        "by_hand": [_document(row) for row in board.by_hand],
        "references": [_document(row) for row in board.references],
        "failures": [dict(vars(failure)) for failure in board.failures],
    }


def _all_rows(board: Leaderboard) -> tuple[Row, ...]:
    return (*board.rows, *board.by_hand, *board.references)


def _best(board: Leaderboard, row: Row, averages: Sequence[str]) -> list[bool]:
    """Of each score of a row: whether it is the best of a ranking."""
    if not board.is_ranking or row not in board.rows:
        return [False] * (len(averages) + len(row.mean_ap))
    flags = [
        row.averages[name].mean == max(other.averages[name].mean for other in board.rows)
        for name in averages
    ]
    return flags + [
        value.mean == max(other.mean_ap[k].mean for other in board.rows)
        for k, value in enumerate(row.mean_ap)
    ]


def _spread(board: Leaderboard) -> str:
    """Seeds of what; empty where every row is one run, which has no spread."""
    over = {row.headline.std_over for row in _all_rows(board)} - {None}
    words = {"data_seed": "data seeds (of means over training seeds)", "seed": "training seeds"}
    return " or ".join(words[str(name)] for name in sorted(map(str, over)))


def _document(row: Row) -> dict[str, Any]:
    settings = row.runs[0]
    return {
        "name": row.name,
        "kind": row.kind,
        "method": row.method,
        "variant": row.variant or None,
        "differs": dict(row.differs),
        "map": [value.mean for value in row.mean_ap],
        "map_std": [value.std for value in row.mean_ap],
        "averages": {name: value.mean for name, value in row.averages.items()},
        "averages_std": {name: value.std for name, value in row.averages.items()},
        "std_over": row.headline.std_over,
        "num_data_seeds": row.headline.num_data_seeds,
        "num_seeds": row.headline.num_seeds,
        **uncertainty.document(row.statistics),
        "runs": [{"data_seed": run.data_seed, "seed": run.seed} for run in row.runs],
        "parameters": row.parameters,
        "seconds": dict(row.seconds),
        "paper": dict(row.paper),
        "track": settings.track or None,
        "selection": settings.selection,
        "budget": settings.budget or None,
        "by_hand": list(row.by_hand),
    }


def _flat(row: Row, protocol: Protocol) -> dict[str, Any]:
    flat: dict[str, Any] = {"name": row.name, "kind": row.kind}
    flat["quick"] = any(run.quick for run in row.runs)
    for name, value in row.averages.items():
        flat |= _mean_and_std(f"average {name}", value)
    for tiou, value in zip(protocol.tious, row.mean_ap, strict=True):
        flat |= _mean_and_std(f"map {tiou:g}", value)
    flat |= {
        "num_data_seeds": row.headline.num_data_seeds,
        "num_seeds": row.headline.num_seeds,
        "parameters": row.parameters,
        **uncertainty.flat(row.statistics),
    }
    flat |= {f"{stage} seconds": row.seconds.get(stage) for stage in ("train", "infer")}
    return flat | {
        "paper": row.paper.get(protocol.headline),
        "selection": row.runs[0].selection,
        "by_hand": "; ".join(row.by_hand),
    }


def _mean_and_std(name: str, value: NestedMean) -> dict[str, float | None]:
    return {name: value.mean, f"{name} std": value.std}
