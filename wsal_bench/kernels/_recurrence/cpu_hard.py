"""The hard maximum on a CPU: what `cpu_walks` needs, from tensors and rules."""

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
    ROOM,
    Grids,
    band_of,
    border_of,
    known_lengths,
    new_grids,
    order_of,
)
from wsal_bench.kernels._recurrence.cpu_threads import in_threads
from wsal_bench.kernels._recurrence.rules import Rules

BYTES = np.dtype(np.uint8)


@lru_cache
def _compiled() -> Any:
    from wsal_bench.kernels._recurrence import cpu_walks

    return cpu_walks


@dataclass(frozen=True, eq=False)
class Plan:
    """Rules and shape in the terms of the compiled code.

    Attributes:
        sign: of a match in the score.
        border: one of its numbers.
        band: largest |i - j|.
        diagonal: None, or the threshold and whether a match above it is always taken.
        local: None, or anything where a path may begin and end anywhere.
        none: -1, an integer of the width of the numbers.
        empty: score of a pair without a cell.
        blocks: how many blocks of pairs there are.
        cells: of all pairs.
    """

    sign: Any
    border: int
    band: int
    diagonal: tuple[Any, Any] | None
    local: int | None
    none: Any
    empty: float
    blocks: int
    cells: int


@lru_cache
def _plan_of(rules: Rules, shape: tuple[int, int, int], dtype: torch.dtype) -> Plan:
    numbers = NUMBERS[dtype]
    threshold = -math.inf if rules.threshold is None else rules.threshold
    pair = numbers.real(threshold), numbers.real(rules.greedy)
    return Plan(
        sign=numbers.real(-1 if rules.negate else 1),
        border=border_of(rules),
        band=band_of(rules, shape),
        diagonal=pair if rules.match_on == "diagonal" else None,
        local=1 if rules.local else None,
        none=numbers.whole(-1),
        empty=rules.empty,
        blocks=-(-shape[0] // LANES),
        cells=math.prod(shape),
    )


@dataclass(eq=False, slots=True)  # not frozen: made at each call, and that would cost more
class Hard:
    """What backward needs of a forward; arrays as `cpu_walks` describes them."""

    plan: Plan
    shape: tuple[int, int, int]
    order: Any
    moves: Any
    ends: Any
    gaps: int

    def __del__(self) -> None:
        ROOM.give_back(self.moves)

    def gradients(self, upstream: Tensor) -> list[Tensor | None]:
        """Gradients of match, insert and delete; insert's is that of both if they are one."""
        plan, shape, gaps = self.plan, self.shape, self.gaps
        found, (match, insert, delete) = new_grids(shape, upstream.dtype, 1 + gaps)
        in_threads(
            _compiled().backward, plan.blocks, plan.cells,
            self.order, shape, plan.border, plan.diagonal is not None, self.moves, self.ends,
            upstream.data_ptr(), upstream.stride(0), match, insert,
            insert if gaps == 1 else delete, plan.sign,
        )  # fmt: skip
        return found


def run_hard(rules: Rules, grids: Grids, lengths: Tensor | None, value: Tensor) -> Hard | None:
    """Fills in scores [B]. Returns what backward needs; None where a value is not finite."""
    batch, height, width = shape = grids.shape
    plan = _plan_of(rules, shape, grids.dtype)
    moves = ROOM.take(plan.blocks * height * width * LANES, BYTES)
    ends = np.empty((batch, 2), np.int64)
    known, order = known_lengths(lengths), order_of(lengths)
    bad = in_threads(
        _compiled().forward, plan.blocks, plan.cells,
        order, known, shape, grids.match, grids.insert, grids.delete, plan.sign, plan.border,
        plan.band, plan.diagonal, plan.local, plan.none, moves, ends, plan.empty,
        value.data_ptr(),
    )  # fmt: skip
    return None if bad else Hard(plan, shape, order, moves, ends, grids.gaps)
