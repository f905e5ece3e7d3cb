"""The hard maximum on a CPU: what `cpu_walks` needs, from tensors and rules."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from wsal_bench.kernels._recurrence.cpu_threads import flat, in_threads, known_lengths
from wsal_bench.kernels._recurrence.rules import Rules

BORDERS = {"free": 0, "forbidden": 1, "gaps": 2}
LOCAL = 3


@dataclass(frozen=True, eq=False)
class Hard:
    """What backward needs of a forward; arrays as `cpu_walks` describes them."""

    rules: Rules
    shape: tuple[int, int, int]
    moves: Any
    ends: Any
    gaps: int
    dtype: Any

    def gradients(self, upstream: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of match, insert and delete; insert's is that of both if they are one."""
        from wsal_bench.kernels._recurrence import cpu_walks

        rules, cells = self.rules, math.prod(self.shape)
        found = [np.empty(cells, self.dtype) if n <= self.gaps else None for n in range(3)]
        match, insert, delete = found
        onto = upstream.detach().contiguous().numpy()

        def compute(first: int, last: int) -> int:
            cpu_walks.backward(
                (first, last), self.shape, _border(rules), rules.match_on == "diagonal",
                self.moves, self.ends, onto, match, insert, insert if self.gaps == 1 else delete,
                -1 if rules.negate else 1,
            )  # fmt: skip
            return 0

        in_threads(compute, self.shape[0], cells)
        return tuple(None if x is None else torch.from_numpy(x).view(self.shape) for x in found)


def run_hard(
    rules: Rules,
    match: Tensor,
    insert: Tensor | None,
    delete: Tensor | None,
    lengths: Tensor | None,
) -> tuple[Tensor, Hard | None]:
    """Scores [B], and what backward needs: None where a value is not finite."""
    from wsal_bench.kernels._recurrence import cpu_walks

    batch, rows, columns = shape = tuple(match.shape)
    first_grid, above, beside = flat(match), flat(insert), flat(delete)
    kind = first_grid.dtype.type
    diagonal = None
    if rules.match_on == "diagonal":
        threshold = -math.inf if rules.threshold is None else rules.threshold
        diagonal = kind(threshold), kind(rules.greedy)
    moves, ends = np.empty(match.numel(), np.uint8), np.empty((batch, 2), np.int64)
    value, known = np.full(batch, rules.empty, kind), known_lengths(lengths)

    def compute(first: int, last: int) -> int:
        bad: int = cpu_walks.forward(
            (first, last), known, shape, first_grid, above, beside,
            kind(-1 if rules.negate else 1), _border(rules),
            rows + columns if rules.band is None else rules.band, diagonal, moves, ends, value,
        )  # fmt: skip
        return bad

    fine = not in_threads(compute, batch, match.numel())
    gaps = 0 if insert is None else 1 if insert is delete else 2
    kept = Hard(rules, shape, moves, ends, gaps, first_grid.dtype)  # type: ignore[arg-type]
    return torch.from_numpy(value), kept if fine else None


def _border(rules: Rules) -> int:
    return LOCAL if rules.local else BORDERS[rules.border]
