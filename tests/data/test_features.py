"""A feature file gives its rows, or says in one sentence why not."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wsal_bench.data.features import open_features
from wsal_bench.errors import DataError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "v.npy"


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("order", ["C", "F"])
def test_rows_come_by_slice_and_by_index(path: Path, dtype: Any, order: Any) -> None:
    array = np.array([[0, 1], [2, 3], [4, 5]], dtype=dtype, order=order)
    np.save(path, array)
    features = open_features(path)
    assert features.shape == (3, 2) and len(features) == 3 and features.dtype == dtype
    assert features[1:].tolist() == [[2, 3], [4, 5]]
    assert features[np.array([2, 0])].tolist() == [[4, 5], [0, 1]]
    assert np.array_equal(np.asarray(features), array)
    assert np.asarray(features, dtype=np.float64).dtype == np.float64


def test_writing_into_rows_leaves_the_file_alone(path: Path) -> None:
    np.save(path, np.zeros((3, 2), np.float32))
    features = open_features(path)
    features[:][0] = 9.0
    assert not np.load(path).any() and not features[:].any()


def test_many_files_may_be_open_at_once(path: Path, tmp_path: Path) -> None:
    resource = pytest.importorskip("resource", reason="needs a limit of open files")
    np.save(path, np.zeros((3, 2), np.float32))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (128, hard))
    try:
        opened = [open_features(path) for _ in range(200)]
        rows = [features[:1] for features in opened]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert len(rows) == 200


def test_the_digest_depends_on_numbers_shape_and_type_only(path: Path) -> None:
    def digest(array: Any) -> str:
        np.save(path, array)
        return open_features(path).digest()

    array = np.arange(12, dtype=np.float32).reshape(4, 3)
    same = [digest(array), digest(np.asfortranarray(array))]
    other = [digest(array.reshape(3, 4)), digest(array.astype(np.float64)), digest(array + 1)]
    assert len(set(same)) == 1 and len({*same, *other}) == 4


def test_numbers_far_down_a_long_file_are_checked(path: Path) -> None:
    array = np.zeros((10_000, 2), np.float16)
    array[9_999, 1] = np.nan
    np.save(path, array)
    with pytest.raises(DataError, match="snippet 9999 holds nan in column 1"):
        open_features(path).check_values()


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.zeros((0, 3), np.float32), r"shape \(0, 3\)"),
        (np.zeros((3, 0), np.float32), r"shape \(3, 0\)"),
        (np.zeros(3, np.float32), r"shape \(3,\), not \[snippets, columns\]"),
        (np.zeros((3, 2, 2), np.float32), r"shape \(3, 2, 2\)"),
        (np.zeros((3, 2), np.int64), "features are int64"),
        (np.zeros((3, 2), np.complex64), "features are complex64"),
        (np.zeros((3, 2), ">f4"), "features are >f4"),
        (np.array([[1.0, None]], dtype=object), "Python objects"),
    ],
)
def test_an_array_that_is_no_feature_matrix_is_refused(path: Path, array: Any, said: str) -> None:
    np.save(path, array)
    with pytest.raises(DataError, match=said) as caught:
        open_features(path)
    assert caught.value.path == str(path)


def test_a_truncated_file_is_refused_with_both_sizes(path: Path) -> None:
    np.save(path, np.zeros((3, 2), np.float32))
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(DataError, match="truncated: 148 bytes, but its header promises 152"):
        open_features(path)


@pytest.mark.parametrize("content", [b"\x93NU", b"not numpy at all", b"\x93NUMPY\x01\x00v\x00{'de"])
def test_a_file_of_something_else_is_refused(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(DataError, match="no npy file, or broken"):
        open_features(path)


def test_an_archive_is_refused(path: Path) -> None:
    with path.open("wb") as file:
        np.savez(file, np.zeros(3))
    with pytest.raises(DataError, match="no npy file"):
        open_features(path)


def test_an_empty_file_a_folder_and_nothing_at_all_are_refused(path: Path) -> None:
    with pytest.raises(DataError, match="missing"):
        open_features(path)
    path.touch()
    with pytest.raises(DataError, match="is empty"):
        open_features(path)
    path.unlink()
    path.mkdir()
    with pytest.raises(DataError, match="is a folder, not a file"):
        open_features(path)


@pytest.mark.skipif(os.name != "posix", reason="needs the permissions of POSIX")
def test_a_file_without_permission_is_refused(path: Path) -> None:
    np.save(path, np.zeros((3, 2), np.float32))
    path.chmod(0)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)  # root may read every file; nobody may not
    try:
        with pytest.raises(DataError, match=r"cannot be read \(Permission denied\)"):
            open_features(path)
    finally:
        os.seteuid(user)


def test_a_file_that_vanishes_is_said_when_it_is_read(path: Path) -> None:
    np.save(path, np.zeros((3, 2), np.float32))
    features = open_features(path)
    path.unlink()
    with pytest.raises(DataError, match="any more"):
        features[:]
