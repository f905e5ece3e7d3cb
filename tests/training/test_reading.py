"""Memory of batches that is used again, and reading ahead: the same numbers, never overwritten."""

from __future__ import annotations

import gc
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from wsal_bench.data.features import open_features
from wsal_bench.data.packed import PackedFeatures, PackedFile
from wsal_bench.training.reading import Buffers, read_rows

Features = NDArray[Any]
RNG = np.random.default_rng(0)
VALUES = RNG.normal(scale=100, size=(9, 4))
PICKED = np.array([0, 0, 3, 5, 8])


class Reader:
    """Features of which only the reader can say what they are."""

    def __init__(self, values: Features) -> None:
        self.values = values
        self.shape = values.shape

    def __getitem__(self, index: Any, /) -> Features:
        rows: Features = self.values[index] + 1
        return rows


def packed(path: Path, values: Features) -> PackedFeatures:
    """The values as a video in the middle of a packed file."""
    around = np.full_like(values[:2], -1)
    np.save(path, np.concatenate([around, values, around]))
    return PackedFeatures(PackedFile(open_features(path)), 2, len(values))


def as_file(path: Path, values: Features) -> Any:
    np.save(path, values)
    return open_features(path)


def as_array(path: Path, values: Features) -> Any:
    return values


SOURCES: dict[str, Callable[[Path], Any]] = {
    **{
        f"array of {name}": partial(as_array, values=VALUES.astype(name))
        for name in ("float16", "float32", "float64", "int32", ">f2", ">f4")
    },
    "columns first": lambda path: np.asfortranarray(VALUES.astype(np.float16)),
    "every second column": lambda path: VALUES.astype(np.float16)[:, ::2],
    "matrices": lambda path: VALUES.astype(np.float16).reshape(9, 2, 2),
    **{
        f"{kind.__name__} of {name}": partial(kind, values=VALUES.astype(name))
        for kind in (packed, as_file)
        for name in ("float16", "float32")
    },
    "file, columns first": lambda path: as_file(path, np.asfortranarray(VALUES)),
    "a reader": lambda path: Reader(VALUES),
}


@pytest.mark.parametrize("name", SOURCES)
def test_rows_are_those_of_indexing_bit_for_bit(name: str, tmp_path: Path) -> None:
    source = SOURCES[name](tmp_path / "features.npy")
    expected = np.empty((len(PICKED), *source.shape[1:]), np.float32)
    expected[:] = source[PICKED]
    found = np.full_like(expected, np.nan)
    read_rows(source, PICKED, found)
    assert found.tobytes() == expected.tobytes()


def test_every_float16_becomes_the_same_float32() -> None:
    bits = np.arange(2**16, dtype=np.uint16).view(np.float16)[:, None]
    found = np.empty(bits.shape, np.float32)
    read_rows(bits, np.arange(len(bits)), found)
    expected = bits.astype(np.float32)
    numbers = ~np.isnan(expected)
    assert found[numbers].tobytes() == expected[numbers].tobytes()
    assert np.isnan(found[~numbers]).all()


def test_rows_beyond_one_block_are_all_there() -> None:
    wide = RNG.normal(size=(300, 2048)).astype(np.float16)  # a block is 128 rows
    positions = np.sort(RNG.integers(300, size=301))
    found = np.empty((301, 2048), np.float32)
    read_rows(wide, positions, found)
    assert (found == wide[positions]).all()


@pytest.mark.parametrize("positions", [[0, 9], [-1, 3]])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_row_that_the_video_does_not_have_is_refused(
    positions: list[int], dtype: type[Any], tmp_path: Path
) -> None:
    for source in (packed(tmp_path / "f.npy", VALUES.astype(dtype)), VALUES.astype(dtype)):
        with pytest.raises(IndexError, match="asked of a video of 9"):
            read_rows(source, np.array(positions), np.empty((2, 4), np.float32))


def where(tensor: torch.Tensor) -> int:
    return tensor.untyped_storage().data_ptr()


def batch_of(buffers: Buffers, *shape: int) -> torch.Tensor:
    return torch.from_numpy(buffers.take(*shape))


def test_memory_that_nobody_refers_to_is_used_again() -> None:
    buffers = Buffers()
    first = batch_of(buffers, 4, 3)
    place = where(first)
    del first
    again = batch_of(buffers, 2, 3)  # a smaller one, such as the last of an epoch
    assert where(again) == place
    assert again.shape == (2, 3)
    del again
    assert where(batch_of(buffers, 3, 4)) == place


HOLDERS: dict[str, Callable[[torch.Tensor], Any]] = {
    "the batch": lambda batch: batch,
    "a row of it": lambda batch: batch[1],
    "a transposed view": lambda batch: batch.T[:2],
    "its numpy form": lambda batch: batch.numpy()[1:],
    "a graph": lambda batch: (batch * torch.ones(3, requires_grad=True)).sum(),
    "a copy to where it is": lambda batch: batch.to("cpu", non_blocking=True),
}


@pytest.mark.parametrize("name", HOLDERS)
def test_memory_in_use_is_never_handed_out(name: str) -> None:
    buffers = Buffers(kept=4)
    batch = batch_of(buffers, 4, 3)
    place = where(batch)
    held = HOLDERS[name](batch)
    del batch
    gc.collect()
    others = [batch_of(buffers, 4, 3) for _ in range(3)]
    assert place not in {where(other) for other in others}
    del held, others
    assert place in {where(other) for other in [batch_of(buffers, 4, 3) for _ in range(4)]}


def test_no_more_free_pieces_are_kept_than_agreed() -> None:
    buffers = Buffers(kept=2)
    many = [batch_of(buffers, 100) for _ in range(5)]
    places = {where(one) for one in many}
    many.clear()
    kept = [buffers.take(100) for _ in range(2)]
    assert {one.__array_interface__["data"][0] for one in kept} <= places
    assert len(buffers._free) == 0


def test_a_piece_that_is_too_small_makes_room_for_a_larger_one() -> None:
    buffers = Buffers()
    batch_of(buffers, 2)  # given back at once
    larger = batch_of(buffers, 1000)
    assert larger.shape == (1000,)
    place = where(larger)
    del larger
    assert where(batch_of(buffers, 2)) == place


def test_memory_begins_where_vector_instructions_like_it() -> None:
    assert {where(batch_of(Buffers(), n)) % 64 for n in (1, 7, 1000, 10**6)} == {0}
