import json
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from wsal_bench.errors import DataError
from wsal_bench.timegrid import TimeGrid
from wsal_bench.training.positions import (
    all_indices,
    jitter_indices,
    random_indices,
    uniform_indices,
)
from wsal_bench.training.sampling import (
    PairPolicy,
    collate,
    pair_batches,
    shuffled_batches,
    video_pairs,
)
from wsal_bench.types import IntArray, PairBatch, Video, WeakVideo

THUMOS14 = Path(__file__).parents[3] / "shared" / "data" / "thumos14" / "gt412.json"


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def weak_video(name: str, num_snippets: int, labels: list[int]) -> WeakVideo:
    """A video whose snippet i has the feature [i, i]."""
    features = np.repeat(np.arange(num_snippets, dtype=np.float16)[:, None], 2, axis=1)
    return WeakVideo(
        video_id=name,
        features=features,
        grid=TimeGrid(fps=1, stride=2),
        labels=np.array(labels, np.float32),
    )


LABELS = [[1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 1, 0], [1, 1, 0], [0, 0, 1]]


@pytest.fixture
def videos() -> list[WeakVideo]:
    return [weak_video(f"v{i}", 5 + i, labels) for i, labels in enumerate(LABELS)]


def test_as_many_snippets_as_wanted_are_taken_as_they_are() -> None:
    assert random_indices(4, 4, rng()).tolist() == [0, 1, 2, 3]
    assert uniform_indices(4, 4).tolist() == [0, 1, 2, 3]


def test_too_few_snippets_are_drawn_with_replacement_and_sorted() -> None:
    drawn = random_indices(3, 60, rng())
    assert len(drawn) == 60
    assert (np.diff(drawn) >= 0).all()
    assert set(drawn) == {0, 1, 2}
    counts = np.bincount(drawn)
    assert len(set(counts)) > 1  # a bootstrap, not an even repetition


def test_too_many_snippets_give_one_per_stretch() -> None:
    stretches = [np.unique([random_indices(10, 5, rng(s))[i] for s in range(200)]) for i in (0, 3)]
    # stretch 3 begins at snippet 6; the first snippet of the next stretch, 8, belongs to it too
    assert [found.tolist() for found in stretches] == [[0, 1, 2], [6, 7, 8]]


def test_the_last_draw_may_reach_from_the_one_before_it_to_the_end() -> None:
    last = {int(random_indices(10, 5, rng(seed))[-1]) for seed in range(300)}
    assert last == {6, 7, 8, 9}


def test_one_snippet_of_many_may_be_any() -> None:
    assert {int(random_indices(3, 1, rng(seed))[0]) for seed in range(50)} == {0, 1, 2}


def test_uniform_sampling_takes_the_floor_of_equal_steps() -> None:
    assert uniform_indices(10, 4).tolist() == [0, 2, 5, 7]
    assert uniform_indices(3, 8).tolist() == [0, 1, 2]


@settings(deadline=None)
@given(num=st.integers(1, 60), wanted=st.integers(1, 60), seed=st.integers(0, 5))
def test_sampled_positions_exist_and_never_fall(num: int, wanted: int, seed: int) -> None:
    drawn, even = random_indices(num, wanted, rng(seed)), uniform_indices(num, wanted)
    assert len(drawn) == wanted
    assert len(even) == min(num, wanted)
    for positions in (drawn, even):
        assert positions.min() >= 0
        assert positions.max() < num
        assert (np.diff(positions) >= 0).all()


@pytest.mark.parametrize("sample", [uniform_indices, lambda n, w: random_indices(n, w, rng())])
def test_nothing_to_draw_from_or_nothing_wanted_is_refused(
    sample: Callable[[int, int], IntArray],
) -> None:
    with pytest.raises(ValueError, match="num must be at least 1, not 0"):
        sample(0, 3)
    with pytest.raises(ValueError, match="wanted must be at least 1, not 0"):
        sample(3, 0)


