"""The smooth maximum on a CPU: what `cpu_lanes` needs, from tensors and rules."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from wsal_bench.kernels._recurrence.cpu_threads import flat, in_threads, known_lengths
from wsal_bench.kernels._recurrence.rules import Rules

NO_ORDER = np.empty(0, np.int64)
BORDERS = {"free": 0, "forbidden": 1, "gaps": 2}
LOCAL = 3


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
    np.dtype(np.float32): Numbers(np.float32, np.int32, np.int32(-(2**30)), 2.0**28),
    np.dtype(np.float64): Numbers(np.float64, np.int64, np.int64(-(2**62)), 2.0**60),
}


@dataclass(frozen=True, eq=False)
class Setting:
    """Rules and shape in the terms of the compiled code.

    Attributes:
        units: what turns a match and a gap weight into a power of two.
        scale: what turns a power of two into a score.
        limit: largest exponent that an input may have, as bits of a float.
        border: one of its numbers.
        band: largest |i - j|.
        diagonal: None, or the threshold and whether a match above it is always taken.
    """

    units: tuple[Any, Any]
    scale: float
    limit: int
    border: int
    band: int
    diagonal: tuple[Any, Any] | None


@lru_cache
def _setting(rules: Rules, gamma: float, rows: int, columns: int, dtype: Any) -> Setting:
    numbers = NUMBERS[dtype]
    unit, sign = math.log2(math.e) / gamma, -1 if rules.negate else 1
    threshold = -math.inf if rules.threshold is None else rules.threshold
    pair = numbers.real(threshold), numbers.real(rules.greedy)
    return Setting(
        units=(numbers.real(sign * unit), numbers.real(unit)),
        scale=sign * gamma * math.log(2),
        limit=int(numbers.real(numbers.reach / (rows + columns)).view(numbers.whole)),
        border=LOCAL if rules.local else BORDERS[rules.border],
        band=rows + columns if rules.band is None else rules.band,
        diagonal=pair if rules.match_on == "diagonal" else None,
    )


@dataclass(frozen=True, eq=False)
class Smooth:
    """What backward needs of a forward; arrays as `cpu_lanes` describes them."""

    setting: Setting
    shape: tuple[int, int, int]
    lengths: Any
    order: Any
    shares: tuple[Any, Any]
    local: tuple[Any, Any, Any, Any] | None
    score: Any
    gaps: int

    def gradients(self, upstream: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of match, insert and delete; insert's is that of both if they are one."""
        from wsal_bench.kernels._recurrence import cpu_lanes

        setting, dtype = self.setting, self.score.dtype
        cells = math.prod(self.shape)
        found = [np.empty(cells, dtype) if n <= self.gaps else None for n in range(3)]
        onto = upstream.detach().contiguous().numpy()
        sign = 1 if setting.scale > 0 else -1

        def compute(first: int, last: int) -> int:
            cpu_lanes.backward(
                (first, last), self.order, self.lengths, self.shape, self.shares, setting.border,
                setting.band, None if setting.diagonal is None else 1, self.local, self.score,
                onto, *found, sign, NUMBERS[dtype].low,
            )  # fmt: skip
            return 0

        in_threads(compute, -(-self.shape[0] // cpu_lanes.LANES), cells)
        return tuple(None if x is None else torch.from_numpy(x).view(self.shape) for x in found)


def run_smooth(
    rules: Rules,
    match: Tensor,
    insert: Tensor | None,
    delete: Tensor | None,
    lengths: Tensor | None,
    gamma: float,
) -> tuple[Tensor, Smooth | None]:
    """Scores [B], and what backward needs: None where a value is not finite or too large."""
    from wsal_bench.kernels._recurrence import cpu_lanes

    batch, rows, columns = shape = tuple(match.shape)
    first_grid, above = flat(match), flat(insert)
    gaps = 0 if insert is None else 1 if insert is delete else 2
    beside = flat(delete) if gaps == 2 else None
    dtype, blocks = first_grid.dtype, -(-batch // cpu_lanes.LANES)
    setting = _setting(rules, gamma, rows, columns, dtype)
    known, order = known_lengths(lengths), NO_ORDER
    if lengths is not None:
        order = np.argsort(-known[:, 0] * known[:, 1], kind="stable")
    room = blocks * rows * columns * cpu_lanes.LANES
    shares = np.empty(room, dtype), np.empty(room, dtype)
    local = _room_for_local(blocks, rows, columns, dtype) if rules.local else None
    value = np.full(batch, rules.empty, dtype)

    def compute(first: int, last: int) -> int:
        worst: int = cpu_lanes.forward(
            (first, last), order, known, shape, first_grid, above, beside, setting.units,
            setting.border, setting.band, setting.diagonal, local, shares, NUMBERS[dtype].low,
            setting.scale, value,
        )  # fmt: skip
        return worst

    fine = in_threads(compute, blocks, match.numel()) <= setting.limit
    kept = Smooth(setting, shape, known, order, shares, local, value, gaps)  # type: ignore[arg-type]
    return torch.from_numpy(value), kept if fine else None


def _room_for_local(blocks: int, rows: int, columns: int, dtype: Any) -> tuple[Any, Any, Any, Any]:
    from wsal_bench.kernels._recurrence.cpu_lanes import LANES

    whole = NUMBERS[dtype].whole
    cells, sums = blocks * (rows + 1) * (columns + 1) * LANES, blocks * LANES
    return (
        np.empty(cells, dtype),
        np.empty(cells, whole),
        np.empty(sums, dtype),
        np.empty(sums, whole),
    )
