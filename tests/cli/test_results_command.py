"""`wsal-bench results verify`, and strays and damage in the commands that read a store."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.cli.made_up import Cli, MadeUpStore
from tests.running.toys import PLUGINS, request
from wsal_bench.evaluation import Counts, Scores, common
from wsal_bench.evaluation.scores import Matches, Support
from wsal_bench.plugins import PLUGIN_FOLDERS
from wsal_bench.running import index
from wsal_bench.running.results import RunFiles
from wsal_bench.running.runner import run
from wsal_bench.studies import known_statistics


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFiles:
    """A run of a toy method in the store `tmp_path`."""
    monkeypatch.setenv(PLUGIN_FOLDERS, str(PLUGINS))
    (result,) = run(request(tmp_path, "plain"))
    return RunFiles(Path(result.directory))


def test_a_whole_store_is_said_to_be(cli: Cli, made: RunFiles, tmp_path: Path) -> None:
    result = cli("results", "verify", "--results", tmp_path)
    assert (result.exit_code, result.stdout) == (0, "1 runs, 3 files, no damaged\n")


def test_damaged_scores_are_found_and_repaired(cli: Cli, made: RunFiles, tmp_path: Path) -> None:
    path = made.scores("own", "tiny/common")
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"0.8", b"0.9"))
    result = cli("results", "verify", "--results", tmp_path)
    assert result.exit_code == 5
    assert result.stdout.startswith("score again: ")
    assert path.read_bytes() != whole
    result = cli("results", "verify", "--results", tmp_path, "--repair", "--json")
    assert result.exit_code == 0
    (finding,) = json.loads(result.stdout)["data"]["findings"]
    assert finding["repaired"]
    assert path.read_bytes() == whole
    assert cli("results", "verify", "--results", tmp_path).exit_code == 0


def test_damaged_segments_are_cut_again(cli: Cli, made: RunFiles, tmp_path: Path) -> None:
    whole = made.detections("own").read_bytes()
    made.detections("own").write_bytes(whole[:-1])
    result = cli("results", "verify", "--results", tmp_path, "--repair")
    assert (result.exit_code, made.detections("own").read_bytes()) == (0, whole)
    assert cli("results", "verify", "--results", tmp_path).exit_code == 0


def test_damaged_activations_need_the_run(cli: Cli, made: RunFiles, tmp_path: Path) -> None:
    made.activations().write_bytes(b"no")
    result = cli("results", "verify", "--results", tmp_path, "--repair")
    assert result.exit_code == 5
    assert result.stdout.startswith("make the cell again: ")


def test_strays_are_ignored_and_named(cli: Cli, tmp_path: Path) -> None:
    store = MadeUpStore(tmp_path)
    directory = store.add("fast", 0.9)
    shutil.copytree(directory, directory.with_name("seed0.bak"))
    shutil.copytree(directory, directory.with_name("seed7"))
    shutil.copytree(directory.parent, directory.parent.with_name("copy"))
    result = cli("leaderboard", "--results", tmp_path, "--out", "-", "--json")
    (board,) = json.loads(result.stdout)["data"]["leaderboards"]
    (row,) = board["rows"]
    assert row["num_seeds"] == 1
    for name in ("seed0.bak", "seed7", "copy"):
        assert name in result.stderr
    listed = cli("list", "runs", "--results", tmp_path, "--json")
    assert len(json.loads(listed.stdout)["data"]["runs"]) == 1
    assert "seed0.bak" in listed.stderr


def test_one_damaged_record_costs_its_row_and_is_counted(cli: Cli, tmp_path: Path) -> None:
    store = MadeUpStore(tmp_path)
    store.add("fast", 0.9)
    (store.add("slow", 0.1) / "record.json").write_text("{")
    for command in (("leaderboard", "--out", "-"), ("list", "runs")):
        result = cli(*command, "--results", tmp_path)
        assert result.exit_code == 0
        assert "fast" in result.stdout
        assert result.stderr.splitlines()[-1].endswith("1 damaged record is left out")


def with_matches(store: MadeUpStore, method: str, seed: int) -> None:
    """A run on four videos whose scores can be resampled."""
    directory = store.add(method, 0.5, data_seed=seed)
    label = np.zeros(8, np.int64)
    hits = np.random.default_rng(seed).integers(0, 128, 8)
    matches = Matches(np.arange(8) % 4, label, np.arange(8), hits)
    support = Support(np.arange(4), np.zeros(4, np.int64), ("a", "b", "c", "d"))
    scores = Scores(
        common("simulated"),
        ("wave",),
        np.full((7, 1), 0.5),
        Counts(8, 4, 0, 0, 0),
        matches,
        support,
    )
    path = RunFiles(directory).scores("own", "simulated/common")
    path.write_text(json.dumps(scores.to_json()))


def test_statistics_of_a_table_are_computed_once(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = MadeUpStore(tmp_path)
    for seed in range(2):
        with_matches(store, "fast", seed)
        with_matches(store, "slow", seed)
    command = ("leaderboard", "--results", tmp_path, "--out", "-", "--json")
    without = cli(*command)
    assert not (tmp_path / index.INDEX).exists()  # so small a store needs none
    monkeypatch.setattr(index, "_WORTH", 1)
    assert cli(*command).stdout == without.stdout
    rows = json.loads(without.stdout)["data"]["leaderboards"][0]["rows"]
    assert rows[0]["standard_error"]["num_groups"] > 1
    with monkeypatch.context() as patched:
        patched.setattr(known_statistics, "compared", None)
        assert cli(*command).stdout == without.stdout
    with_matches(MadeUpStore(tmp_path), "third", 0)
    assert len(json.loads(cli(*command).stdout)["data"]["leaderboards"][0]["rows"]) == 3
