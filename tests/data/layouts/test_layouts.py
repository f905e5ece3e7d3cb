"""Every published layout gives the same videos and truth; nothing in a file is ever run."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.data.made_up import (
    VIDEOS,
    write_acm,
    write_basnet,
    write_per_video,
    write_wtalc,
)
from wsal_bench.data.arrays import read_array
from wsal_bench.data.card import Card
from wsal_bench.data.layouts import recognise
from wsal_bench.data.layouts._objects import read_objects
from wsal_bench.errors import DataError

Write = Callable[[Path], Path]
LAYOUTS: dict[str, Write] = {
    "acm": write_acm,
    "basnet": write_basnet,
    "wtalc": write_wtalc,
    "wtalc as ActivityNet 1.2": partial(write_wtalc, subsets=("training", "validation")),
    **{f"per-video {form}": partial(write_per_video, form=form) for form in ("npy", "npz", "h5")},
    "per-video pt": partial(write_per_video, form="pt"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_the_same_videos_and_truth(tmp_path: Path, layout: str) -> None:
    root = LAYOUTS[layout](tmp_path)
    found = recognise(root)
    assert found.NAME.startswith(layout.split()[0])
    source = found.read(root, None)
    assert [(video.video_id, video.split) for video in source.videos] == [
        (video.name, video.split) for video in VIDEOS
    ]
    for video, wanted in zip(source.videos, VIDEOS, strict=True):
        assert np.array_equal(video.read(), wanted.features)
    truths = source.truths["default"]
    for split in ("train", "test"):
        truth = truths[split]
        mine = [video for video in VIDEOS if video.split == split]
        assert truth.video_ids == tuple(video.name for video in mine)
        assert truth.class_names == ("jump", "run")
        assert [truth.class_names[label] for label in truth.label] == [v.label for v in mine]
        assert np.allclose(truth.start, [video.segment[0] for video in mine])
        assert np.allclose(truth.end, [video.segment[1] for video in mine])


def test_basnet_says_which_columns_are_which(tmp_path: Path) -> None:
    source = recognise(write_basnet(tmp_path)).read(tmp_path, None)
    assert source.streams == {"rgb": (0, 2), "flow": (2, 4)}


def test_streams_of_different_length_are_refused(tmp_path: Path) -> None:
    write_basnet(tmp_path)
    np.save(tmp_path / "features/train/flow/video_train_0.npy", np.zeros((9, 2), np.float32))
    source = recognise(tmp_path).read(tmp_path, None)
    with pytest.raises(DataError, match=r"rgb has shape \(10, 2\), flow \(9, 2\)"):
        source.videos[0].read()


def test_wtalc_gives_labels_of_whole_videos_and_ambiguous_stretches(tmp_path: Path) -> None:
    source = recognise(write_wtalc(tmp_path)).read(tmp_path, None)
    assert [video.labels for video in source.videos] == [("jump",), ("run",)] * 2
    assert source.truths["default"]["test"].ambiguous.tolist() == [[0.0, 0.0, 0.5]]


def test_annotations_may_lie_beside_the_features(tmp_path: Path) -> None:
    folder = write_wtalc(tmp_path) / "Thumos14reduced-Annotations"
    for path in folder.iterdir():
        path.rename(tmp_path / path.name)
    folder.rmdir()
    assert len(recognise(tmp_path).read(tmp_path, None).videos) == 4


def test_classes_follow_the_card_and_its_other_spellings(tmp_path: Path) -> None:
    card = Card(
        class_names=("sprint", "jump"),
        fps=25,
        stride=16,
        subsets={"train": ("train",), "test": ("test",)},
        videos={"train": (2,), "test": (2,)},
        aliases={"run": "sprint"},
    )
    truth = recognise(write_acm(tmp_path)).read(tmp_path, card).truths["default"]["train"]
    assert truth.class_names == ("sprint", "jump")
    assert truth.label.tolist() == [1, 0]


def test_a_folder_of_no_layout_says_what_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"looked for acm .*gt\.json.*basnet.*wtalc.*per-video"):
        recognise(tmp_path)


def test_a_folder_of_two_layouts_names_both(tmp_path: Path) -> None:
    write_wtalc(write_acm(tmp_path))
    with pytest.raises(DataError, match=r"looks like acm .* and wtalc"):
        recognise(tmp_path)


def test_subsets_that_are_not_understood_are_named(tmp_path: Path) -> None:
    write_acm(tmp_path)
    document = json.loads((tmp_path / "gt.json").read_text())
    for entry in document["database"].values():
        entry["subset"] = "all"
    (tmp_path / "gt.json").write_text(json.dumps(document))
    with pytest.raises(DataError, match="annotated subsets are all;"):
        recognise(tmp_path).read(tmp_path, None)


class _Runs:
    """What a hostile pickle holds: a call."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> Any:
        return self.call


