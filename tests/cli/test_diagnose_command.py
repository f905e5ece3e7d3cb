"""`eval --diagnose`, `show RUN` and `show RUN --diagnose`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from tests.cli.made_up import Cli
from wsal_bench.running.results import RunFiles

TRUTH = {
    "database": {
        "a": {
            "subset": "test",
            "duration": 20.0,
            "annotations": [
                {"segment": [0.0, 1.0], "label": "CliffDiving"},
                {"segment": [0.0, 1.0], "label": "Diving"},
            ],
        },
        "b": {
            "subset": "test",
            "duration": 10.0,
            "annotations": [{"segment": [2.0, 4.0], "label": "Diving"}],
        },
    }
}
# in a: found, then again, which is twins' trouble; in b: half of the truth, then nothing
FOUND = {
    "results": {
        "a": [
            {"segment": [0.0, 1.0], "label": "Diving", "score": 0.9},
            {"segment": [0.0, 0.9], "label": "Diving", "score": 0.8},
        ],
        "b": [
            {"segment": [2.0, 2.6], "label": "Diving", "score": 0.7},
            {"segment": [8.0, 9.0], "label": "Diving", "score": 0.6},
        ],
    }
}
PICTURES = ("precision_recall", "error_profile", "per_class", "sensitivity")


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, ...]:
    (tmp_path / "truth.json").write_text(json.dumps(TRUTH))
    (tmp_path / "found.json").write_text(json.dumps(FOUND))
    return (
        "--truth", str(tmp_path / "truth.json"), "--detections", str(tmp_path / "found.json"),
    )  # fmt: skip


def data_of(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.stderr
    document = json.loads(result.stdout)
    assert set(document) == {"schema", "data"}
    assert document["schema"] == "wsal-bench/diagnosis/1"
    found: dict[str, Any] = document["data"]
    return found


def kinds_at_half(data: dict[str, Any]) -> list[int]:
    place = data["tiou"].index(0.5)
    counts = [sum(column) for column in zip(*data["errors"]["slices"][place], strict=True)]
    return counts


def test_the_diagnosis_of_files_is_a_document(cli: Cli, files: tuple[str, ...]) -> None:
    data = data_of(cli("eval", *files, "--diagnose", "--json"))
    scores = json.loads(cli("eval", *files, "--json").stdout)["data"]
    assert data["map"] == pytest.approx(scores["map"])
    assert data["averages"] == pytest.approx(scores["averages"])
    assert kinds_at_half(data) == [1, 0, 1, 1, 0, 1]
    assert data["snippets"] is None and data["oracle_recipe"] is None
    assert [one["name"] for one in data["classes"]] == ["CliffDiving", "Diving"]


def test_twins_are_noted_and_judged_by_their_label_on_demand(
    cli: Cli, files: tuple[str, ...]
) -> None:
    assert (
        "for 1 of the detections that do not hit at tIoU 0.5"
        in cli("eval", *files, "--diagnose").stdout
    )
    data = data_of(cli("eval", *files, "--diagnose", "--json", "--equal-tiou", "label"))
    assert kinds_at_half(data) == [1, 1, 0, 1, 0, 1]


def test_buckets_are_those_that_were_asked_for(cli: Cli, files: tuple[str, ...]) -> None:
    for name, edge in (("thumos14", 3), ("activitynet", 30)):
        data = data_of(cli("eval", *files, "--diagnose", "--json", "--buckets", name))
        assert data["buckets"] == name and data["sensitivity"][0]["edges"][1] == edge
        assert data["sensitivity"][0]["edges"][-1] is None


def test_the_pictures_are_drawn_in_both_forms(
    cli: Cli, files: tuple[str, ...], tmp_path: Path
) -> None:
    result = cli("eval", *files, "--diagnose", "--out", tmp_path / "new" / "pictures")
    assert result.exit_code == 0, result.stderr
    for name in PICTURES:
        assert (tmp_path / "new" / "pictures" / f"{name}.svg").read_text().startswith("<?xml")
        assert (tmp_path / "new" / "pictures" / f"{name}.png").read_bytes()[:4] == b"\x89PNG"
        assert f"{name}.svg" in result.stderr


def test_equal_diagnoses_give_equal_bytes(cli: Cli, files: tuple[str, ...], tmp_path: Path) -> None:
    for folder in ("one", "two"):
        cli("eval", *files, "--diagnose", "--out", tmp_path / folder)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


@pytest.mark.parametrize(
    "options", [("--plot", "x"), ("--buckets", "thumos14"), ("--equal-tiou", "label")]
)
def test_options_of_a_diagnosis_need_one(
    options: tuple[str, ...], cli: Cli, files: tuple[str, ...]
) -> None:
    for command in (("eval", *files), ("show", "mil")):
        result = cli(*command, *options)
        assert result.exit_code == 2
        assert f"{options[0]} without --diagnose" in result.stderr


def test_a_folder_that_cannot_be_made_is_said(
    cli: Cli, files: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    result = cli("eval", *files, "--diagnose", "--out", tmp_path / "file" / "below")
    assert result.exit_code == 3 and "file" in result.stderr


@pytest.fixture
def run(cli: Cli, toys: Path, tmp_path: Path) -> Path:
    """The directory of a run of the toy method."""
    where = ("--plugins", toys, "--datasets", "toy-data", "--results", tmp_path / "results")
    result = cli("run", *where, "--methods", "toy:full", "--json")
    assert result.exit_code == 0, result.stderr
    return Path(json.loads(result.stdout)["data"]["cells"][-1]["directory"])


def test_a_run_is_shown_with_its_diagnosis(cli: Cli, run: Path) -> None:
    text = cli("show", run).stdout
    assert "snippet AP of cas: 100.0" in text and "video classification mAP 100.0" in text
    shown = json.loads(cli("show", run, "--json").stdout)["data"]
    assert list(shown["diagnosis"]) == ["own toy-data/common"]
    assert shown["diagnosis"]["own toy-data/common"]["snippets"][0]["map"] == 1.0


def test_an_older_run_without_a_diagnosis_is_shown_as_before(cli: Cli, run: Path) -> None:
    RunFiles(run).diagnosis("own", "toy-data/common").unlink()
    result = cli("show", run)
    assert result.exit_code == 0 and "diagnosis: none" in result.stdout


def test_a_damaged_diagnosis_is_said(cli: Cli, run: Path) -> None:
    path = RunFiles(run).diagnosis("own", "toy-data/common")
    for text in ('{"schema": "other/1"}', '{"schema": "wsal-bench/diagnosis/1"}', "{"):
        path.write_text(text)
        result = cli("show", run)
        assert result.exit_code == 3 and str(path) in result.stderr


def test_a_run_is_diagnosed_in_full_on_demand(cli: Cli, run: Path, toys: Path) -> None:
    data = data_of(cli("show", "--plugins", toys, run, "--diagnose", "--json"))
    oracle = data["oracle_recipe"]
    assert oracle["chosen_on"] == "test" and "never a headline" in oracle["warning"]
    assert oracle["best"]["average"] == max(one["average"] for one in oracle["tried"])
    assert oracle["best"]["average"] >= oracle["own"] == data["average_map"]
    names = [one["name"] for one in oracle["tried"]]
    assert len(names) == len(set(names)) == 1 + 9  # own is common here, and there are no gates
    text = cli("show", "--plugins", toys, run, "--diagnose").stdout
    assert "ORACLE RECIPE (chosen on test" in text and "tried ON TEST" in text


def test_the_stored_diagnosis_is_the_full_one_without_the_oracle(
    cli: Cli, run: Path, toys: Path
) -> None:
    full = data_of(cli("show", "--plugins", toys, run, "--diagnose", "--json"))
    del full["oracle_recipe"], full["recipe"], full["quick"]
    path = RunFiles(run).diagnosis("own", "toy-data/common")
    assert json.loads(path.read_text())["data"] == full


def test_the_diving_rule_and_the_choice_of_scores_reach_the_diagnosis(
    cli: Cli, run: Path, toys: Path
) -> None:
    options = ("--diving-rule", "--recipe", "own", "--protocol", "toy-data/common")
    data = data_of(cli("show", "--plugins", toys, run, "--diagnose", "--json", *options))
    assert data["classification"]["diving_rule"] is True
    assert (data["recipe"], data["protocol"]) == ("own", "toy-data/common")


def test_data_that_are_not_those_of_the_run_any_more_are_refused(
    cli: Cli, run: Path, toys: Path
) -> None:
    record = json.loads((run / "record.json").read_text())
    record["spec"]["data"]["version"] = "0"
    (run / "record.json").write_text(json.dumps(record))
    result = cli("show", "--plugins", toys, run, "--diagnose")
    assert result.exit_code == 3 and "are not those of the run any more" in result.stderr


def test_what_is_no_run_cannot_be_diagnosed(cli: Cli) -> None:
    result = cli("show", "mil", "--diagnose")
    assert result.exit_code == 2 and "no run 'mil'" in result.stderr


def test_scores_that_a_run_does_not_have_cannot_be_diagnosed(
    cli: Cli, run: Path, toys: Path
) -> None:
    result = cli("show", "--plugins", toys, run, "--diagnose", "--recipe", "acm")
    assert result.exit_code == 2
    assert "no scores under recipe 'acm-net'" in result.stderr
    assert "the run has: own toy-data/common" in result.stderr


def test_a_failed_run_cannot_be_diagnosed(cli: Cli, store: Any) -> None:
    directory = store.add("mil", None)
    result = cli("show", directory, "--diagnose")
    assert result.exit_code == 2 and "failed run" in result.stderr
