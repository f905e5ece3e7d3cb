"""How far single precision is from double, for our backends and, where installed, for tslearn.

Usage: python scripts/accuracy.py

Prints the table of docs/kernels.md. Truth is the `torch` backend in double precision; an error is
the largest difference over the batch, of gradients in absolute terms (they lie in [0, 1]), of
scores relative to the largest score.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec

import torch
from tabulate import tabulate
from torch import Tensor

from wsal_bench.kernels import fsd_score, soft_dtw

BATCH = 16
LENGTHS = (64, 256, 1024)
GAMMAS = (0.1, 1.0)


@dataclass(frozen=True)
class Outcome:
    """Scores [B] and the gradient [B, N, M] of their sum, in double precision."""

    score: Tensor
    gradient: Tensor


@dataclass(frozen=True)
class Row:
    """One kernel at one size and softness."""

    kernel: str
    length: int
    gamma: float
    of: str
    score: float
    gradient: float


def outcome(function: Callable[[Tensor], Tensor], grid: Tensor) -> Outcome:
    """What a function of a grid gives."""
    inputs = grid.detach().clone().requires_grad_()
    score = function(inputs)
    (gradient,) = torch.autograd.grad(score.sum(), inputs)
    return Outcome(score.detach().double(), gradient.double())


def contenders(name: str, gamma: float) -> Iterator[tuple[str, Callable[[Tensor], Tensor]]]:
    """What is compared, in single precision."""
    for backend in ("cpu", "torch"):
        yield f"ours, {backend}", kernel(name, gamma, backend)
    if name == "soft_dtw" and find_spec("tslearn") is not None:
        peer = import_module("tslearn.metrics.soft_dtw_loss_pytorch")
        yield "tslearn", lambda grid: peer._SoftDTWLossPyTorch.apply(grid, gamma)


def kernel(name: str, gamma: float, backend: str) -> Callable[[Tensor], Tensor]:
    """One of our kernels as a function of one grid."""
    if name == "soft_dtw":
        return lambda grid: soft_dtw(grid, gamma=gamma, backend=backend)
    return lambda grid: fsd_score(grid, grid - 1.0, gamma=gamma, backend=backend)


def rows() -> Iterator[Row]:
    """All comparisons."""
    for name in ("soft_dtw", "fsd_score"):
        for length in LENGTHS:
            generator = torch.Generator().manual_seed(0)
            grid = torch.rand(BATCH, length, length, generator=generator)
            for gamma in GAMMAS:
                truth = outcome(kernel(name, gamma, "torch"), grid.double())
                for of, function in contenders(name, gamma):
                    found = outcome(function, grid)
                    score = (found.score - truth.score).abs().max() / truth.score.abs().max()
                    gradient = (found.gradient - truth.gradient).abs().max()
                    yield Row(name, length, gamma, of, float(score), float(gradient))


def main() -> None:
    """Prints the table."""
    if find_spec("tslearn") is None:
        print("tslearn is not installed; its rows are missing", file=sys.stderr)
    table = [
        (row.kernel, row.length, row.gamma, row.of, f"{row.score:.0e}", f"{row.gradient:.0e}")
        for row in rows()
    ]
    titles = ("kernel", "L", "gamma", "float32 of", "error of the score", "error of the gradient")
    print(tabulate(table, titles, tablefmt="pipe", disable_numparse=True))


if __name__ == "__main__":
    main()
