"""Every kernel in every form, as the tests of what they all promise see it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

import pytest
import torch
from torch import Tensor

from wsal_bench.kernels import (
    BACKENDS,
    fsd_score,
    lcs_score,
    needleman_wunsch,
    smith_waterman,
    soft_dtw,
)

# a backend that is registered joins every test; `cuda` needs a device, see the tests marked gpu
HERE = [name for name, module in BACKENDS.items() if name != "cuda" and find_spec(module)]
FAST = [name for name in HERE if name != "reference"]


@dataclass(frozen=True)
class Kernel:
    """A kernel with some options.

    Attributes:
        name: for the test's id.
        function: the kernel.
        num_inputs: grids [B, N, M] it takes.
        options: its other arguments, gamma included.
    """

    name: str
    function: Callable[..., Tensor]
    num_inputs: int
    options: dict[str, Any] = field(default_factory=dict)

    def __call__(self, *grids: Tensor, **options: Any) -> Tensor:
        return self.function(*grids, **{**self.options, **options})

    @property
    def gamma(self) -> float:
        return float(self.options["gamma"])

    @property
    def names(self) -> tuple[str, ...]:
        """What the function calls its grids."""
        code = self.function.__code__
        return code.co_varnames[: self.num_inputs]

    def grids(
        self,
        *shape: int,
        dtype: torch.dtype = torch.float64,
        seed: int = 0,
        step: float | None = None,
    ) -> list[Tensor]:
        """Random leaves in [-1, 1], or multiples of `step` in it, where exact ties abound."""
        generator = torch.Generator().manual_seed(seed)
        grids = [
            torch.rand(shape, generator=generator, dtype=torch.float64) * 2 - 1
            for _ in range(self.num_inputs)
        ]
        if step is not None:
            grids = [(grid / step).round() * step for grid in grids]
        return [grid.to(dtype).requires_grad_() for grid in grids]


SMOOTH = [
    Kernel("fsd", fsd_score, 3, {"gamma": 0.3}),
    Kernel("lcs-greedy-smooth", lcs_score, 1, {"threshold": 0.1, "gamma": 0.3}),
    Kernel("lcs-optimal-smooth", lcs_score, 1, {"threshold": 0.1, "gamma": 0.3, "mode": "optimal"}),
    Kernel("dtw", soft_dtw, 1, {"gamma": 0.3}),
    Kernel("dtw-band", soft_dtw, 1, {"gamma": 0.3, "bandwidth": 3}),
    Kernel("global", needleman_wunsch, 3, {"gamma": 0.3}),
    Kernel("local", smith_waterman, 3, {"gamma": 0.3}),
]
HARD = [
    Kernel("fsd-hard", fsd_score, 3, {"gamma": 0.0}),
    Kernel("lcs-greedy", lcs_score, 1, {"threshold": 0.1, "gamma": 0.0}),
    Kernel("lcs-optimal", lcs_score, 1, {"threshold": 0.1, "gamma": 0.0, "mode": "optimal"}),
    Kernel("dtw-hard", soft_dtw, 1, {"gamma": 0.0}),
    Kernel("dtw-band-hard", soft_dtw, 1, {"gamma": 0.0, "bandwidth": 3}),
    Kernel("global-hard", needleman_wunsch, 3, {"gamma": 0.0}),
    Kernel("local-hard", smith_waterman, 3, {"gamma": 0.0}),
]
KERNELS = SMOOTH + HARD


def each(kernels: list[Kernel]) -> pytest.MarkDecorator:
    """Runs a test once for each of the kernels, as its argument `kernel`."""
    return pytest.mark.parametrize("kernel", kernels, ids=[kernel.name for kernel in kernels])


each_kernel = each(KERNELS)
each_backend = pytest.mark.parametrize("backend", HERE)
each_fast_backend = pytest.mark.parametrize("backend", FAST)


def value_and_gradients(kernel: Kernel, grids: list[Tensor], **options: Any) -> tuple[Tensor, ...]:
    """The scores and, for an upstream gradient that differs by pair, a gradient for each grid."""
    value = kernel(*grids, **options)
    upstream = torch.linspace(-1, 2, len(value), dtype=value.dtype)
    return value.detach(), *torch.autograd.grad(value, grids, upstream)
