"""`wsal-bench show RUN --video ID`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.cli.made_up import Cli
from wsal_bench.running.activation_file import read_activations, write_activations
from wsal_bench.running.results import RunFiles

LOADED = "print(sorted({'torch', 'scipy', 'sklearn', 'pandas', 'matplotlib'} & set(sys.modules)))"


@pytest.fixture
def run(cli: Cli, toys: Path, tmp_path: Path) -> Path:
    """The directory of a run of the toy method: one true segment a video."""
    where = ("--plugins", toys, "--datasets", "toy-data", "--results", tmp_path / "results")
    result = cli("run", *where, "--methods", "toy:full", "--json")
    assert result.exit_code == 0, result.stderr
    return Path(json.loads(result.stdout)["data"]["cells"][-1]["directory"])


def shown(cli: Cli, toys: Path, *arguments: object) -> dict[str, Any]:
    result = cli("show", "--plugins", toys, *arguments, "--json")
    assert result.exit_code == 0, result.stderr
    document = json.loads(result.stdout)
    assert document["schema"] == "wsal-bench/timeline/1"
    found: dict[str, Any] = document["data"]
    return found


def test_a_video_is_shown_with_truth_and_outcomes(cli: Cli, toys: Path, run: Path) -> None:
    data = shown(cli, toys, run, "--video", "test1")
    assert (data["video"], data["duration"], data["tiou"]) == ("test1", 20.0, 0.5)
    assert (data["recipe"], data["protocol"]) == ("own", "toy-data/common")
    assert data["truth"] == [{"label": "jump", "start": 3.0, "end": 8.0, "found": True}]
    scores = [row["score"] for row in data["segments"]]
    assert scores == sorted(scores, reverse=True) and len(scores) <= 20
    (hit,) = (row for row in data["segments"] if row["outcome"] == "true")
    overlap = min(hit["end"], 8.0) - max(hit["start"], 3.0)
    union = max(hit["end"], 8.0) - min(hit["start"], 3.0)
    assert hit["label"] == "jump" and overlap / union >= 0.5
    assert set(data["video_scores"]) == {"wave", "jump"}


def test_outcomes_are_those_of_the_stored_scores(cli: Cli, toys: Path, run: Path) -> None:
    stored = json.loads(RunFiles(run).scores("own", "toy-data/common").read_text())
    matches = stored["matches"]
    for tiou in (0.3, 0.7):
        bit = 1 << stored["tiou"].index(tiou)
        for video in range(4):
            rows = [row for row, one in enumerate(matches["video"]) if one == video]
            hits = sum(bool(matches["hits"][row] & bit) for row in rows)
            data = shown(
                cli, toys, run, "--video", f"test{video}", "--tiou", tiou, "--top-k", 10_000
            )
            assert data["num_segments"] == len(data["segments"]) == len(rows)
            assert [row["outcome"] for row in data["segments"]].count("true") == hits
            # a threshold that was not scored is matched anew
            near = shown(cli, toys, run, "--video", f"test{video}", "--tiou", tiou + 1e-9,
                         "--top-k", 10_000)  # fmt: skip
            assert near["segments"] == data["segments"] and near["truth"] == data["truth"]


def test_the_table_says_the_same(cli: Cli, toys: Path, run: Path) -> None:
    result = cli("show", "--plugins", toys, run, "--video", "test1", "--top-k", "2")
    assert result.exit_code == 0, result.stderr
    assert "test1, 20.0 s; recipe own, protocol toy-data/common, tIoU 0.5" in result.stdout
    assert "truth: 1 segment, 1 found" in result.stdout
    assert "segments: the best 2 of" in result.stdout and "true positive" in result.stdout


def test_a_video_without_segments_says_so(cli: Cli, toys: Path, run: Path) -> None:
    path = RunFiles(run).detections("own")
    columns = dict(np.load(path))
    elsewhere = columns["video"] != 1  # all but those of test1
    for name in ("video", "start", "end", "label", "score"):
        columns[name] = columns[name][elsewhere]
    np.savez(path, **columns)
    record = json.loads(RunFiles(run).record.read_text())
    del record["digests"]  # as of an earlier version: nothing tells that the file is another one
    RunFiles(run).record.write_text(json.dumps(record))
    # a threshold that was not scored: the stored matches are not those of this file any more
    arguments = ("show", "--plugins", toys, run, "--video", "test1", "--tiou", "0.45")
    result = cli(*arguments, "--out", run / "pictures")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.endswith("segments: none\n")
    assert "truth, missed" in (run / "pictures" / "test1.svg").read_text()
    result = cli(*arguments[:-1], "0.5")
    assert result.exit_code == 3 and "toy-data--common.json: scores of" in result.stderr


def test_the_picture_is_written_in_both_forms(
    cli: Cli, toys: Path, run: Path, tmp_path: Path
) -> None:
    out = tmp_path / "new" / "pictures"
    result = cli("show", "--plugins", toys, run, "--video", "test1", "--out", out)
    assert result.exit_code == 0, result.stderr
    assert sorted(path.name for path in out.iterdir()) == ["test1.png", "test1.svg"]
    assert (out / "test1.png").read_bytes()[:4] == b"\x89PNG"
    text = (out / "test1.svg").read_text()
    assert "toy:full on toy-data, seed 0" in text and "true positive (tIoU 0.5)" in text
    assert "test1.svg" in result.stderr


def test_an_unknown_video_gets_a_suggestion(cli: Cli, toys: Path, run: Path) -> None:
    result = cli("show", "--plugins", toys, run, "--video", "tset1")
    assert result.exit_code == 2
    assert "no test video 'tset1'; did you mean 'test1'?" in result.stderr


@pytest.mark.parametrize("kept", [True, False])
def test_segments_are_drawn_where_no_activations_are_stored(
    kept: bool, cli: Cli, toys: Path, run: Path, tmp_path: Path
) -> None:
    path = RunFiles(run).activations()
    others = {key: value for key, value in read_activations(path).items() if key != "test1"}
    path.unlink()
    if kept:
        write_activations(path, others)
    result = cli("show", "--plugins", toys, run, "--video", "test1", "--out", tmp_path / "p")
    assert result.exit_code == 0, result.stderr
    assert "the run stored no activations of 'test1'" in result.stderr
    assert "true positive" in (tmp_path / "p" / "test1.svg").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--tiou", "0.5"), "--tiou without --video"),
        (("--top-k", "3"), "--top-k without --video"),
        (("--video", "test1", "--diagnose"), "two reports"),
        (("--video", "test1", "--buckets", "thumos14"), "--buckets without --diagnose"),
        (("--video", "test1", "--diving-rule"), "--diving-rule without --diagnose"),
        (("--video", "test1", "--recipe", "acm"), "no scores under recipe 'acm-net'"),
        (("--video", "test1", "--tiou", "0"), "--tiou"),
        (("--video", "test1", "--tiou", "1.5"), "--tiou"),
    ],
)
def test_options_that_do_not_fit_are_refused(
    arguments: tuple[str, ...], message: str, cli: Cli, toys: Path, run: Path
) -> None:
    result = cli("show", "--plugins", toys, run, *arguments)
    assert result.exit_code == 2, result.output
    assert message in result.stderr


def test_only_runs_have_videos(cli: Cli) -> None:
    result = cli("show", "mil", "--video", "test1")
    assert result.exit_code == 2 and "no run 'mil'" in result.stderr


def test_damaged_activations_are_said_by_name(cli: Cli, toys: Path, run: Path) -> None:
    RunFiles(run).activations().write_bytes(b"half")
    result = cli("show", "--plugins", toys, run, "--video", "test1")
    assert result.exit_code == 3 and "activations.npz" in result.stderr


def test_activations_with_many_zeros_are_drawn(
    cli: Cli, toys: Path, run: Path, tmp_path: Path
) -> None:
    path = RunFiles(run).activations()
    flat = read_activations(path)
    for value in flat.values():
        np.asarray(value.scores["cas"])[:] = 0.0
    write_activations(path, flat)
    result = cli("show", "--plugins", toys, run, "--video", "test1", "--out", tmp_path)
    assert result.exit_code == 0, result.stderr


def test_a_video_without_its_picture_imports_nothing_heavy(toys: Path, run: Path) -> None:
    code = (
        "import sys\nfrom wsal_bench.cli.app import app\n"
        f"try:\n    app(['show', '--plugins', {str(toys)!r}, {str(run)!r}, '--video', 'test1'])\n"
        f"finally:\n    {LOADED}\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ}
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"
