"""Features of one's own: what a right folder gives, and one clear sentence for each wrong one."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from wsal_bench.config import Config
from wsal_bench.errors import DataError, UsageError
from wsal_bench.types import WeakVideo
from wsal_datasets.folder import Dataset

if TYPE_CHECKING:
    from tests.datasets.conftest import Folder


def refusal(folder: "Folder") -> DataError:
    with pytest.raises(DataError) as caught:
        folder.open()
    assert caught.value.path is not None and "\n" not in str(caught.value)
    return caught.value


def labels(dataset: Dataset) -> list[list[float]]:
    videos = dataset.videos("train")
    return [video.labels.tolist() for video in videos if isinstance(video, WeakVideo)]


def test_videos_come_in_the_order_of_the_lists(folder: "Folder") -> None:
    folder.lists["test"] = ["b2", "b1"]
    dataset = folder.open()
    assert [video.video_id for video in dataset.videos("train")] == ["a1", "a2"]
    assert [video.video_id for video in dataset.videos("test")] == ["b2", "b1"]
    assert dataset.videos("test")[0].features[2:4].tolist() == [[3.0] * 3] * 2
    assert dataset.feature_dim == 3 and dataset.name == "mine"


def test_train_videos_have_labels_and_test_videos_do_not(folder: "Folder") -> None:
    dataset = folder.open()
    train = dataset.videos("train")
    assert dataset.class_names == ("jump", "run")
    assert all(isinstance(video, WeakVideo) for video in train)
    assert labels(dataset) == [[0.0, 1.0], [1.0, 0.0]]
    assert not any(isinstance(video, WeakVideo) for video in dataset.videos("test"))


def test_the_truth_takes_its_durations_from_the_features(folder: "Folder") -> None:
    truth = folder.open().ground_truth("test")
    assert truth.video_ids == ("b1", "b2") and truth.durations.tolist() == [10.0, 10.0]
    assert (truth.start.tolist(), truth.end.tolist()) == ([1.0, 1.0], [5.0, 6.0])
    assert [truth.class_names[label] for label in truth.label] == ["run", "jump"]


def test_videos_of_the_truth_that_no_list_names_do_not_count(folder: "Folder") -> None:
    folder.truth["b3"] = {"subset": "test", "annotations": [{"segment": [9, 2], "label": "fly"}]}
    dataset = folder.open()
    assert dataset.ground_truth("test").video_ids == ("b1", "b2")
    assert dataset.class_names == ("jump", "run")


def test_a_test_video_may_show_no_action(folder: "Folder") -> None:
    folder.truth["b1"]["annotations"] = []
    assert folder.open().ground_truth("test").video.tolist() == [1]


def test_the_description_says_preset_classes_groups_and_the_place(
    folder: "Folder", tmp_path: Path
) -> None:
    elsewhere = tmp_path / "features"
    elsewhere.mkdir()
    folder.write()
    for name in ("gt.json", "split_train.txt", "split_test.txt", "train", "test"):
        shutil.move(tmp_path / name, elsewhere)
    description = tmp_path / "my.yaml"
    description.write_text(
        "name: mine\nfps: 30000/1001\nstride: 1/2\nroot: features\npreset: small\noverhang: 100\n"
        "classes: [run, swim, jump]\ngroup: ([ab])\nsubsets: {train: train, test: test}\n"
    )
    dataset = Dataset.open(description, Config(), 0)
    assert dataset.preset == "small" and Dataset.preset == ""
    assert dataset.class_names == ("run", "swim", "jump")
    assert {video.group for video in dataset.videos("train")} == {"a"}
    assert dataset.ground_truth("test").groups == ("b", "b")
    assert dataset.ground_truth("test").label.tolist() == [0, 2]
    grid = dataset.videos("test")[0].grid
    assert (grid.fps, grid.stride) == (30000 / 1001, 0.5)


def test_the_fingerprint_is_that_of_the_content_not_of_the_place(
    folder: "Folder", tmp_path: Path
) -> None:
    first = folder.open().fingerprint()
    copy = tmp_path / "copy"
    shutil.copytree(tmp_path, copy, ignore=shutil.ignore_patterns("copy"))
    assert Dataset.open(copy, Config(), 0).fingerprint() == first


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: np.save(folder.features("b2"), np.full((10, 3), 7, np.float16)),
        lambda folder: np.save(folder.features("b2"), np.full((11, 3), 3, np.float16)),
        lambda folder: np.save(folder.features("b2"), np.full((10, 3), 3, np.float32)),
        lambda folder: folder.segment("b2", 1.0, 6.5, "jump"),
        lambda folder: folder.lists["test"].reverse(),
        lambda folder: folder.description.update(fps=26),
    ],
    ids=["a number", "a length", "a type", "a segment", "a list", "the description"],
)
def test_the_fingerprint_changes_with(folder: "Folder", change: Callable[..., None]) -> None:
    before = folder.open().fingerprint()
    change(folder)
    assert folder.open().fingerprint() != before


def test_a_missing_feature_file_is_named(folder: "Folder") -> None:
    folder.features("b1").unlink()
    error = refusal(folder)
    assert error.path == str(folder.features("b1")) and "missing" in error.message


def test_features_of_another_width_are_named(folder: "Folder") -> None:
    np.save(folder.features("a2"), np.zeros((10, 4), np.float16))
    error = refusal(folder)
    assert error.path == str(folder.features("a2"))
    assert "4 columns" in error.message and "3" in error.message


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_number_that_is_not_finite_is_named(folder: "Folder", value: float) -> None:
    features = np.zeros((10, 3), np.float32)
    features[7, 2] = value
    np.save(folder.features("b2"), features)
    error = refusal(folder)
    assert error.path == str(folder.features("b2"))
    assert f"snippet 7 holds {value} in column 2" in error.message


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        (3.0, 3.0, "ends not after its start"),
        (3.0, 2.0, "ends not after its start"),
        (-0.5, 2.0, "starts before the video"),
        (3.0, 11.1, "cover 10.00 s, by more than 1 s"),
    ],
)
def test_a_segment_that_cannot_be_is_named(
    folder: "Folder", start: float, end: float, said: str
) -> None:
    folder.segment("b1", start, end)
    error = refusal(folder)
    assert error.path == str(folder.path / "gt.json")
    assert "'b1'" in error.message and said in error.message


def test_a_segment_may_end_one_snippet_after_the_features_or_as_much_as_is_said(
    folder: "Folder",
) -> None:
    folder.segment("b1", 3.0, 11.0)
    assert folder.open().ground_truth("test").end[0] == 11.0
    folder.segment("b1", 3.0, 14.0)
    folder.description["overhang"] = 4.0
    assert folder.open().ground_truth("test").end[0] == 14.0
    folder.description["overhang"] = 0
    assert "more than 0 s" in refusal(folder).message


def test_an_unknown_class_gets_a_suggestion(folder: "Folder") -> None:
    folder.description["classes"] = ["jump", "running", "swim"]
    error = refusal(folder)
    assert error.path == str(folder.path / "gt.json")
    assert "unknown class 'run'" in error.message and "did you mean 'running'" in error.hint


def test_a_train_video_without_a_label_is_named(folder: "Folder") -> None:
    folder.truth["a2"]["annotations"] = []
    error = refusal(folder)
    assert "'a2' has no label" in error.message and error.path == str(folder.path / "gt.json")


@pytest.mark.parametrize("split", ["train", "test"])
def test_a_listed_video_without_truth_is_named(folder: "Folder", split: str) -> None:
    video = folder.lists[split][1]
    del folder.truth[video]
    error = refusal(folder)
    assert repr(video) in error.message and error.path == str(folder.path / "gt.json")


def test_a_listed_video_in_another_subset_is_named(folder: "Folder") -> None:
    folder.truth["b1"]["subset"] = "train"
    assert "'b1' is not in the subset 'test'" in refusal(folder).message


def test_lists_that_overlap_are_refused(folder: "Folder") -> None:
    folder.lists["test"].append("a1")
    error = refusal(folder)
    assert "train list too: a1" in error.message
    assert error.path == str(folder.path / "split_test.txt")


def test_a_group_in_both_splits_is_refused(folder: "Folder") -> None:
    folder.description["group"] = r"(\d)$"
    error = refusal(folder)
    assert "1, 2" in error.message and error.path == str(folder.path / "dataset.yaml")


def test_a_group_that_finds_nothing_is_refused(folder: "Folder") -> None:
    folder.description["group"] = "^(a)"
    assert "nothing in the name of video 'b1'" in refusal(folder).message


def test_a_wrong_subset_gets_a_suggestion(folder: "Folder") -> None:
    folder.description["subsets"]["train"] = "training"
    error = refusal(folder)
    assert "'training'" in error.message and "did you mean 'train'" in error.hint


@pytest.mark.parametrize("name", ["gt.json", "split_train.txt", "split_test.txt", "dataset.yaml"])
def test_a_missing_file_is_named(folder: "Folder", name: str) -> None:
    folder.write()
    (folder.path / name).unlink()
    with pytest.raises(DataError) as caught:
        Dataset.open(folder.path, Config(), 0)
    assert caught.value.path == str(folder.path / name)


def test_a_truth_that_is_not_json_is_named(folder: "Folder") -> None:
    folder.write()
    (folder.path / "gt.json").write_text('{"database": {"a1"')
    with pytest.raises(DataError, match=r"gt\.json: truth is not JSON"):
        Dataset.open(folder.path, Config(), 0)


def test_a_list_names_each_video_once_and_some(folder: "Folder") -> None:
    folder.lists["train"].append("a1")
    assert "'a1' is listed 2 times" in refusal(folder).message
    folder.lists["train"] = []
    assert "empty" in refusal(folder).message


def test_without_a_path_the_usage_is_said() -> None:
    with pytest.raises(UsageError, match="folder:PATH"):
        Dataset.open(None, Config(), 0)
