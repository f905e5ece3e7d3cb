"""The hard maximum on a CPU: what `cpu_walks` needs, from tensors and rules."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
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


@dataclass(eq=False, slots=True)  # not frozen: made at each call, and that would cost more
class Hard:
    """What backward needs of a forward; arrays as `cpu_walks` describes them."""

    rules: Rules
    shape: tuple[int, int, int]
    order: Any
    moves: Any
    ends: Any
    gaps: int
    sign: Any

    def __del__(self) -> None:
        ROOM.give_back(self.moves)

    def gradients(self, upstream: Tensor) -> list[Tensor | None]:
        """Gradients of match, insert and delete; insert's is that of both if they are one."""
        rules, shape, gaps = self.rules, self.shape, self.gaps
        found, (match, insert, delete) = new_grids(shape, upstream.dtype, 1 + gaps)
        on_diagonal, border = rules.match_on == "diagonal", border_of(rules)
        in_threads(
            _compiled().backward, -(-shape[0] // LANES), math.prod(shape),
            self.order, shape, border, on_diagonal, self.moves, self.ends, upstream.data_ptr(),
            upstream.stride(0), match, insert, insert if gaps == 1 else delete, self.sign,
        )  # fmt: skip
        return found


def run_hard(rules: Rules, grids: Grids, lengths: Tensor | None, value: Tensor) -> Hard | None:
    """Fills in scores [B]. Returns what backward needs; None where a value is not finite."""
    batch, height, width = shape = grids.shape
    numbers, blocks = NUMBERS[grids.dtype], -(-batch // LANES)
    diagonal = None
    if rules.match_on == "diagonal":
        threshold = -math.inf if rules.threshold is None else rules.threshold
        diagonal = numbers.real(threshold), numbers.real(rules.greedy)
    moves = ROOM.take(blocks * height * width * LANES, BYTES)
    ends = np.empty((batch, 2), np.int64)
    known, order = known_lengths(lengths), order_of(lengths)
    sign = numbers.real(-1 if rules.negate else 1)
    bad = in_threads(
        _compiled().forward, blocks, batch * height * width,
        order, known, shape, grids.match, grids.insert, grids.delete, sign, border_of(rules),
        band_of(rules, shape), diagonal, 1 if rules.local else None, numbers.whole(-1), moves,
        ends, rules.empty, value.data_ptr(),
    )  # fmt: skip
    return None if bad else Hard(rules, shape, order, moves, ends, grids.gaps, sign)
