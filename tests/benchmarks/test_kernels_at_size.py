"""Soft-DTW at the sizes of a library: time, precision and lengths, next to tslearn's.

The comparisons need tslearn (`pip install tslearn`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.benchmarks.figures import tell
from tests.benchmarks.measuring import forward_and_backward, grids, shortest_ms
from wsal_bench.kernels import soft_dtw

pytestmark = pytest.mark.measured
GAMMA = 0.1
SIZES = ((16, 64, 12), (64, 64, 18), (16, 128, 18), (64, 256, 18), (16, 512, 18), (16, 1024, 18),
         (1, 512, 8))  # fmt: skip


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    numba = pytest.importorskip("numba")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    numba.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def of_tslearn() -> Callable[[Tensor, float], Tensor]:
    """The soft-DTW of costs [B, N, M] that tslearn's loss applies to squared distances."""
    module = pytest.importorskip("tslearn.metrics.soft_dtw_loss_pytorch")
    function: Any = module._SoftDTWLossPyTorch.apply
    return lambda cost, gamma: function(cost, gamma)


@pytest.mark.parametrize("batch, length, least", SIZES)
def test_soft_dtw_is_many_times_as_fast_as_tslearn(batch: int, length: int, least: int) -> None:
    inputs = grids(batch, length, length)
    theirs = of_tslearn()
    runs = {
        "tslearn": forward_and_backward(lambda cost: theirs(cost, GAMMA), *inputs),
        "ours": forward_and_backward(partial(soft_dtw, gamma=GAMMA), *inputs),
    }
    ms = shortest_ms(runs, rounds=6 if batch * length**2 < 4e6 else 3, calls={"ours": 5})
    ratio = ms["tslearn"] / ms["ours"]
    tell(
        f"soft-DTW, B = {batch}, L = {length}: tslearn {ms['tslearn']:.3g} ms, "
        f"ours {ms['ours']:.3g} ms, {ratio:.3g} x"
    )
    assert ratio >= least


def test_pairs_of_different_lengths_cost_no_more_than_full_ones() -> None:
    inputs = grids(64, 256, 256)
    lengths = torch.randint(128, 257, (64, 2), generator=torch.Generator().manual_seed(0))
    runs = {
        "full": forward_and_backward(partial(soft_dtw, gamma=GAMMA), *inputs),
        "lengths": forward_and_backward(partial(soft_dtw, gamma=GAMMA, lengths=lengths), *inputs),
    }
    ms = shortest_ms(runs, rounds=10, calls={})
    tell(f"lengths uniform in [L/2, L]: {ms['lengths'] / ms['full']:.3g} x those of full length")
    assert ms["lengths"] <= 1.1 * ms["full"]


def errors(cost: Tensor, gamma: float) -> dict[str, float]:
    """Largest error of a float32 gradient against the `torch` backend in float64."""
    wide = cost.detach().double().requires_grad_()
    (exact,) = torch.autograd.grad(soft_dtw(wide, gamma=gamma, backend="torch").sum(), wide)
    theirs = of_tslearn()
    runs: dict[str, Callable[[Tensor], Tensor]] = {
        "ours": partial(soft_dtw, gamma=gamma),
        "tslearn": lambda cost: theirs(cost, gamma),
    }
    found = {}
    for name, run in runs.items():
        (gradient,) = torch.autograd.grad(run(cost).sum(), cost)
        found[name] = float((gradient.double() - exact).abs().max())
    tell(
        f"float32 gradient, L = {cost.shape[1]}, gamma = {gamma}: off by "
        + ", ".join(f"{value:.1g} ({name})" for name, value in found.items())
    )
    return found


@pytest.mark.parametrize("length", [30, 256, 1024])
@pytest.mark.parametrize("gamma", [0.1, 0.01])
def test_gradients_in_float32_are_more_precise_than_tslearns(length: int, gamma: float) -> None:
    (cost,) = grids(2, length, length)
    found = errors(cost, gamma)
    assert found["ours"] <= 1e-5
    assert found["ours"] <= found["tslearn"] / 10
