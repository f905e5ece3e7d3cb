"""Seconds of a training step by part."""

from __future__ import annotations

import pytest
import torch

from wsal_bench import kernels
from wsal_bench.profiling import parts
from wsal_bench.profiling.parts import Clock, timed_kernels

cosine_similarity = kernels.cosine_similarity  # a name in a module that is not the kernels' own


class Time:
    """Of a clock that only moves when it is told to."""

    now = 0.0


@pytest.fixture
def stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Time, "now", 0.0)
    monkeypatch.setattr(parts, "perf_counter", lambda: Time.now)


class Slow(torch.autograd.Function):
    """Takes a while, forward and backward."""

    @staticmethod
    def forward(ctx: object, x: torch.Tensor, seconds: float) -> torch.Tensor:
        ctx.seconds = seconds  # type: ignore[attr-defined]
        Time.now += seconds
        return x.clone()

    @staticmethod
    def backward(ctx: object, *gradients: torch.Tensor) -> tuple[torch.Tensor, None]:
        Time.now += ctx.seconds  # type: ignore[attr-defined]
        return gradients[0], None


def test_the_backward_of_a_kernel_is_counted_and_that_of_its_surroundings_is_not(
    stopped: None,
) -> None:
    def kernel(x: torch.Tensor) -> torch.Tensor:
        return Slow.apply(x, 0.02)  # type: ignore[no-any-return, no-untyped-call]

    clock = Clock(torch.device("cpu"))
    timed = parts._timed(clock, "kernels", kernel)
    x = torch.ones(3, requires_grad=True)
    inner = timed(Slow.apply(x, 0.05))  # type: ignore[no-untyped-call]
    Slow.apply(inner, 0.05).sum().backward()  # type: ignore[no-untyped-call]
    assert x.grad is not None and x.grad.tolist() == [1.0, 1.0, 1.0]
    assert clock.seconds["kernels"] == pytest.approx(0.02)
    assert clock.seconds["kernels backward"] == pytest.approx(0.02)


def test_names_stand_for_the_kernels_again_afterwards() -> None:
    clock = Clock(torch.device("cpu"))
    a = torch.rand(1, 2, 3, requires_grad=True)
    plain = torch.autograd.grad(kernels.cosine_similarity(a, a).sum(), a)[0]
    with timed_kernels(clock):
        found = cosine_similarity(a, a)
        assert torch.equal(torch.autograd.grad(found.sum(), a)[0], plain)
    assert clock.seconds["similarity"] > 0 and clock.seconds["similarity backward"] > 0
    clock.seconds.clear()
    cosine_similarity(a, a)
    assert not clock.seconds
