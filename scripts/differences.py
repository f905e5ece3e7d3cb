"""Differences between rows that pages speak of, with simultaneous intervals, from a store.

A leaderboard compares with its best row, which the data chose. A sentence such as "FTCL against the
ACM-Net it starts from" names both rows beforehand: its intervals hold for the rows named with it.

Usage: python -m scripts.differences RESULTS DATASET [--recipe own] [--out FILE]
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from wsal_bench.files import write_text
from wsal_bench.running.results import ResultStore
from wsal_bench.statistics import compare_rows
from wsal_bench.studies.leaderboard import rows_of
from wsal_bench.studies.stored import collect

ROOT = Path(__file__).parents[1]
REFERENCES = {
    "ftcl:pairs": ("ftcl:full", "ftcl:fsd", "ftcl:lcs", "ftcl:shuffled"),
    "acm-net": ("ftcl:full", "ftcl:fsd", "ftcl:lcs", "ftcl:pairs", "ftcl:shuffled"),
    "ftcl:shuffled": ("ftcl:full",),
    "attention-mil": ("ftcl:full", "ftcl:shuffled", "acm-net"),
}
"""Row that was named beforehand -> rows that are compared with it."""


def differences(results: Path, dataset: str, recipe: str) -> dict[str, Any]:
    """In percent points, by reference and row."""
    with ResultStore(results).indexed() as store:
        found = collect(store.runs, dataset, recipe=recipe, protocol=None)
        rows = {row.name: row.scores for row in rows_of(found.runs)}
        average = next(iter(rows["acm-net"].values())).protocol.headline
        document: dict[str, Any] = {"average": average, "protocol": found.protocol}
        for reference, names in REFERENCES.items():
            chosen = {name: rows[name] for name in (reference, *names)}
            statistics = compare_rows(chosen, reference, chosen=False)
            document[reference] = {name: _numbers(statistics[name].comparison) for name in names}
    return document


def _numbers(comparison: Any) -> dict[str, float]:
    interval = comparison.interval
    return {
        "difference": round(100 * interval.difference, 3),
        "low": round(100 * interval.low, 3),
        "high": round(100 * interval.high, 3),
        "adjusted_p": round(comparison.adjusted_p, 4),
        "equal_within": round(100 * comparison.equal_within, 3),
        "detectable": round(100 * comparison.detectable, 3),
    }


def main() -> None:
    """Adds one data set and recipe to the file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("results", type=Path)
    parser.add_argument("dataset")
    parser.add_argument("--recipe", default="own")
    parser.add_argument("--out", type=Path, default=ROOT / "leaderboards" / "differences.json")
    asked = parser.parse_args()
    document = json.loads(asked.out.read_text()) if asked.out.exists() else {}
    found = differences(asked.results, asked.dataset, asked.recipe)
    document.setdefault(asked.dataset, {})[asked.recipe] = found
    write_text(asked.out, json.dumps(document, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
