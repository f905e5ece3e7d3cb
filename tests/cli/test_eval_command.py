"""`wsal-bench eval` against files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.made_up import Cli

GOLDEN = Path(__file__).parents[1] / "golden" / "eval"
TRUTH = {
    "database": {
        "a": {
            "subset": "test",
            "duration": 10.0,
            "annotations": [{"segment": [0.0, 1.0], "label": "wave"}],
        },
        "b": {
            "subset": "test",
            "duration": 10.0,
            "annotations": [{"segment": [2.0, 4.0], "label": "jump"}],
        },
        "c": {"subset": "train", "annotations": []},
    }
}
# wave is found exactly, jump covers half of the truth: tIoU 0.5
FOUND = {
    "results": {
        "a": [{"segment": [0.0, 1.0], "label": "wave", "score": 0.9}],
        "b": [{"segment": [2.0, 3.0], "label": "jump", "score": 0.8}],
    }
}


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, ...]:
    (tmp_path / "truth.json").write_text(json.dumps(TRUTH))
    (tmp_path / "found.json").write_text(json.dumps(FOUND))
    return arguments(tmp_path)


def arguments(folder: Path) -> tuple[str, ...]:
    return ("--truth", str(folder / "truth.json"), "--detections", str(folder / "found.json"))


def scores(cli: Cli, *options: str) -> dict[str, Any]:
    result = cli("eval", *options, "--json")
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert set(found) == {"schema", "data"}
    assert found["schema"] == "wsal-bench/eval/1"
    assert isinstance(found["data"], dict)
    return found["data"]


def test_the_document_holds_scores_counts_and_the_rules_by_name(
    cli: Cli, files: tuple[str, ...]
) -> None:
    data = scores(cli, *files)
    assert set(data) == {
        *("tiou", "ap", "map", "averages", "average"),
        *("protocol", "protocol_version", "counts"),
    }
    assert (data["protocol"], data["protocol_version"], data["average"]) == (
        "truth/common",
        1,
        "0.1:0.7",
    )
    assert data["counts"] == {"detections": 2, "truths": 2, "tied": 0, "outside": 0, "ignored": 0}
    assert data["tiou"] == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]
    assert data["ap"] == {"wave": [1.0] * 7, "jump": [1.0] * 5 + [0.0] * 2}
    assert data["map"] == [1.0] * 5 + [0.5] * 2
    assert data["averages"]["0.1:0.7"] == pytest.approx(6 / 7)


def test_thresholds_can_be_chosen(cli: Cli, files: tuple[str, ...]) -> None:
    data = scores(cli, *files, "--tious", "0.5,0.75")
    assert data["tiou"] == [0.5, 0.75]
    assert data["map"] == [1.0, 0.5]
    assert list(data["averages"].values()) == [pytest.approx(0.75)]


def test_detections_outside_the_truth_are_false_positives(
    cli: Cli, files: tuple[str, ...], tmp_path: Path
) -> None:
    more = {"c": [{"segment": [0.0, 1.0], "label": "wave", "score": 1.0}]}
    found = {"results": {**FOUND["results"], **more}}
    (tmp_path / "found.json").write_text(json.dumps(found))
    assert scores(cli, *files)["ap"]["wave"] == [0.5] * 7


def test_the_table_says_percent_and_what_was_averaged(cli: Cli, files: tuple[str, ...]) -> None:
    text = cli("eval", *files).stdout
    assert "mAP@AVG(0.1:0.7) 85.7" in text
    assert "2 detections (0 outside" in text


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"segment": [1.0, 1.0], "label": "wave"}, "not after its start"),
        ({"segment": [0.0], "label": "wave"}, "is not two numbers"),
    ],
)
def test_wrong_truth_is_an_error_about_data_that_names_the_file(
    change: dict[str, Any], says: str, cli: Cli, files: tuple[str, ...], tmp_path: Path
) -> None:
    truth = json.loads(json.dumps(TRUTH))
    truth["database"]["a"]["annotations"] = [change]
    (tmp_path / "truth.json").write_text(json.dumps(truth))
    result = cli("eval", *files, "--json")
    assert result.exit_code == 3
    error = json.loads(result.stdout)["error"]
    assert says in error["message"]
    assert error["path"] == str(tmp_path / "truth.json")


def test_a_detected_class_that_the_truth_does_not_know_is_named_with_its_file(
    cli: Cli, files: tuple[str, ...], tmp_path: Path
) -> None:
    found = {"results": {"a": [{"segment": [0, 1], "label": "wawe", "score": 1}]}}
    (tmp_path / "found.json").write_text(json.dumps(found))
    result = cli("eval", *files)
    assert result.exit_code == 3
    assert "found.json" in result.stderr
    assert "did you mean 'wave'" in result.stderr


@pytest.mark.parametrize(
    ("options", "exit_code"),
    [
        (("--subset", "tset"), 2),
        (("--tious", "0.5,x"), 2),
        (("--tious", "0.7,0.5"), 2),
        (("--protocol", "nothing"), 2),
    ],
)
def test_wrong_options_are_mistakes_of_the_user(
    options: tuple[str, ...], exit_code: int, cli: Cli, files: tuple[str, ...]
) -> None:
    assert cli("eval", *files, *options).exit_code == exit_code


def test_a_missing_file_is_an_error_about_data(cli: Cli, tmp_path: Path) -> None:
    assert cli("eval", *arguments(tmp_path)).exit_code == 3


@pytest.mark.parametrize("name", ["01_random_small", "10_many_ties", "06_video_without_gt"])
def test_golden_cases_score_as_the_official_code_does(name: str, cli: Cli, tmp_path: Path) -> None:
    case = json.loads((GOLDEN / f"{name}.json").read_text())
    (tmp_path / "truth.json").write_text(json.dumps(case["ground_truth"]))
    (tmp_path / "found.json").write_text(json.dumps(case["predictions"]))
    tious = ",".join(map(str, case["tiou_thresholds"]))
    data = scores(cli, *arguments(tmp_path), "--subset", case["subset"], "--tious", tious)
    expected = case["expected"]["official_stable"]
    assert set(data["ap"]) == set(expected)
    for label, ap in expected.items():
        assert data["ap"][label] == pytest.approx(ap, abs=1e-12)
