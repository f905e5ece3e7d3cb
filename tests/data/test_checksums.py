"""What lies in a store is what was imported: checksums of features, the seal of the index."""

from __future__ import annotations

import json
import pickle
import re
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

from tests.data.made_up import LENGTH, VIDEOS, write_acm
from tests.data.test_importing import FORM, source_of
from wsal_bench.api import Split
from wsal_bench.data import packed
from wsal_bench.data.importing import write_store
from wsal_bench.data.index import read_index
from wsal_bench.data.packed import ChangedError
from wsal_bench.data.store import Store, features_path, seal
from wsal_bench.data.stored import StoredConfig, StoredDataset
from wsal_bench.data.validating import validate_store
from wsal_bench.errors import DataError
from wsal_bench.training.reading import read_rows


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A store of float32, two videos a split."""
    write_store(source_of(write_acm(tmp_path / "src")), tmp_path / "mine", FORM)
    return tmp_path / "mine"


def rewrite(root: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    """Changes the document of an index."""
    document = json.loads((root / "index.json").read_text())
    change(document)
    (root / "index.json").write_text(json.dumps(document))


def as_first_schema(document: dict[str, Any]) -> None:
    """What an import wrote before there were seals."""
    del document["seal"]
    document["schema"] = "wsal-bench/store/1"
    for entries in document["videos"].values():
        for entry in entries:
            del entry["crc32"]


def flip(path: Path, place: int) -> None:
    """Changes one bit."""
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(bytes(data))


def into_memory(features: packed.PackedFeatures) -> None:
    read_rows(features, np.array([0]), np.empty((1, features.shape[1]), np.float32))


READERS: dict[str, Callable[[packed.PackedFeatures], object]] = {
    "view": lambda features: features.view(),
    "rows": lambda features: features[0],
    "array": np.asarray,
    "batch": into_memory,
}


@pytest.mark.parametrize("dtype", ["float16", "float32"])
@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize(("kind", "is_old"), [("crc32", False), ("sha256", True)])
def test_a_byte_that_changed_is_met_by_whoever_reads_the_video_first(
    tmp_path: Path, dtype: Literal["float16", "float32"], split: Split, kind: str, is_old: bool
) -> None:
    root = tmp_path / "mine"
    write_store(source_of(write_acm(tmp_path / "src")), root, replace(FORM, dtype=dtype))
    if is_old:
        rewrite(root, as_first_schema)
    whole, changed = (video for video in VIDEOS if video.split == split)
    flip(features_path(root, split), -3)  # of its last row
    said = (
        rf"{split}\.npy: video '{changed.name}': rows {LENGTH} to {2 * LENGTH - 1} are not what "
        rf"was imported: expected {kind} [0-9a-f]+, found [0-9a-f]+; wsal-bench data import SRC "
        r"--as mine --replace imports it again$"
    )
    for read in READERS.values():
        features = Store(root).features(split)
        assert np.array_equal(features[whole.name], whole.features.astype(dtype))
        for _ in range(2):  # nobody gets it at the second try either
            with pytest.raises(ChangedError, match=said):
                read(features[changed.name])
    (problem,) = validate_store(root).problems
    assert (problem.code, problem.video) == ("checksum", changed.name)
    assert re.search(said, str(problem))


def test_a_process_compares_a_video_once(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[int] = []
    real = packed.checksum

    def counted(rows: Any, kind: str) -> str:
        compared.append(len(rows))
        return real(rows, kind)

    monkeypatch.setattr(packed, "checksum", counted)
    dataset = StoredDataset(StoredConfig(), path=root)
    for _ in range(2):
        for video in dataset.videos("train"):
            into_memory(video.features)  # type: ignore[arg-type]
            assert len(video.features[1:3]) == 2
    assert compared == [LENGTH, LENGTH]
    sent = pickle.loads(pickle.dumps(dataset.videos("train")[0].features))
    sent.view()
    assert len(compared) == 3, "another process has not read it yet"


def _entry(key: str, value: Any) -> Callable[[dict[str, Any]], None]:
    return lambda document: document["videos"]["train"][1].update({key: value})


@pytest.mark.parametrize(
    "change",
    [
        _entry("length", LENGTH - 1),
        _entry("first", 0),
        _entry("labels", ["run"]),
        _entry("group", "other"),
        _entry("crc32", "00000000"),
        lambda document: document.update(fps=30.0),
        lambda document: document["class_names"].reverse(),
        lambda document: document.pop("seal"),
        lambda document: document.update(seal=7),
        lambda document: document.update(schema="wsal-bench/store/1"),
        lambda document: document.update(remark="mine"),
    ],
)
def test_an_index_that_was_edited_opens_no_data_set(
    root: Path, change: Callable[[dict[str, Any]], Any]
) -> None:
    rewrite(root, change)
    said = (
        r"index\.json: was changed after the import: its seal is \w+, but its contents give \w+; "
    )
    with pytest.raises(DataError, match=said + "wsal-bench data import SRC --as mine --replace"):
        StoredDataset(StoredConfig(), path=root)
    assert [problem.code for problem in validate_store(root).problems] == ["store"]


def test_the_seal_is_of_what_the_index_says_not_of_its_spaces(root: Path) -> None:
    before = Store(root).index
    rewrite(root, lambda document: None)
    assert Store(root).index == before


def test_a_store_of_the_first_schema_opens_as_the_same_data_and_can_be_sealed(root: Path) -> None:
    new = (root / "index.json").read_bytes()
    digest = StoredDataset(StoredConfig(), path=root).fingerprint()
    rewrite(root, as_first_schema)
    told = ("name", "layout", "preset", "notes", "schema")
    document = json.loads((root / "index.json").read_text())
    decisive = {key: value for key, value in document.items() if key not in told}
    assert sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest() == digest
    old = StoredDataset(StoredConfig(), path=root)
    assert old.fingerprint() == digest
    assert old.remark.endswith("wsal-bench data validate mine --seal adds both")
    assert validate_store(root).notes == (old.remark,)
    assert seal(root)
    assert (root / "index.json").read_bytes() == new
    assert not seal(root)
    assert StoredDataset(StoredConfig(), path=root).remark == ""
    assert validate_store(root).notes == ()


@pytest.mark.parametrize("file", ["train.npy", "test.npy", "truth/default-test.npz"])
def test_a_damaged_store_gets_no_seal(root: Path, file: str) -> None:
    rewrite(root, as_first_schema)
    flip(root / file, -3)
    before = (root / "index.json").read_bytes()
    with pytest.raises(ChangedError):
        seal(root)
    assert (root / "index.json").read_bytes() == before
    assert not read_index(root).is_sealed
