"""Pickles made to do harm: each is one sentence, and none touches memory or a function."""

import pickle
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wsal_bench.data.layouts._objects import read_objects
from wsal_bench.errors import DataError

HEADER = b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"


def npy(content: bytes) -> bytes:
    """An npy file of one object, whatever its pickle."""
    padded = HEADER.ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(padded)) + padded + content


class Called:
    """Pickles as a call of a function with arguments, and a state."""

    def __init__(self, function: Any, arguments: tuple[Any, ...], state: Any = None) -> None:
        self.parts = (function, arguments) if state is None else (function, arguments, state)

    def __reduce__(self) -> tuple[Any, ...]:
        return self.parts


REBUILD = np.empty(0).__reduce__()[0]
OBJECT, NUMBER = np.dtype(object), np.dtype(np.float64)


def array(shape: Any, dtype: Any, items: Any) -> Called:
    return Called(REBUILD, (np.ndarray, (0,), b"b"), (1, shape, dtype, False, items))


HOSTILE = {
    "an object array over the file's bytes": Called(np.ndarray, ((1,), OBJECT, b"A" * 64)),
    "fewer items than the shape": array((4,), OBJECT, ["a"]),
    "fewer bytes than the shape": array((4,), NUMBER, b"\0" * 8),
    "more bytes than the shape": array((1,), NUMBER, b"\0" * 64),
    "a negative side": array((-1,), NUMBER, b""),
    "two negative sides": array((-1, -1), NUMBER, b"\0" * 8),
    "an endless shape": array((1 << 62, 1 << 62), NUMBER, b""),
    "objects given as bytes": array((1,), OBJECT, b"A" * 8),
    "no state at all": Called(REBUILD, (np.ndarray, (0,), b"b")),
    "another class than ndarray": Called(REBUILD, (np.dtype, (0,), b"b")),
    "a dtype with fields": array((1,), np.dtype([("a", "O")]), [1]),
    "a subarray": array((1,), np.dtype((np.float64, (1 << 20,))), b""),
    "an endless text": array((0,), np.dtype("U400000"), b""),
    "a name instead of a value": array((1,), OBJECT, [np.ndarray]),
    "a state set on a name": Called(REBUILD, (np.ndarray, (0,), b"b"), {"a": 1}),
    "a function": Called(print, ("run",)),
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_a_hostile_pickle_is_one_sentence(name: str, protocol: int, tmp_path: Path) -> None:
    (tmp_path / "v.npy").write_bytes(npy(pickle.dumps(HOSTILE[name], protocol)))
    with pytest.raises(DataError) as caught:
        read_objects(tmp_path / "v.npy")
    assert "\n" not in caught.value.message and "v.npy" in str(caught.value)


def test_the_file_that_once_broke_the_process_breaks_nothing(tmp_path: Path) -> None:
    """In a process of its own: a segmentation fault cannot be caught."""
    path = tmp_path / "v.npy"
    path.write_bytes(npy(pickle.dumps(HOSTILE["an object array over the file's bytes"], 2)))
    code = f"""
from pathlib import Path
from wsal_bench.data.layouts._objects import read_objects
from wsal_bench.errors import DataError
try:
    print(repr(read_objects(Path({str(path)!r}))))
except DataError as error:
    print("refused")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "refused"), done.stderr


@pytest.mark.parametrize(
    "content",
    [
        b"\x80\x02Nr\xff\xff\xff\x7f.",  # a table of two billion places
        b"\x80\x04\x8e" + struct.pack("<Q", 1 << 40) + b"abc.",  # a terabyte of bytes
        b"\x80\x02\x82\x01.",  # the registry of extensions
        b"\x80\x02X\x01\x00\x00\x00aQ.",  # something outside of the file
        b"\x80\x02]q\x00h\x00a.",  # a list in itself
        b"S'\\z'\n.",  # an escape that Python warns of
        b"\x80\x02" + b"]" * 50_000 + b"a" * 49_999 + b".",  # lists in lists
        b"",
        b".",
    ],
)
def test_odd_instructions_are_refused_before_they_are_followed(
    content: bytes, tmp_path: Path
) -> None:
    (tmp_path / "v.npy").write_bytes(npy(content))
    with pytest.raises(DataError):
        read_objects(tmp_path / "v.npy")


def test_what_numpy_writes_comes_back_with_its_shape_order_and_sharing(tmp_path: Path) -> None:
    shared = np.arange(6, dtype=">f4").reshape(2, 3, order="F")
    rows = np.empty((2, 2), object)
    rows[:] = [[shared, shared], [["a", b"b", None, 1.5], np.array(["x", "yy"])]]
    np.save(tmp_path / "v.npy", rows)
    read = read_objects(tmp_path / "v.npy")
    assert read.shape == (2, 2) and read[0, 0] is read[0, 1]
    np.testing.assert_array_equal(read[0, 0], shared)
    assert read[0, 0].flags.writeable and read[0, 0].dtype == shared.dtype
    assert read[1, 0] == rows[1, 0] and read[1, 1].tolist() == ["x", "yy"]


GOOD = pickle.dumps(np.array([np.arange(3.0), ["a", b"b"]], object), 2)


@settings(deadline=None)
@given(st.data())
def test_a_changed_byte_gives_an_array_or_one_sentence(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    content = bytearray(GOOD)
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "fuzzed.npy"
    path.write_bytes(npy(bytes(content[: data.draw(st.integers(1, len(content)))])))
    try:
        assert isinstance(read_objects(path), np.ndarray)
    except DataError as error:
        assert "\n" not in error.message
