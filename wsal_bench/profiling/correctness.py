"""A kernel is timed only where its scores and gradients are those of the definition."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from wsal_bench.errors import GateError
from wsal_bench.profiling.subjects import TSLEARN, Subject

TOLERANCE = {torch.float32: 2e-3, torch.float64: 1e-8}
"""Largest difference of a score or a gradient, as a share of the largest one in the batch, up to
`USUAL` snippets; beyond it grows with the length, as rounding of scores in log space does."""

USUAL = 64

PEER_TOLERANCE = 2e-2
"""The same for other libraries, which compute in float32 whatever they are given."""


@dataclass(frozen=True)
class Outcome:
    """Scores and the gradient of each input, in float64 on the CPU."""

    parts: tuple[Tensor, ...]


def outcome(subject: Subject, backend: str, inputs: list[Tensor]) -> Outcome:
    """Runs a kernel forward and backward."""
    leaves = [tensor.detach().clone().requires_grad_() for tensor in inputs]
    scores = subject.call(backend, *leaves)
    gradients = torch.autograd.grad(scores.sum(), leaves)
    return Outcome(tuple(part.detach().double().cpu() for part in (scores, *gradients)))


def expected(subject: Subject, oracle: str, inputs: list[Tensor]) -> Outcome:
    """What is right: the oracle in float64, a hard maximum in the precision that is measured."""
    if subject.hard:
        return outcome(subject, oracle, inputs)
    return outcome(subject, oracle, [tensor.double() for tensor in inputs])


def assert_right(
    what: str, backend: str, found: Outcome, oracle: str, right: Outcome, dtype: torch.dtype
) -> float:
    """The largest relative difference.

    Args:
        what: kernel and size, for the message.
        backend: that was asked.
        found: what it says.
        oracle: the backend that it is compared with.
        right: what that one says.
        dtype: that the kernel computed in.

    Raises:
        GateError: they differ by more than rounding.
    """
    longest = max(part.shape[1] for part in right.parts[1:])
    allowed = PEER_TOLERANCE if backend == TSLEARN else TOLERANCE[dtype]
    allowed *= max(longest / USUAL, 1.0)
    names = ["scores", *(f"gradient of input {i}" for i in range(1, len(right.parts)))]
    worst = 0.0
    for name, mine, its in zip(names, found.parts, right.parts, strict=True):
        mine = mine.reshape(its.shape)
        scale = max(float(its.abs().max()), 1e-12)
        difference = float((mine - its).abs().max()) / scale
        if not difference <= allowed:  # NaN differs
            raise GateError(
                f"{what}: {name} of {backend} differ from {oracle} by {difference:.2g} "
                f"of the largest value, more than {allowed:.2g}",
                hint="nothing was timed; a wrong kernel has no speed",
            )
        worst = max(worst, difference)
    return worst
