"""`wsal-bench power`: what a design can find, from stored runs or rough figures."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.made_up import Cli, MadeUpStore


def test_more_groups_and_fewer_rows_find_smaller_differences(cli: Cli) -> None:
    done = cli("power", "--groups", "30", "--seeds", "6", "--rows", "8", "--json")
    assert done.exit_code == 0, done.output
    data = json.loads(done.stdout)["data"]
    asked, _, groups, rows = data["designs"]
    assert (asked["name"], asked["groups"], asked["rows"], rows["rows"]) == ("asked", 30, 8, 4)
    assert groups["detectable"] < asked["detectable"] > rows["detectable"]
    assert "rough figures" in data["source"]
    named = cli("power", "--groups", "30", "--rows", "8", "--against", "control", "--json")
    assert json.loads(named.stdout)["data"]["designs"][0]["detectable"] < asked["detectable"]


def test_the_table_is_for_eyes(cli: Cli) -> None:
    done = cli("power", "--groups", "9")
    assert done.exit_code == 0 and "twice the seeds" in done.stdout
    assert "name stored runs with --datasets" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--groups", "1"), "has no error bars"),
        (("--rows", "1"), "is not in the range"),
        (("--datasets", "simulatd"), "did you mean 'simulated'"),
        (("--datasets", "simulated"), "has 1 row, and a difference needs two"),
    ],
)
def test_what_has_no_answer_is_refused(
    cli: Cli, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    store = MadeUpStore(tmp_path)
    store.add_grid("alone", 0.5)
    done = cli("power", "--results", tmp_path, *arguments)
    assert done.exit_code == 2 and said in done.stderr