def test_a_batch_holds_features_labels_and_times_of_its_videos(videos: list[WeakVideo]) -> None:
    batch = collate(videos, [2, 0], lambda num: uniform_indices(num, 5))
    assert batch.features.dtype == torch.float32
    assert batch.features[:, :, 0].tolist() == [[0, 1, 2, 4, 5], [0, 1, 2, 3, 4]]
    assert batch.extras["snippets"].tolist() == [[0, 1, 2, 4, 5], [0, 1, 2, 3, 4]]
    assert batch.labels.tolist() == [[0, 1, 0], [1, 0, 0]]
    assert batch.indices.tolist() == [2, 0]
    assert batch.lengths.tolist() == [5, 5]
    # 7 and 5 snippets of 2 s, cut into five parts
    np.testing.assert_allclose(batch.times[0], np.arange(6) * 14 / 5)
    np.testing.assert_allclose(batch.times[1], np.arange(6) * 2)


def test_videos_of_different_length_are_padded_at_the_end(videos: list[WeakVideo]) -> None:
    batch = collate(videos, [0, 1], lambda num: np.arange(num))
    assert batch.lengths.tolist() == [5, 6]
    assert batch.features[0, 5].tolist() == [0, 0]
    assert batch.extras["snippets"][0].tolist() == [0, 1, 2, 3, 4, -1]
    assert batch.times[0].tolist() == [0, 2, 4, 6, 8, 10, 12]


def test_a_video_without_labels_gets_zeros() -> None:
    video = Video(video_id="v", features=np.ones((3, 2)), grid=TimeGrid(fps=1, stride=1))
    batch = collate([video], [0], lambda num: np.arange(num), num_classes=4)
    assert batch.labels.tolist() == [[0, 0, 0, 0]]


def test_an_epoch_shows_every_video_once_in_an_order_of_the_generator(
    videos: list[WeakVideo],
) -> None:
    def order(seed: int) -> list[int]:
        epoch = shuffled_batches(videos, rng(seed), batch_size=4, num_snippets=3)
        assert len(epoch) == 2
        batches = list(epoch)
        assert [len(batch) for batch in batches] == [4, 2]
        return [int(index) for batch in batches for index in batch.indices]

    assert sorted(order(0)) == list(range(6))
    assert order(0) == order(0)
    assert order(0) != order(1)


def test_an_epoch_draws_snippets_as_it_is_told_and_pads_where_some_are_missing(
    videos: list[WeakVideo],
) -> None:
    for draw, lengths in ((jitter_indices, [7] * 6), (all_indices, [5, 6, 7, 8, 9, 10])):
        epoch = shuffled_batches(videos, rng(), batch_size=6, num_snippets=7, draw=draw)
        (batch,) = epoch
        assert sorted(batch.lengths.tolist()) == lengths
        for length, row in zip(batch.lengths.tolist(), batch.extras["snippets"], strict=True):
            assert (row[:length] >= 0).all() and (row[length:] == -1).all()


def test_pairs_are_equal_or_disjoint_and_partial_overlap_is_dropped() -> None:
    pairs = video_pairs(np.array(LABELS), rng())
    both = list(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True))
    assert both[:2] == [(0, 1), (2, 3)]
    assert pairs.similar.tolist() == [True, True, False, False]
    disjoint = {(0, 2), (0, 3), (1, 2), (1, 3)} | {(i, 5) for i in range(5)}
    assert set(both[2:]) <= disjoint
    assert len(set(both)) == 4


def test_fewer_negatives_than_positives_are_all_taken() -> None:
    pairs = video_pairs(np.array([[1, 0], [1, 0], [1, 0], [0, 1]]), rng())
    assert pairs.similar.tolist() == [True] * 3 + [False] * 3
    pairs = video_pairs(np.array([[1, 0]] * 4 + [[0, 1]]), rng())
    assert pairs.similar.sum() == 6
    assert (~pairs.similar).sum() == 4


