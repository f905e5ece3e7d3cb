"""Begins with the weights of `toy`."""

# mypy: ignore-errors
# it inherits from a plugin of this folder, which only a run adds to the path

from collections.abc import Mapping
from typing import Any, ClassVar

from torch import nn

from wsal_bench.api import Artifact
from wsal_methods import toy


class Config(toy.Config):
    """Shares the width with its parent."""

    epochs: int = 4


class Method(toy.Method):
    """A toy that was a toy before."""

    Config = Config
    groups = ()
    variants: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "first": {},
        "second": {"learning_rate": 0.02},
    }
    controls: ClassVar[Mapping[str, Mapping[str, Any]]] = {"idle": {"learning_rate": 1e-9}}
    needs: ClassVar[Mapping[str, Artifact]] = {"start": Artifact("toy", shared=("width",))}

    def initial_weights(self, network: nn.Module) -> None:
        network.load_state_dict(dict(self.parents["start"].weights), strict=True)
