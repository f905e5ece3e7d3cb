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
from pathlib import Path
from typing import Any

from wsal_bench.files import write_text

ROOT = Path(__file__).parents[1]
TUNING = ROOT / "scripts" / "tuning"


def read(path: Path) -> Any:
    """A JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A table of pipes; the first column is text."""
    rule = [":---", *["---:"] * (len(header) - 1)]
    return [f"| {' | '.join(row)} |" for row in (header, rule, *rows)]


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
            f"**{number}**" if number == chosen else number,
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


Block = Callable[[], list[str]]
BLOCKS: Mapping[str, Mapping[str, Block]] = {
    "docs/hapt.md": {
        "choices": choices_on_hapt,
        "boards seen": boards_seen,
        "epochs": epochs_of_ftcl,
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
