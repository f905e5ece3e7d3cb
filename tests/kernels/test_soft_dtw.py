"""Soft-DTW and its divergence: known values, the band, lengths, memory."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from tests.examples import examples
from tests.kernels.cases import each_backend
from wsal_bench.kernels import soft_dtw, soft_dtw_divergence


def features(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


@each_backend
def test_without_softness_it_is_the_cost_of_the_cheapest_warping(backend: str) -> None:
    a, b = torch.tensor([0.0, 1.0, 2.0]), torch.tensor([0.0, 0.0, 1.0, 2.0, 3.0])
    cost = (a[:, None] - b).square()[None].requires_grad_()
    value = soft_dtw(cost, gamma=0, backend=backend)
    (gradient,) = torch.autograd.grad(value.sum(), cost)
    assert value.item() == 1  # 0-0, 0-0, 1-1, 2-2, 2-3
    assert gradient.tolist() == [[[1, 1, 0, 0, 0], [0, 0, 1, 0, 0], [0, 0, 0, 1, 1]]]


@each_backend
def test_equal_costs_count_the_warpings(backend: str) -> None:
    cost = torch.zeros(1, 4, 4, dtype=torch.float64)
    value = soft_dtw(cost, gamma=2.0, backend=backend)
    assert value.item() == pytest.approx(-2 * math.log(63))  # Delannoy


@each_backend
def test_a_band_is_the_same_as_a_high_cost_outside_it(backend: str) -> None:
    cost = features(3, 6, 7).square()
    row, column = torch.arange(6)[:, None], torch.arange(7)
    walled = torch.where((row - column).abs() <= 2, cost, 1e6)
    banded = torch.where((row - column).abs() <= 2, cost, torch.nan).requires_grad_()
    value = soft_dtw(banded, gamma=0.5, bandwidth=2, backend=backend)  # it reads nothing outside
    torch.testing.assert_close(value, soft_dtw(walled, gamma=0.5, backend=backend))
    (gradient,) = torch.autograd.grad(value.sum(), banded)
    assert gradient[:, (row - column).abs() > 2].count_nonzero() == 0
    assert gradient.isfinite().all()


@each_backend
def test_a_band_of_zero_leaves_the_diagonal(backend: str) -> None:
    cost = features(2, 4, 4)
    value = soft_dtw(cost, bandwidth=0, backend=backend)
    torch.testing.assert_close(value, cost.diagonal(dim1=1, dim2=2).sum(1))


@each_backend
def test_a_band_works_for_pairs_of_unequal_lengths(backend: str) -> None:
    cost = features(3, 6, 7).square()
    lengths = torch.tensor([[6, 6], [3, 4], [5, 4]])
    values = soft_dtw(cost, bandwidth=1, lengths=lengths, backend=backend)
    for value, pair, (rows, columns) in zip(values, cost, lengths.tolist(), strict=True):
        alone = soft_dtw(pair[None, :rows, :columns], bandwidth=1, backend=backend)
        torch.testing.assert_close(value, alone[0])


def test_a_band_that_does_not_reach_the_corner_is_refused() -> None:
    cost = torch.zeros(2, 3, 6)
    with pytest.raises(ValueError, match=r"bandwidth 2 is too small .* expected at least 3"):
        soft_dtw(cost, bandwidth=2)
    soft_dtw(cost, bandwidth=3)
    lengths = torch.tensor([[3, 3], [1, 5]])
    with pytest.raises(ValueError, match=r"pair 1, whose lengths are 1 and 5, expected at least 4"):
        soft_dtw(cost, bandwidth=2, lengths=lengths)


@each_backend
@pytest.mark.parametrize("gamma", [0.0, 1.0])
def test_out_of_reach_and_unchecked_a_pair_is_infinitely_far_with_a_zero_gradient(
    gamma: float, backend: str
) -> None:
    cost, lengths = torch.ones(2, 3, 6, requires_grad=True), torch.tensor([[3, 3], [1, 5]])
    value = soft_dtw(cost, gamma=gamma, bandwidth=2, lengths=lengths, check=False, backend=backend)
    assert value[1] == math.inf and value[0].isfinite()
    for create_graph in (False, True):
        (gradient,) = torch.autograd.grad(
            value.sum(), cost, retain_graph=True, create_graph=create_graph
        )
        assert gradient[1].count_nonzero() == 0
        assert gradient[0].sum() >= 3 and gradient.isfinite().all()


@pytest.mark.parametrize(
    "bandwidth, error, message",
    [
        (-1, ValueError, "bandwidth is -1, expected 0 or more"),
        (1.5, TypeError, "bandwidth is 1.5, expected a whole number or None"),
    ],
)
def test_a_band_that_is_none_is_refused(
    bandwidth: float, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        soft_dtw(torch.zeros(1, 2, 2), bandwidth=bandwidth)  # type: ignore[arg-type]


@each_backend
def test_the_divergence_is_zero_for_equal_sequences_and_symmetric(backend: str) -> None:
    a, b = features(3, 5, 4), features(3, 6, 4, seed=1)
    zero = soft_dtw_divergence(a, a.clone(), backend=backend)
    torch.testing.assert_close(zero, torch.zeros(3, dtype=torch.float64), rtol=0, atol=1e-12)
    there = soft_dtw_divergence(a, b, backend=backend)
    torch.testing.assert_close(there, soft_dtw_divergence(b, a, backend=backend))


@examples(8)
@given(
    rows=st.integers(1, 8),
    columns=st.integers(1, 8),
    gamma=st.sampled_from([0.01, 0.1, 1.0, 10.0]),
    offset=st.sampled_from([0.0, 1e3]),
    seed=st.integers(0, 2**31),
)
def test_the_divergence_is_not_negative(
    rows: int, columns: int, gamma: float, offset: float, seed: int
) -> None:
    a, b = features(4, rows, 3, seed=seed) + offset, features(4, columns, 3, seed=seed + 1) + offset
    assert (soft_dtw_divergence(a, b, gamma=gamma) > -1e-9).all()
    near = soft_dtw_divergence(a, a + 1e-3 * features(4, rows, 3, seed=seed + 2), gamma=gamma)
    assert (near > -1e-9).all()


@each_backend
def test_each_term_of_the_divergence_has_its_own_lengths(backend: str) -> None:
    a, b = features(3, 5, 4), features(3, 6, 4, seed=1)
    lengths = torch.tensor([[5, 2], [3, 6], [0, 4]])
    for pair, (rows, columns) in enumerate(lengths.tolist()):
        a[pair, rows:], b[pair, columns:] = torch.nan, torch.nan
    a.requires_grad_()
    values = soft_dtw_divergence(a, b, lengths=lengths, backend=backend)
    for pair, (rows, columns) in enumerate(lengths.tolist()[:2]):
        alone = soft_dtw_divergence(a[pair : pair + 1, :rows], b[pair : pair + 1, :columns])
        torch.testing.assert_close(values[pair], alone[0])
    assert values[2] == math.inf
    (gradient,) = torch.autograd.grad(values[:2].sum(), a)
    assert gradient.isfinite().all()
    assert gradient[1, 3:].count_nonzero() == gradient[2].count_nonzero() == 0


def test_what_all_features_have_in_common_costs_the_divergence_no_precision() -> None:
    a, b = features(3, 5, 4).float(), features(3, 6, 4, seed=1).float()
    lengths = torch.tensor([[5, 6], [2, 3], [4, 1]])
    expected = soft_dtw_divergence(a, b, lengths=lengths)
    far = soft_dtw_divergence(a + 256, b + 256, lengths=lengths)
    torch.testing.assert_close(far, expected, rtol=0, atol=5e-3)  # the features lost 8 bits


def test_the_divergence_has_the_gradient_of_finite_differences() -> None:
    a, b = features(2, 3, 2).requires_grad_(), features(2, 4, 2, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(soft_dtw_divergence, (a, b))
    lengths = torch.tensor([[3, 4], [2, 3]])
    assert torch.autograd.gradcheck(lambda x, y: soft_dtw_divergence(x, y, lengths=lengths), (a, b))


def test_the_divergence_takes_another_cost() -> None:
    a, b = features(2, 3, 2), features(2, 4, 2, seed=1)
    ours = soft_dtw_divergence(a, b, cost=lambda x, y: torch.cdist(x, y, p=1))
    across, own_a, own_b = (torch.cdist(x, y, p=1) for x, y in ((a, b), (a, a), (b, b)))
    torch.testing.assert_close(ours, soft_dtw(across) - (soft_dtw(own_a) + soft_dtw(own_b)) / 2)


def test_the_divergence_of_half_precision_is_computed_in_float32() -> None:
    a, b = (features(2, n, 3).bfloat16().requires_grad_() for n in (3, 4))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        value = soft_dtw_divergence(a, b)
    torch.testing.assert_close(value, soft_dtw_divergence(a.float(), b.float()))
    assert value.dtype == torch.float32
    assert {x.dtype for x in torch.autograd.grad(value.sum(), (a, b))} == {torch.bfloat16}


@pytest.mark.parametrize("shape", [(3, 4, 2), (2, 4, 3)])
def test_features_of_a_divergence_have_to_fit(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"a has shape \[2, 3, 2\] and b has \["):
        soft_dtw_divergence(features(2, 3, 2), features(*shape))


@pytest.mark.parametrize("shape", [(0, 3, 2), (2, 0, 2)])
def test_an_empty_divergence_is_an_empty_result_or_infinite(shape: tuple[int, ...]) -> None:
    a, b = features(*shape), features(shape[0], 4, 2)
    assert soft_dtw_divergence(a, b).tolist() == [math.inf] * shape[0]
