"""`wsal-bench eval` against files."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.cli.made_up import Cli
from wsal_bench.types import Detections, GroundTruth

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


def test_the_two_files_may_be_given_one_after_the_other(
    cli: Cli, files: tuple[str, ...], tmp_path: Path
) -> None:
    short = scores(cli, str(tmp_path / "truth.json"), str(tmp_path / "found.json"))
    assert short == scores(cli, *files)


@pytest.mark.parametrize("arguments", [(), ("a",), ("a", "b", "c"), ("a", "b", "--truth", "c")])
def test_anything_but_two_files_is_a_mistake_of_the_user(
    arguments: tuple[str, ...], cli: Cli
) -> None:
    result = cli("eval", *arguments)
    assert result.exit_code == 2
    assert "wsal-bench eval truth.json detections.json" in result.stderr


def test_files_in_npz_score_as_the_same_in_json(
    cli: Cli, files: tuple[str, ...], tmp_path: Path
) -> None:
    truth = GroundTruth.from_activitynet_json(tmp_path / "truth.json")
    found = Detections.from_activitynet_json(tmp_path / "found.json")
    truth.to_npz(tmp_path / "truth.npz")
    found.to_npz(tmp_path / "found.npz")
    plain = scores(cli, *files)
    assert scores(cli, str(tmp_path / "truth.npz"), str(tmp_path / "found.npz")) == plain
    result = cli("eval", str(tmp_path / "truth.npz"), str(tmp_path / "found.npz"), "--subset", "x")
    assert result.exit_code == 2
    (tmp_path / "found.npz").write_bytes(b"no archive")
    assert cli("eval", str(tmp_path / "truth.npz"), str(tmp_path / "found.npz")).exit_code == 3


def test_an_unknown_class_in_npz_is_named_with_its_file(
    cli: Cli, files: tuple[str, ...], tmp_path: Path
) -> None:
    found = Detections.from_activitynet_json(tmp_path / "found.json")
    replace(found, class_names=("wave", "jumb")).to_npz(tmp_path / "found.npz")
    result = cli("eval", str(tmp_path / "truth.json"), str(tmp_path / "found.npz"))
    assert result.exit_code == 3
    assert "found.npz" in result.stderr
    assert "did you mean 'jump'" in result.stderr


def test_verbose_says_ties_and_numbers_in_strings(
    cli: Cli, files: tuple[str, ...], tmp_path: Path
) -> None:
    truth = json.loads(json.dumps(TRUTH))
    truth["database"]["a"]["annotations"][0]["segment"] = ["0.0", "1.0"]
    (tmp_path / "truth.json").write_text(json.dumps(truth))
    quiet, loud = cli("eval", *files), cli("eval", *files, "-v")
    assert quiet.exit_code == loud.exit_code == 0
    assert "strings" not in quiet.stderr
    assert "truth.json: 2 numbers are written as strings" in loud.stderr
    assert "0 detections share their score" in loud.stderr
    assert quiet.stdout == loud.stdout


def test_ambiguous_stretches_are_read_from_a_list_and_needed_where_the_protocol_uses_them(
    cli: Cli, tmp_path: Path
) -> None:
    renamed = {"video_test_0000270": "a", "video_test_0001496": "b"}
    database = {new: TRUTH["database"][old] for new, old in renamed.items()}
    results = {new: FOUND["results"][old] for new, old in renamed.items()}
    # a miss with the best score, on a stretch that nobody is sure of
    results["video_test_0000270"] = [
        {"segment": [6.4, 9.6], "label": "wave", "score": 1.0},
        {"segment": [0.0, 1.28], "label": "wave", "score": 0.9},
    ]
    (tmp_path / "truth.json").write_text(json.dumps({"database": database}))
    (tmp_path / "found.json").write_text(json.dumps({"results": results}))
    (tmp_path / "unsure.txt").write_text("video_test_0000270  7.0 8.0\n\nother  0 1\n")
    options = (*arguments(tmp_path), "--protocol", "thumos14/co2-2021")
    without = cli("eval", *options)
    assert without.exit_code == 2
    assert "--ambiguous FILE" in without.stderr
    data = scores(cli, *options, "--ambiguous", str(tmp_path / "unsure.txt"))
    assert data["ap"]["wave"][0] == 1.0
    assert data["counts"]["ignored"] == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a 1\n", "line 1"),
        ("a 1 x\n", "is not a finite number"),
        ("a 2 1\n", "before its start"),
        ("z 1 2\n", "none of its 1 stretches"),
        ("", "none of its 0 stretches"),
    ],
)
def test_a_wrong_list_of_ambiguous_stretches_is_an_error_about_data(
    text: str, says: str, cli: Cli, files: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "unsure.txt").write_text(text)
    result = cli("eval", *files, "--ambiguous", str(tmp_path / "unsure.txt"))
    assert result.exit_code == 3
    assert says in result.stderr
    assert "unsure.txt" in result.stderr


@pytest.mark.parametrize("as_file", [False, True])
def test_excluded_videos_count_neither_in_truth_nor_in_detections(
    as_file: bool, cli: Cli, files: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "out.txt").write_text("b\n")
    data = scores(cli, *files, "--exclude-videos", str(tmp_path / "out.txt") if as_file else "b")
    assert data["ap"] == {"wave": [1.0] * 7}
    assert data["protocol"] == "truth/common-without-1"
    assert data["counts"]["ignored"] == 1


@pytest.mark.parametrize(
    "options",
    [
        ("--exclude-videos", "nobody"),
        ("--protocol", "thumos14/common"),  # of another data set
        ("--protocol", "thumos14/ftcl-2022"),
    ],
)
def test_a_protocol_or_a_name_that_does_not_fit_the_data_is_a_mistake_of_the_user(
    options: tuple[str, ...], cli: Cli, files: tuple[str, ...]
) -> None:
    assert cli("eval", *files, *options).exit_code == 2


def test_a_protocol_for_212_videos_refuses_a_truth_of_fewer(cli: Cli, tmp_path: Path) -> None:
    database = {"video_test_0000004": TRUTH["database"]["a"]}
    (tmp_path / "truth.json").write_text(json.dumps({"database": database}))
    (tmp_path / "found.json").write_text('{"results": {}}')
    result = cli("eval", *arguments(tmp_path), "--protocol", "thumos14/ftcl-2022")
    assert result.exit_code == 2
    assert "lacks video_test_0000270, video_test_0001496" in result.stderr


def test_a_subset_without_truth_is_an_error_and_no_nan(cli: Cli, files: tuple[str, ...]) -> None:
    result = cli("eval", *files, "--subset", "train")
    assert result.exit_code in (2, 3)
    assert "no true segment" in result.stderr or "unknown class" in result.stderr


def test_zero_detections_score_zero(cli: Cli, files: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "found.json").write_text('{"results": {}}')
    assert scores(cli, *files)["map"] == [0.0] * 7


def test_a_repeated_video_is_an_error_that_names_it(
    cli: Cli, files: tuple[str, ...], tmp_path: Path
) -> None:
    row = '{"segment": [0, 1], "label": "wave", "score": 0.5}'
    (tmp_path / "found.json").write_text(f'{{"results": {{"a": [{row}], "a": [{row}]}}}}')
    result = cli("eval", *files)
    assert result.exit_code == 3
    assert "'a' twice" in result.stderr


def test_a_truncated_file_is_an_error_with_its_line(
    cli: Cli, files: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "found.json").write_text('{"results":\n {"a": [{"segment": [0,')
    result = cli("eval", *files)
    assert result.exit_code == 3
    assert "line 2" in result.stderr
