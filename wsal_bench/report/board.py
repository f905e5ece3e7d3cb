"""A leaderboard as markdown, CSV, LaTeX, a JSON document, and for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wsal_bench.evaluation import Protocol
from wsal_bench.report import references, uncertainty
from wsal_bench.report.board_columns import all_rows, has_paper, table, usual_keys
from wsal_bench.report.escaping import for_markdown
from wsal_bench.report.numbers import average_title
from wsal_bench.report.stamp import QUICK_NOTE, stamped
from wsal_bench.report.table import csv_text, latex, markdown
from wsal_bench.report.terminal import for_eyes
from wsal_bench.statistics import NestedMean
from wsal_bench.studies.leaderboard import Leaderboard, Row

SCHEMA = "wsal-bench/leaderboard/1"


def title(board: Leaderboard) -> str:
    """What the table is of, and whether its order means something."""
    share = board.coverage.share if board.coverage else ""
    return stamped(board.dataset, quick=board.quick, obstacles=board.obstacles, share=share)


def to_markdown(board: Leaderboard, columns: Sequence[str] | None = None) -> str:
    """The whole page: table, reference rows, failures and what stands behind the numbers."""
    lines = [f"# {for_markdown(title(board))}", ""]
    for lead, rows in _blocks(board):
        lines += [f"{lead}:", ""] if lead else []
        lines += [markdown(table(board, [rows], columns))]
    lines += [f"- {for_markdown(note, code=True)}" for note in notes(board, columns)]
    if board.failures:
        lines += ["", "Failed cells:", ""]
        lines += [f"- {for_markdown(text)}" for text in _failed(board)]
    return "\n".join(lines) + "\n"


def to_terminal(
    board: Leaderboard,
    columns: Sequence[str] | None = None,
    *,
    width: int,
    styled: bool = True,
) -> str:
    """The same for eyes, in one table.

    Args:
        board: what is shown.
        columns: names of columns; None: the usual ones.
        width: places of the terminal.
        styled: bold text may be written.
    """
    blocks = [rows for _, rows in _blocks(board)]
    sentences = [*_below_the_line(board), *notes(board, columns)]
    sentences += [f"Failed: {text}" for text in _failed(board)]
    found = table(board, blocks, columns) if blocks else None
    return for_eyes(title(board), found, sentences, width=width, styled=styled)


def _blocks(board: Leaderboard) -> list[tuple[str, Sequence[Row]]]:
    """What is said above each table, and its rows."""
    if board.protocol is None:
        return []
    floors = any(row.kind != "method" for row in board.by_hand)
    through = " (floors and ceilings through the `common` recipe)" if floors else ""
    blocks: list[tuple[str, Sequence[Row]]] = [
        ("", board.rows),
        (f"With options set by hand, not ranked{through}", board.by_hand),
        ("Floors and ceilings (through the `common` recipe)", board.references),
    ]
    return [(lead, rows) for lead, rows in blocks if rows]


def _below_the_line(board: Leaderboard) -> list[str]:
    """The leads of the blocks, where one table holds them all."""
    leads = [lead[0].lower() + lead[1:] for lead, _ in _blocks(board) if lead]
    first = "below the line" if board.rows else "rows"
    return [f"{first[0].upper()}{first[1:]}: {'; then '.join(leads)}."] if leads else []


def _failed(board: Leaderboard) -> list[str]:
    return [
        f"{failure.name}, data seed {failure.data_seed}, seed {failure.seed}: {failure.error}"
        for failure in board.failures
    ]


def notes(board: Leaderboard, columns: Sequence[str] | None = None) -> list[str]:
    """What a reader must know before believing the table, a sentence each."""
    found = [QUICK_NOTE] if board.quick else []
    found += [f"Not a ranking: {reason}." for reason in board.obstacles]
    if board.coverage is not None:
        found.append(f"Scored: {board.coverage.sentence}.")
    shown = set(usual_keys(board) if columns is None else columns)
    if board.protocol is not None:
        rules = board.protocol
        found.append(
            f"Protocol `{rules.name}` version {rules.version}: {rules.description}. "
            f"Recipe: {board.recipe}. mAP in percent."
        )
        if spread := _spread(board):
            found.append(f"± is the standard deviation over {spread}; nothing is pooled.")
        if "n" in shown:
            found.append("n: data seeds x training seeds.")
        statistics = {row.name: row.statistics for row in board.rows or all_rows(board)}
        about = uncertainty.About(
            reference=board.best,
            average=average_title(rules.headline),
            chosen=True,
            errors="se" in shown,
            margin=board.margin,
        )
        found += uncertainty.notes(statistics, about)
    found += references.notes(row.method for row in all_rows(board))
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
    if "paper" in shown and has_paper(board):
        found.append("Paper: the published number, quoted, made with other code.")
    found += board.remarks
    return found


def to_csv(board: Leaderboard) -> str:
    """One line a row; scores as fractions, an empty field where a number is not known."""
    return csv_text([_flat(row, board.protocol) for row in all_rows(board) if board.protocol])


def to_latex(board: Leaderboard, columns: Sequence[str] | None = None) -> str:
    """All rows in one table of the package booktabs, the legend in its caption."""
    if board.protocol is None:
        return ""
    blocks = [rows for _, rows in _blocks(board)]
    legend = " ".join([*_below_the_line(board), *notes(board, columns)]).replace("`", "")
    return latex(
        table(board, blocks, columns),
        caption=f"{title(board)}. {legend}",
        label=f"tab:{board.dataset}",
    )


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
        "margin": board.margin,
        "rows": [_document(row, board.margin) for row in board.rows],
        "by_hand": [_document(row) for row in board.by_hand],
        "references": [_document(row) for row in board.references],
        "failures": [dict(vars(failure)) for failure in board.failures],
    }


def _spread(board: Leaderboard) -> str:
    """Seeds of what; empty where every row is one run, which has no spread."""
    over = {row.headline.std_over for row in all_rows(board)} - {None}
    words = {"data_seed": "data seeds (of means over training seeds)", "seed": "training seeds"}
    return " or ".join(words[str(name)] for name in sorted(map(str, over)))


def _document(row: Row, margin: float | None = None) -> dict[str, Any]:
    settings = row.runs[0]
    return {
        "name": row.name,
        "kind": row.kind,
        "knows": references.knows(row.method),
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
        **uncertainty.document(row.statistics, margin),
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
