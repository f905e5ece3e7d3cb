"""Cosine similarity: angles by hand, rows of zeros, and each backend against the definition."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from tests.examples import examples
from wsal_bench.kernels import cosine, cosine_similarity

each_backend = pytest.mark.parametrize("backend", cosine.BACKENDS)


def random_rows(*shape: int, dtype: torch.dtype = torch.float64, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64).to(dtype).requires_grad_()


def value_and_gradients(a: Tensor, b: Tensor, backend: str) -> tuple[Tensor, ...]:
    similarity = cosine_similarity(a, b, backend=backend)
    upstream = torch.linspace(-1, 2, similarity.numel(), dtype=similarity.dtype)
    gradients = torch.autograd.grad(similarity, (a, b), upstream.view_as(similarity))
    return similarity.detach(), *gradients


def with_zero_rows(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Copies in which the last row of `a` and, in the first pair, the first of `b` are zeros."""
    a, b = a.detach().clone(), b.detach().clone()
    a[:, -1] = 0
    b[0, 0] = 0
    return a.requires_grad_(), b.requires_grad_()


@each_backend
def test_equal_opposite_and_orthogonal_rows_give_one_minus_one_and_zero(backend: str) -> None:
    a = torch.tensor([[[3.0, 4.0]]])
    b = torch.tensor([[[6.0, 8.0], [-3.0, -4.0], [-4.0, 3.0], [5.0, 0.0]]])
    similarity = cosine_similarity(a, b, backend=backend)
    torch.testing.assert_close(similarity, torch.tensor([[[1.0, -1.0, 0.0, 0.6]]]))


@each_backend
def test_the_gradient_turns_a_row_and_does_not_stretch_it(backend: str) -> None:
    a = torch.tensor([[[2.0, 0.0]]], requires_grad=True)
    b = torch.tensor([[[0.0, 5.0]]])
    (gradient,) = torch.autograd.grad(cosine_similarity(a, b, backend=backend).sum(), a)
    torch.testing.assert_close(gradient, torch.tensor([[[0.0, 0.5]]]))  # 1 / |a| across, 0 along


@each_backend
def test_a_row_of_zeros_is_like_nothing_and_gets_no_gradient(backend: str) -> None:
    a, b = with_zero_rows(random_rows(2, 3, 4), random_rows(2, 2, 4, seed=1))
    similarity, grad_a, grad_b = value_and_gradients(a, b, backend)
    assert similarity[:, -1].count_nonzero() == 0
    assert similarity[0, :, 0].count_nonzero() == 0
    assert grad_a[:, -1].count_nonzero() == 0
    assert grad_b[0, 0].count_nonzero() == 0
    assert all(x.isfinite().all() for x in (similarity, grad_a, grad_b))
    assert grad_a[:, :-1].count_nonzero() == 2 * 2 * 4  # the other rows do get one


@each_backend
def test_a_row_of_zeros_gets_no_nan_in_second_order(backend: str) -> None:
    a, b = with_zero_rows(random_rows(2, 3, 4), random_rows(2, 2, 4, seed=1))
    score = cosine_similarity(a, b, backend=backend).square().sum()
    first = torch.autograd.grad(score, (a, b), create_graph=True)
    second = torch.autograd.grad(torch.cat(first, dim=1).square().sum(), (a, b))
    assert all(x.isfinite().all() for x in (*first, *second))
    assert second[0].count_nonzero() > 0


@each_backend
@pytest.mark.parametrize("length", [1e-15, 1e-3, 1e3, 1e15])
def test_the_length_of_a_row_does_not_matter(length: float, backend: str) -> None:
    a, b = random_rows(2, 3, 8, dtype=torch.float32), random_rows(2, 2, 8, dtype=torch.float32)
    similarity = cosine_similarity(a, b, backend=backend)
    torch.testing.assert_close(cosine_similarity(a * length, b, backend=backend), similarity)
    torch.testing.assert_close(
        cosine_similarity(a * length, b * length, backend=backend), similarity
    )


