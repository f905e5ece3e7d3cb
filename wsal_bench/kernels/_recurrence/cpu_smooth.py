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
    new_grids,
    order_of,
    setting_of,
)
from wsal_bench.kernels._recurrence.cpu_few import Strips, run_strips
from wsal_bench.kernels._recurrence.cpu_threads import in_threads
from wsal_bench.kernels._recurrence.rules import Rules

NO_SCORE = {dtype: np.empty(0, kind) for dtype, kind in NUMPY.items()}


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
        ROOM.give_back(*self.shares)

    def gradients(self, upstream: Tensor) -> list[Tensor | None]:
        """Gradients of match, insert and delete; insert's is that of both if they are one."""
        setting, shape = self.setting, self.shape
        found, (match, insert, delete) = new_grids(shape, upstream.dtype, 1 + self.gaps)
        on_diagonal = None if setting.diagonal is None else 1

        in_threads(
            _compiled().backward, -(-shape[0] // LANES), math.prod(shape),
            self.order, self.lengths, shape, self.shares, setting.border, setting.band,
            on_diagonal, self.local, self.score, upstream.data_ptr(), upstream.stride(0), match,
            insert, delete, setting.sign, setting.low,
        )  # fmt: skip
        return found


def run_smooth(
    rules: Rules, grids: Grids, lengths: Tensor | None, gamma: float, value: Tensor
) -> Smooth | Strips | None:
    """Fills in scores [B]. Returns what backward needs; None where an input is out of range."""
    batch, rows, columns = shape = grids.shape
    setting = setting_of(rules, gamma, shape, grids.dtype)
    if setting.few:
        return run_strips(setting, grids, lengths, value)
    dtype, blocks = NUMPY[grids.dtype], -(-batch // LANES)
    known, order = known_lengths(lengths), order_of(lengths)
    room = blocks * rows * columns * LANES
    shares = ROOM.take(room, dtype), ROOM.take(room, dtype)
    local = _room_for_local(blocks, rows, columns, grids.dtype) if rules.local else None

    worst = in_threads(
        _compiled().forward, blocks, batch * rows * columns,
        order, known, shape, grids.match, grids.insert, grids.delete, setting.units,
        setting.border, setting.band, setting.diagonal, local, shares, setting.low,
        setting.scale, setting.empty, value.data_ptr(),
    )  # fmt: skip
    if worst > setting.limit:
        return None
    # a cell beside a free border is always reached diagonally
    always = rules.border == "free" and rules.threshold is None
    ends = NO_SCORE[grids.dtype] if always else value.numpy().copy()
    return Smooth(setting, shape, known, order, shares, local, ends, grids.gaps)


def _room_for_local(blocks: int, rows: int, columns: int, dtype: torch.dtype) -> Any:
    real, whole = NUMBERS[dtype].real, NUMBERS[dtype].whole
    cells, sums = blocks * (rows + 1) * (columns + 1) * LANES, blocks * LANES
    return (
        np.empty(cells, real),
        np.empty(cells, whole),
        np.empty(sums, real),
        np.empty(sums, whole),
    )
