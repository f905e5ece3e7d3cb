"""How often intervals hold the truth and marks are wrong, in worlds whose truth is known.

Usage: scripts/coverage [--draws 1000] [--jobs 2] [--only TEXT] [--folder results/coverage]

Each draw makes new test sets and detections, has them evaluated, and asks `compare_rows` for the
tables of tests/statistics/worlds.py. Draws are kept in the folder as they come: the same command
goes on. The summary goes to scripts/coverage.json and the table to docs/statistics.md.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np

from tests.statistics.worlds import EQUAL, TABLES, WORSE, best_of, draw, marked, worlds
from wsal_bench.files import write_text
from wsal_bench.statistics import compare_rows

ROOT = Path(__file__).parents[1]
PAGE, SUMMARY = ROOT / "docs" / "statistics.md", ROOT / "scripts" / "coverage.json"
BEGIN, END = "<!-- figures: made by scripts/coverage -->", "<!-- end of figures -->"
ROWS = (*EQUAL, *WORSE)
LEVELS = 500  # tables drawn for the joint level: noise in it averages out over the draws
BATCH = 10  # draws of a piece of work
LOW, HIGH, MOST = 0.93, 0.97, 0.06  # the bands that are asked for


def batch(name: str, numbers: Sequence[int]) -> list[dict[str, Any]]:
    """Some draws of a world, as plain values; the same numbers give the same draws."""
    world, index = worlds()[name], list(worlds()).index(name)
    return [one_draw(np.random.default_rng([index, number]), world) for number in numbers]


def one_draw(rng: np.random.Generator, world: Any) -> dict[str, Any]:
    """All tables of new test sets."""
    runs = draw(world, ROWS, rng)
    tables = {}
    for table, rows in TABLES.items():
        best = best_of(runs, rows)
        found = compare_rows({row: runs[row] for row in rows}, best, num_resamples=LEVELS)
        intervals = {
            row: [one.comparison.interval.low, one.comparison.interval.high]
            for row, one in found.items()
            if one.comparison
        }
        own = {
            row: [one.interval.low, one.interval.high] for row, one in found.items() if one.interval
        }
        tables[table] = {
            "best": best,
            "marked": marked(found),
            "intervals": intervals,
            "own": own,
            "detectable": [one.comparison.detectable for one in found.values() if one.comparison],
        }
    means = {row: float(np.mean([run.headline for run in runs[row].values()])) for row in ROWS}
    return {"means": means, "tables": tables}


def summary(draws: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Shares over the draws of a world; the true headlines are the means over all of them."""
    truth = {row: float(np.mean([one["means"][row] for one in draws])) for row in WORSE}
    equal = float(np.mean([one["means"][row] for one in draws for row in EQUAL]))
    truth |= dict.fromkeys(EQUAL, equal)
    found: dict[str, Any] = {
        "draws": len(draws),
        "true": {row: truth[row] for row in ("equal0", *WORSE)},
    }
    for table in TABLES:
        parts = [one["tables"][table] for one in draws]
        found[table] = {
            "coverage": share([holds(part["intervals"], truth, part["best"]) for part in parts]),
            "own": share(
                [low <= truth[row] <= high for p in parts for row, (low, high) in p["own"].items()]
            ),
            "false marks": share(
                [any(wrong(part, row, truth) for row in part["marked"]) for part in parts]
            ),
            "found": share([bool(part["marked"]) for part in parts]),
            "detectable": float(np.median([value for p in parts for value in p["detectable"]])),
        }
    return found


def holds(intervals: Mapping[str, Sequence[float]], truth: Mapping[str, float], best: str) -> bool:
    """Whether all intervals of a table hold the true differences."""
    return all(low <= truth[row] - truth[best] <= high for row, (low, high) in intervals.items())


def wrong(part: Mapping[str, Any], row: str, truth: Mapping[str, float]) -> bool:
    """Whether a mark parts what does not differ, or has the wrong sign."""
    difference = truth[row] - truth[part["best"]]
    return difference == 0 or (difference > 0) != (part["intervals"][row][0] > 0)


