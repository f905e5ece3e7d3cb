"""`wsal-bench profile methods` on a run that was really made."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.made_up import Cli, MadeUpStore


def content(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_parts_of_a_step_of_a_run_add_up_and_the_run_stays_as_it_was(
    cli: Cli, tmp_path: Path
) -> None:
    short = ("--set", "acm-net.epochs=1", "--set", "ftcl.epochs=1")
    made = cli("run", "--methods", "ftcl:lcs", "--quick", *short, "--results", tmp_path)
    assert made.exit_code == 0, made.stderr
    (run,) = (tmp_path / "simulated" / "ftcl-lcs").glob("*/seed0")
    before = content(tmp_path)
    out = tmp_path.with_name("profile")
    arguments = (run, "--results", tmp_path, "--steps", 3, "--out", out, "--json")
    done = cli("profile", "methods", *arguments)
    assert done.exit_code == 0, done.stderr
    assert content(tmp_path) == before
    assert sorted(path.suffix for path in out.iterdir()) == [".json", ".png", ".svg"]
    document = json.loads(done.stdout)
    (data,) = document["data"]["runs"]
    assert document["schema"] == "wsal-bench/profile-methods/2"
    assert data["method"] == "ftcl:lcs" and len(data["raw"]) == 3
    assert sum(data["share"].values()) == pytest.approx(1.0)
    assert all(seconds >= 0 for row in data["raw"] for seconds in row.values())
    assert data["seconds"]["kernels"] > 0 and data["seconds"]["similarity"] > 0
    share = data["share"]["similarity"] + data["share"]["kernels"]
    assert data["kernels_share"] == pytest.approx(share)


def test_what_is_no_run_and_what_learns_nothing_are_errors(cli: Cli, store: MadeUpStore) -> None:
    done = cli("profile", "methods", "nothing", "--results", store.path)
    assert (done.exit_code, "no run 'nothing'" in done.stderr) == (2, True)
    floor = store.add("floor:random")
    done = cli("profile", "methods", floor, "--results", store.path)
    assert (done.exit_code, "learns nothing" in done.stderr) == (2, True)
