"""How options were found, from a run to its table: what ranks, what does not, what mends it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.running.toys import PLUGINS, request
from wsal_bench.config import Found
from wsal_bench.plugins import PLUGIN_FOLDERS
from wsal_bench.running.coverage import Coverage
from wsal_bench.running.results import ResultStore
from wsal_bench.running.runner import run
from wsal_bench.studies.leaderboard import Leaderboard, build
from wsal_bench.studies.stored import collect

GRID: dict[str, Any] = {"seeds": (0, 1), "data_seeds": (0, 1, 2)}


@pytest.fixture(autouse=True)
def _toys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PLUGIN_FOLDERS, str(PLUGINS))


def board(results: Path, preset: str | None = None) -> Leaderboard:
    stored = ResultStore(results).records()
    found = collect(stored, "tiny", protocol=None, preset=preset)
    return build(found.runs, dataset="tiny", recipe="own")


def test_published_options_of_all_are_ranked_and_presets_beside_them_are_not(
    tmp_path: Path,
) -> None:
    # `toy` has no preset at all, `plain` has one for this data set that does not say its origin
    run(request(tmp_path, "toy", "plain", preset="published", **GRID))
    assert board(tmp_path).is_ranking
    run(request(tmp_path, "toy", "plain", **GRID))
    table = board(tmp_path)
    (obstacle,) = table.obstacles
    assert obstacle.startswith("budgets differ: plain [scale=2.0]: nobody says how; ")
    assert "plain [scale=1.0], toy: published defaults" in obstacle
    assert "wsal-bench run --methods plain,toy --datasets tiny --data-seeds 0,1,2" in obstacle
    again = board(tmp_path, preset="published")
    assert again.is_ranking
    assert {row.name for row in again.rows} == {"plain", "toy"}


def test_a_record_from_before_learns_how_options_were_found_when_it_is_asked_for_again(
    tmp_path: Path,
) -> None:
    order = request(tmp_path, "plain", preset="published", **GRID)
    run(order)
    for path in tmp_path.rglob("record.json"):
        record = json.loads(path.read_text())
        del record["spec"]["found"], record["spec"]["max_steps"], record["scored"]
        path.write_text(json.dumps(record))
    before = board(tmp_path)
    assert before.obstacles[0].startswith(f"budgets unknown: plain: {Found().budget}")
    assert before.coverage is None
    assert {result.status for result in run(order)} == {"skipped"}
    after = board(tmp_path)
    assert after.is_ranking
    assert after.coverage == Coverage(videos=4, segments=4)
