"""CPU time of things that take turns in one process: ratios that a busy machine disturbs least."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from tests.benchmarks.figures import tell

Run = Callable[[], object]


def forward_and_backward(function: Callable[..., Tensor], *inputs: Tensor) -> Run:
    """A run of the function and of the gradients of its sum."""
    return lambda: torch.autograd.grad(function(*inputs).sum(), inputs)


def shortest_ms(
    runs: Mapping[str, Run], *, rounds: int, calls: Mapping[str, int]
) -> dict[str, float]:
    """CPU time of one call of each in its best round, in ms; they take turns.

    Args:
        runs: what to measure. Each runs once before, as the first call compiles.
        rounds: how often each is measured.
        calls: how many calls a measurement lasts; 1 for those not named.
    """
    best = dict.fromkeys(runs, float("inf"))
    for run in runs.values():
        run()
    for _ in range(rounds):
        for name, run in runs.items():
            count = calls.get(name, 1)
            start = time.process_time()
            for _ in range(count):
                run()
            best[name] = min(best[name], 1e3 * (time.process_time() - start) / count)
    return best


def ratio(
    name: str, slow: Run, fast: Run, *, rounds: int = 3, slow_calls: int = 1, fast_calls: int = 50
) -> float:
    """How many times as fast `fast` is; printed."""
    ms = shortest_ms(
        {"slow": slow, "fast": fast}, rounds=rounds, calls={"slow": slow_calls, "fast": fast_calls}
    )
    tell(f"{name}: {ms['slow']:.4g} ms -> {ms['fast']:.4g} ms, {ms['slow'] / ms['fast']:.4g} x")
    return ms["slow"] / ms["fast"]


def grids(*shape: int, count: int = 1, seed: int = 0) -> list[Tensor]:
    """Random leaves in [0, 1]."""
    generator = torch.Generator().manual_seed(seed)
    return [torch.rand(shape, generator=generator).requires_grad_() for _ in range(count)]
