"""Clocks around the kernels of a training step, forward and backward, without touching its code.

Every name that stands for a kernel in a loaded module stands for a timed one while `timed_kernels`
is open. Markers at a kernel's inputs and output time its backward: autograd runs the nodes that
were made later first, so those of one kernel are run without others in between.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from time import perf_counter
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from wsal_bench import kernels

SIMILARITY, KERNELS = "similarity", "kernels"
_SCORES = ("fsd_score", "lcs_score", "soft_dtw", "soft_dtw_divergence", "needleman_wunsch")
PARTS = {
    kernels.cosine_similarity: SIMILARITY,
    **{getattr(kernels, name): KERNELS for name in (*_SCORES, "smith_waterman")},
}


class Clock:
    """Seconds by part.

    Args:
        device: is waited for before the time is read.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.seconds: dict[str, float] = defaultdict(float)

    def now(self) -> float:
        """Seconds since some moment."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return perf_counter()

    def timed(self, part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The same function, with its seconds added to a part."""

        @wraps(function)
        def run(*args: Any, **options: Any) -> Any:
            began = self.now()
            try:
                return function(*args, **options)
            finally:
                self.seconds[part] += self.now() - began

        return run


class _Marker(torch.autograd.Function):
    """Gives its input back and tells `seen` when the gradient passes."""

    @staticmethod
    def forward(ctx: Any, value: Tensor, seen: Callable[[], None]) -> Tensor:
        ctx.seen = seen
        return value.view_as(value)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        ctx.seen()
        return gradients[0], None


@contextmanager
def timed_kernels(
    clock: Clock, instead: Mapping[Callable[..., Any], Callable[..., Any]] | None = None
) -> Iterator[None]:
    """Times kernels in all loaded modules but their own; backward as "<part> backward".

    Args:
        clock: gets the seconds.
        instead: kernel -> what runs, and is timed, in its place.
    """
    replaced: list[tuple[ModuleType, str, Any]] = []
    timed = {
        function: _timed(clock, part, (instead or {}).get(function, function))
        for function, part in PARTS.items()
    }
    for name, module in list(sys.modules.items()):
        if name.startswith(("wsal_bench.kernels", "wsal_bench.profiling")):
            continue
        for key, value in list(getattr(module, "__dict__", {}).items()):
            if callable(value) and str(getattr(value, "__module__", "")).startswith(
                "wsal_bench.kernels"
            ):
                known = timed.get(value)
                if known is not None:
                    replaced.append((module, key, value))
                    setattr(module, key, known)
    try:
        yield
    finally:
        for module, key, value in replaced:
            setattr(module, key, value)


def _timed(clock: Clock, part: str, function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    forward = clock.timed(part, function)

    @wraps(function)
    def run(*inputs: Any, **options: Any) -> Tensor:
        span = _Span(clock, f"{part} backward")
        marked: dict[int, Any] = {}  # one tensor as two inputs stays one tensor
        for value in inputs:
            wanted = isinstance(value, Tensor) and value.requires_grad
            if wanted:
                value_in = _Marker.apply(value, span.end)  # type: ignore[no-untyped-call]
            marked[id(value)] = value_in if wanted else value
        found: Tensor = forward(*(marked[id(value)] for value in inputs), **options)
        if not found.requires_grad:
            return found
        out: Tensor = _Marker.apply(found, span.begin)  # type: ignore[no-untyped-call]
        return out

    return run


class _Span:
    """From the gradient of a kernel's output to the last of those of its inputs."""

    def __init__(self, clock: Clock, part: str) -> None:
        self.clock, self.part, self.since = clock, part, 0.0

    def begin(self) -> None:
        self.since = self.clock.now()

    def end(self) -> None:
        now = self.clock.now()
        self.clock.seconds[self.part] += now - self.since
        self.since = now
