"""Writes the numbers that pages quote from the files that hold them, so that none is typed.

A page has blocks between `<!-- NAME: made by scripts/prose -->` and `<!-- end of NAME -->`.

Usage: python -m scripts.prose [--check]
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from scripts.catalogue import methods
from wsal_bench.files import write_text
from wsal_bench.report.table import Cell, Column, Table, markdown

ROOT = Path(__file__).parents[1]
TUNING = ROOT / "scripts" / "tuning"


def read(path: Path) -> Any:
    """A JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A table of pipes; the first column is text."""
    columns = (Column(header[0], "left"), *map(Column, header[1:]))
    return markdown(Table(columns, tuple(tuple(map(Cell, row)) for row in rows))).splitlines()


def with_interval(value: float, low: float, high: float, *, signed: bool = False) -> str:
    """`57.5 [55.1, 59.9]`."""
    sign = "+" if signed else ""
    return f"{value:{sign}.1f} [{low:{sign}.1f}, {high:{sign}.1f}]"


def epochs_of_ftcl() -> list[str]:
    """The curve over FTCL's epochs, and what the rule takes."""
    curve = read(TUNING / "hapt-epochs-ftcl.json")

    def shown(part: str, number: str, *, signed: bool = False) -> str:
        point = curve[part].get(number)
        if point is None:
            return "-"
        return with_interval(point["mean"], point["low"], point["high"], signed=signed)

    chosen = str(curve["chosen"])
    rows = [
        (
            number,
            shown("weak", number),
            shown("weak_minus_chosen", number, signed=True),
            shown("boundaries", number),
            shown("boundaries_minus_chosen", number, signed=True),
        )
        for number in curve["weak"]
    ]
    best = max(curve["weak"], key=lambda number: curve["weak"][number]["mean"])
    point = curve["weak"][best]
    header = ("epochs", "label AP", f"minus {chosen}'s", "mAP", f"minus {chosen}'s")
    seeds = len({outcome["seed"] for outcome in curve["outcomes"]})
    return [
        *table(header, rows),
        "",
        f"(Percent on held-out training people; {seeds} seeds x 3 folds; 95 % intervals over",
        "people and seeds. mAP needs boundaries: it was written down, not chosen by.) The best",
        f"label AP is that of {best} epochs, {point['mean']:.1f} with a standard error of",
        f"{point['error']:.1f}; the smallest number within one standard error is **{chosen}**.",
    ]


def boards_seen() -> list[str]:
    """The boards of hapt that had been seen on test people before the epochs were chosen."""
    boards = read(TUNING / "hapt-boards-seen.json")["boards"]
    rows: dict[str, list[str]] = {}
    for board in boards:
        for row in board["rows"]:
            gap = (
                "first" if row["to_first"] is None else with_interval(*row["to_first"], signed=True)
            )
            rows.setdefault(row["name"], []).extend((f"{row['mean']:.1f} ± {row['std']:.1f}", gap))
    header = ["mAP@AVG(0.1:0.7)"]
    for board in boards:
        header += [f"{board['epochs']} epochs ({board['commit']})", "Δ to first [95 %]"]
    return table(header, [(name, *cells) for name, cells in rows.items()])


def choices_on_hapt() -> list[str]:
    """What choosing by labels took, and what boundaries would have."""
    names = {
        "mil": "mil",
        "attention-mil": "attention-mil",
        "acm-net": "acm-net",
        "ftcl": "ftcl:full",
    }
    record = read(TUNING / "hapt.json")
    rows = []
    for method, name in names.items():
        kinds = ("chosen", "as_it_stood", "with_boundaries_one_would_have_chosen")
        rows.append((name, *(f"{100 * record[method][kind]['boundaries']:.1f}" for kind in kinds)))
    return table(("method", "chosen by labels", "as it stood", "best by boundaries"), rows)


BOARDS = ROOT / "leaderboards"
PAIRS = (
    ("ftcl:full", "ftcl:pairs"),
    ("ftcl:fsd", "ftcl:pairs"),
    ("ftcl:lcs", "ftcl:pairs"),
    ("ftcl:pairs", "acm-net"),
    ("ftcl:full", "acm-net"),
    ("ftcl:full", "ftcl:shuffled"),
    ("ftcl:full", "attention-mil"),
)
"""Rows that pages compare: the first minus the second, which was named before anything ran."""


def rows_of(board: str) -> dict[str, Any]:
    """Rows of a leaderboard and its references, by name."""
    (found,) = read(BOARDS / f"{board}.json")["data"]["leaderboards"]
    return {row["name"]: row for row in (*found["rows"], *found["references"])}


def to_first(row: Mapping[str, Any]) -> str:
    """Difference to the first row, with its mark."""
    found = row["difference"]
    if found is None:
        return "first" if row["kind"] == "method" else "-"
    numbers = (100 * found[key] for key in ("value", "low", "high"))
    return with_interval(*numbers, signed=True) + (" ≈" if found["inside_noise"] else "")


