"""The hard maximum on a CPU: what `cpu_walks` needs, from tensors and rules."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from torch import Tensor

from wsal_bench.kernels._recurrence.cpu_arrays import (
    KINDS,
    Grids,
    band_of,
    border_of,
    known_lengths,
    new_grids,
)
from wsal_bench.kernels._recurrence.cpu_threads import in_threads
from wsal_bench.kernels._recurrence.rules import Rules


@lru_cache
def _compiled() -> Any:
    from wsal_bench.kernels._recurrence import cpu_walks

    return cpu_walks


@dataclass(eq=False, slots=True)  # not frozen: made at each call, and that would cost more
class Hard:
    """What backward needs of a forward; arrays as `cpu_walks` describes them."""

    rules: Rules
    shape: tuple[int, int, int]
    moves: Any
    ends: Any
    gaps: int
    sign: Any

    def gradients(self, upstream: Tensor) -> list[Tensor | None]:
        """Gradients of match, insert and delete; insert's is that of both if they are one."""
        rules, shape, gaps = self.rules, self.shape, self.gaps
        found, (match, insert, delete) = new_grids(shape, upstream.dtype, 1 + gaps)
        on_diagonal, border = rules.match_on == "diagonal", border_of(rules)
        delete = insert if gaps == 1 else delete

        in_threads(
            _compiled().backward, shape[0], math.prod(shape),
            shape, border, on_diagonal, self.moves, self.ends, upstream.data_ptr(),
            upstream.stride(0), match, insert, delete, self.sign,
        )  # fmt: skip
        return found


def run_hard(rules: Rules, grids: Grids, lengths: Tensor | None, value: Tensor) -> Hard | None:
    """Fills in scores [B]. Returns what backward needs; None where a value is not finite."""
    shape, kind = grids.shape, KINDS[grids.dtype]
    diagonal = None
    if rules.match_on == "diagonal":
        threshold = -math.inf if rules.threshold is None else rules.threshold
        diagonal = kind(threshold), kind(rules.greedy)
    cells = math.prod(shape)
    moves, ends = np.empty(cells, np.uint8), np.empty((shape[0], 2), np.int64)
    known, sign = known_lengths(lengths), kind(-1 if rules.negate else 1)
    border, band = border_of(rules), band_of(rules, shape)
    delete = grids.insert if grids.gaps == 1 else grids.delete

    bad = in_threads(
        _compiled().forward, shape[0], cells,
        known, shape, grids.match, grids.insert, delete, sign, border, band, diagonal, moves,
        ends, rules.empty, value.data_ptr(),
    )  # fmt: skip
    if bad:
        return None
    return Hard(rules, shape, moves, ends, grids.gaps, sign)
