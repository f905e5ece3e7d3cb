"""The options of `wsal-bench eval`, and files that it must refuse."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cli.made_up import Cli
from tests.cli.test_eval_command import FOUND, TRUTH, arguments, files, scores
from wsal_bench.evaluation.formats import (
    detections_from_json,
    detections_to_npz,
    truth_from_json,
    truth_to_npz,
)

__all__ = ["files"]  # a fixture


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
    truth = truth_from_json(tmp_path / "truth.json")
    found = detections_from_json(tmp_path / "found.json")
    truth_to_npz(truth, tmp_path / "truth.npz")
    detections_to_npz(found, tmp_path / "found.npz")
    plain = scores(cli, *files)
    assert scores(cli, str(tmp_path / "truth.npz"), str(tmp_path / "found.npz")) == plain
    result = cli("eval", str(tmp_path / "truth.npz"), str(tmp_path / "found.npz"), "--subset", "x")
    assert result.exit_code == 2
    (tmp_path / "found.npz").write_bytes(b"no archive")
    assert cli("eval", str(tmp_path / "truth.npz"), str(tmp_path / "found.npz")).exit_code == 3


def test_an_unknown_class_in_npz_is_named_with_its_file(
    cli: Cli, files: tuple[str, ...], tmp_path: Path
) -> None:
    found = detections_from_json(tmp_path / "found.json")
    detections_to_npz(replace(found, class_names=("wave", "jumb")), tmp_path / "found.npz")
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


def test_rules_of_another_data_set_are_refused_where_the_names_of_videos_tell(
    cli: Cli, tmp_path: Path
) -> None:
    rows = [{"segment": [0, 1], "label": "a", "score": 0.5}]
    database = {"video_test_0000004": {"subset": "test", "annotations": rows}}
    (tmp_path / "gt.json").write_text(json.dumps({"database": database}))
    (tmp_path / "found.json").write_text(json.dumps({"results": {"video_test_0000004": rows}}))
    pair = ("eval", str(tmp_path / "gt.json"), str(tmp_path / "found.json"))
    assert cli(*pair).exit_code == cli(*pair, "--protocol", "thumos14/um-2021").exit_code == 0
    wrong = cli(*pair, "--protocol", "activitynet13/common")
    assert wrong.exit_code == 2
    assert "these are videos of thumos14" in wrong.stderr
