import numpy as np
import pytest

from tests.training.test_sampling import LABELS, rng, weak_video
from wsal_bench.errors import DataError
from wsal_bench.training.similar import SimilarPolicy, similar_batches
from wsal_bench.types import Batch, WeakVideo

VIDEOS = [weak_video(f"v{i}", 5 + i, labels) for i, labels in enumerate(LABELS)]


def batches(policy: SimilarPolicy, *, epochs: int = 20) -> list[Batch]:
    generator = rng()
    return [b for _ in range(epochs) for b in similar_batches(VIDEOS, generator, policy)]


def test_pairs_stand_first_and_share_a_class() -> None:
    found = batches(SimilarPolicy(5, num_pairs=2, num_snippets=4))
    assert len(found) == 2 * 20  # as many batches of 5 as show 6 videos
    for batch in found:
        assert len(batch) == 5
        shared = batch.labels[:4:2] * batch.labels[1:4:2]
        assert (shared.sum(1) > 0).all()
    alone = [int(index) for batch in found for index in batch.indices[4:]]
    assert set(alone) == set(range(6))


@pytest.mark.parametrize("distinct", [False, True])
def test_a_video_may_be_its_own_partner_unless_it_must_not(distinct: bool) -> None:
    found = batches(SimilarPolicy(4, num_pairs=2, num_snippets=4, distinct=distinct))
    alone = {
        int(first)
        for batch in found
        for first, second in zip(batch.indices[::2], batch.indices[1::2], strict=True)
        if first == second
    }
    # the last class has but one video
    assert alone == {5} if distinct else len(alone) > 1


def test_every_class_is_as_likely_as_any_other() -> None:
    found = batches(SimilarPolicy(2, num_pairs=1, num_snippets=4), epochs=300)
    third = np.mean([float(batch.labels[0, 2]) for batch in found])
    assert 0.28 < third < 0.39


def test_short_videos_are_padded_and_long_ones_cropped() -> None:
    batch = batches(SimilarPolicy(6, num_pairs=0, num_snippets=7))[0]
    stored = [VIDEOS[int(index)].num_snippets for index in batch.indices]
    assert batch.lengths.tolist() == [min(num, 7) for num in stored]


def test_the_same_generator_gives_the_same_batches_read_now_or_later() -> None:
    policy = SimilarPolicy(4, num_pairs=1, num_snippets=4)
    once, again = (list(similar_batches(VIDEOS, rng(3), policy)) for _ in range(2))
    assert all(np.array_equal(a.features, b.features) for a, b in zip(once, again, strict=True))


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(ValueError, match="3 pairs do not fit into a batch of 5 videos"):
        SimilarPolicy(5, num_pairs=3, num_snippets=4)
    nothing: list[WeakVideo] = [weak_video("v", 5, [0, 0])]
    with pytest.raises(DataError, match="none of the 1 training videos shows a class"):
        similar_batches(nothing, rng(), SimilarPolicy(2, 1, 4))
