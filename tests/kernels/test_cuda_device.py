"""The `cuda` backend on a real device, against the reference on the CPU."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from tests.kernels.cases import KERNELS, SMOOTH, Kernel, each, value_and_gradients

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]
LENGTHS = torch.tensor([[5, 3], [0, 4], [11, 13], [1, 1], [9, 12], [2, 0]])


def on_device(grids: list[Tensor]) -> list[Tensor]:
    return [grid.detach().cuda().requires_grad_() for grid in grids]


@pytest.mark.parametrize("with_lengths", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@each(KERNELS)
def test_it_gives_what_the_reference_gives(
    kernel: Kernel, dtype: torch.dtype, with_lengths: bool
) -> None:
    lengths = LENGTHS if with_lengths else None
    grids = kernel.grids(len(LENGTHS), 11, 13, dtype=dtype)
    wide = [grid.detach().double().requires_grad_() for grid in grids]
    expected = value_and_gradients(kernel, wide, lengths=lengths, backend="reference")
    there = None if lengths is None else lengths.cuda()
    leaves = on_device(grids)
    score = kernel(*leaves, lengths=there, backend="cuda")
    upstream = torch.linspace(-1, 2, len(score), dtype=dtype).cuda()
    ours = [score.detach(), *torch.autograd.grad(score, leaves, upstream)]
    rounding = 100 * torch.finfo(dtype).eps
    for got, wanted in zip(ours, expected, strict=True):
        torch.testing.assert_close(got.double().cpu(), wanted, rtol=rounding, atol=rounding)


@each(SMOOTH)
@pytest.mark.parametrize("rows", [33, 500, 1500])
def test_it_agrees_with_the_torch_backend_where_rows_fill_warps_and_strips(
    kernel: Kernel, rows: int
) -> None:
    if "band" in kernel.name:
        kernel = Kernel(kernel.name, kernel.function, 1, {**kernel.options, "bandwidth": 40})
    grids = kernel.grids(3, rows, rows - 2, dtype=torch.float32)
    found = []
    for backend, dtype in (("cuda", torch.float32), ("torch", torch.float64)):
        leaves = [grid.detach().cuda().to(dtype).requires_grad_() for grid in grids]
        score = kernel(*leaves, backend=backend, gamma=0.1)
        found.append([score.detach(), *torch.autograd.grad(score.sum(), leaves)])
    ours, expected = found
    torch.testing.assert_close(ours[0].double(), expected[0], rtol=1e-5, atol=1e-4)
    for got, wanted in zip(ours[1:], expected[1:], strict=True):
        torch.testing.assert_close(got.double(), wanted, rtol=0, atol=2e-5)


@each(KERNELS)
def test_nothing_waits_for_the_device(kernel: Kernel) -> None:
    leaves = on_device(kernel.grids(2, 5, 6))
    lengths = torch.tensor([[3, 4], [5, 6]]).cuda()
    upstream = torch.ones(2, dtype=torch.float64).cuda()
    for mode in ("default", "error"):  # the first time compiles
        torch.cuda.set_sync_debug_mode(mode)
        try:
            score = kernel(*leaves, lengths=lengths, backend="cuda")
            torch.autograd.grad(score, leaves, upstream)
        finally:
            torch.cuda.set_sync_debug_mode("default")
