"""What must not change a score, or must change it in a known way."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from tests.kernels.cases import (
    KERNELS,
    SMOOTH,
    Kernel,
    each,
    each_backend,
    each_kernel,
    value_and_gradients,
)


@each_backend
@each_kernel
def test_transposing_a_pair_swaps_the_moves(kernel: Kernel, backend: str) -> None:
    grids = [grid.detach() for grid in kernel.grids(3, 4, 6)]
    match, *moves = (grid.mT for grid in grids)
    torch.testing.assert_close(
        kernel(match, *reversed(moves), backend=backend),
        kernel(*grids, backend=backend),
        rtol=0,
        atol=1e-12,
    )


@each_backend
@each_kernel
def test_the_order_of_the_batch_does_not_matter(kernel: Kernel, backend: str) -> None:
    grids = [grid.detach() for grid in kernel.grids(19, 4, 6)]
    lengths = torch.tensor([[pair % 4 + 1, pair % 4 + 2] for pair in range(19)])
    order = torch.randperm(19, generator=torch.Generator().manual_seed(0))
    mixed = kernel(*(grid[order] for grid in grids), lengths=lengths[order], backend=backend)
    expected = kernel(*grids, lengths=lengths, backend=backend)[order]
    torch.testing.assert_close(mixed, expected, rtol=0, atol=1e-12)


@each_backend
@pytest.mark.parametrize("gamma", [0.0, 0.3])
def test_a_shift_of_the_match_shifts_the_score_where_every_path_is_as_long(
    gamma: float, backend: str
) -> None:
    """A global alignment uses up N + M positions: a match two of them, a gap one."""
    kernel = next(kernel for kernel in SMOOTH if kernel.name == "global")
    match, insert, delete = (grid.detach() for grid in kernel.grids(3, 4, 6))
    before = kernel(match, insert, delete, gamma=gamma, backend=backend)
    after = kernel(match + 2, insert + 1, delete + 1, gamma=gamma, backend=backend)
    torch.testing.assert_close(after, before + 4 + 6, rtol=0, atol=1e-12)


@each_backend
@each_kernel
def test_scaling_everything_scales_the_score(kernel: Kernel, backend: str) -> None:
    grids = [grid.detach() for grid in kernel.grids(3, 4, 6)]
    options = {
        name: value * 8 for name, value in kernel.options.items() if name in ("gamma", "threshold")
    }
    scaled = kernel(*(grid * 8 for grid in grids), **options, backend=backend)
    torch.testing.assert_close(scaled, kernel(*grids, backend=backend) * 8, rtol=1e-12, atol=1e-12)


@each_backend
@each_kernel
def test_lengths_are_the_same_as_cutting_each_pair_out(kernel: Kernel, backend: str) -> None:
    lengths = torch.tensor([[5, 6], [1, 1], [3, 6], [5, 2], [4, 4]])
    grids = kernel.grids(5, 5, 6)
    padded = []
    for grid in grids:
        inner = grid.detach().clone()
        for pair, (rows, columns) in enumerate(lengths.tolist()):
            inner[pair, rows:] = torch.nan
            inner[pair, :, columns:] = torch.nan
        padded.append(inner.requires_grad_())
    value, *gradients = value_and_gradients(kernel, padded, lengths=lengths, backend=backend)
    upstream = torch.linspace(-1, 2, 5, dtype=torch.float64)
    for pair, (rows, columns) in enumerate(lengths.tolist()):
        cut = [grid.detach()[pair : pair + 1, :rows, :columns].requires_grad_() for grid in grids]
        alone = kernel(*cut, backend=backend)
        torch.testing.assert_close(value[pair], alone[0].detach(), rtol=0, atol=1e-12)
        expected = torch.autograd.grad(alone, cut, upstream[pair : pair + 1])
        for gradient, wanted in zip(gradients, expected, strict=True):
            whole = torch.zeros(5, 6, dtype=torch.float64)
            whole[:rows, :columns] = wanted[0]
            torch.testing.assert_close(gradient[pair], whole, rtol=0, atol=1e-12)
            outside = gradient[pair].clone()
            outside[:rows, :columns] = 0
            assert torch.equal(outside, torch.zeros_like(outside))  # exactly


@each_backend
@each_kernel
@pytest.mark.parametrize("dtype", [torch.int64, torch.int32])
def test_a_length_of_zero_scores_nothing_with_a_zero_gradient(
    kernel: Kernel, dtype: torch.dtype, backend: str
) -> None:
    lengths = torch.tensor([[0, 3], [2, 0], [0, 0], [2, 3]], dtype=dtype)
    grids = [
        torch.cat(
            [torch.full((3, 2, 3), torch.nan, dtype=torch.float64), grid.detach()]
        ).requires_grad_()
        for grid in kernel.grids(1, 2, 3)
    ]
    value, *gradients = value_and_gradients(kernel, grids, lengths=lengths, backend=backend)
    nothing = torch.inf if kernel.name.startswith("dtw") else 0
    assert value[:3].tolist() == [nothing] * 3
    assert value[3].isfinite()
    for gradient in gradients:
        assert torch.equal(gradient[:3], torch.zeros(3, 2, 3, dtype=torch.float64))


@each_backend
@each([kernel for kernel in KERNELS if "greedy" not in kernel.name])
def test_a_larger_weight_never_makes_a_score_smaller(kernel: Kernel, backend: str) -> None:
    grids = [grid.detach() for grid in kernel.grids(8, 4, 5)]
    sign = -1 if kernel.name.startswith("dtw") else 1
    before = kernel(*grids, backend=backend) * sign
    for place in range(len(grids)):
        more: list[Tensor] = list(grids)
        more[place] = grids[place] + 0.1 * sign
        assert (kernel(*more, backend=backend) * sign >= before - 1e-12).all()
