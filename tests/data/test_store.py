"""The store of an imported data set: its index, its packed features, and the data set over it."""

import json
import pickle
import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wsal_bench.data.index import Entry, Index, write_index
from wsal_bench.data.packed import PackedFeatures, checksum
from wsal_bench.data.places import VARIABLE, data_root, store_path
from wsal_bench.data.store import Store, features_path, truth_path
from wsal_bench.data.stored import StoredConfig, StoredDataset
from wsal_bench.errors import DataError, UsageError
from wsal_bench.evaluation.formats import truth_to_npz
from wsal_bench.types import GroundTruth, WeakVideo
from wsal_datasets.imported import Dataset as Imported

SPLITS = ("train", "test")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two videos a split, of 3 and 2 snippets of 2 s; rows hold 0, 1, 2, 3, 4 and their tenfold."""
    folder = tmp_path / "mine"
    (folder / "truth").mkdir(parents=True)
    videos: dict[Any, tuple[Entry, ...]] = {}
    digests: dict[Any, str] = {}
    for split in SPLITS:
        rows = np.arange(5, dtype=np.float16)[:, None] * np.array([1, 10], dtype=np.float16)
        np.save(features_path(folder, split), rows)  # type: ignore[arg-type]
        names = (f"{split}-a", f"{split}-b")
        lengths = (3, 2)
        videos[split] = tuple(
            Entry(
                video_id=name,
                first=first,
                length=length,
                group="",
                labels=("jump",),
                sha256=checksum(rows[first : first + length].data, "sha256"),
                crc32=checksum(rows[first : first + length].data, "crc32"),
            )
            for name, first, length in zip(names, (0, 3), lengths, strict=True)
        )
        truth = GroundTruth(
            video=np.array([0, 1]),
            start=np.array([0.5, 1.0]),
            end=np.array([2.5, 3.0]),
            label=np.array([0, 1]),
            video_ids=names,
            class_names=("run", "jump"),
        )
        truth_to_npz(truth, truth_path(folder, "default", split))  # type: ignore[arg-type]
        path = truth_path(folder, "default", split)  # type: ignore[arg-type]
        digests[split] = sha256(path.read_bytes()).hexdigest()
    write_index(
        folder,
        Index(
            name="mine",
            layout="by hand",
            fps=1,
            stride=2,
            class_names=("run", "jump"),
            feature_dim=2,
            dtype="float16",
            streams={"rgb": (0, 1), "flow": (1, 2)},
            notes=(),
            videos=videos,
            truths={"default": digests},
        ),
    )
    return folder


def test_a_video_is_its_stretch_of_rows(root: Path) -> None:
    second = Store(root).features("train")["train-b"]
    assert second.shape == (2, 2)
    assert second[np.array([1, 0])].tolist() == [[4.0, 40.0], [3.0, 30.0]]
    assert np.asarray(second, dtype=np.float32).tolist() == [[3.0, 30.0], [4.0, 40.0]]


def test_rows_of_the_next_video_are_out_of_reach(root: Path) -> None:
    first = Store(root).features("train")["train-a"]
    assert len(first[0:100]) == 3
    with pytest.raises(IndexError):
        first[3]


def test_what_is_read_is_a_copy_and_the_view_is_read_only(root: Path) -> None:
    first = Store(root).features("train")["train-a"]
    first[0:1][:] = 7.0
    assert first[0].tolist() == [0.0, 0.0]
    with pytest.raises(ValueError, match="read-only"):
        first.view()[:] = 7.0


def test_features_travel_as_a_path_and_a_stretch(root: Path) -> None:
    features = Store(root).features("train")["train-b"]
    features[0]
    sent = pickle.dumps(features)
    received: PackedFeatures = pickle.loads(sent)
    assert "rows" not in vars(received.file)
    assert received[1].tolist() == [4.0, 40.0]


def test_the_digest_ignores_the_name_and_sees_the_grid(root: Path) -> None:
    index = Store(root).index
    assert index.model_copy(update={"name": "other"}).digest() == index.digest()
    assert index.model_copy(update={"stride": 3.0}).digest() != index.digest()


def _without_index(root: Path) -> None:
    (root / "index.json").unlink()


def _half_index(root: Path) -> None:
    (root / "index.json").write_text("{")


def _other_schema(root: Path) -> None:
    values = json.loads((root / "index.json").read_text())
    (root / "index.json").write_text(json.dumps(values | {"schema": "wsal-bench/store/9"}))


def _fewer_rows(root: Path) -> None:
    np.save(root / "train.npy", np.zeros((4, 2), dtype=np.float16))


def _other_type(root: Path) -> None:
    np.save(root / "test.npy", np.zeros((5, 2), dtype=np.float32))


@pytest.mark.parametrize(
    ("breaks", "said"),
    [
        (_without_index, "cannot be read"),
        (_half_index, "not JSON"),
        (_other_schema, "not the index of an imported data set: schema"),
        (_fewer_rows, r"holds \(4, 2\) float16, but the index promises \(5, 2\) float16"),
        (_other_type, r"holds \(5, 2\) float32"),
    ],
)
def test_a_broken_store_is_refused(root: Path, breaks: Callable[[Path], None], said: str) -> None:
    breaks(root)
    with pytest.raises(DataError, match=said):
        Store(root)


def test_a_stored_data_set_gives_videos_labels_and_truth(root: Path) -> None:
    dataset = StoredDataset(StoredConfig(), path=root)
    first, second = dataset.videos("train")
    assert isinstance(first, WeakVideo) and first.labels.tolist() == [1.0, 0.0]
    assert isinstance(second, WeakVideo) and second.labels.tolist() == [0.0, 1.0]
    assert (first.duration, second.duration) == (6.0, 4.0)
    assert not any(isinstance(video, WeakVideo) for video in dataset.videos("test"))
    assert dataset.ground_truth("test").end.tolist() == [2.5, 3.0]
    assert dataset.streams == {"rgb": slice(0, 1), "flow": slice(1, 2)}


def test_labels_may_come_from_what_the_source_says_of_whole_videos(root: Path) -> None:
    dataset = StoredDataset(StoredConfig(label_source="metadata"), path=root)
    labels = [video.labels.tolist() for video in dataset.videos("train")]  # type: ignore[attr-defined]
    assert labels == [[0.0, 1.0], [0.0, 1.0]]
    assert dataset.track.label_source == "metadata"


def test_a_data_set_may_keep_some_classes_and_videos_only(root: Path) -> None:
    class Jumps(StoredDataset):
        def classes(self, stored: tuple[str, ...]) -> tuple[str, ...]:
            return ("jump",)

        def keeps(self, split: str, video_id: str) -> bool:
            return video_id.endswith("b")

    dataset = Jumps(StoredConfig(), path=root)
    truth = dataset.ground_truth("test")
    assert truth.video_ids == ("test-b",)
    assert (truth.label.tolist(), truth.end.tolist()) == ([0], [3.0])
    assert [video.video_id for video in dataset.videos("train")] == ["train-b"]


def test_a_data_set_that_was_not_imported_says_how(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"there is no index.json; wsal-bench data import"):
        StoredDataset(StoredConfig(), path=tmp_path)


def test_an_imported_data_set_is_found_by_its_name(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(root.parent))
    assert store_path("mine") == root.resolve()
    assert Imported(StoredConfig(), path=Imported.locate("mine")).name == "mine"
    with pytest.raises(UsageError, match="imported:NAME"):
        Imported(StoredConfig())


def test_without_a_variable_data_lie_in_the_users_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert data_root().name == "data"
    assert data_root().is_absolute()


def test_truth_that_was_edited_opens_no_data_set(root: Path) -> None:
    StoredDataset(StoredConfig(), path=root)
    shutil.copy(truth_path(root, "default", "train"), truth_path(root, "default", "test"))
    with pytest.raises(DataError, match="truth is not what was imported"):
        StoredDataset(StoredConfig(), path=root)
