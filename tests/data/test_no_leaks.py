"""An epoch over a store shows each video its own rows, and never one of the other split."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.data.stores import write_store
from wsal_bench.api import SPLITS, Split
from wsal_bench.data.store import Store
from wsal_bench.data.stored import StoredConfig
from wsal_bench.training.positions import uniform_indices
from wsal_bench.training.reading import Buffers, read_ahead
from wsal_bench.training.sampling import (
    DraftedEpoch,
    PairPolicy,
    collate,
    pair_batches,
    shuffled_batches,
)
from wsal_bench.types import Batch, WeakVideo
from wsal_datasets.imported import Dataset

TEST_BEGINS = 1000  # numbers of test videos; float16 holds whole numbers up to 2048
LENGTHS: dict[Split, list[int]] = {
    "train": [1, 2, 30, 12, *range(3, 39)],
    "test": [25, 1, 12, *range(2, 19)],
}


def numbered(split: Split, number: int, length: int) -> NDArray[Any]:
    """Every row holds the number of the video and its own place in it."""
    video = number + (TEST_BEGINS if split == "test" else 0)
    return np.stack([np.full(length, video), np.arange(length)], axis=1).astype(np.float16)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_store(tmp_path_factory.mktemp("store"), LENGTHS, numbered, dim=2)


@pytest.fixture
def data(root: Path) -> Dataset:
    return Dataset(StoredConfig(), path=root)


def weak(data: Dataset) -> list[WeakVideo]:
    return [video for video in data.videos("train") if isinstance(video, WeakVideo)]


def assert_own_rows(batches: Iterable[Batch], numbers: Sequence[int]) -> set[int]:
    """Each batch row shows rows of its video alone, those that it says; the videos shown."""
    seen: set[int] = set()
    for batch in batches:
        wanted = np.asarray(numbers)[batch.indices.numpy()]
        for row, length in enumerate(batch.lengths.tolist()):
            assert (batch.features[row, :length, 0] == wanted[row]).all()
            assert (batch.features[row, :length, 1] == batch.extras["snippets"][row, :length]).all()
            assert (batch.features[row, length:] == 0).all()
        seen |= set(wanted.tolist())
    return seen


def ahead(epoch: Any, workers: int) -> Iterable[Batch]:
    assert isinstance(epoch, DraftedEpoch)
    return read_ahead(iter(epoch.drafts), Buffers(), workers)


@pytest.mark.parametrize("workers", [0, 2])
def test_an_epoch_of_training_videos_holds_their_rows_and_no_others(
    data: Dataset, workers: int
) -> None:
    videos, generator = weak(data), np.random.default_rng(0)
    for _ in range(3):
        shown = shuffled_batches(videos, generator, batch_size=7, num_snippets=12)
        assert assert_own_rows(ahead(shown, workers), range(40)) == set(range(40))
        pairs = pair_batches(videos, generator, PairPolicy(5, num_snippets=12))
        assert assert_own_rows(ahead(pairs, workers), range(40)) == set(range(40))


def test_test_videos_of_any_length_are_read_to_their_last_row_and_not_beyond(data: Dataset) -> None:
    videos = data.videos("test")
    numbers = range(TEST_BEGINS, TEST_BEGINS + len(videos))
    whole = collate(videos, range(len(videos)), lambda num: np.arange(num))
    assert assert_own_rows([whole], numbers) == set(numbers)
    assert whole.lengths.tolist() == LENGTHS["test"]
    short = [
        collate(videos, [index], lambda num: uniform_indices(num, 10))
        for index in range(len(videos))
    ]
    assert assert_own_rows(short, numbers) == set(numbers)


def test_no_video_and_no_row_belongs_to_both_splits(root: Path, data: Dataset) -> None:
    names = {split: {video.video_id for video in data.videos(split)} for split in SPLITS}
    assert not names["train"] & names["test"]
    store = Store(root)
    features = {split: list(store.features(split).values()) for split in SPLITS}
    files = {split: {one.file.path for one in found} for split, found in features.items()}
    assert len(files["train"]) == len(files["test"]) == 1
    assert files["train"] != files["test"]
    for split, found in features.items():
        rows = np.concatenate([np.arange(one.first, one.first + one.length) for one in found])
        # each row of the file belongs to one video
        assert np.sort(rows).tolist() == list(range(sum(LENGTHS[split])))


def test_what_a_video_shows_cannot_reach_its_neighbours(data: Dataset) -> None:
    features = data.videos("train")[2].features  # of 30 rows, between videos of 2 and 12
    assert features[0:100].shape == (30, 2)
    for outside in (30, -31):
        with pytest.raises(IndexError):
            features[np.array([outside])]
    with pytest.raises(IndexError, match="asked of a video of 30"):
        collate(data.videos("train"), [2], lambda num: np.array([num - 1, num]))
