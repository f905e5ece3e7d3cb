"""Needs a parent that fails."""

# mypy: ignore-errors
# it inherits from a plugin of this folder, which only a run adds to the path

from collections.abc import Mapping
from typing import ClassVar

from wsal_bench.api import Artifact
from wsal_methods import toy


class Method(toy.Method):
    """Never gets to learn."""

    groups = ()
    needs: ClassVar[Mapping[str, Artifact]] = {"start": Artifact("moody")}
