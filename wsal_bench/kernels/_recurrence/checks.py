"""Checks of a kernel's arguments, and the precision in which it computes."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import reduce

import torch
from torch import Tensor


def check_tensor(name: str, value: Tensor, shape: Sequence[str]) -> None:
    """Raises unless `value` is a real floating-point tensor with as many dimensions as `shape`.

    Raises:
        TypeError: `value` is not a tensor.
        ValueError: its shape or dtype is another.
    """
    if not isinstance(value, Tensor):
        raise TypeError(f"{name} is a {type(value).__name__}, expected a torch.Tensor")
    if value.ndim != len(shape):
        raise ValueError(f"{name} has shape {list(value.shape)}, expected [{', '.join(shape)}]")
    if not value.is_floating_point():
        raise ValueError(f"{name} has dtype {value.dtype}, expected a floating-point one")


def check_grids(**grids: Tensor) -> None:
    """Raises unless all are [B, N, M] of one shape on one device; keywords are argument names."""
    for name, grid in grids.items():
        check_tensor(name, grid, "BNM")
    (first_name, first), *others = grids.items()
    for name, grid in others:
        if grid.shape != first.shape:
            raise ValueError(
                f"{name} has shape {list(grid.shape)} but {first_name} has {list(first.shape)}; "
                "they have to be the same"
            )
        check_device(name, grid, first_name, first)


def check_device(name: str, value: Tensor, other_name: str, other: Tensor) -> None:
    """Raises ValueError unless both tensors are on one device."""
    if value.device != other.device:
        raise ValueError(
            f"{name} is on {value.device} but {other_name} is on {other.device}; "
            "they have to be on the same device"
        )


def in_working_precision(*tensors: Tensor) -> tuple[Tensor, ...]:
    """The tensors in one dtype, float32 or wider: half precision is too coarse to add up paths.

    The conversion is differentiable, so each input gets its gradient in its own dtype.
    """
    dtype = reduce(torch.promote_types, (tensor.dtype for tensor in tensors), torch.float32)
    return tuple(tensor.to(dtype) for tensor in tensors)


def without_autocast(device: torch.device) -> AbstractContextManager[object]:
    """A context in which autocast does not lower the precision of what runs on `device`."""
    if torch.amp.is_autocast_available(device.type) and torch.is_autocast_enabled(device.type):
        return torch.autocast(device.type, enabled=False)
    return nullcontext()


def empty_score(*grids: Tensor) -> Tensor:
    """[B] zeros for grids without a cell, with zero gradients: the score is the border's."""
    return torch.stack([grid.sum(dim=(1, 2)) for grid in grids]).sum(dim=0)
