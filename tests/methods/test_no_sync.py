"""A training step of FTCL never needs a value of a tensor, so an accelerator never waits for it."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from wsal_bench.api import Task
from wsal_bench.timegrid import TimeGrid
from wsal_bench.training.hooks import Progress
from wsal_bench.training.sampling import PairPolicy, pair_batches
from wsal_bench.types import WeakVideo
from wsal_methods import ftcl

# operators whose result, or the result's shape, has to be known on the host
WAITING = {"_local_scalar_dense", "nonzero", "masked_select", "equal", "unique_dim", "_unique2"}


class Waits(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Notes every operator that would make the host wait for an accelerator."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.found: list[str] = []

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        name = func.overloadpacket.__name__
        masks = name in ("index", "index_put", "index_put_") and any(
            isinstance(index, Tensor) and index.dtype == torch.bool for index in args[1]
        )
        if name in WAITING or masks:
            self.found.append(name)
        return func(*args, **(kwargs or {}))


def test_waits_are_noticed() -> None:
    values = torch.arange(3.0)
    with Waits() as waits:
        values.sum().item()
        values[values > 1]
    assert waits.found[:2] == ["_local_scalar_dense", "index"]


@pytest.mark.parametrize("shuffle", [False, True])
def test_forward_loss_and_backward_wait_for_nothing(shuffle: bool) -> None:
    """On the meta device tensors have no values, so whatever asks for one raises, too.

    The kernels do there what they do on CUDA without triton. On a CPU, where nothing waits, they
    look at their input.
    """
    rng = np.random.default_rng(0)
    videos = [
        WeakVideo(
            video_id=f"v{i}",
            features=rng.random((40, 16), np.float32),
            grid=TimeGrid(fps=25, stride=16),
            labels=np.eye(3, dtype=np.float32)[i % 3],
        )
        for i in range(9)
    ]
    config = ftcl.Method.Config(fsd_dim=8, shuffle_candidates=shuffle)
    method = ftcl.Method(config, Task(feature_dim=16, class_names=("a", "b", "c")))
    network = method.network().to("meta")
    batch = next(iter(pair_batches(videos, rng, PairPolicy(4, 40)))).to("meta")
    with Waits() as waits:
        terms = method.loss(method.forward(network, batch), batch, Progress())
        torch.stack(list(terms.values())).sum().backward()  # type: ignore[no-untyped-call]
    assert waits.found == []
