"""Files of features in every form, and what is refused."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py  # type: ignore[import-untyped]
import numpy as np
import pytest
import torch

from wsal_bench.errors import DataError, UsageError
from wsal_bench.inference.feature_files import FeaturePath, check_all, find_features

FEATURES = np.arange(12, dtype=np.float32).reshape(4, 3)


def save_h5(path: Path, array: Any) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset("group/features", data=array)


SAVERS: dict[str, Callable[[Path, Any], object]] = {
    "npy": np.save,
    "npz": lambda path, array: np.savez(path, features=array),
    "h5": save_h5,
    "hdf5": save_h5,
    "pt": lambda path, array: torch.save(torch.from_numpy(array), path),
    "pth": lambda path, array: torch.save(torch.from_numpy(array), path),
}


def one(path: Path) -> FeaturePath:
    (found,) = find_features([path])
    return found


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@pytest.mark.parametrize("form", SAVERS)
def test_every_form_gives_the_same_features(form: str, dtype: type, tmp_path: Path) -> None:
    path = tmp_path / f"a.b.{form}"
    SAVERS[form](path, FEATURES.astype(dtype))
    found = one(path)
    assert found.video_id == "a.b"
    found.check(3)
    read = np.asarray(found.read()[:])
    assert read.dtype == dtype and read.tolist() == FEATURES.tolist()


def test_a_tensor_of_bfloat16_becomes_float32(tmp_path: Path) -> None:
    torch.save(torch.ones(2, 3, dtype=torch.bfloat16), tmp_path / "a.pt")
    assert np.asarray(one(tmp_path / "a.pt").read()[:]).dtype == np.float32


def test_a_folder_gives_its_feature_files_by_name(tmp_path: Path) -> None:
    for name in ("b.npy", "a.npy"):
        np.save(tmp_path / name, FEATURES)
    (tmp_path / "notes.txt").write_text("not features")
    assert [file.video_id for file in find_features([tmp_path])] == ["a", "b"]
    again = find_features([tmp_path / "b.npy", tmp_path])  # named twice, one video
    assert [file.video_id for file in again] == ["b", "a"]


def test_two_files_of_one_video_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", FEATURES)
    np.savez(tmp_path / "a.npz", FEATURES)
    with pytest.raises(UsageError, match=r"two files of one video 'a'.*a\.npy.*a\.npz"):
        find_features([tmp_path])


def test_places_without_features_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file or folder"):
        find_features([tmp_path / "nothing"])
    with pytest.raises(DataError, match="no feature file in this folder"):
        find_features([tmp_path])
    (tmp_path / "test").mkdir()
    np.save(tmp_path / "test" / "a.npy", FEATURES)
    with pytest.raises(DataError, match="name one of its folders: test"):
        find_features([tmp_path])
    (tmp_path / "a.mat").touch()
    with pytest.raises(UsageError, match="no feature file by its ending"):
        find_features([tmp_path / "a.mat"])


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (FEATURES.T.copy(), r"shape \[3, 4\].*\[snippets, 3\]; they lie the other way round"),
        (FEATURES[:, :2], r"shape \[4, 2\], the checkpoint takes \[snippets, 3\]; they must"),
        (FEATURES[0], r"shape \(3,\), not \[snippets, columns\]"),
        (np.zeros((0, 3), np.float32), r"shape \(0, 3\)"),
        (np.zeros((4, 3), np.int64), "features are int64"),
        (np.where(FEATURES == 7, np.nan, FEATURES).astype(np.float32), "snippet 2 holds nan"),
        (np.where(FEATURES == 7, np.inf, FEATURES).astype(np.float32), "snippet 2 holds inf"),
    ],
)
@pytest.mark.parametrize("form", ["npy", "npz", "h5", "pt"])
def test_wrong_features_are_refused_by_name(
    array: Any, message: str, form: str, tmp_path: Path
) -> None:
    path = tmp_path / f"a.{form}"
    SAVERS[form](path, array)
    with pytest.raises(DataError, match=message) as caught:
        one(path).check(3)
    assert caught.value.path == str(path)


def test_a_file_of_several_arrays_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", rgb=FEATURES, flow=FEATURES)
    with pytest.raises(DataError, match="must hold one array, but holds rgb, flow"):
        one(tmp_path / "a.npz").check(3)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"], file["y"] = FEATURES, FEATURES
    with pytest.raises(DataError, match="must hold one array, but holds /x, /y"):
        one(tmp_path / "a.h5").check(3)
    torch.save([torch.ones(2, 3)], tmp_path / "a.pt")
    with pytest.raises(DataError, match="holds a list, not a tensor"):
        one(tmp_path / "a.pt").check(3)


def test_files_that_could_run_code_are_refused(tmp_path: Path) -> None:
    torch.save(Path("x"), tmp_path / "a.pt")
    with pytest.raises(DataError, match="could run code"):
        one(tmp_path / "a.pt").check(3)
    np.savez(tmp_path / "a.npz", np.array([object()]))
    with pytest.raises(DataError, match="holds Python objects, which could run code"):
        one(tmp_path / "a.npz").check(3)
    (tmp_path / "a.npy").write_bytes(pickle.dumps(FEATURES))
    with pytest.raises(DataError, match="holds Python objects, which could run code"):
        one(tmp_path / "a.npy").check(3)


@pytest.mark.parametrize("form", SAVERS)
def test_damaged_files_are_refused(form: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{form}"
    SAVERS[form](path, np.tile(FEATURES, (200, 1)))
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(DataError):
        one(path).check(3)


def test_all_problems_stand_in_one_report(tmp_path: Path) -> None:
    for number in range(14):
        np.save(tmp_path / f"v{number:02d}.npy", FEATURES[:, : 3 if number < 2 else 2])
    files, seen = find_features([tmp_path]), list[tuple[int, int]]()
    with pytest.raises(DataError, match="12 of 14 feature files") as caught:
        check_all(files, 3, lambda *counts: seen.append(counts))
    lines = caught.value.message.splitlines()
    assert len(lines) == 12 and "v02.npy" in lines[1] and lines[-1] == "  and 2 more"
    assert seen == [(number, 14) for number in range(1, 15)]
