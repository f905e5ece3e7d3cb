"""Gradients against finite differences, and gradients of gradients."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from torch import Tensor

from tests.kernels.cases import (
    HARD,
    SMOOTH,
    Kernel,
    each,
    each_backend,
    each_fast_backend,
    value_and_gradients,
)
from wsal_bench.kernels import fsd_score

LENGTHS = torch.tensor([[3, 4], [2, 2]])


@each_backend
@each(SMOOTH + HARD)
@pytest.mark.parametrize("shape", [(2, 4, 3), (1, 3, 5), (2, 1, 4), (2, 4, 1), (1, 1, 1)])
def test_gradients_are_those_of_finite_differences(
    kernel: Kernel, shape: tuple[int, int, int], backend: str
) -> None:
    grids = kernel.grids(*shape)
    assert torch.autograd.gradcheck(partial(kernel, backend=backend), grids)


@each_backend
@each(SMOOTH)
def test_gradients_of_pairs_of_different_lengths_are_those_of_finite_differences(
    kernel: Kernel, backend: str
) -> None:
    grids = kernel.grids(2, 3, 4)
    assert torch.autograd.gradcheck(partial(kernel, backend=backend, lengths=LENGTHS), grids)


@each_fast_backend
@each(SMOOTH)
@pytest.mark.parametrize(
    "lengths",
    # with lengths, the first pair is as long as the grid
    [pytest.param(None, marks=pytest.mark.slow, id="full"), pytest.param(LENGTHS, id="lengths")],
)
def test_second_gradients_are_those_of_finite_differences(
    kernel: Kernel, lengths: Tensor | None, backend: str
) -> None:
    grids = kernel.grids(2, 3, 4)
    function = partial(kernel, backend=backend, lengths=lengths)
    assert torch.autograd.gradgradcheck(function, grids)


@each_fast_backend
@each(SMOOTH)
@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 4, 1), (1, 1, 3), (2, 5, 3)])
def test_the_gradient_that_can_be_differentiated_is_the_analytic_one(
    kernel: Kernel, shape: tuple[int, int, int], backend: str
) -> None:
    grids = kernel.grids(*shape)
    shorter = [[max(n - pair, 0) for n in shape[1:]] for pair in range(shape[0])]
    for lengths in (None, torch.tensor(shorter)):
        score = kernel(*grids, lengths=lengths, backend=backend)
        upstream = torch.linspace(-1, 2, len(score), dtype=score.dtype)
        plain = torch.autograd.grad(score, grids, upstream, retain_graph=True)
        recorded = torch.autograd.grad(score, grids, upstream, create_graph=True)
        torch.testing.assert_close(recorded, plain, rtol=0, atol=1e-12)
        if min(shape) > 1:  # with one path only, a gradient depends on nothing
            assert all(gradient.requires_grad for gradient in recorded)


@each_backend
@each(HARD)
def test_a_hard_gradient_can_be_differentiated_by_the_upstream_gradient(
    kernel: Kernel, backend: str
) -> None:
    grids = kernel.grids(2, 3, 4)
    upstream = torch.tensor([1.0, -2.0], dtype=torch.float64, requires_grad=True)
    score = kernel(*grids, backend=backend)
    (gradient, *_) = torch.autograd.grad(score, grids, upstream, create_graph=True)
    (counted,) = torch.autograd.grad(gradient.sum(), upstream)
    plain = torch.autograd.grad(kernel(*grids, backend=backend).sum(), grids)[0]
    torch.testing.assert_close(counted, plain.sum(dim=(1, 2)))


@each_backend
@each([kernel for kernel in SMOOTH + HARD if kernel.num_inputs == 3])
def test_one_tensor_for_both_moves_gets_the_gradients_of_both(kernel: Kernel, backend: str) -> None:
    match, weight, _ = kernel.grids(2, 3, 4)
    other = weight.detach().clone().requires_grad_()
    apart = torch.autograd.grad(
        kernel(match, weight, other, backend=backend).sum(), (weight, other)
    )
    for shared in (
        kernel(match, weight, weight, backend=backend),
        kernel(match, weight, backend=backend),
    ):
        (both,) = torch.autograd.grad(shared.sum(), weight)
        torch.testing.assert_close(both, apart[0] + apart[1])


@each_fast_backend
def test_one_gate_for_both_moves_gets_both_second_gradients(backend: str) -> None:
    generator = torch.Generator().manual_seed(0)
    match, gate = (
        torch.rand(2, 3, 4, generator=generator, dtype=torch.float64).requires_grad_()
        for _ in range(2)
    )

    def second_gradients(backend: str) -> tuple[Tensor, ...]:
        score = fsd_score(match, gate, backend=backend).sum()
        (first,) = torch.autograd.grad(score, gate, create_graph=True)
        return first.detach(), *torch.autograd.grad(first.square().sum(), (match, gate))

    expected = second_gradients("reference")
    torch.testing.assert_close(second_gradients(backend), expected, rtol=0, atol=1e-10)


@each_backend
@each(SMOOTH + HARD)
def test_one_graph_can_be_differentiated_twice(kernel: Kernel, backend: str) -> None:
    grids = kernel.grids(2, 4, 5)
    score = kernel(*grids, backend=backend).sum()
    first = torch.autograd.grad(score, grids, retain_graph=True)
    torch.testing.assert_close(torch.autograd.grad(score, grids), first, rtol=0, atol=0)


@each_backend
@each(SMOOTH + HARD)
def test_a_score_may_be_changed_without_harm_to_its_gradient(kernel: Kernel, backend: str) -> None:
    grids = kernel.grids(2, 3, 4)
    _, *expected = value_and_gradients(kernel, grids, backend=backend)
    score = kernel(*grids, backend=backend)
    score.mul_(2)
    upstream = torch.linspace(-1, 2, 2, dtype=score.dtype)
    gradients = torch.autograd.grad(score, grids, upstream / 2)
    torch.testing.assert_close(gradients, tuple(expected))


@each_backend
def test_forbidden_moves_get_no_gradient_and_no_nan(backend: str) -> None:
    generator = torch.Generator().manual_seed(0)
    match, insert = (
        torch.rand(2, 3, 4, generator=generator, dtype=torch.float64).requires_grad_()
        for _ in range(2)
    )
    forbidden = torch.full((2, 3, 4), -torch.inf, dtype=torch.float64, requires_grad=True)
    score = fsd_score(match, forbidden, backend=backend)
    # Only diagonals are left: the last one that fits.
    torch.testing.assert_close(score, sum(match[:, i, i + 1] for i in range(3)))
    assert torch.autograd.grad(score.sum(), forbidden)[0].count_nonzero() == 0
    partly = torch.autograd.grad(
        fsd_score(match, insert, forbidden, backend=backend).sum(), (match, insert)
    )
    assert all(gradient.isfinite().all() for gradient in partly)
