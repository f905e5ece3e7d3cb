"""A training step never needs a value of a tensor, so an accelerator never waits for it."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from wsal_bench import plugins
from wsal_bench.api import Task
from wsal_bench.config import Layer, build
from wsal_bench.timegrid import TimeGrid
from wsal_bench.training.hooks import Progress
from wsal_bench.training.trainable import TrainableMethod
from wsal_bench.types import WeakVideo

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


def forms() -> list[Any]:
    """Every form of every method of ours that learns by gradients."""
    return [
        pytest.param(method, options, id=f"{name}:{form}")
        for name in plugins.available("methods")
        for method in [plugins.load("methods", name)]
        if issubclass(method, TrainableMethod)
        for form, options in ({**method.variants, **method.controls} or {"only": {}}).items()
    ]


@pytest.mark.parametrize(("kind", "options"), forms())
def test_forward_loss_and_backward_wait_for_nothing(
    kind: type[TrainableMethod], options: Mapping[str, Any]
) -> None:
    """On the meta device tensors have no values, so whatever asks for one raises, too.

    The kernels do there what they do on CUDA without triton. On a CPU, where nothing waits, they
    look at their input.
    """
    rng = np.random.default_rng(0)
    videos = [
        WeakVideo(
            video_id=f"v{i}",
            features=rng.random((40 + i, 16), np.float32),
            grid=TimeGrid(fps=25, stride=16),
            labels=np.eye(3, dtype=np.float32)[i % 3],
        )
        for i in range(9)
    ]
    widths = {name: 8 for name in kind.Config.fields() if name.endswith(("_hidden", "fsd_dim"))}
    given = Layer("test", {"num_snippets": 40, **widths, **options})
    config = build(kind.Config, [given], owner="it")
    method = kind(config, Task(feature_dim=16, class_names=("a", "b", "c")))
    network = method.network().to("meta")
    batch = next(iter(method.batches(videos, rng, Progress()))).to("meta")
    with Waits() as waits:
        terms = method.loss(method.forward(network, batch), batch, Progress())
        torch.stack(list(terms.values())).sum().backward()  # type: ignore[no-untyped-call]
    assert waits.found == []
