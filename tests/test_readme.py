"""What the first page shows is what stands behind it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def board(name: str) -> dict[str, Any]:
    document = json.loads((ROOT / "leaderboards" / f"{name}.json").read_text(encoding="utf-8"))
    found: dict[str, Any] = document["data"]["leaderboards"][0]
    return found


def test_the_table_of_the_first_page_is_that_of_the_leaderboard() -> None:
    lines = README.split("| on HAPT ", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    hapt = board("hapt")
    rows = {row["name"]: row for row in (*hapt["rows"], *hapt["references"])}
    columns = [hapt["tiou"].index(tiou) for tiou in (0.1, 0.3, 0.5, 0.7)]
    shown = {}
    for line in lines:
        name, *cells = [cell.strip() for cell in line.strip("|").split("|")]
        shown[name.split(" (")[0]] = cells
    assert {row["name"] for row in hapt["rows"]} < {*shown}  # no method is left out
    for name, cells in shown.items():
        row, headline = rows[name], hapt["average"]
        mean, std = row["averages"][headline], row["averages_std"][headline]
        texts = [f"{100 * row['map'][column]:.1f}" for column in columns]
        assert [cells[0], *cells[2:]] == [f"{100 * mean:.1f} ± {100 * std:.1f}", *texts], name


def test_it_is_said_where_a_floor_that_knows_the_labels_beats_every_method() -> None:
    hapt = board("hapt")
    constant = next(row for row in hapt["references"] if row["name"] == "floor:constant")
    if constant["map"][0] > max(row["map"][0] for row in hapt["rows"]):
        for text in (README, (ROOT / "docs" / "hapt.md").read_text(encoding="utf-8")):
            assert re.search(r"`floor:constant`\s+(stands above|is made from the truth)", text)
        remark = next(text for text in hapt["remarks"] if "floor:constant" in text)
        for path in ("leaderboards/hapt.md", "scripts/leaderboards"):
            assert remark in (ROOT / path).read_text(encoding="utf-8")


def test_what_is_said_of_the_pair_control_is_what_the_table_says() -> None:
    mean = {row["name"]: 100 * row["averages"]["0.1:0.7"] for row in board("simulated")["rows"]}
    said = " ".join(README.split())
    pairs, fsd, start = (mean[name] for name in ("ftcl:pairs", "ftcl:fsd", "acm-net"))
    assert f"has {start - pairs:.1f} points less than the ACM-Net that it starts from" in said
    assert f"FSD's {fsd - pairs:.1f} points over that control" in said
    assert f"leave {fsd - start:.1f} over ACM-Net" in said