def share(values: Sequence[bool]) -> float:
    """The mean of yes and no."""
    return float(np.mean(values))


def table(found: Mapping[str, Mapping[str, Any]]) -> str:
    """The markdown between the markers."""
    lines = [
        "| groups, data seeds x seeds | draws | 2 rows | 8 rows, all at once | one row "
        "| false marks: 2 rows | 8 rows, all equal | 8 rows, 4 equal |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    outside = []
    for name, one in found.items():
        covers = [one["2 apart"]["coverage"], one["8 apart"]["coverage"], one["8 apart"]["own"]]
        marks = [one[part]["false marks"] for part in ("2 equal", "8 equal", "8 apart")]
        cells = [f"{100 * value:.1f}" for value in (*covers, *marks)]
        lines.append(f"| {name} | {one['draws']:,} | {' | '.join(cells)} |")
        for what, value in zip(("2 rows", "8 rows", "one row"), covers, strict=True):
            if not LOW <= value <= HIGH:
                outside.append(f"{name}: coverage of {what} {100 * value:.1f}")
        for what, value in zip(("2 equal", "8 equal", "8 rows, 4 equal"), marks, strict=True):
            if value > MOST:
                outside.append(f"{name}: false marks of {what} {100 * value:.1f}")
    least = min(one["draws"] for one in found.values())
    lines += [
        "",
        f"All in percent. One standard error of a cell is {100 * sqrt(0.05 * 0.95 / least):.1f} at "
        f"95 or 5 % ({least:,} draws; `one row` is surer, eight rows are counted in each draw).",
    ]
    told = "; ".join(outside) if outside else "none"
    lines.append(f"Outside 93 to 97 % coverage or above 6 % false marks: {told}.")
    return "\n".join(lines)


def write(found: Mapping[str, Mapping[str, Any]]) -> None:
    """The summary, and the table on its page."""
    write_text(SUMMARY, json.dumps(found, indent=1) + "\n")
    page = PAGE.read_text(encoding="utf-8")
    before, after = page.split(BEGIN)[0], page.split(END)[1]
    write_text(PAGE, f"{before}{BEGIN}\n\n{table(found)}\n\n{END}{after}")


def main() -> None:
    """Goes on where the folder stops, then writes what there is."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--draws", type=int, default=1000, help="of each world")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--only", default="", help="worlds whose name holds this")
    parser.add_argument("--folder", type=Path, default=ROOT / "results" / "coverage")
    options = parser.parse_args()
    files = {
        name: options.folder / f"{name.replace(', ', '-').replace(' ', '-')}.json"
        for name in worlds()
    }
    kept: dict[str, dict[str, Any]] = {
        name: json.loads(path.read_text()) if path.exists() else {} for name, path in files.items()
    }
    work = [
        (name, numbers)
        for begin in range(0, options.draws, BATCH)
        for name in files
        if options.only in name
        and (
            numbers := [
                k
                for k in range(begin, min(begin + BATCH, options.draws))
                if str(k) not in kept[name]
            ]
        )
    ]
    started = time.monotonic()
    options.folder.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(options.jobs) as pool:
        pending = {pool.submit(batch, *piece): piece for piece in work}
        for done, future in enumerate(as_completed(pending), start=1):
            name, numbers = pending[future]
            kept[name] |= dict(zip(map(str, numbers), future.result(), strict=True))
            write_text(files[name], json.dumps(kept[name]))
            left = (time.monotonic() - started) / done * (len(work) - done)
            print(
                f"{done}/{len(work)} {name}: {len(kept[name])} draws; {left / 60:.0f} min left",
                flush=True,
            )
    known = {name: summary([*draws.values()]) for name, draws in kept.items() if draws}
    write(known)
    print(table(known))


if __name__ == "__main__":
    main()
