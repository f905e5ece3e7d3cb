"""LCS: strings, the greedy rule, ties, and each backend against the definition."""

from __future__ import annotations

from functools import partial
from itertools import combinations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from wsal_bench.kernels import lcs, lcs_score

each_backend = pytest.mark.parametrize("backend", lcs.BACKENDS)


def same_letters(first: str, second: str) -> Tensor:
    return torch.tensor([[[float(x == y) for y in second] for x in first]], dtype=torch.float64)


def value_and_gradient(similarity: Tensor, threshold: float, backend: str) -> tuple[Tensor, Tensor]:
    leaf = similarity.clone().requires_grad_()
    score = lcs_score(leaf, threshold=threshold, backend=backend)
    upstream = torch.linspace(-1, 2, len(score), dtype=score.dtype)
    return score.detach(), torch.autograd.grad(score, leaf, upstream)[0]


def longest_by_enumeration(first: str, second: str) -> int:
    def subsequences(word: str) -> set[str]:
        return {"".join(c) for n in range(len(word) + 1) for c in combinations(word, n)}

    return max(map(len, subsequences(first) & subsequences(second)))


def path_by_recursion(
    grid: Tensor, threshold: float, i: int, j: int
) -> tuple[float, frozenset[tuple[int, int]]]:
    """Score and matches of cell (i, j), counted from 1, straight from the recurrence."""
    if i == 0 or j == 0:
        return 0.0, frozenset()
    here = float(grid[i - 1, j - 1])
    if here > threshold:
        score, matches = path_by_recursion(grid, threshold, i - 1, j - 1)
        return score + here, matches | {(i - 1, j - 1)}
    up = path_by_recursion(grid, threshold, i - 1, j)
    left = path_by_recursion(grid, threshold, i, j - 1)
    return left if left[0] > up[0] else up


@each_backend
@settings(deadline=None, max_examples=40)
@given(first=st.text("abc", min_size=1, max_size=6), second=st.text("abc", min_size=1, max_size=6))
def test_equal_letters_count_the_longest_common_subsequence(
    backend: str, first: str, second: str
) -> None:
    score = lcs_score(same_letters(first, second), threshold=0.5, backend=backend)
    assert score.item() == longest_by_enumeration(first, second)


@each_backend
def test_the_similarities_of_the_matches_are_summed(backend: str) -> None:
    grid = torch.tensor([[[0.9, 0.1], [0.2, 0.8]]], dtype=torch.float64)
    value, gradient = value_and_gradient(grid, 0.5, backend)
    assert value.item() == pytest.approx(1.7)
    assert (gradient / -1).tolist() == [[[1, 0], [0, 1]]]  # the upstream gradient is -1


@each_backend
def test_a_match_is_taken_also_where_leaving_it_out_would_give_more(backend: str) -> None:
    # The second row matches the second column weakly, though row 1 had a better match with it.
    grid = torch.tensor([[[0.0, 0.9], [0.0, 0.6]]], dtype=torch.float64)
    assert lcs_score(grid, threshold=0.5, backend=backend).item() == 0.6


@each_backend
def test_a_similarity_equal_to_the_threshold_is_no_match(backend: str) -> None:
    grid = torch.full((1, 2, 2), 0.5)
    assert lcs_score(grid, threshold=0.5, backend=backend).item() == 0


@each_backend
def test_a_tie_gives_the_whole_gradient_to_the_row_above(backend: str) -> None:
    # At (2, 2) the match at (1, 2), above, and the match at (2, 1), left, are worth the same.
    grid = torch.tensor([[[0.0, 1.0], [1.0, 0.0]]], dtype=torch.float64)
    _, gradient = value_and_gradient(grid, 0.5, backend)
    assert (gradient / -1).tolist() == [[[0, 1], [0, 0]]]


@each_backend
def test_without_a_match_score_and_gradient_are_zero(backend: str) -> None:
    grid = torch.full((2, 3, 4), 0.3, requires_grad=True)
    score = lcs_score(grid, threshold=0.9, backend=backend)
    assert score.grad_fn is not None
    (gradient,) = torch.autograd.grad(score.sum(), grid)
    assert score.tolist() == [0, 0]
    assert gradient.count_nonzero() == 0


