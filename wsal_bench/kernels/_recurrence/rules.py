"""The one recurrence behind every alignment kernel, and the rules that tell the kernels apart.

With i from 1 to N, j from 1 to M, a table C and three weights per cell,

    C[i, j] = e + smax(C[i-1, j-1] + d,           the diagonal move
                       C[i-1, j] + insert[i, j],  the move "up": it comes from the row above
                       C[i, j-1] + delete[i, j])  the move "left"

    smax(x) = gamma * log(sum(exp(x / gamma))),   max(x) where gamma is 0

where (e, d) = (match, 0) if the match is added on every move and (0, match) if on the diagonal
only. A score is C[n, m], with (n, m) the lengths of the pair, (N, M) without lengths.

Every backend is one module of `_recurrence` with one function

    score(rules, match, insert, delete, *, gamma, lengths, check) -> Tensor [B]

    match: [B, N, M], float32 or float64, any strides; B, N and M are at least 1. Never written to.
    insert, delete: the same, or None for a weight of 0; they may be one tensor, or expanded.
    gamma: 0, or from `HARD_BELOW` up. 0 is the hard maximum: the gradient is that of one path.
    lengths: int64 [B, 2] on the device of `match`, or None. Values outside are never read (they
        may be NaN), and their gradient is exactly 0. A length may be 0: the pair's score is then
        `rules.empty` and its gradient 0.
    check: whether to raise on a value that is not finite (`checks.not_finite` makes the error).

It is differentiable in each tensor, and where autograd asks for a graph of the gradient its
backward returns `second_order.recurrence_gradients`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

HARD_BELOW = 1e-6  # a smaller gamma is computed as 0: the hard maximum


@dataclass(frozen=True, eq=False)  # made once each, and looked up at each call
class Rules:
    """What tells one alignment kernel from another. The defaults are those of FSD.

    Ties of the hard maximum: up before left before diagonal, in words
    `where(left > up, left, up)` and then the diagonal only where it is larger than both.
    A cell that no path reaches is -inf; where that is the end of a pair, its gradient is 0.

    Attributes:
        match_on: "every" move or the "diagonal" one only.
        border: C[0, j] and C[i, 0]. "free": 0. "forbidden": -inf but for C[0, 0] = 0. "gaps":
            sums of gap weights; a leading gap pays what lies in the first column or row:
            C[i, 0] = insert[1, 1] + ... + insert[i, 1] and the same for C[0, j] with delete[1, :].
        local: a path begins with a match at any cell and ends at any cell (Smith-Waterman). The
            border is then -inf throughout, the diagonal move is smax(C[i-1, j-1], 0) + match, and
            the score is smax over 0 (the empty path) and all cells of the pair. Needs match_on
            "diagonal". Hard ties: 0 before C[i-1, j-1]; at the end 0 first, then the first cell in
            the order of rows, then columns.
        threshold: where given, the diagonal move exists only where match > threshold, compared in
            the dtype of the computation (the threshold is rounded to it first). Needs match_on
            "diagonal" and a free border.
        greedy: with a threshold: where the diagonal move exists it is the only one.
        negate: match is a cost: -match takes its place and the score is -C.
        band: cells with |i - j| > band do not exist: -inf, and nothing of theirs is read. Needs a
            forbidden border.
        names: what the caller calls match, insert and delete; for messages only.
    """

    match_on: Literal["every", "diagonal"] = "every"
    border: Literal["free", "forbidden", "gaps"] = "free"
    local: bool = False
    threshold: float | None = None
    greedy: bool = False
    negate: bool = False
    band: int | None = None
    names: tuple[str, str, str] = ("match", "gate_insert", "gate_delete")

    @property
    def empty(self) -> float:
        """The score of a pair without a cell."""
        if self.border == "forbidden" and not self.local:
            return math.inf if self.negate else -math.inf
        return 0.0
