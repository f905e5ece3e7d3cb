"""What `profile kernels` measures: each kernel on random input of a size, and the peers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor

from wsal_bench import kernels
from wsal_bench.kernels.cosine import BACKENDS as COSINE_BACKENDS

REFERENCE = "reference"
TSLEARN = "tslearn"


@dataclass(frozen=True)
class Subject:
    """A kernel as it is measured.

    Args:
        function: of the kernel.
        num_inputs: tensors that it takes.
        options: its other arguments.
        features: it takes features [B, L, D] and not grids [B, L, L].
        backends: that it has.
        peers: other libraries that compute the same.
    """

    function: Callable[..., Tensor]
    num_inputs: int
    options: Mapping[str, Any] = field(default_factory=dict)
    features: bool = False
    backends: tuple[str, ...] = tuple(kernels.BACKENDS)
    peers: tuple[str, ...] = ()

    @property
    def hard(self) -> bool:
        """A hard maximum, which takes another path where precision decides a near tie."""
        return not self.features and self.options.get("gamma") == 0.0

    def inputs(self, batch: int, length: int, dim: int, dtype: torch.dtype) -> list[Tensor]:
        """Random tensors in [0, 1); equal sizes, equal values; negative gates and gaps."""
        generator = torch.Generator().manual_seed(0)
        shape = (batch, length, dim if self.features else length)
        draw = [torch.rand(shape, generator=generator) for _ in range(self.num_inputs)]
        if not self.features:
            draw[1:] = [-grid for grid in draw[1:]]
        return [tensor.to(dtype) for tensor in draw]

    def call(self, backend: str, *inputs: Tensor) -> Tensor:
        """What a backend or a peer computes."""
        if backend == TSLEARN:
            return _tslearn(inputs[0], float(self.options["gamma"]))
        return self.function(*inputs, **self.options, backend=backend)


SUBJECTS: Mapping[str, Subject] = MappingProxyType(
    {
        "fsd_score": Subject(kernels.fsd_score, 2, {"gamma": 0.1}),
        "lcs_score": Subject(kernels.lcs_score, 1, {"threshold": 0.875, "gamma": 0.0}),
        "soft_dtw": Subject(kernels.soft_dtw, 1, {"gamma": 0.1}, peers=(TSLEARN,)),
        "needleman_wunsch": Subject(kernels.needleman_wunsch, 3, {"gamma": 0.1}),
        "smith_waterman": Subject(kernels.smith_waterman, 3, {"gamma": 0.1}),
        "cosine_similarity": Subject(
            kernels.cosine_similarity, 2, features=True, backends=tuple(COSINE_BACKENDS)
        ),
    }
)


def _tslearn(cost: Tensor, gamma: float) -> Tensor:
    """Soft-DTW of tslearn on costs that are there already: its loss without the distances."""
    peer = import_module("tslearn.metrics")  # optional, so no checker knows it
    loss = peer.SoftDTWLossPyTorch(gamma=gamma, dist_func=lambda x, y: cost)
    found: Tensor = loss(cost, cost)
    return found