def average(row: Mapping[str, Any], name: str) -> str:
    """A row's mean and spread, in percent."""
    return f"{100 * row['averages'][name]:.1f} ± {100 * row['averages_std'][name]:.1f}"


def simulated_board() -> list[str]:
    """The board of `simulated` under each method's own recipe."""
    rows = [
        (name, average(row, "0.1:0.7"), to_first(row))
        for name, row in rows_of("simulated").items()
        if row["kind"] == "method"
    ]
    return table(("on simulated", "AVG(0.1:0.7), own recipe", "Δ to first"), rows)


def hapt_board() -> list[str]:
    """The board of hapt in short."""
    rows = []
    for name, row in rows_of("hapt").items():
        at = (f"{100 * row['map'][position]:.1f}" for position in (0, 2, 4, 6))
        between = "{:.1f} to {:.1f}".format(
            *(100 * row["interval"][end] for end in ("low", "high"))
        )
        rows.append((name, average(row, "0.3:0.7"), between, *at))
    return table(("on HAPT", "AVG(0.3:0.7)", "95 %", "@0.1", "@0.3", "@0.5", "@0.7"), rows)


ALONE = " (Each cut by its own recipe; one recipe for all was not tried.)"


def verdict(found: Mapping[str, float]) -> str:
    """`above`, `below` or `≈`."""
    return "above" if found["low"] > 0 else "below" if found["high"] < 0 else "≈"


def compared(dataset: str, recipes: Sequence[str]) -> list[str]:
    """Pairs that were named beforehand, and what holds of them under every recipe."""
    document = read(BOARDS / "differences.json")[dataset]
    rows, said = [], []
    for name, reference in PAIRS:
        found = [document[recipe][reference][name] for recipe in recipes]
        verdicts = {verdict(one) for one in found}
        cells = [
            with_interval(one["difference"], one["low"], one["high"], signed=True)
            + (" ≈" if verdict(one) == "≈" else "")
            for one in found
        ]
        margin = max(one["equal_within"] for one in found)
        rows.append((f"{name} - {reference}", *cells, f"{margin:.1f}"))
        alone = ALONE if len(recipes) < 2 and verdicts != {"≈"} else ""
        said.append(_sentence(name, reference, verdicts, margin) + alone)
    header = (
        f"on {dataset}, points",
        *(f"recipe {recipe}" for recipe in recipes),
        "equal within",
    )
    return [*table(header, rows), "", *(f"- {text}" for text in said)]


def _sentence(name: str, reference: str, verdicts: set[str], margin: float) -> str:
    if verdicts == {"≈"}:
        return (
            f"`{name}` and `{reference}` do not differ beyond chance; that they are equal is shown "
            f"to {margin:.1f} points and no closer."
        )
    if len(verdicts) == 1:
        return f"`{name}` scores {verdicts.pop()} `{reference}`."
    return f"`{name}` and `{reference}`: the recipes disagree, so nothing is claimed."


Block = Callable[[], list[str]]
BLOCKS: Mapping[str, Mapping[str, Block]] = {
    "docs/hapt.md": {
        "choices": choices_on_hapt,
        "boards seen": boards_seen,
        "epochs": epochs_of_ftcl,
    },
    "docs/methods.md": {"methods": methods},
    "README.md": {
        "simulated": simulated_board,
        "hapt": hapt_board,
        "hapt compared": partial(compared, "hapt", ("own",)),
    },
}
"""Page -> name of a block -> its lines."""


def renewed(page: str, text: str) -> str:
    """A page with its blocks made anew.

    Raises:
        ValueError: the page lacks a block, or has one that nobody makes.
    """
    blocks = BLOCKS[page]
    there = re.findall(r"<!-- (.+): made by scripts/prose -->", text)
    if sorted(there) != sorted(blocks):
        raise ValueError(f"{page} has the blocks {there}, and {sorted(blocks)} are made")
    for name, lines in blocks.items():
        begin, end = f"<!-- {name}: made by scripts/prose -->", f"<!-- end of {name} -->"
        before, rest = text.split(begin)
        text = "\n".join([f"{before}{begin}", "", *lines(), "", f"{end}{rest.split(end)[1]}"])
    return text


def main() -> int:
    """Writes the pages, or says which are not as they would be written."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit code 1 if it would"
    )
    check = parser.parse_args().check
    changed = []
    for page in BLOCKS:
        path = ROOT / page
        text = path.read_text(encoding="utf-8")
        new = renewed(page, text)
        if new != text:
            changed.append(page)
            if not check:
                write_text(path, new)
    print("\n".join(changed) or "all pages are as their files say", file=sys.stderr)
    return int(check and bool(changed))


if __name__ == "__main__":
    sys.exit(main())
