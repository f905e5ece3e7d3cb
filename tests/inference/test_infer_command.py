"""`wsal-bench infer` as a user calls it."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result

from tests.inference.conftest import Stored
from wsal_bench.running.results import RunFiles

Cli = Callable[..., Result]


def segments(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.stderr
    document = json.loads(result.stdout)
    assert set(document) == {"schema", "data"}
    assert document["schema"] == "wsal-bench/segments/1"
    found: dict[str, Any] = document["data"]
    return found


def test_a_folder_of_features_gives_segments(cli: Cli, stored: Stored) -> None:
    result = cli("infer", stored.features, "--checkpoint", stored.directory)
    assert result.exit_code == 0, result.stderr
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert {row["video"] for row in rows} == {f"test{index}" for index in range(4)}
    assert "fps 10 (of tiny), stride 10 (of tiny); a snippet is 1 s" in result.stderr
    assert f"{len(rows)} segments of 4 videos" in result.stderr


def test_the_document_says_what_it_is_of(cli: Cli, stored: Stored) -> None:
    hash_ = stored.directory.parent.name
    result = cli(
        "infer", stored.features, "--checkpoint", hash_, "--results", stored.results,
        "--top-k", 2, "--json",
    )  # fmt: skip
    data = segments(result)
    assert (data["method"], data["dataset"], data["hash"], data["seed"]) == (
        "toy",
        "tiny",
        hash_,
        0,
    )
    assert (data["fps"], data["stride"], data["recipe"], data["top_k"]) == (10, 10, "own", 2)
    for video in data["videos"]:
        scores = [row["score"] for row in video["segments"]]
        assert len(scores) <= 2 and scores == sorted(scores, reverse=True)
        assert video["duration"] == 12.0 and set(video["video_scores"]) == {"rise", "fall"}


def test_other_fps_and_stride_move_the_segments(cli: Cli, stored: Stored) -> None:
    file = stored.features / "test0.npy"
    arguments = ("infer", file, "--checkpoint", stored.directory, "--json", "--top-k", 1)
    (usual,) = segments(cli(*arguments))["videos"]
    result = cli(*arguments, "--fps", 5)
    assert "fps 5 (given), stride 10 (of tiny); a snippet is 2 s" in result.stderr
    (slow,) = segments(result)["videos"]
    assert slow["duration"] == 24.0
    assert slow["segments"][0]["end"] == pytest.approx(2 * usual["segments"][0]["end"])


def test_a_threshold_leaves_the_sure_ones(cli: Cli, stored: Stored) -> None:
    arguments = ("infer", stored.features, "--checkpoint", stored.directory, "--json")
    scores = [
        row["score"] for video in segments(cli(*arguments))["videos"] for row in video["segments"]
    ]
    middle = sorted(scores)[len(scores) // 2]
    kept = [
        row["score"]
        for video in segments(cli(*arguments, "--threshold", middle))["videos"]
        for row in video["segments"]
    ]
    assert sorted(kept) == [score for score in sorted(scores) if score >= middle]
    assert len(kept) < len(scores)


def test_the_results_file_scores_as_the_run_did(cli: Cli, stored: Stored, tmp_path: Path) -> None:
    out = tmp_path / "detections.json"
    result = cli(
        "infer", stored.features, "--checkpoint", stored.directory, "--format", "activitynet",
        "--out", out, "--json",
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    summary = json.loads(result.stdout)
    assert summary["schema"] == "wsal-bench/infer/1" and summary["data"]["videos"] == 4
    scored = cli("eval", "--truth", stored.truth, "--detections", out, "--json")
    then = json.loads(
        RunFiles(stored.directory).scores("own", "tiny/common").read_text(encoding="utf-8")
    )
    assert json.loads(scored.stdout)["data"]["map"] == pytest.approx(then["map"])


def test_pictures_are_drawn_with_and_without_truth(
    cli: Cli, stored: Stored, tmp_path: Path
) -> None:
    arguments = (
        "infer", stored.features / "test0.npy", stored.features / "test1.npy",
        "--checkpoint", stored.directory, "--out", tmp_path / "x.csv",
    )  # fmt: skip
    for name, more in (("bare", ()), ("truth", ("--truth", stored.truth, "--tiou", 0.3))):
        result = cli(*arguments, "--plot", tmp_path / name, *more)
        assert result.exit_code == 0, result.stderr
        files = sorted(path.name for path in (tmp_path / name).iterdir())
        assert files == ["test0.png", "test0.svg", "test1.png", "test1.svg"]
        text = (tmp_path / name / "test0.svg").read_text()
        assert ("true positive (tIoU 0.3)" in text) is (name == "truth")
        assert "toy trained on tiny" in text


def test_a_truth_of_some_of_the_videos_is_said(cli: Cli, stored: Stored, tmp_path: Path) -> None:
    document = json.loads(stored.truth.read_text())
    del document["database"]["test1"]
    document["database"]["test0"]["annotations"].append({"segment": [0, 1], "label": "swim"})
    path = tmp_path / "truth.json"
    path.write_text(json.dumps(document))
    result = cli(
        "infer", stored.features, "--checkpoint", stored.directory, "--out", tmp_path / "x.csv",
        "--plot", tmp_path / "p", "--truth", path,
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    assert "no truth of test1; drawn without" in result.stderr
    assert "the checkpoint does not know swim" in result.stderr


def test_elan_documents_are_written_into_a_folder(cli: Cli, stored: Stored, tmp_path: Path) -> None:
    result = cli(
        "infer", stored.features, "--checkpoint", stored.directory, "--format", "elan",
        "--out", tmp_path / "eaf",
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    assert len(list((tmp_path / "eaf").glob("test?.eaf"))) == 4
    one = cli(
        "infer", stored.features / "test0.npy", "--checkpoint", stored.directory,
        "--format", "elan",
    )  # fmt: skip
    assert one.stdout == (tmp_path / "eaf" / "test0.eaf").read_text()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--checkpoint", "nosuch"], 2, "no run and no checkpoint file 'nosuch' in"),
        (["--checkpoint", "nosuch.pt"], 3, "no such checkpoint"),
        (["--recipe", "comon"], 2, "did you mean 'common'"),
        (["--recipe", "acm"], 2, "attention"),
        (["--truth", "x.json"], 2, "--truth is for pictures"),
        (["--tiou", "0.5"], 2, "belong to --truth"),
        (["--plot", "p", "--truth", "x.json"], 3, "x.json"),
        (["--format", "elan"], 2, "4 ELAN documents do not fit into stdout"),
        (["--format", "csv", "--json"], 2, "both go to stdout"),
        (["--out", "x.txt"], 2, "nothing tells the form"),
        (["--device", "cuda:99"], 6, "CUDA"),
        (["--fps", "0"], 2, "--fps"),
        (["--top-k", "0"], 2, "--top-k"),
    ],
)
def test_what_cannot_be_right_is_said_in_a_sentence(
    arguments: list[str], code: int, message: str, cli: Cli, stored: Stored, tmp_path: Path
) -> None:
    given = [] if "--checkpoint" in arguments else ["--checkpoint", stored.directory]
    result = cli("infer", stored.features, *given, *arguments, "--results", tmp_path)
    assert result.exit_code == code, result.output
    assert message in result.output and "Traceback" not in result.output


def test_features_of_another_width_are_refused_before_anything_is_written(
    cli: Cli, stored: Stored, tmp_path: Path
) -> None:
    np.save(tmp_path / "wide.npy", np.zeros((5, 9), np.float32))
    result = cli(
        "infer", stored.features, tmp_path / "wide.npy", "--checkpoint", stored.directory,
        "--out", tmp_path / "x.csv",
    )  # fmt: skip
    assert result.exit_code == 3 and not (tmp_path / "x.csv").exists()
    assert "shape [5, 9], the checkpoint takes [snippets, 4]" in result.stderr


def test_features_that_overflow_the_network_are_refused(
    cli: Cli, stored: Stored, tmp_path: Path
) -> None:
    np.save(tmp_path / "loud.npy", np.full((12, 4), 3e38, np.float32))
    result = cli("infer", tmp_path / "loud.npy", "--checkpoint", stored.directory)
    assert result.exit_code == 3, result.output
    assert "video 'loud': the method makes nothing of these features" in result.stderr


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ({"database": {"other": {"subset": "test", "annotations": []}}}, "subset"),
        (
            {"database": {"other": {"subset": "test", "annotations": [
                {"segment": [0, 1], "label": "rise"}]}}},
            "the truth has none of the videos: it is of other, the features of test0",
        ),
        (
            {"database": {"test0": {"subset": "test", "annotations": [
                {"segment": [0, 1], "label": "swim"}]}}},
            "the truth has other classes: swim, the checkpoint knows rise, fall",
        ),
    ],
)  # fmt: skip
def test_a_truth_of_something_else_is_refused(
    part: dict[str, Any], message: str, cli: Cli, stored: Stored, tmp_path: Path
) -> None:
    path = tmp_path / "truth.json"
    path.write_text(json.dumps(part))
    result = cli(
        "infer", stored.features, "--checkpoint", stored.directory,
        "--plot", tmp_path / "p", "--truth", path,
    )  # fmt: skip
    assert result.exit_code in (2, 3) and message in result.stderr
    assert not (tmp_path / "p").exists()


MEASURED = """
import re, sys
from pathlib import Path
from wsal_bench.inference.feature_files import find_features
from wsal_bench.inference.forms import FORMS
from wsal_bench.inference.places import open_place
from wsal_bench.inference.stream import Choice, segments_of
from wsal_bench.inference.trained import open_trained

def resident():  # anonymous, in MB: mapped files do not count
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"RssAnon:\\s+(\\d+)", status).group(1)) / 1024

trained = open_trained(Path(sys.argv[1]), device="cpu")
files = find_features([Path(sys.argv[2])])
choice = Choice(trained.recipe("own"))
after = []
with open_place(FORMS["json"]({}), sys.argv[3], print) as write:
    for found in segments_of(trained, files, trained.inputs.grid, choice):
        write(found)
        after.append(resident())
print(len(after), after[19], max(after[20:]))
"""


@pytest.mark.measured
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_does_not_grow_with_the_number_of_videos(stored: Stored, tmp_path: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    generator = np.random.default_rng(0)
    num_snippets = 40_000  # 0.6 MB of features a video; npz is read, not mapped
    for index in range(120):
        features = generator.standard_normal((num_snippets, 4)).astype(np.float32)
        np.savez(folder / f"v{index:03d}.npz", features)
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, str(stored.directory), str(folder), str(tmp_path / "o")],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    number, early, late = map(float, done.stdout.split())
    assert number == 120
    # 100 further videos hold 61 MB of features alone
    assert late - early < 4
