"""The `cpu` backend: what the other backends do not have to think about."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from unittest.mock import Mock

import pytest
import torch
from torch import Tensor

from tests.kernels.cases import KERNELS, SMOOTH, Kernel, each, value_and_gradients
from wsal_bench.kernels import fsd_score, soft_dtw
from wsal_bench.kernels._recurrence import cpu_calls, cpu_strips

# those that lanes along the diagonals can do
PLAIN = [k for k in SMOOTH if not k.name.startswith(("dtw-band", "global", "local"))]


def assert_alike(kernel: Kernel, grids: list[Tensor], **options: object) -> None:
    """Asserts that `cpu` gives what `torch` gives in float64, to float64's rounding."""
    ours = value_and_gradients(kernel, grids, backend="cpu", **options)
    expected = value_and_gradients(kernel, grids, backend="torch", **options)
    torch.testing.assert_close(ours, expected, rtol=1e-10, atol=1e-10)


@each(KERNELS)
@pytest.mark.parametrize("batch", [1, 15, 16, 17, 40])
def test_blocks_may_be_full_or_not(kernel: Kernel, batch: int) -> None:
    assert_alike(kernel, kernel.grids(batch, 9, 11))


@each(SMOOTH)
@pytest.mark.parametrize(
    "shape", [(17, 1, 7), (17, 7, 1), (16, 30, 33), (9, 3, 150), (9, 150, 149)]
)
def test_grids_of_all_shapes_are_cut_into_tiles(kernel: Kernel, shape: tuple[int, ...]) -> None:
    if "band" in kernel.name and abs(shape[1] - shape[2]) > 3:
        pytest.skip("the band does not reach the corner")
    assert_alike(kernel, kernel.grids(*shape))