@each_backend
@pytest.mark.parametrize("columns", [1, 2, 3])
@pytest.mark.parametrize("rows", [1, 2, 3])
def test_the_score_and_its_gradient_are_those_of_the_path(
    rows: int, columns: int, backend: str
) -> None:
    generator = torch.Generator().manual_seed(10 * rows + columns)
    grids = torch.rand(20, rows, columns, generator=generator, dtype=torch.float64)
    grids = (grids * 4).round() / 4
    for grid in grids:
        score, matches = path_by_recursion(grid, 0.4, rows, columns)
        value, gradient = value_and_gradient(grid[None], 0.4, backend)
        assert value.item() == score
        assert {(i, j) for _, i, j in gradient.nonzero().tolist()} == matches


@pytest.mark.parametrize("backend", [name for name in lcs.BACKENDS if name != "reference"])
@settings(deadline=None, max_examples=80)
@given(
    shape=st.tuples(st.integers(1, 4), st.integers(1, 8), st.integers(1, 8)),
    threshold=st.sampled_from([-2.0, -0.5, 0.0, 0.5, 0.9, 2.0]),
    step=st.sampled_from([None, 0.02, 0.25, 1.0]),
    dtype=st.sampled_from([torch.float32, torch.float64]),
    seed=st.integers(0, 2**31),
)
def test_every_backend_agrees_with_the_definition_to_the_last_bit(
    backend: str,
    shape: tuple[int, int, int],
    threshold: float,
    step: float | None,
    dtype: torch.dtype,
    seed: int,
) -> None:
    generator = torch.Generator().manual_seed(seed)
    grid = torch.rand(shape, generator=generator, dtype=dtype) * 2 - 1
    if step is not None:  # ties abound
        grid = (grid / step).round() * step
    expected = value_and_gradient(grid, threshold, "reference")
    ours = value_and_gradient(grid, threshold, backend)
    torch.testing.assert_close(ours, expected, rtol=0, atol=0)
    assert ours[0].dtype == ours[1].dtype == dtype


@each_backend
@pytest.mark.parametrize("shape", [(2, 4, 3), (1, 3, 5), (2, 1, 4), (2, 4, 1), (1, 1, 1)])
def test_gradients_are_those_of_finite_differences(
    shape: tuple[int, int, int], backend: str
) -> None:
    generator = torch.Generator().manual_seed(1)
    grid = torch.rand(shape, generator=generator, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(partial(lcs_score, threshold=0.6, backend=backend), (grid,))


@each_backend
def test_the_gradient_can_be_differentiated_by_the_upstream_gradient(backend: str) -> None:
    grid = same_letters("abab", "baba").requires_grad_()
    upstream = torch.ones(1, dtype=torch.float64, requires_grad=True)
    score = lcs_score(grid, threshold=0.5, backend=backend)
    (gradient,) = torch.autograd.grad(score, grid, upstream, create_graph=True)
    assert torch.autograd.grad(gradient.sum(), upstream)[0].item() == 3  # matches on the path


@each_backend
def test_a_nan_similarity_is_no_match_and_stays_in_its_pair(backend: str) -> None:
    grid = same_letters("ab", "ab").repeat(2, 1, 1)
    grid[0, 0, 0] = torch.nan
    value, gradient = value_and_gradient(grid, 0.5, backend)
    assert value.tolist() == [1, 2]
    assert gradient.isfinite().all()


def test_a_score_may_be_changed_without_harm_to_its_gradient() -> None:
    grid = same_letters("abc", "abc").requires_grad_()
    score = lcs_score(grid, threshold=0.5)
    score.mul_(2)
    assert torch.autograd.grad(score.sum(), grid)[0].tolist() == [(2 * torch.eye(3)).tolist()]


def test_a_threshold_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="threshold is nan"):
        lcs_score(torch.zeros(1, 2, 2), threshold=float("nan"))
