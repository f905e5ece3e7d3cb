"""Checks of a kernel's arguments, and the precision in which it computes.

The checks cost as much as a small kernel, so each is one comparison where all is well.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache, reduce

import torch
from torch import Tensor

from wsal_bench.kernels._recurrence.rules import Rules

NOTHING = nullcontext()


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


def check_grids(names: Sequence[str], first: Tensor, *others: Tensor | None) -> None:
    """Raises unless all are [B, N, M] of one shape, on one device and of fitting dtypes.

    Args:
        names: of all the arguments.
        first: the first one.
        *others: the rest; None is fine.
    """
    first_name, checked = names[0], first
    check_tensor(first_name, first, "BNM")
    for name, grid in zip(names[1:], others, strict=True):
        if grid is None or grid is checked:
            continue
        checked = grid
        check_tensor(name, grid, "BNM")
        if grid.shape != first.shape:
            raise ValueError(
                f"{name} has shape {list(grid.shape)} but {first_name} has {list(first.shape)}; "
                "they have to be the same"
            )
        if grid.dtype is not first.dtype or grid.device != first.device:
            check_alike(name, grid, first_name, first)


def check_alike(name: str, value: Tensor, other_name: str, other: Tensor) -> None:
    """Raises ValueError unless both tensors are on one device and of one precision.

    Half precision goes with float32, in which both are then computed. float64 goes only with
    float64: one float32 input among them is most likely a mistake, and costs the precision.
    """
    if value.dtype != other.dtype and torch.float64 in (value.dtype, other.dtype):
        raise ValueError(
            f"{name} has dtype {value.dtype} but {other_name} has {other.dtype}; "
            "convert one of them, so that they are the same"
        )
    check_device(name, value, other_name, other)


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


def check_lengths(
    lengths: Tensor, shape: Sequence[int], device: torch.device, *, check: bool
) -> Tensor:
    """The lengths of grids of a shape [B, N, M], as int64.

    On a CPU they are always looked at, as they say where to read. Elsewhere and without `check`
    nothing waits for the device: it finds lengths out of range itself, when it gets there.

    Raises:
        TypeError: they are not a tensor.
        ValueError: they are not whole numbers [B, 2] on the device of the grids, or they are out
            of range.
    """
    if not isinstance(lengths, Tensor):
        raise TypeError(f"lengths is a {type(lengths).__name__}, expected a torch.Tensor")
    batch, *sizes = shape
    if lengths.shape != (batch, 2):
        raise ValueError(f"lengths has shape {list(lengths.shape)}, expected [B, 2] = [{batch}, 2]")
    if lengths.is_floating_point() or lengths.is_complex() or lengths.dtype == torch.bool:
        raise ValueError(f"lengths has dtype {lengths.dtype}, expected whole numbers (int64)")
    if lengths.device != device:
        raise ValueError(
            f"lengths is on {lengths.device} but what it belongs to is on {device}; "
            "they have to be on the same device"
        )
    lengths = lengths.to(torch.int64)
    rows, columns = lengths.unbind(dim=1)
    fits = (rows >= 0) & (columns >= 0) & (rows <= sizes[0]) & (columns <= sizes[1])
    if not check and device.type != "cpu":
        if lengths.device.type == "cuda":
            torch._assert_async(fits.all(), "lengths out of range")
        return lengths
    if not fits.all():
        pair = int((~fits).nonzero()[0])
        raise ValueError(
            f"lengths of pair {pair} are {lengths[pair].tolist()}, expected 0 to {sizes[0]} "
            f"and 0 to {sizes[1]}, as [N, M] of the grids is {sizes}"
        )
    return lengths


def check_band(band: int, match: Tensor, lengths: Tensor | None, *, check: bool) -> None:
    """Raises ValueError where a band |i - j| <= `band` does not reach a pair's last cell."""
    if lengths is None:
        rows, columns = match.shape[1:]
        if rows and columns and abs(rows - columns) > band:
            raise ValueError(
                f"bandwidth {band} is too small to reach the corner of [N, M] = [{rows}, "
                f"{columns}], expected at least {abs(rows - columns)}"
            )
    elif check:
        missed = ((lengths[:, 0] - lengths[:, 1]).abs() > band) & (lengths > 0).all(dim=1)
        if missed.any():
            pair = int(missed.nonzero()[0])
            first, second = lengths[pair].tolist()
            raise ValueError(
                f"bandwidth {band} is too small to reach the corner of pair {pair}, whose lengths "
                f"are {first} and {second}, expected at least {abs(first - second)}"
            )


def without_autocast(device: torch.device) -> AbstractContextManager[object]:
    """A context in which autocast does not lower the precision of what runs on `device`."""
    return torch.autocast(device.type, enabled=False) if autocasts(device) else NOTHING


def autocasts(device: torch.device) -> bool:
    """Whether autocast is on for what runs on `device`."""
    return _has_autocast(device.type) and torch.is_autocast_enabled(device.type)


@lru_cache
def _has_autocast(kind: str) -> bool:
    return torch.amp.is_autocast_available(kind)


def inside(rules: Rules, grid: Tensor, lengths: Tensor | None) -> Tensor:
    """Which cells of [B, N, M] exist: within the lengths and the band; broadcasts to that shape."""
    row = torch.arange(grid.shape[1], device=grid.device)[:, None]
    column = torch.arange(grid.shape[2], device=grid.device)
    exists = torch.ones(1, 1, 1, dtype=torch.bool, device=grid.device)
    if rules.band is not None:
        exists = ((row - column).abs() <= rules.band)[None]
    if lengths is not None:
        ends = lengths[:, :, None, None]
        exists = exists & (row < ends[:, 0]) & (column < ends[:, 1])
    return exists


def refuse_not_finite(
    rules: Rules,
    match: Tensor,
    insert: Tensor | None,
    delete: Tensor | None,
    lengths: Tensor | None,
) -> None:
    """Raises ValueError where a cell holds what `not_finite` names. Waits for the device."""
    exists = inside(rules, match, lengths)
    for place, weights in enumerate((match, insert, delete)):
        if weights is None:
            continue
        # A weight of -inf forbids a move; of a match nothing sensible is infinite.
        fine = weights < torch.inf if place else weights.isfinite()
        bad = ~fine & exists
        if bad.any():
            raise not_finite(rules, place, int(bad.flatten(1).any(dim=1).nonzero()[0]))


def not_finite(rules: Rules, place: int, pair: int) -> ValueError:
    """The error for a value that is NaN or infinite.

    Args:
        rules: with the names of the arguments.
        place: 0: match, which has to be finite; 1: insert, 2: delete, which may also be -inf.
        pair: index of the first such pair of the batch.
    """
    expected = "numbers below inf (-inf forbids a move)" if place else "finite numbers"
    return ValueError(
        f"{rules.names[place]} holds NaN or infinite values in pair {pair}; expected {expected}"
    )
