"""One cell of the recurrence, for all lanes of a Triton kernel: the smooth one and the hard one.

See `_recurrence.rules` for the recurrence and `cuda_numbers` for the numbers of the smooth one.
"""

# mypy: allow-untyped-defs, allow-incomplete-defs, allow-untyped-calls
from __future__ import annotations

import triton.language as tl  # type: ignore[import-not-found,import-untyped,unused-ignore]

from wsal_bench.kernels._recurrence.cuda_numbers import (
    LOW,
    exponential,
    jit,
    normalised,
    plus,
    power_of_two,
)

# the planes of a smooth table hold the weight of the move up, or one of these where the diagonal
# move has none: then the move up has what the move left leaves, or nothing leads to the cell
NO_DIAGONAL = tl.constexpr(-1.0)
NO_WAY = tl.constexpr(-2.0)
# moves of a hard table
UP = tl.constexpr(0)
LEFT = tl.constexpr(1)
DIAGONAL = tl.constexpr(2)
START = tl.constexpr(3)


@jit
def smooth_cell(
    match,  # weights in units of gamma / log2(e)
    insert,
    delete,
    matches,  # whether the diagonal move exists
    diagonal_m,  # neighbours, as numbers
    diagonal_e,
    up_m,
    up_e,
    left_m,
    left_e,
    EVERY: tl.constexpr,  # noqa: N803
    LOCAL: tl.constexpr,  # noqa: N803
    GREEDY: tl.constexpr,  # noqa: N803
    WIDE: tl.constexpr,  # noqa: N803
):
    """Mantissa and exponent of the cell, then what `planes` keep: weights of moves up and left."""
    match_m, match_e = exponential(match)
    insert_m, insert_e = exponential(insert)
    delete_m, delete_e = exponential(delete)
    if LOCAL:
        one = tl.full(diagonal_m.shape, 1.0, diagonal_m.dtype)
        diagonal_m, diagonal_e = plus(diagonal_m, diagonal_e, one, tl.zeros_like(up_e), WIDE)
    if not EVERY:
        diagonal_m = diagonal_m * match_m
        diagonal_e = diagonal_e + match_e
    up_m, up_e = up_m * insert_m, up_e + insert_e
    left_m, left_e = left_m * delete_m, left_e + delete_e
    # An exponent of LOW, or near it, never is the largest where a number is not 0.
    diagonal_m = tl.where(matches, diagonal_m, 0.0)
    diagonal_e = tl.where(matches, diagonal_e, LOW)
    if GREEDY:
        up_m, up_e = tl.where(matches, 0.0, up_m), tl.where(matches, LOW, up_e)
        left_m, left_e = tl.where(matches, 0.0, left_m), tl.where(matches, LOW, left_e)
    largest = tl.maximum(tl.maximum(up_e, left_e), diagonal_e)
    up = up_m * power_of_two(up_e - largest, WIDE)
    left = left_m * power_of_two(left_e - largest, WIDE)
    diagonal = diagonal_m * power_of_two(diagonal_e - largest, WIDE)
    total = up + left + diagonal
    divisor = tl.where(total == 0, 1.0, total)
    kept_up = tl.where(diagonal == 0, tl.where(total == 0, NO_WAY, NO_DIAGONAL), up / divisor)
    kept_left = left / divisor
    if EVERY:
        total = total * match_m
        largest = largest + match_e
    cell_m, cell_e = normalised(total, largest, WIDE)
    return cell_m, cell_e, kept_up, kept_left


@jit
def hard_cell(
    match,
    insert,
    delete,
    matches,
    diagonal,  # neighbours
    up,
    left,
    EVERY: tl.constexpr,  # noqa: N803
    LOCAL: tl.constexpr,  # noqa: N803
    GREEDY: tl.constexpr,  # noqa: N803
):
    """The value of the cell, and the move that it took; a tie takes up, then left."""
    starts = diagonal <= 0
    if LOCAL:
        diagonal = tl.where(starts, 0.0, diagonal)
    if not EVERY:
        diagonal = diagonal + match
    up = up + insert
    left = left + delete
    diagonal = tl.where(matches, diagonal, float("-inf"))
    if GREEDY:
        up = tl.where(matches, float("-inf"), up)
        left = tl.where(matches, float("-inf"), left)
    cell = tl.where(left > up, left, up)
    move = tl.where(left > up, LEFT, UP)
    move = tl.where(diagonal > cell, DIAGONAL, move)
    if LOCAL:
        move = tl.where((diagonal > cell) & starts, START, move)
    cell = tl.where(diagonal > cell, diagonal, cell)
    if EVERY:
        cell = cell + match
    return cell, move.to(tl.int8)