@pytest.mark.parametrize("backend", [name for name in cosine.BACKENDS if name != "reference"])
@examples(8)
@given(
    batch=st.integers(1, 3),
    rows=st.integers(1, 5),
    columns=st.integers(1, 5),
    width=st.integers(1, 9),
    zeros=st.booleans(),
    dtype=st.sampled_from([torch.float32, torch.float64]),
    seed=st.integers(0, 2**31),
)
def test_every_backend_agrees_with_the_definition(
    backend: str,
    batch: int,
    rows: int,
    columns: int,
    width: int,
    zeros: bool,
    dtype: torch.dtype,
    seed: int,
) -> None:
    a = random_rows(batch, rows, width, dtype=dtype, seed=seed)
    b = random_rows(batch, columns, width, dtype=dtype, seed=seed + 1)
    if zeros:
        a, b = with_zero_rows(a, b)
    wide_a, wide_b = (x.detach().double().requires_grad_() for x in (a, b))
    expected = value_and_gradients(wide_a, wide_b, "reference")
    ours = value_and_gradients(a, b, backend)
    lengths = torch.cat([wide_a, wide_b], dim=1).detach().norm(dim=2)
    shortest = float(lengths[lengths > 0].min()) if lengths.any() else 1.0
    rounding = 200 * torch.finfo(dtype).eps
    torch.testing.assert_close(ours[0].double(), expected[0], rtol=0, atol=rounding)
    for got, wanted in zip(ours[1:], expected[1:], strict=True):
        assert got.dtype == dtype
        torch.testing.assert_close(got.double(), wanted, rtol=0, atol=rounding * (1 + 1 / shortest))


@each_backend
@pytest.mark.parametrize("rows, columns", [(3, 2), (1, 4), (4, 1), (1, 1)])
def test_gradients_are_those_of_finite_differences(rows: int, columns: int, backend: str) -> None:
    inputs = random_rows(2, rows, 3), random_rows(2, columns, 3, seed=1)
    function = partial(cosine_similarity, backend=backend)
    assert torch.autograd.gradcheck(function, inputs)
    assert torch.autograd.gradgradcheck(function, inputs)


@each_backend
def test_a_sequence_compared_with_itself_gets_the_gradients_of_both_places(backend: str) -> None:
    a = random_rows(2, 3, 4)
    assert torch.autograd.gradcheck(lambda x: cosine_similarity(x, x, backend=backend), (a,))
    assert torch.autograd.gradgradcheck(lambda x: cosine_similarity(x, x, backend=backend), (a,))


@each_backend
@pytest.mark.parametrize(
    "shape_a, shape_b", [((2, 0, 4), (2, 3, 4)), ((2, 3, 4), (2, 0, 4)), ((0, 2, 4), (0, 3, 4))]
)
def test_an_empty_sequence_gives_an_empty_result(
    shape_a: tuple[int, ...], shape_b: tuple[int, ...], backend: str
) -> None:
    a, b = random_rows(*shape_a), random_rows(*shape_b)
    similarity = cosine_similarity(a, b, backend=backend)
    assert similarity.shape == (shape_a[0], shape_a[1], shape_b[1])
    gradients = torch.autograd.grad(similarity.sum(), (a, b))
    assert all(gradient.count_nonzero() == 0 for gradient in gradients)


@pytest.mark.parametrize("shape_b", [(3, 3, 4), (2, 3, 5)])
def test_batch_and_feature_sizes_have_to_agree(shape_b: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"a has shape \[2, 3, 4\] and b has \[\d, 3, \d\]"):
        cosine_similarity(random_rows(2, 3, 4), random_rows(*shape_b))


@each_backend
def test_rows_beyond_the_lengths_are_like_nothing_whatever_they_hold(backend: str) -> None:
    a, b = random_rows(2, 4, 3), random_rows(2, 5, 3)
    lengths = torch.tensor([[2, 5], [4, 0]])
    padded = a.detach().clone()
    padded[0, 2:] = torch.nan
    padded.requires_grad_()
    found = cosine_similarity(padded, b, lengths=lengths, backend=backend)
    assert torch.equal(found[0, :2], cosine_similarity(a, b, backend=backend)[0, :2])
    assert found[0, 2:].count_nonzero() == 0
    assert found[1].count_nonzero() == 0
    in_a, in_b = torch.autograd.grad(found.square().sum(), (padded, b))
    assert in_a[0, 2:].count_nonzero() == 0
    assert in_a.isfinite().all()
    assert in_b[1].count_nonzero() == 0
    assert in_b[0].count_nonzero() > 0


def test_lengths_beyond_the_sequences_are_refused() -> None:
    a, b = random_rows(2, 4, 3), random_rows(2, 5, 3)
    with pytest.raises(ValueError, match=r"lengths of pair 1 are \[4, 6\], expected 0 to 4 and 0"):
        cosine_similarity(a, b, lengths=torch.tensor([[4, 5], [4, 6]]))
    with pytest.raises(ValueError, match=r"lengths has shape \[2\]"):
        cosine_similarity(a, b, lengths=torch.tensor([4, 5]))
