"""The smooth maximum of few pairs on a CPU: what `cpu_strips` needs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from torch import Tensor

from wsal_bench.kernels._recurrence.cpu_arrays import (
    LANES,
    NUMPY,
    ROOM,
    Grids,
    Setting,
    known_lengths,
    new_grid,
)
from wsal_bench.kernels._recurrence.cpu_threads import in_threads
from wsal_bench.kernels._recurrence.rules import Rules

FEW, LONG = 8, 64  # fewer pairs than this, of at least so many rows and columns


@lru_cache
def _compiled() -> Any:
    from wsal_bench.kernels._recurrence import cpu_strips

    return cpu_strips


def suits(rules: Rules, shape: tuple[int, int, int]) -> bool:
    """Whether lanes along the diagonals are faster than one lane per pair, and can do it."""
    plain = not rules.local and rules.band is None and rules.border != "gaps"
    return plain and shape[0] < FEW and min(shape[1:]) >= LONG


@dataclass(eq=False, slots=True)  # not frozen: made at each call, and that would cost more
class Strips:
    """What backward needs of a forward; arrays as `cpu_strips` describes them."""

    setting: Setting
    shape: tuple[int, int, int]
    lengths: Any
    shares: Any
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
                (first, last), self.lengths, shape, self.shares, on_diagonal, self.score,
                upstream.data_ptr(), upstream.stride(0), match, insert, delete, setting.sign,
            )  # fmt: skip
            return 0

        in_threads(compute, shape[0], math.prod(shape))
        return found


def run_strips(
    setting: Setting, grids: Grids, lengths: Tensor | None, value: Tensor
) -> Strips | None:
    """Fills in scores [B]. Returns what backward needs; None where an input is out of range."""
    batch, rows, columns = shape = grids.shape
    known, dtype = known_lengths(lengths), NUMPY[grids.dtype]
    room = batch * -(-rows // LANES) * (columns + LANES - 1) * LANES
    shares = ROOM.take(room, dtype), ROOM.take(room, dtype)

    def compute(first: int, last: int) -> int:
        worst: int = _compiled().forward(
            (first, last), known, shape, grids.match, grids.insert, grids.delete, setting.units,
            setting.border, setting.diagonal, shares, setting.low, setting.scale,
            setting.empty, value.data_ptr(),
        )  # fmt: skip
        return worst

    if in_threads(compute, batch, math.prod(shape)) > setting.limit:
        return None
    return Strips(setting, shape, known, shares, value.numpy().copy(), grids.gaps)
