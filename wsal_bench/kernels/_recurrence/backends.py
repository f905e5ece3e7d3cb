"""The backends of the recurrence, and the rule that chooses one."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from difflib import get_close_matches
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from types import MappingProxyType
from typing import Protocol, TypeVar

import torch
from torch import Tensor

from wsal_bench.kernels._recurrence.rules import Rules

LOG = logging.getLogger("wsal_bench.kernels")

# name: module with a function `score`; imported when first used
BACKENDS: Mapping[str, str] = MappingProxyType(
    {
        "reference": "wsal_bench.kernels._recurrence.reference",
        "torch": "wsal_bench.kernels._recurrence.torch_backend",
        "cpu": "wsal_bench.kernels._recurrence.cpu",
        "cuda": "wsal_bench.kernels._recurrence.cuda",
    }
)

Backend = TypeVar("Backend")


class Score(Protocol):
    """The function `score` of a backend's module; see `_recurrence.rules`."""

    def __call__(
        self,
        rules: Rules,
        match: Tensor,
        insert: Tensor | None,
        delete: Tensor | None,
        *,
        gamma: float,
        lengths: Tensor | None,
        check: bool,
    ) -> Tensor: ...


def backend_for(name: str, device: torch.device, dtype: torch.dtype) -> Score:
    """The backend called `name`; "auto" chooses by device and precision.

    The rule of "auto":

    - CPU, float32 or float64: `cpu`;
    - anything else: `torch`, on CUDA too: `cuda` was tested by interpretation and compiled, but has
      not run on a device yet, so it has to be asked for by name.

    The dtype is that of the computation, so half precision counts as float32. The choice is logged
    once for each device and dtype (logger "wsal_bench.kernels", level INFO).

    Raises:
        ValueError: no backend has that name, or it does not work on that device.
    """
    return chosen(name, device.type, dtype)


@lru_cache
def chosen(name: str, device: str, dtype: torch.dtype) -> Score:
    """`backend_for`, which looks things up once: a small problem costs little more than that."""
    return _load(_automatic(device, dtype) if name == "auto" else name, device)


def _automatic(device: str, dtype: torch.dtype) -> str:
    """What "auto" stands for; see `backend_for`."""
    on_cpu = device == "cpu" and dtype in (torch.float32, torch.float64)
    name = "cpu" if on_cpu else "torch"
    LOG.info("alignment kernels: %s for %s on %s", name, str(dtype).removeprefix("torch."), device)
    return name


def _load(name: str, device: str) -> Score:
    module = choose(BACKENDS, name)
    if name in ("cpu", "cuda") and name != device:
        reason = f"backend {name!r} needs tensors on {name}, these are on {device}"
        if name == "cuda" and not torch.cuda.is_available():
            reason += "; there is no CUDA device here"
        raise ValueError(f"{reason}; 'auto' and 'torch' work on every device")
    if name == "cuda" and not _has_triton():
        raise ValueError(
            "backend 'cuda' needs triton 3.2 or newer (pip install triton); 'torch' works without"
        )
    found: Score = import_module(module).score
    return found


def _has_triton() -> bool:
    """Whether triton is there, and new enough: `gather` came with 3.2."""
    return find_spec("triton") is not None and hasattr(import_module("triton.language"), "gather")


def choose(backends: Mapping[str, Backend], name: str, *, auto: str = "auto") -> Backend:
    """The backend called `name`; "auto" stands for the one called `auto`.

    Raises:
        ValueError: no backend has that name.
    """
    key = auto if name == "auto" else name
    if key not in backends:
        known = ["auto", *backends]
        nearest = "".join(f"did you mean {x!r}? " for x in get_close_matches(name, known, n=1))
        raise ValueError(f"no backend {name!r}; {nearest}there are: {', '.join(known)}")
    return backends[key]
