"""FSD: small sums by hand, every path enumerated, and each backend against the definition."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from wsal_bench.kernels import fsd, fsd_score

each_backend = pytest.mark.parametrize("backend", fsd.BACKENDS)


def random_grids(
    shape: tuple[int, int, int], dtype: torch.dtype = torch.float64, *, seed: int = 0
) -> list[Tensor]:
    """Match, insert gate and delete gate in [-1, 1], each a leaf that wants a gradient."""
    generator = torch.Generator().manual_seed(seed)
    return [
        (torch.rand(shape, generator=generator, dtype=torch.float64) * 2 - 1)
        .to(dtype)
        .requires_grad_()
        for _ in range(3)
    ]


def value_and_gradients(
    score: Callable[..., Tensor], inputs: list[Tensor]
) -> tuple[Tensor, tuple[Tensor, ...]]:
    value = score(*inputs)
    upstream = torch.linspace(-1, 2, len(value), dtype=value.dtype)
    return value.detach(), torch.autograd.grad(value, inputs, upstream)


def path_sums(match: Tensor, insert: Tensor, delete: Tensor, i: int, j: int) -> list[Tensor]:
    """What each path from the border to cell (i, j), counted from 1, collects; for one pair."""
    if i == 0 or j == 0:
        return [match.new_zeros(())]
    here = match[i - 1, j - 1]
    moves = (
        (path_sums(match, insert, delete, i - 1, j - 1), here),
        (path_sums(match, insert, delete, i - 1, j), here + insert[i - 1, j - 1]),
        (path_sums(match, insert, delete, i, j - 1), here + delete[i - 1, j - 1]),
    )
    return [total + gain for totals, gain in moves for total in totals]


def by_enumeration(match: Tensor, insert: Tensor, delete: Tensor, gamma: float) -> Tensor:
    rows, columns = match.shape[1:]
    return torch.stack(
        [
            gamma * torch.logsumexp(torch.stack(path_sums(*pair, rows, columns)) / gamma, dim=0)
            for pair in zip(match, insert, delete, strict=True)
        ]
    )


@each_backend
def test_one_cell_is_its_match_plus_the_smooth_maximum_of_three_ways_in(backend: str) -> None:
    score = fsd_score(torch.tensor([[[0.5]]]), torch.tensor([[[0.0]]]), gamma=0.1, backend=backend)
    assert score.item() == pytest.approx(0.5 + 0.1 * math.log(3))


@each_backend
def test_at_a_small_gamma_the_score_is_that_of_the_best_path(backend: str) -> None:
    # Five matches down the diagonal, every other move costs 1: the diagonal is best.
    ones = torch.ones(1, 5, 5, dtype=torch.float64)
    assert fsd_score(ones, -ones, gamma=1e-4, backend=backend).item() == pytest.approx(5, abs=1e-3)
    # A reward of 1 on every insertion and deletion: 9 cells are visited, 9 moves are rewarded.
    assert fsd_score(ones, ones, gamma=1e-4, backend=backend).item() == pytest.approx(18, abs=1e-2)


@each_backend
def test_insertions_come_from_the_row_above_and_deletions_from_the_column_before(
    backend: str,
) -> None:
    match, forbidden = torch.zeros(1, 1, 2), torch.full((1, 1, 2), -torch.inf)
    reward = torch.tensor([[[0.0, 3.0]]])
    inserted = fsd_score(match, reward, forbidden, gamma=1e-3, backend=backend)
    assert inserted.item() == pytest.approx(3, abs=1e-2)  # border above, then one insertion
    match[0, 0, 0] = 1.0
    inserted = fsd_score(match, reward, forbidden, gamma=1e-3, backend=backend)
    assert inserted.item() == pytest.approx(3, abs=1e-2)  # the first match is not on that path
    deleted = fsd_score(match, forbidden, reward, gamma=1e-3, backend=backend)
    assert deleted.item() == pytest.approx(4, abs=1e-2)  # here it is


@each_backend
@pytest.mark.parametrize("columns", [1, 2, 3])
@pytest.mark.parametrize("rows", [1, 2, 3])
def test_the_score_and_its_gradients_are_those_over_all_paths(
    rows: int, columns: int, backend: str
) -> None:
    inputs = random_grids((2, rows, columns), seed=10 * rows + columns)
    value, gradients = value_and_gradients(partial(by_enumeration, gamma=0.3), inputs)
    ours = value_and_gradients(partial(fsd_score, gamma=0.3, backend=backend), inputs)
    torch.testing.assert_close(ours, (value, gradients), rtol=0, atol=1e-12)


@pytest.mark.parametrize("backend", [name for name in fsd.BACKENDS if name != "reference"])
@settings(deadline=None, max_examples=60)
@given(
    shape=st.tuples(st.integers(1, 4), st.integers(1, 7), st.integers(1, 7)),
    gamma=st.sampled_from([1e-3, 0.05, 0.1, 1.0, 20.0]),
    dtype=st.sampled_from([torch.float32, torch.float64]),
    quantised=st.booleans(),
    seed=st.integers(0, 2**31),
)
def test_every_backend_agrees_with_the_definition(
    backend: str,
    shape: tuple[int, int, int],
    gamma: float,
    dtype: torch.dtype,
    quantised: bool,
    seed: int,
) -> None:
    inputs = random_grids(shape, dtype, seed=seed)
    if quantised:  # exact ties between moves
        inputs = [(2 * grid.detach()).round().div(2).requires_grad_() for grid in inputs]
    wide = [grid.detach().double().requires_grad_() for grid in inputs]
    value, gradients = value_and_gradients(
        partial(fsd_score, gamma=gamma, backend="reference"), wide
    )
    ours, our_gradients = value_and_gradients(
        partial(fsd_score, gamma=gamma, backend=backend), inputs
    )
    scale = float(value.abs().max()) + 1
    rounding = 20 * torch.finfo(dtype).eps * scale
    assert ours.dtype == dtype
    torch.testing.assert_close(ours.double(), value, rtol=0, atol=rounding * (1 + gamma))
    for got, expected in zip(our_gradients, gradients, strict=True):
        assert got.dtype == dtype
        torch.testing.assert_close(
            got.double(), expected, rtol=0, atol=20 * rounding * (1 + 1 / gamma)
        )


@each_backend
@pytest.mark.parametrize("shape", [(2, 4, 3), (1, 3, 5), (2, 1, 4), (2, 4, 1), (1, 1, 1)])
def test_gradients_are_those_of_finite_differences(
    shape: tuple[int, int, int], backend: str
) -> None:
    assert torch.autograd.gradcheck(
        partial(fsd_score, gamma=0.5, backend=backend), random_grids(shape)
    )


@each_backend
@pytest.mark.parametrize("shape", [(2, 3, 2), (1, 1, 1), (1, 2, 4)])
def test_second_gradients_are_those_of_finite_differences(
    shape: tuple[int, int, int], backend: str
) -> None:
    assert torch.autograd.gradgradcheck(
        partial(fsd_score, gamma=0.5, backend=backend), random_grids(shape)
    )


def test_one_gate_for_both_moves_gets_the_gradients_of_both() -> None:
    match, gate, _ = random_grids((2, 3, 4))
    insert, delete = (gate.detach().clone().requires_grad_() for _ in range(2))
    (shared,) = torch.autograd.grad(fsd_score(match, gate).sum(), gate)
    apart = torch.autograd.grad(fsd_score(match, insert, delete).sum(), (insert, delete))
    torch.testing.assert_close(shared, apart[0] + apart[1])


def test_one_gate_for_both_moves_gets_both_second_gradients() -> None:
    match, gate, _ = random_grids((2, 3, 4))

    def second_gradients(backend: str) -> tuple[Tensor, ...]:
        score = fsd_score(match, gate, backend=backend).sum()
        (first,) = torch.autograd.grad(score, gate, create_graph=True)
        return first.detach(), *torch.autograd.grad(first.square().sum(), (match, gate))

    expected = second_gradients("reference")
    torch.testing.assert_close(second_gradients("wavefront"), expected, rtol=0, atol=1e-10)


def test_the_gradient_that_can_be_differentiated_is_the_analytic_one() -> None:
    inputs = random_grids((2, 4, 5))
    plain = torch.autograd.grad(fsd_score(*inputs).sum(), inputs)
    recorded = torch.autograd.grad(fsd_score(*inputs).sum(), inputs, create_graph=True)
    torch.testing.assert_close(recorded, plain, rtol=0, atol=1e-12)
    assert all(gradient.requires_grad for gradient in recorded)


def test_one_graph_can_be_differentiated_twice() -> None:
    inputs = random_grids((2, 4, 5))
    score = fsd_score(*inputs).sum()
    first = torch.autograd.grad(score, inputs, retain_graph=True)
    torch.testing.assert_close(torch.autograd.grad(score, inputs), first, rtol=0, atol=0)


@each_backend
def test_transposing_a_pair_swaps_the_gates(backend: str) -> None:
    match, insert, delete = (grid.detach() for grid in random_grids((3, 4, 6)))
    score = fsd_score(match, insert, delete, backend=backend)
    transposed = fsd_score(match.mT, delete.mT, insert.mT, backend=backend)
    torch.testing.assert_close(transposed, score, rtol=0, atol=1e-12)


@each_backend
def test_forbidden_moves_get_no_gradient_and_no_nan(backend: str) -> None:
    match, insert, _ = random_grids((2, 3, 4))
    forbidden = torch.full((2, 3, 4), -torch.inf, dtype=torch.float64, requires_grad=True)
    score = fsd_score(match, forbidden, backend=backend)
    # Only diagonals are left: the last one that fits.
    expected = sum(match[:, i, i + 1] for i in range(3))
    torch.testing.assert_close(score, expected)
    assert torch.autograd.grad(score.sum(), forbidden)[0].count_nonzero() == 0
    partly = torch.autograd.grad(fsd_score(match, insert, forbidden).sum(), (match, insert))
    assert all(gradient.isfinite().all() for gradient in partly)


def test_gradients_of_long_float32_sequences_keep_their_precision() -> None:
    inputs = random_grids((2, 120, 120), torch.float32)
    wide = [grid.detach().double().requires_grad_() for grid in inputs]
    _, gradients = value_and_gradients(fsd_score, inputs)
    _, expected = value_and_gradients(fsd_score, wide)
    for got, wanted in zip(gradients, expected, strict=True):
        torch.testing.assert_close(got.double(), wanted, rtol=0, atol=1e-3)


@pytest.mark.parametrize("gamma", [0.0, -0.1, math.nan, math.inf, 1e-40])
def test_gamma_has_to_be_positive_and_finite(gamma: float) -> None:
    match, gate, _ = random_grids((1, 2, 2))
    with pytest.raises(ValueError, match=f"gamma is {gamma}, expected a positive number"):
        fsd_score(match, gate, gamma=gamma)


def test_a_tiny_gamma_that_is_allowed_gives_a_finite_hard_score() -> None:
    match, gate = torch.ones(1, 3, 3), -torch.ones(1, 3, 3)
    match.requires_grad_()
    score = fsd_score(match, gate, gamma=fsd.SMALLEST_GAMMA)
    assert score.item() == pytest.approx(3)
    torch.testing.assert_close(torch.autograd.grad(score.sum(), match)[0], torch.eye(3)[None])
