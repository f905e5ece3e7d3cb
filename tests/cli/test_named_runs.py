"""A run is named alike in every command, and listed by that name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.made_up import Cli, MadeUpStore

OLD = {"finished": "2020-01-31T12:00:00+00:00"}
NEW = {"finished": "2021-06-01T12:00:00+00:00"}


@pytest.fixture
def stored(store: MadeUpStore) -> MadeUpStore:
    store.add("mil", 0.4, config={"rate": 0.1}, record=OLD)
    store.add("mil", 0.5, config={"rate": 0.2}, record=NEW)
    store.add("mil", 0.6, seed=1, config={"rate": 0.1}, record=NEW)
    store.add("ftcl:full", 0.7, data_seed=2, record=NEW)
    store.add("ftcl:fsd", None, data_seed=2, record=OLD)
    store.add("floor:random", 0.1)
    return store


def listed(cli: Cli, store: MadeUpStore, *arguments: str) -> list[dict[str, Any]]:
    done = cli("list", "runs", "--results", store.path, *arguments, "--json")
    assert done.exit_code == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)["data"]["runs"]
    return found


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("simulated/ftcl:full@2.0", "ftcl-full"),
        ("simulated/ftcl:full@0", "ftcl-full"),
        ("simulated/ftcl:full", "ftcl-full"),
        ("ftcl:full@0", "ftcl-full"),
        ("simulated/ftcl-full", "ftcl-full"),  # as it was before names had seeds
        ("*/*:full", "ftcl-full"),
        ("simulated/mil@1", "seed1"),
        ("floor:random@0", "floor-random"),
    ],
)
def test_show_knows_a_run_by_its_name(name: str, path: str, cli: Cli, stored: MadeUpStore) -> None:
    done = cli("show", name, "--results", stored.path, "--json")
    assert done.exit_code == 0, done.stderr
    shown = json.loads(done.stdout)["data"]
    assert shown["kind"] == "run"
    assert path in shown["directory"]


def test_every_name_that_is_listed_or_proposed_means_one_run(cli: Cli, stored: MadeUpStore) -> None:
    for line in listed(cli, stored):
        done = cli("show", line["name"], "--results", stored.path)
        if done.exit_code == 0:
            assert f"directory: {line['directory']}" in done.stdout
            continue
        assert done.exit_code == 2
        assert "2 runs fit 'simulated/mil@0.0'; name one of: " in done.stderr
        proposed = [part.strip() for part in done.stderr.split("name one of:")[1].split("), ")]
        assert [text.split(" (")[1].rstrip(")\n") for text in proposed] in (
            ["mil: rate=0.1", "mil: rate=0.2"],
            ["mil: rate=0.2", "mil: rate=0.1"],
        )
        for text in proposed:
            assert cli("show", text.split(" (")[0], "--results", stored.path).exit_code == 0


def test_a_pattern_shows_every_run_that_it_fits(cli: Cli, stored: MadeUpStore) -> None:
    done = cli("show", "simulated/mil@*", "--results", stored.path, "--json")
    assert [run["name"] for run in json.loads(done.stdout)["data"]["runs"]] in (
        ["simulated/mil@0.0", "simulated/mil@0.1", "simulated/mil@0.0"],
        ["simulated/mil@0.0", "simulated/mil@0.0", "simulated/mil@0.1"],
    )


@pytest.mark.parametrize(
    "command",
    [
        ["show"],
        ["show", "--diagnose"],
        ["show", "--video", "v"],
        ["rescore"],
        ["audit", "simulated/mil@1"],
        ["profile", "methods"],
        ["infer", "features", "--checkpoint"],
    ],
)
def test_every_command_proposes_the_nearest_run_or_lists_them(
    command: list[str],
    cli: Cli,
    stored: MadeUpStore,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "features").mkdir()
    (tmp_path / "features" / "a.npy").write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    if command[0] == "audit":  # the first of the two must be there
        command = ["audit", "simulated/ftlc:full@0"]
        names = [("simulated/mil@0", "did you mean 'simulated/ftcl:full@2.0'?")]
    else:
        names = [
            ("simulated/FTCL:full@0", "did you mean 'simulated/ftcl:full@2.0'?"),
            ("simulated/mil", "3 runs fit 'simulated/mil'; name one of: simulated/"),
        ]
    for name, message in names:
        done = cli(*command, name, "--results", stored.path)
        assert (done.exit_code, message in done.stderr) == (2, True), done.stderr


def test_runs_are_listed_with_what_tells_them_apart(cli: Cli, stored: MadeUpStore) -> None:
    lines = listed(cli, stored)
    mil = [line for line in lines if line["method"] == "mil"]
    assert sorted(line["options"]["rate"] for line in mil) == [0.1, 0.1, 0.2]
    (failed,) = [line for line in lines if line["status"] == "failed"]
    assert (failed["name"], failed["error"], failed["mAP"]) == (
        "simulated/ftcl:fsd@2.0",
        "loss fsd is nan at step 7",
        None,
    )
    table = cli("list", "runs", "--results", stored.path).stdout
    assert "rate=0.2" in table
    assert "2021-06-01" in table
    assert max(map(len, table.splitlines())) <= 100


@pytest.mark.parametrize(
    ("arguments", "number"),
    [
        (["--method", "ftcl"], 2),
        (["--methods", "ftcl:full,mil"], 4),
        (["--method", "floor:*"], 1),
        (["--failed"], 1),
        (["--since", "2021-01-01"], 3),
        (["--since", "1h"], 0),
        (["--since", "2021-01-01", "--method", "mil"], 2),
    ],
)
def test_runs_are_chosen(arguments: list[str], number: int, cli: Cli, stored: MadeUpStore) -> None:
    assert len(listed(cli, stored, *arguments)) == number


def test_a_run_that_was_broken_off_or_damaged_is_listed_as_such(
    cli: Cli, stored: MadeUpStore
) -> None:
    directory = stored.add("acm-net", 0.3)
    spec = json.loads((directory / "record.json").read_text())["spec"]
    (directory / "spec.yaml").write_text(json.dumps(spec))  # JSON is YAML
    (directory / "record.json").unlink()
    other = stored.add("attention-mil", 0.3)
    next(other.glob("recipes/*/scores/*.json")).write_text("{")
    status = {line["method"]: line["status"] for line in listed(cli, stored)}
    assert (status["acm-net"], status["attention-mil"]) == ("unfinished", "damaged")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--failed"], "choose runs"),
        (["methods", "--method", "mil"], "choose runs"),
        (["runs", "--since", "yesterday"], "'yesterday' is no time"),
    ],
)
def test_filters_that_cannot_be_meant_are_refused(
    arguments: list[str], message: str, cli: Cli
) -> None:
    done = cli("list", *arguments)
    assert done.exit_code == 2
    assert message in done.stderr