def test_videos_that_show_nothing_make_no_positive_pair() -> None:
    with pytest.raises(DataError, match="no two of the 3 training videos show the same classes"):
        video_pairs(np.array([[1, 0], [0, 0], [0, 0]]), rng())


def test_which_negatives_there_are_depends_on_the_generator() -> None:
    labels = np.eye(5)[np.arange(20) % 5]
    first, again, other = (video_pairs(labels, rng(seed)) for seed in (0, 0, 1))
    assert (first.second == again.second).all()
    assert (first.second != other.second).any()


@pytest.mark.skipif(not THUMOS14.exists(), reason="needs shared/data/thumos14/gt412.json")
def test_thumos14_has_861_positive_pairs() -> None:
    database = json.loads(THUMOS14.read_text())["database"]
    train = [video for video in database.values() if video["subset"] == "validation"]
    names = sorted({part["label"] for video in train for part in video["annotations"]})
    shown = [{part["label"] for part in video["annotations"]} for video in train]
    labels = np.array([[name in classes for name in names] for classes in shown])
    pairs = video_pairs(labels, rng())
    assert len(train) == 200
    assert pairs.similar.sum() == 861
    assert (~pairs.similar).sum() == 861


def pairs_of(epoch: Iterable[PairBatch]) -> set[tuple[int, int, bool]]:
    return {
        (int(batch.indices[a]), int(batch.indices[b]), bool(same))
        for batch in epoch
        for a, b, same in zip(batch.first, batch.second, batch.similar, strict=True)
    }


def snippets_of(epoch: Iterable[PairBatch]) -> dict[int, set[tuple[int, ...]]]:
    """Video -> the snippets that it showed in an epoch, each way once."""
    found: dict[int, set[tuple[int, ...]]] = {}
    for batch in epoch:
        for index, row in zip(batch.indices.tolist(), batch.extras["snippets"], strict=True):
            found.setdefault(index, set()).add(tuple(row.tolist()))
    return found


def test_a_pair_batch_holds_the_first_videos_then_the_second(videos: list[WeakVideo]) -> None:
    epoch = pair_batches(videos, rng(), PairPolicy(3, num_snippets=4))
    assert len(epoch) == 2
    batches = list(epoch)
    assert [len(batch) for batch in batches] == [6, 2]
    for batch in batches:
        shares = (batch.labels[batch.first] * batch.labels[batch.second]).sum(1) > 0
        assert torch.equal(shares, batch.similar)
        assert batch.features.shape == (len(batch), 4, 2)


def test_the_pairs_stay_the_same_in_every_epoch_of_a_seed(videos: list[WeakVideo]) -> None:
    generator = rng()
    first, second = (pairs_of(pair_batches(videos, generator, PairPolicy(3, 4))) for _ in range(2))
    others = [pairs_of(pair_batches(videos, rng(), PairPolicy(3, 4, seed=s))) for s in range(1, 6)]
    assert first == second
    assert any(first != other for other in others)


def test_an_epoch_shows_a_video_one_way_and_the_next_epoch_another_way(
    videos: list[WeakVideo],
) -> None:
    generator = rng()
    policy = PairPolicy(3, num_snippets=4)
    first, second = (snippets_of(pair_batches(videos, generator, policy)) for _ in range(2))
    assert all(len(ways) == 1 for ways in first.values())
    assert first != second


def test_snippets_drawn_once_stay_but_the_order_of_the_pairs_does_not(
    videos: list[WeakVideo],
) -> None:
    generator = rng()
    policy = PairPolicy(3, num_snippets=4, resample="once")
    first, second = (list(pair_batches(videos, generator, policy)) for _ in range(2))
    assert snippets_of(first) == snippets_of(second)
    orders = [
        torch.cat([batch.indices[batch.first] for batch in epoch]) for epoch in (first, second)
    ]
    assert not torch.equal(*orders)