def _written(path: Path, *values: Any) -> Path:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    np.save(path, array, allow_pickle=True)
    return path


@pytest.mark.parametrize(
    ("function", "arguments", "named"),
    [
        (print, ("ran",), "builtins.print"),
        (eval, ("1",), "builtins.eval"),
        (getattr, ("a", "upper"), "builtins.getattr"),
        (Path, ("x",), "Path"),
        (np.load, ("x",), "numpy.*load"),
    ],
)
def test_a_pickle_that_asks_for_more_than_arrays_is_refused_by_name(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    function: Callable[..., Any],
    arguments: tuple[Any, ...],
    named: str,
) -> None:
    path = _written(tmp_path / "bad.npy", _Runs(function, *arguments))
    with pytest.raises(DataError, match=f"it asks for .*{named}"):
        read_objects(path)
    assert capsys.readouterr().out == ""


def test_object_arrays_of_arrays_text_and_bytes_are_read(tmp_path: Path) -> None:
    for protocol in (2, 4):
        array = np.empty(3, dtype=object)
        array[:] = [np.arange(2.0), [b"a", "b"], np.str_("c")]
        with (tmp_path / "good.npy").open("wb") as file:
            header = {"descr": "|O", "fortran_order": False, "shape": (3,)}
            np.lib.format.write_array_header_1_0(file, header)
            pickle.dump(array, file, protocol=protocol)
        read = read_objects(tmp_path / "good.npy")
        assert read[0].tolist() == [0.0, 1.0]
        assert read[1] == [b"a", "b"]
        assert str(read[2]) == "c"


def test_a_pickle_that_is_no_array_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "odd.npy").open("wb") as file:
        np.lib.format.write_array_header_1_0(
            file, {"descr": "|O", "fortran_order": False, "shape": (1,)}
        )
        pickle.dump([1.0], file)
    with pytest.raises(DataError, match="it holds a list, not an array"):
        read_objects(tmp_path / "odd.npy")


@pytest.mark.parametrize("cut", [0, 5, 60, 200])
def test_a_file_that_ends_early_is_refused(tmp_path: Path, cut: int) -> None:
    path = _written(tmp_path / "whole.npy", np.arange(100.0))
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(DataError):
        read_objects(path)


def test_feature_files_that_hold_objects_or_nothing_are_refused(tmp_path: Path) -> None:
    objects = _written(tmp_path / "objects.npy", np.arange(2))
    with pytest.raises(DataError, match="Python objects") as caught:
        read_array(objects)
    assert "allow_pickle" not in str(caught.value)
    (tmp_path / "bare.npy").write_bytes(pickle.dumps([1]))
    with pytest.raises(DataError) as caught:
        read_array(tmp_path / "bare.npy")
    assert "allow_pickle" not in str(caught.value)
    (tmp_path / "empty.npy").write_bytes(b"")
    with pytest.raises(DataError, match="empty or broken"):
        read_array(tmp_path / "empty.npy")
    with pytest.raises(DataError, match="is missing"):
        read_array(tmp_path / "none.npy")
    np.savez(tmp_path / "two.npz", a=np.zeros(2), b=np.zeros(2))
    with pytest.raises(DataError, match="must hold one array, but holds a, b"):
        read_array(tmp_path / "two.npz")
    torch.save(_Runs(print, "ran"), tmp_path / "code.pt")
    with pytest.raises(DataError, match="no file of tensors alone"):
        read_array(tmp_path / "code.pt")
