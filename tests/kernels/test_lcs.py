"""LCS: strings, the greedy rule and the optimal one, ties."""

from __future__ import annotations

from itertools import combinations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from tests.examples import examples
from tests.kernels.cases import each_backend
from wsal_bench.kernels import lcs_score

each_mode = pytest.mark.parametrize("mode", ["greedy", "optimal"])


def same_letters(first: str, second: str) -> Tensor:
    return torch.tensor([[[float(x == y) for y in second] for x in first]], dtype=torch.float64)


def value_and_gradient(
    similarity: Tensor, backend: str, mode: str = "greedy"
) -> tuple[Tensor, Tensor]:
    leaf = similarity.clone().requires_grad_()
    score = lcs_score(leaf, threshold=0.5, mode=mode, backend=backend)  # type: ignore[arg-type]
    return score.detach(), torch.autograd.grad(score.sum(), leaf)[0]


def longest_by_enumeration(first: str, second: str) -> int:
    def subsequences(word: str) -> set[str]:
        return {"".join(c) for n in range(len(word) + 1) for c in combinations(word, n)}

    return max(map(len, subsequences(first) & subsequences(second)))


@each_backend
@each_mode
@examples(8)
@given(first=st.text("abc", min_size=1, max_size=6), second=st.text("abc", min_size=1, max_size=6))
def test_equal_letters_count_the_longest_common_subsequence(
    backend: str, mode: str, first: str, second: str
) -> None:
    value, gradient = value_and_gradient(same_letters(first, second), backend, mode)
    assert value.item() == gradient.sum().item() == longest_by_enumeration(first, second)


@each_backend
@each_mode
def test_the_similarities_of_the_matches_are_summed(mode: str, backend: str) -> None:
    grid = torch.tensor([[[0.9, 0.1], [0.2, 0.8]]], dtype=torch.float64)
    value, gradient = value_and_gradient(grid, backend, mode)
    assert value.item() == pytest.approx(1.7)
    assert gradient.tolist() == [[[1, 0], [0, 1]]]


@each_backend
def test_greedy_takes_a_match_also_where_leaving_it_out_would_give_more(backend: str) -> None:
    # The second row matches the second column weakly, though row 1 had a better match with it.
    grid = torch.tensor([[[0.0, 0.9], [0.0, 0.6]]], dtype=torch.float64)
    value, gradient = value_and_gradient(grid, backend)
    assert (value.item(), gradient.tolist()) == (0.6, [[[0, 0], [0, 1]]])
    value, gradient = value_and_gradient(grid, backend, "optimal")
    assert (value.item(), gradient.tolist()) == (0.9, [[[0, 1], [0, 0]]])


@each_backend
@each_mode
def test_a_similarity_equal_to_the_threshold_is_no_match(mode: str, backend: str) -> None:
    value, gradient = value_and_gradient(torch.full((1, 2, 2), 0.5), backend, mode)
    assert value.item() == gradient.count_nonzero().item() == 0


@each_backend
@each_mode
def test_a_tie_gives_the_whole_gradient_to_the_row_above(mode: str, backend: str) -> None:
    # At (2, 2) the match at (1, 2), above, and the match at (2, 1), left, are worth the same.
    grid = torch.tensor([[[0.0, 1.0], [1.0, 0.0]]], dtype=torch.float64)
    _, gradient = value_and_gradient(grid, backend, mode)
    assert gradient.tolist() == [[[0, 1], [0, 0]]]


@each_backend
def test_the_optimum_leaves_out_a_match_that_is_worth_no_more(backend: str) -> None:
    grid = torch.tensor([[[0.0, 1.0], [0.0, 1.0]]], dtype=torch.float64)
    assert value_and_gradient(grid, backend, "optimal")[1].tolist() == [[[0, 1], [0, 0]]]
    assert value_and_gradient(grid, backend, "greedy")[1].tolist() == [[[0, 0], [0, 1]]]


@each_backend
@each_mode
def test_without_a_match_score_and_gradient_are_zero(mode: str, backend: str) -> None:
    grid = torch.full((2, 3, 4), 0.3, requires_grad=True)
    score = lcs_score(grid, threshold=0.9, mode=mode, backend=backend)  # type: ignore[arg-type]
    assert score.grad_fn is not None
    (gradient,) = torch.autograd.grad(score.sum(), grid)
    assert score.tolist() == [0, 0]
    assert gradient.count_nonzero() == 0


@each_backend
def test_the_optimum_is_never_below_the_greedy_sum(backend: str) -> None:
    generator = torch.Generator().manual_seed(0)
    grid = torch.rand(50, 9, 9, generator=generator, dtype=torch.float64)
    optimal = lcs_score(grid, threshold=0.7, mode="optimal", backend=backend)
    greedy = lcs_score(grid, threshold=0.7, backend=backend)
    assert (optimal >= greedy).all()
    assert (optimal > greedy).any()


@pytest.mark.parametrize("threshold", [float("nan"), float("inf"), -float("inf")])
def test_a_threshold_that_is_not_finite_is_refused(threshold: float) -> None:
    with pytest.raises(ValueError, match=f"threshold is {threshold}, expected a finite number"):
        lcs_score(torch.zeros(1, 2, 2), threshold=threshold)


def test_a_threshold_that_is_a_tensor_is_refused() -> None:
    with pytest.raises(TypeError, match="threshold is a tensor, expected a number"):
        lcs_score(torch.zeros(1, 2, 2), threshold=torch.tensor(0.5))  # type: ignore[arg-type]


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(ValueError, match="mode is 'best', expected 'greedy' or 'optimal'"):
        lcs_score(torch.zeros(1, 2, 2), threshold=0.5, mode="best")  # type: ignore[arg-type]
