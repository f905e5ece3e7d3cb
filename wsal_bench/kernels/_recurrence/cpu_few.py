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
    new_grids,
)
from wsal_bench.kernels._recurrence.cpu_threads import in_threads


@lru_cache
def _compiled() -> Any:
    from wsal_bench.kernels._recurrence import cpu_strips

    return cpu_strips


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
        ROOM.give_back(*self.shares)

    def gradients(self, upstream: Tensor) -> list[Tensor | None]:
        """Gradients of match, insert and delete; insert's is that of both if they are one."""
        setting, shape = self.setting, self.shape
        found, (match, insert, delete) = new_grids(shape, upstream.dtype, 1 + self.gaps)
        on_diagonal = None if setting.diagonal is None else 1

        in_threads(
            _compiled().backward, shape[0], math.prod(shape),
            self.lengths, shape, self.shares, on_diagonal, self.score, upstream.data_ptr(),
            upstream.stride(0), match, insert, delete, setting.sign,
        )  # fmt: skip
        return found


def run_strips(
    setting: Setting, grids: Grids, lengths: Tensor | None, value: Tensor
) -> Strips | None:
    """Fills in scores [B]. Returns what backward needs; None where an input is out of range."""
    batch, rows, columns = shape = grids.shape
    known, dtype = known_lengths(lengths), NUMPY[grids.dtype]
    room = batch * -(-rows // LANES) * (columns + LANES - 1) * LANES
    shares = ROOM.take(room, dtype), ROOM.take(room, dtype)

    worst = in_threads(
        _compiled().forward, batch, math.prod(shape),
        known, shape, grids.match, grids.insert, grids.delete, setting.units, setting.border,
        setting.diagonal, shares, setting.low, setting.scale, setting.empty, value.data_ptr(),
    )  # fmt: skip
    if worst > setting.limit:
        return None
    return Strips(setting, shape, known, shares, value.numpy().copy(), grids.gaps)
