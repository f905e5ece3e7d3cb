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
    LANES,
    NUMBERS,
    NUMPY,
    ROOM,
    Grids,
    Setting,
    known_lengths,
    new_grid,
    setting_of,
)
from wsal_bench.kernels._recurrence.cpu_few import Strips, run_strips, suits
from wsal_bench.kernels._recurrence.cpu_threads import in_threads
from wsal_bench.kernels._recurrence.rules import Rules

NO_ORDER = np.empty(0, np.int64)


@lru_cache
def _compiled() -> Any:
    from wsal_bench.kernels._recurrence import cpu_lanes

    return cpu_lanes


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
) -> Smooth | Strips | None:
    """Fills in scores [B]. Returns what backward needs; None where an input is out of range."""
    batch, rows, columns = shape = grids.shape
    setting = setting_of(rules, gamma, shape, grids.dtype)
    if suits(rules, shape):
        return run_strips(setting, grids, lengths, value)
    dtype, blocks = NUMPY[grids.dtype], -(-batch // LANES)
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
            setting.low, setting.scale, setting.empty, value.data_ptr(),
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
