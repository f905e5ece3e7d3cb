"""The smooth maximum on a CPU: what `cpu_lanes` needs, from tensors and rules."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from wsal_bench.kernels._recurrence.cpu_arrays import (
    NUMPY,
    ROOM,
    Grids,
    band_of,
    border_of,
    known_lengths,
    new_grid,
)
from wsal_bench.kernels._recurrence.cpu_threads import in_threads
from wsal_bench.kernels._recurrence.rules import Rules

NO_ORDER = np.empty(0, np.int64)
LANES = 16  # as in `cpu_vectors`, which imports numba


@dataclass(frozen=True)
class Numbers:
    """The numbers that a precision computes with.

    Attributes:
        real: numpy's type of the floats.
        whole: of the exponents.
        low: exponent of what is 0.
        reach: limit of the sum of exponents along a path.
    """

    real: Any
    whole: Any
    low: Any
    reach: float


NUMBERS = {
    torch.float32: Numbers(np.float32, np.int32, np.int32(-(2**30)), 2.0**28),
    torch.float64: Numbers(np.float64, np.int64, np.int64(-(2**62)), 2.0**60),
}


@lru_cache
def _compiled() -> Any:
    from wsal_bench.kernels._recurrence import cpu_lanes

    return cpu_lanes


@dataclass(frozen=True, eq=False)
class Setting:
    """Rules and shape in the terms of the compiled code.

    Attributes:
        sign: of a match in the score.
        low: exponent of what is 0.
        units: what turns a match and a gap weight into a power of two.
        scale: what turns a power of two into a score.
        limit: largest exponent that an input may have, as bits of a float.
        border: one of its numbers.
        band: largest |i - j|.
        diagonal: None, or the threshold and whether a match above it is always taken.
    """

    sign: int
    low: Any
    units: tuple[Any, Any]
    scale: float
    limit: int
    border: int
    band: int
    diagonal: tuple[Any, Any] | None


@lru_cache
def _setting(
    rules: Rules, gamma: float, shape: tuple[int, int, int], dtype: torch.dtype
) -> Setting:
    numbers = NUMBERS[dtype]
    unit, sign = math.log2(math.e) / gamma, -1 if rules.negate else 1
    threshold = -math.inf if rules.threshold is None else rules.threshold
    pair = numbers.real(threshold), numbers.real(rules.greedy)
    return Setting(
        sign=sign,
        low=numbers.low,
        units=(numbers.real(sign * unit), numbers.real(unit)),
        scale=sign * gamma * math.log(2),
        limit=int(numbers.real(numbers.reach / (shape[1] + shape[2])).view(numbers.whole)),
        border=border_of(rules),
        band=band_of(rules, shape),
        diagonal=pair if rules.match_on == "diagonal" else None,
    )


@dataclass(eq=False, slots=True)  # not frozen: made at each call, and that would cost more
class Smooth:
    """What backward needs of a forward; arrays as `cpu_lanes` describes them."""

    setting: Setting
    shape: tuple[int, int, int]
    lengths: Any
    order: Any
    shares: Any
    local: Any
    score: Any
    gaps: int

    def __del__(self) -> None:
        for share in self.shares:
            ROOM.give_back(share)

    def gradients(self, upstream: Tensor) -> list[Tensor | None]:
        """Gradients of match, insert and delete; insert's is that of both if they are one."""
        setting, shape = self.setting, self.shape
        found = [new_grid(shape, upstream.dtype) if n <= self.gaps else None for n in range(3)]
        match, insert, delete = (None if x is None else x.data_ptr() for x in found)
        on_diagonal = None if setting.diagonal is None else 1

        def compute(first: int, last: int) -> int:
            _compiled().backward(
                (first, last), self.order, self.lengths, shape, self.shares, setting.border,
                setting.band, on_diagonal, self.local, self.score, upstream.data_ptr(),
                upstream.stride(0), match, insert, delete, setting.sign, setting.low,
            )  # fmt: skip
            return 0

        in_threads(compute, -(-shape[0] // LANES), math.prod(shape))
        return found


def run_smooth(
    rules: Rules, grids: Grids, lengths: Tensor | None, gamma: float, value: Tensor
) -> Smooth | None:
    """Fills in scores [B]. Returns what backward needs; None where an input is out of range."""
    batch, rows, columns = shape = grids.shape
    dtype, blocks = NUMPY[grids.dtype], -(-batch // LANES)
    setting = _setting(rules, gamma, shape, grids.dtype)
    known, order = known_lengths(lengths), NO_ORDER
    if lengths is not None:
        order = np.argsort(-known[:, 0] * known[:, 1], kind="stable")
    room = blocks * rows * columns * LANES
    shares = ROOM.take(room, dtype), ROOM.take(room, dtype)
    local = _room_for_local(blocks, rows, columns, grids.dtype) if rules.local else None

    def compute(first: int, last: int) -> int:
        worst: int = _compiled().forward(
            (first, last), order, known, shape, grids.match, grids.insert, grids.delete,
            setting.units, setting.border, setting.band, setting.diagonal, local, shares,
            setting.low, setting.scale, value.data_ptr(),
        )  # fmt: skip
        return worst

    if in_threads(compute, blocks, batch * rows * columns) > setting.limit:
        return None
    return Smooth(setting, shape, known, order, shares, local, value.numpy().copy(), grids.gaps)


def _room_for_local(blocks: int, rows: int, columns: int, dtype: torch.dtype) -> Any:
    real, whole = NUMBERS[dtype].real, NUMBERS[dtype].whole
    cells, sums = blocks * (rows + 1) * (columns + 1) * LANES, blocks * LANES
    return (
        np.empty(cells, real),
        np.empty(cells, whole),
        np.empty(sums, real),
        np.empty(sums, whole),
    )
