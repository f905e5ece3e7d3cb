"""Imports: every problem is found and told together, a good source becomes an equal store."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.data.made_up import LENGTH, VIDEOS, write_acm, write_per_video
from wsal_bench.data.importing import BadSourceError, Form, write_store
from wsal_bench.data.layouts import recognise
from wsal_bench.data.source import Source
from wsal_bench.data.store import Store
from wsal_bench.data.validating import validate_store
from wsal_bench.errors import DataError
from wsal_bench.evaluation.formats import truth_to_npz

FORM = Form("mine", fps=25, stride=16)


def source_of(root: Path) -> Source:
    return recognise(root).read(root, None)


def content(root: Path) -> dict[str, bytes]:
    """Every file of a folder; npz by its numbers, as zip archives hold the time."""
    return {
        str(path.relative_to(root)): (
            path.read_bytes()
            if path.suffix != ".npz"
            else b"".join(np.load(path)[name].tobytes() for name in np.load(path).files)
        )
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def codes(error: BadSourceError) -> list[str]:
    return [problem.code for problem in error.problems]


def test_a_store_holds_what_the_source_held(tmp_path: Path) -> None:
    index = write_store(source_of(write_acm(tmp_path / "src")), tmp_path / "mine", FORM)
    store = Store(tmp_path / "mine")
    assert store.index == index
    for video in VIDEOS:
        features = store.features(video.split)[video.name]  # type: ignore[arg-type]
        assert np.array_equal(features, video.features)
    assert (index.feature_dim, index.dtype, index.class_names) == (4, "float32", ("jump", "run"))
    assert store.truths["default"]["test"].start.tolist() == [1.28, 1.92]
    assert np.load(tmp_path / "mine" / "train.npy").shape == (2 * LENGTH, 4)


def test_float16_halves_the_store_and_is_said(tmp_path: Path) -> None:
    form = replace(FORM, dtype="float16")
    index = write_store(source_of(write_acm(tmp_path / "src")), tmp_path / "mine", form)
    assert index.dtype == "float16"
    rows = np.load(tmp_path / "mine" / "test.npy")
    assert rows.dtype == np.float16
    assert np.array_equal(rows[:LENGTH], VIDEOS[2].features.astype(np.float16))


def test_the_number_of_jobs_changes_nothing(tmp_path: Path) -> None:
    source = source_of(write_acm(tmp_path / "src"))
    for jobs in (1, 4):
        write_store(source, tmp_path / f"jobs{jobs}", FORM, jobs=jobs)
    assert content(tmp_path / "jobs1") == content(tmp_path / "jobs4")


def test_the_source_stays_as_it_was(tmp_path: Path) -> None:
    root = write_acm(tmp_path / "src")
    before = content(root)
    write_store(source_of(root), tmp_path / "mine", FORM)
    assert content(root) == before


def _save(array: Any) -> Callable[[Path], None]:
    return lambda root: np.save(root / "train" / "video_train_1.npy", array)


def _nan() -> Any:
    array = np.zeros((LENGTH, 4), np.float32)
    array[3, 1] = np.nan
    return array


def _truncate(root: Path) -> None:
    path = root / "train" / "video_train_1.npy"
    path.write_bytes(path.read_bytes()[:-8])


def _remove(root: Path) -> None:
    (root / "train" / "video_train_1.npy").unlink()


@pytest.mark.parametrize(
    ("breaks", "code", "said"),
    [
        (_save(_nan()), "not-finite", "snippet 3 holds nan in column 1"),
        (_save(np.zeros((LENGTH, 3), np.float32)), "width", r"\(10, 3\), not \[snippets, 4\]"),
        (_save(np.zeros((4, LENGTH), np.float32)), "transposed", r"\(4, 10\).*transposed"),
        (_save(np.zeros(40, np.float32)), "shape", r"\(40,\), not \[snippets, 4\]"),
        (_save(np.zeros((0, 4), np.float32)), "shape", r"\(0, 4\)"),
        (_save(np.zeros((LENGTH, 4))), "type", "float64; --dtype float32 converts"),
        (_save(np.zeros((LENGTH, 4), np.float16)), "type", "float16, those before float32"),
        (_save(np.zeros((LENGTH, 4), np.int32)), "type", "int32"),
        (_save(np.zeros((1, 4), np.float32)), "too-short", r"1 snippets cover 0.64 s.*2.56 s"),
        (_truncate, "unreadable", "broken"),
        (_remove, "unreadable", "missing"),
    ],
)
def test_a_bad_feature_file_is_named_and_nothing_is_left(
    tmp_path: Path, breaks: Callable[[Path], None], code: str, said: str
) -> None:
    root = write_acm(tmp_path / "src")
    breaks(root)
    with pytest.raises(BadSourceError, match=said) as caught:
        write_store(source_of(root), tmp_path / "mine", FORM)
    assert codes(caught.value) == [code]
    assert "video_train_1" in str(caught.value)
    assert not (tmp_path / "mine").exists()


def test_all_problems_are_told_together(tmp_path: Path) -> None:
    root = write_acm(tmp_path / "src")
    for video in VIDEOS[1:]:
        np.save(root / video.split / f"{video.name}.npy", _nan())
    with pytest.raises(BadSourceError) as caught:
        write_store(source_of(root), tmp_path / "mine", FORM)
    assert codes(caught.value) == ["not-finite"] * 3
    assert str(caught.value).count("video_") == 6


def test_where_the_first_video_is_the_odd_one_it_is_blamed(tmp_path: Path) -> None:
    root = write_acm(tmp_path / "src")
    np.save(root / "train" / "video_train_0.npy", np.zeros((LENGTH, 3), np.float32))
    with pytest.raises(BadSourceError, match="have 3 columns, 3 other videos 4") as caught:
        write_store(source_of(root), tmp_path / "mine", FORM)
    assert [problem.video for problem in caught.value.problems] == ["video_train_0"]


def _truth(change: Callable[[dict[str, Any]], None]) -> Callable[[Path], None]:
    def write(root: Path) -> None:
        document = json.loads((root / "gt.json").read_text())
        change(document["database"])
        (root / "gt.json").write_text(json.dumps(document))

    return write


def _backwards(database: dict[str, Any]) -> None:
    database["video_train_0"]["annotations"][0]["segment"] = [2.0, 1.0]


def _forgets(database: dict[str, Any]) -> None:
    del database["video_test_2"]


def _twice(root: Path) -> None:
    (root / "split_test.txt").write_text("video_test_2\nvideo_test_3\nvideo_train_0\n")
    np.save(root / "test" / "video_train_0.npy", VIDEOS[0].features)


@pytest.mark.parametrize(
    ("breaks", "code", "said"),
    [
        (_truth(_backwards), "segment", r"\[2, 1\] must begin at 0 or later and end after"),
        (_truth(_forgets), "no-truth", "1 of 2 videos with features have no entry: video_test_2"),
        (_twice, "split-overlap", "is in both train and test"),
    ],
)
def test_lists_and_truth_that_do_not_fit_are_refused_before_features_are_read(
    tmp_path: Path, breaks: Callable[[Path], None], code: str, said: str
) -> None:
    root = write_acm(tmp_path / "src")
    breaks(root)
    with pytest.raises(BadSourceError, match=said) as caught:
        write_store(source_of(root), tmp_path / "mine", FORM)
    assert code in codes(caught.value)
    assert not list(tmp_path.glob(".mine*"))


def test_an_unknown_class_gets_the_nearest_known_one(tmp_path: Path) -> None:
    form = replace(FORM, classes=("jump", "runs"))
    with pytest.raises(BadSourceError, match="class 'run'; did you mean 'runs'"):
        write_store(source_of(write_acm(tmp_path / "src")), tmp_path / "mine", form)


def test_numbers_beyond_float16_are_refused(tmp_path: Path) -> None:
    root = write_acm(tmp_path / "src")
    np.save(root / "test" / "video_test_2.npy", np.full((LENGTH, 4), 1e5, np.float32))
    with pytest.raises(BadSourceError, match="reach 100000, more than float16 holds"):
        write_store(source_of(root), tmp_path / "mine", replace(FORM, dtype="float16"))


def test_a_replaced_store_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    root = write_acm(tmp_path / "src")
    write_store(source_of(root), tmp_path / "mine", FORM)
    before = content(tmp_path / "mine")
    np.save(root / "test" / "video_test_3.npy", np.zeros((LENGTH, 3), np.float32))
    with pytest.raises(BadSourceError):
        write_store(source_of(root), tmp_path / "mine", FORM)
    assert content(tmp_path / "mine") == before


@pytest.mark.parametrize("file", ["train.npy", "truth/default-test.npz"])
def test_bytes_that_changed_after_the_import_are_found(tmp_path: Path, file: str) -> None:
    write_store(source_of(write_acm(tmp_path / "src")), tmp_path / "mine", FORM)
    path = tmp_path / "mine" / file
    if path.suffix == ".npy":
        data = bytearray(path.read_bytes())
        data[-3] ^= 1
        path.write_bytes(bytes(data))
    else:
        truth = Store(tmp_path / "mine").truths["default"]["test"]
        truth_to_npz(replace(truth, end=truth.end + 0.1), path)
    problems = validate_store(tmp_path / "mine").problems
    assert len(problems) == 1
    assert "not what was imported" in str(problems[0])


def test_files_without_a_video_and_videos_without_a_file_are_told(tmp_path: Path) -> None:
    root = write_per_video(tmp_path / "src", "npy")
    (root / "features" / "video_test_3.npy").rename(root / "features" / "stranger.npy")
    index = write_store(source_of(root), tmp_path / "mine", FORM)
    notes = " ".join(index.notes)
    assert "1 of 4 feature files are of no video of the truth: stranger" in notes
    assert "1 of 2 videos have no features: video_test_3" in notes


def test_no_file_at_all_that_fits_the_truth_is_an_error_with_both_sides(tmp_path: Path) -> None:
    root = write_per_video(tmp_path / "src", "npy")
    for number, path in enumerate(sorted((root / "features").iterdir())):
        path.rename(root / "features" / f"other-{number}.npy")
    with pytest.raises(DataError, match=r"files: other-0.*truth: video_train_0"):
        source_of(root)
