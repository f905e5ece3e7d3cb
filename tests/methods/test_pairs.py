"""Which snippets FTCL aligns, and with what."""

import pytest
import torch
from torch import Tensor

from wsal_bench.kernels import cosine_similarity, fsd_score
from wsal_bench.types import PairBatch
from wsal_methods._pairs import Candidates, choose, fsd_of_pairs, lcs_of_pairs

ATTENTION = torch.tensor([[0.1, 0.9, 0.3, 0.8, 0.5, 0.2]])


def pair_batch(similar: list[bool]) -> PairBatch:
    num = len(similar)
    return PairBatch(
        features=torch.zeros(2 * num, 4, 1),
        lengths=torch.full((2 * num,), 4),
        labels=torch.zeros(2 * num, 1),
        times=torch.arange(5.0).repeat(2 * num, 1),
        indices=torch.arange(2 * num),
        first=torch.arange(num),
        second=torch.arange(num, 2 * num),
        similar=torch.tensor(similar),
    )


def candidates(num_videos: int) -> Candidates:
    torch.manual_seed(0)

    def draw(length: int) -> Tensor:
        return torch.randn(num_videos, length, 6, dtype=torch.float64)

    return Candidates(common=draw(5), action=draw(3), background=draw(3))


def test_candidates_are_the_best_by_attention_in_time_order() -> None:
    chosen = choose(ATTENTION, lcs_length=4, fsd_length=2)
    assert chosen.common.tolist() == [[1, 2, 3, 4]]
    assert chosen.action.tolist() == [[1, 3]]
    assert chosen.background.tolist() == [[2, 4]]  # ranks three and four, not the last ones


@pytest.mark.parametrize(
    ("num_snippets", "common", "action"), [(6, 6, 3), (5, 5, 2), (1, 1, 0), (40, 30, 5)]
)
def test_short_videos_give_fewer_candidates(num_snippets: int, common: int, action: int) -> None:
    chosen = choose(torch.rand(2, num_snippets), lcs_length=30, fsd_length=5)
    assert chosen.common.shape == (2, common)
    assert chosen.action.shape == chosen.background.shape == (2, action)


def test_shuffled_candidates_are_the_same_snippets_in_an_order_of_their_own() -> None:
    torch.manual_seed(0)
    attention = torch.rand(8, 50)
    ordered = choose(attention, lcs_length=20, fsd_length=5)
    shuffled = choose(attention, lcs_length=20, fsd_length=5, shuffle=True)
    again = choose(attention, lcs_length=20, fsd_length=5, shuffle=True)
    for name in ("common", "action", "background"):
        here, there = getattr(ordered, name), getattr(shuffled, name)
        assert torch.equal(here, there.sort(1).values)
        assert not torch.equal(here, there)
        assert not torch.equal(there, getattr(again, name))


def test_two_videos_are_not_shuffled_alike() -> None:
    torch.manual_seed(0)
    twins = torch.rand(1, 50).expand(8, -1)
    shuffled = choose(twins, lcs_length=20, fsd_length=5, shuffle=True)
    assert len({tuple(row) for row in shuffled.common.tolist()}) == 8


def test_the_shuffle_comes_from_the_global_generator() -> None:
    def drawn() -> list[list[int]]:
        torch.manual_seed(3)
        order: list[list[int]] = choose(
            ATTENTION, lcs_length=6, fsd_length=2, shuffle=True
        ).common.tolist()
        return order

    assert drawn() == drawn()


def test_fsd_aligns_action_with_action_or_with_the_other_ones_background() -> None:
    parts = candidates(4)
    scores = fsd_of_pairs(parts, pair_batch([True, False]), gamma=0.1)

    def expected(a: Tensor, b: Tensor) -> Tensor:
        match, gate = (
            cosine_similarity(a[None, :, half], b[None, :, half])
            for half in (slice(0, 3), slice(3, 6))
        )
        return fsd_score(match, gate, gamma=0.1, backend="reference")[0]

    torch.testing.assert_close(scores[0], expected(parts.action[0], parts.action[2]))
    torch.testing.assert_close(scores[1], expected(parts.action[1], parts.background[3]))


def test_lcs_of_a_video_with_itself_counts_its_snippets() -> None:
    parts = candidates(1)
    twice = Candidates(*(torch.cat([value, value]) for value in vars(parts).values()))
    scores = lcs_of_pairs(twice, pair_batch([True]), threshold=0.99)
    assert scores.item() == pytest.approx(5.0)


def test_without_any_candidate_the_scores_are_zero() -> None:
    nothing = torch.zeros(2, 0, 4)
    scores = fsd_of_pairs(
        Candidates(torch.zeros(2, 1, 4), nothing, nothing), pair_batch([True]), gamma=0.1
    )
    assert scores.tolist() == [0.0]
