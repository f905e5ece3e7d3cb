"""How far a method of ours is from numbers that its authors' published code gives.

A method is added by one module in this folder with a `PUBLISHED` in it. `worst(path)` is what
tables print; `python -m tests.methods.published.agreement` prints it for every file.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

import tests.methods.published as folder
from tests.golden_files import golden_files
from wsal_bench.api import Batch, Progress, Task, TrainableMethod

Golden = Mapping[str, NDArray[Any]]
Named = Mapping[str, Tensor]
SMALLEST_SCALE = 1e-12  # an array whose numbers are all below it is compared as it is


def batch_of(golden: Golden, *, training: bool) -> Batch:
    """All videos of a file, none of them padded."""
    features = torch.from_numpy(golden["x"])
    num, length = features.shape[:2]
    return Batch(
        features=features,
        lengths=torch.full((num,), length),
        labels=torch.from_numpy(golden["y"]),
        times=torch.arange(length + 1.0, dtype=torch.float64).repeat(num, 1),
        indices=torch.arange(num),
    )


def nothing_to_prepare(network: nn.Module, golden: Golden, training: bool) -> None:
    """The default of `Published.prepare`."""


def without_terms(method: Any, outputs: Any, batch: Batch) -> Named:
    """The default of `Published.parts`."""
    return {}


@dataclass(frozen=True)
class Published:
    """One method, its files, and what its published names are called here.

    Args:
        files: stems of the golden files.
        method: the class.
        options: of its Config, read from `cfg_...`; dropouts are 0 whatever this says.
        names: modules or parameters of our network -> published ones.
        outputs: outputs of a forward pass -> published name (without `eval_`, `train_`) -> value.
        weights: term of our loss -> published name of the part, and its weight, which is divided
            out.
        parts: published parts that are no terms of ours, from method, outputs and batch.
        batch: the file's videos; `training` says for which pass.
        prepare: changes a network before a pass, for example to the file's random mask.
        unused: parameters that the published network declares and never uses.
        beyond: published outputs without a counterpart, each with a reason in a comment.
        noise: keys of the file (`grad_...`, ...) that are rounding errors of 0: compared as they
            are, not relative to their scale.
    """

    files: tuple[str, ...]
    method: type[TrainableMethod]
    options: Callable[[Golden], Mapping[str, Any]]
    names: Mapping[str, str]
    outputs: Callable[[Any], Named]
    weights: Callable[[Any], Mapping[str, Part]]
    parts: Callable[[Any, Any, Batch], Named] = without_terms
    batch: Callable[..., Batch] = batch_of
    prepare: Callable[[nn.Module, Golden, bool], None] = nothing_to_prepare
    unused: frozenset[str] = frozenset()
    beyond: frozenset[str] = frozenset()
    noise: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Part:
    """A published part of a loss."""

    name: str
    weight: float = 1.0


@dataclass(frozen=True)
class Worst:
    """The largest differences of one file, relative to the scale of each array.

    Args:
        outputs: of the network, in evaluation and in training mode.
        losses: of the parts and the total.
        gradients: of the total, by parameter.
    """

    outputs: float
    losses: float
    gradients: float


@dataclass
class Comparison:
    """Collects the differences of one file by key; a key that is missing is an error."""

    golden: Golden
    noise: frozenset[str]
    found: dict[str, float] = field(default_factory=dict)

    def add(self, key: str, value: Tensor) -> None:
        expected = self.golden[key]
        mine = value.detach().double().numpy().reshape(expected.shape)
        scale = float(np.abs(expected).max(initial=0))
        if key in self.noise or scale < SMALLEST_SCALE:
            scale = 1.0
        self.found[key] = float(np.abs(mine - expected).max(initial=0)) / scale


@cache
def published_methods() -> Mapping[str, Published]:
    """By stem of the golden file."""
    modules = [name for _, name, _ in pkgutil.iter_modules(folder.__path__)]
    found = [
        getattr(importlib.import_module(f"{folder.__name__}.{name}"), "PUBLISHED", None)
        for name in modules
    ]
    return {stem: item for item in found if item is not None for stem in item.files}


@cache
def differences(path: Path) -> Mapping[str, float]:
    """Key of a golden file -> largest difference, relative to the largest number of the array.

    Raises:
        AssertionError: an output, a part, a parameter or a gradient has no counterpart.
    """
    published = published_methods()[path.stem]
    with np.load(path) as content:
        golden: Golden = dict(content)
    compared = Comparison(golden, published.noise)
    method, network = _built(published, golden)
    _run(published, compared, method, network, training=False)
    terms, parts = _run(published, compared, method, network, training=True)
    total = torch.stack(list(terms.values())).sum()
    for name, value in {**parts, "total": total}.items():
        compared.add(f"loss_{name}", value)
    network.zero_grad()
    total.backward()  # type: ignore[no-untyped-call]
    for ours, parameter in network.named_parameters():
        gradient = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        compared.add(f"grad_{_renamed(ours, published.names)}", gradient)
    wanted = {key for key in golden if key.startswith(("eval_", "train_", "loss_", "grad_"))}
    wanted -= {f"{mode}_{name}" for mode in ("eval", "train") for name in published.beyond}
    assert set(compared.found) == wanted, sorted(set(compared.found) ^ wanted)
    return compared.found


def worst(path: Path) -> Worst:
    """The largest differences of a golden file."""
    found = differences(path)

    def largest(*beginnings: str) -> float:
        return max(value for key, value in found.items() if key.startswith(beginnings))

    return Worst(largest("eval_", "train_"), largest("loss_"), largest("grad_"))


def _built(published: Published, golden: Golden) -> Any:
    kind = published.method
    options = {name: np.asarray(value).item() for name, value in published.options(golden).items()}
    dropouts = {name: 0.0 for name in kind.Config.fields() if name.startswith("dropout")}
    classes = tuple(f"class {index}" for index in range(golden["y"].shape[1]))
    task = Task(feature_dim=golden["x"].shape[2], class_names=classes)
    method = kind(kind.Config(**dropouts | options), task)
    network = method.network().double()
    names = {ours: _renamed(ours, published.names) for ours in network.state_dict()}
    given = {key.removeprefix("param_") for key in golden if key.startswith("param_")}
    assert set(names.values()) == given - published.unused, set(names.values()) ^ given
    state = {
        ours: torch.from_numpy(golden[f"param_{names[ours]}"]).reshape(value.shape)
        for ours, value in network.state_dict().items()
    }
    network.load_state_dict(state)
    return method, network


def _run(
    published: Published, compared: Comparison, method: Any, network: nn.Module, *, training: bool
) -> tuple[Named, Named]:
    """Compares the outputs of one pass; our terms and the published parts of its loss."""
    golden = compared.golden
    network.train(training)
    published.prepare(network, golden, training)
    batch = published.batch(golden, training=training)
    outputs = method.forward(network, batch)
    mode = "train" if training else "eval"
    for name, value in published.outputs(outputs).items():
        if f"{mode}_{name}" in golden:
            compared.add(f"{mode}_{name}", value)
    terms = method.loss(outputs, batch, Progress())
    weights = published.weights(method.config)
    parts = {weights[name].name: value / weights[name].weight for name, value in terms.items()}
    return terms, {**parts, **published.parts(method, outputs, batch)}


def _renamed(ours: str, names: Mapping[str, str]) -> str:
    """A parameter's published name: its own entry, or that of its module and its kind."""
    if ours in names:
        return names[ours]
    module, _, kind = ours.rpartition(".")
    return f"{names[module]}.{kind}"


if __name__ == "__main__":
    for golden_file in golden_files("methods", "*.npz"):
        if golden_file.stem in published_methods():
            print(golden_file.stem, worst(golden_file))  # noqa: T201
