"""Refuses data without a stream called flow."""

# mypy: ignore-errors
# it inherits from a plugin of this folder, which only a run adds to the path

from collections.abc import Mapping
from typing import Any

from wsal_bench.api import Parent, Task
from wsal_methods import plain


class Method(plain.Method):
    """Needs two streams."""

    groups = ()

    def __init__(self, config: Any, task: Task, parents: Mapping[str, Parent] | None = None):
        super().__init__(config, task, parents)
        task.require_streams("rgb", "flow")