@each(PLAIN)
@pytest.mark.parametrize("batch", [1, 7])
@pytest.mark.parametrize("shape", [(64, 64), (65, 79), (80, 66), (130, 64)])
def test_few_long_pairs_take_lanes_along_the_diagonals(
    kernel: Kernel, batch: int, shape: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Mock(wraps=cpu_strips.run_strips)
    monkeypatch.setattr("wsal_bench.kernels._recurrence.cpu_smooth.run_strips", run)
    grids = kernel.grids(batch, *shape)
    assert_alike(kernel, grids)
    assert run.called
    rows, columns = shape
    lengths = torch.tensor([[rows, columns], [rows - 17, 3], [1, columns], [0, 5], [7, 7]])
    assert_alike(kernel, grids, lengths=lengths.repeat(2, 1)[:batch])


@each(PLAIN)
def test_padding_of_few_long_pairs_is_not_read(kernel: Kernel) -> None:
    grids = kernel.grids(2, 70, 65)
    lengths = torch.tensor([[33, 40], [64, 10]])
    expected = value_and_gradients(kernel, grids, backend="cpu", lengths=lengths)
    padded = [grid.detach().clone() for grid in grids]
    for grid in padded:
        for pair, (rows, columns) in enumerate(lengths.tolist()):
            grid[pair, rows:] = torch.nan
            grid[pair, :, columns:] = torch.nan
    leaves = [grid.requires_grad_() for grid in padded]
    got = value_and_gradients(kernel, leaves, backend="cpu", lengths=lengths)
    torch.testing.assert_close(got, expected, rtol=0, atol=0)
    assert all(grad[0, 33:].count_nonzero() == 0 for grad in got[1:])


@each(KERNELS)
def test_results_do_not_depend_on_the_number_of_threads(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    grids = kernel.grids(70, 9, 8, dtype=torch.float32)
    lengths = torch.stack((torch.arange(70) % 10, (torch.arange(70) % 10 + 1).clamp(max=8)), dim=1)
    one = value_and_gradients(kernel, grids, backend="cpu", lengths=lengths)
    monkeypatch.setattr(cpu_calls, "PARALLEL_FROM", 0)
    started = Mock(wraps=threading.Thread)
    monkeypatch.setattr("wsal_bench.kernels._recurrence.cpu_calls.Thread", started)
    before = torch.get_num_threads()
    try:
        for threads in (2, 3):
            torch.set_num_threads(threads)
            several = value_and_gradients(kernel, grids, backend="cpu", lengths=lengths)
            assert started.call_count == 2 * (threads - 1)
            started.reset_mock()
            torch.testing.assert_close(several, one, rtol=0, atol=0)
        torch.set_num_threads(1)
        value_and_gradients(kernel, grids, backend="cpu", lengths=lengths)
        assert not started.called
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("batch", [1, 20])
def test_scores_beyond_the_exponents_are_computed_all_the_same(batch: int) -> None:
    grids = [(grid.detach() * 1e7).requires_grad_() for grid in KERNELS[0].grids(batch, 64, 65)]
    wide = [grid.detach().float().requires_grad_() for grid in grids]
    got = fsd_score(*wide, gamma=1e-3, backend="cpu")
    expected = fsd_score(*grids, gamma=1e-3, backend="torch")
    torch.testing.assert_close(got.double(), expected, rtol=1e-5, atol=0)
    gradients = torch.autograd.grad(got.sum(), wide)
    assert all(gradient.isfinite().all() for gradient in gradients)


@pytest.mark.parametrize("bad", [torch.nan, torch.inf, -torch.inf])
@pytest.mark.parametrize("shape", [(20, 5, 6), (2, 70, 70)])
def test_a_bad_value_is_found_wherever_it_is(bad: float, shape: tuple[int, ...]) -> None:
    for place in ((0, 0, 0), (shape[0] - 1, shape[1] - 1, shape[2] - 1), (1, 2, 3)):
        cost = torch.rand(shape)
        cost[place] = bad
        with pytest.raises(ValueError, match=rf"cost holds NaN or infinite .* in pair {place[0]};"):
            soft_dtw(cost, gamma=0.1, backend="cpu")


@pytest.mark.parametrize("batch", [2, 20])
def test_long_float32_gradients_are_precise(batch: int) -> None:
    cost = torch.rand(batch, 1024, 1024, generator=torch.Generator().manual_seed(0))[:2]
    cost = cost if batch == 2 else cost.repeat(10, 1, 1)
    leaf = cost.clone().requires_grad_()
    (got,) = torch.autograd.grad(soft_dtw(leaf, gamma=0.1).sum(), leaf)
    wide = cost[:2].double().requires_grad_()
    (exact,) = torch.autograd.grad(soft_dtw(wide, gamma=0.1, backend="torch").sum(), wide)
    assert (got[:2].double() - exact).abs().max() < 1e-5


def test_gradients_may_be_asked_for_twice() -> None:
    grid = torch.rand(17, 160, 160, requires_grad=True)
    score = soft_dtw(grid, gamma=0.1).sum()
    (first,) = torch.autograd.grad(score, grid, retain_graph=True)
    torch.testing.assert_close(torch.autograd.grad(score, grid)[0], first, rtol=0, atol=0)


def test_large_arrays_are_used_again_but_not_by_two_at_once() -> None:
    grids = [torch.rand(17, 160, 160, requires_grad=True) for _ in range(2)]

    def gradients(scores: list[Tensor]) -> list[Tensor]:
        return [torch.autograd.grad(s, g)[0] for s, g in zip(scores, grids, strict=True)]

    expected = [gradient.clone() for grid in grids for gradient in _gradient(grid)]
    # what those left is free now; the next two are alive together
    got = gradients([soft_dtw(grid, gamma=0.1).sum() for grid in grids])
    torch.testing.assert_close(got, expected, rtol=0, atol=0)


def _gradient(grid: Tensor) -> tuple[Tensor, ...]:
    return torch.autograd.grad(soft_dtw(grid, gamma=0.1).sum(), grid)


@each(SMOOTH)
@pytest.mark.parametrize("shape", [(20, 9, 11), (2, 70, 70)])
def test_padding_does_not_drive_pairs_out_of_the_compiled_code(
    kernel: Kernel, shape: tuple[int, int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    grids = kernel.grids(*shape)
    lengths = torch.tensor([[shape[1], shape[2] - 1], [5, 4]]).repeat(shape[0] // 2, 1)
    lengths[-1] = torch.tensor([7, 7])
    if "band" in kernel.name:
        lengths[:, 1] = lengths[:, 0].clamp(max=shape[2])
    with torch.no_grad():
        for grid in grids:
            for pair, (rows, columns) in enumerate(lengths.tolist()):
                grid[pair, rows:] = torch.nan
                grid[pair, :, columns:] = torch.nan
    elsewhere = Mock(side_effect=AssertionError("left the compiled code"))
    monkeypatch.setattr("wsal_bench.kernels._recurrence.torch_backend.score", elsewhere)
    value, *gradients = value_and_gradients(kernel, grids, backend="cpu", lengths=lengths)
    assert all(x.isfinite().all() for x in (value, *gradients))


def test_a_process_told_to_use_one_thread_starts_no_other() -> None:
    code = """
import threading, torch
from wsal_bench.kernels import soft_dtw
from wsal_bench.kernels._recurrence import cpu_calls
cpu_calls.PARALLEL_FROM = 0
threads = []
start = threading.Thread.start
threading.Thread.start = lambda self: (threads.append(1), start(self))[1]
cost = torch.rand(64, 8, 8, requires_grad=True)
soft_dtw(cost).sum().backward()
print(len(threads))
"""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert ran.stdout.split() == ["0"]


@pytest.mark.parametrize("shape", [(16, 6, 6), (1, 70, 70)], ids=["lanes", "strips"])
def test_a_score_that_is_changed_in_place_leaves_the_gradient_alone(
    shape: tuple[int, ...],
) -> None:
    cost = torch.rand(shape, generator=torch.Generator().manual_seed(0)).requires_grad_()
    (expected,) = torch.autograd.grad(soft_dtw(cost, gamma=0.1).sum(), cost)
    score = soft_dtw(cost, gamma=0.1)
    score.detach().fill_(torch.inf)  # shares its memory, and autograd does not notice
    (gradient,) = torch.autograd.grad(score, cost, torch.ones(len(cost)))
    torch.testing.assert_close(gradient, expected, rtol=0, atol=0)
