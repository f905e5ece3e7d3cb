"""What the Triton kernels of the `cuda` backend are made of: numbers, borders, cells.

A number is a mantissa in [1, 2), in the precision of the kernel, and an int64 exponent of 2. It is
never too large or too small, so a table can hold exp(C / gamma) itself: where scores would need
a logarithm and exponentials, these are multiplied and added. Rounding is then relative to each
number, however large the score. Zero is a mantissa of 0 with the exponent `LOW`; NaN stays NaN.

In the names of arguments, capitals are known when a kernel is compiled; WIDE: float64.

Cells are computed for all lanes at once; see `_recurrence.rules` for the recurrence.
"""

# mypy: allow-untyped-defs, allow-incomplete-defs, allow-untyped-calls
from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import triton.language as tl  # type: ignore[import-not-found,import-untyped,unused-ignore]

if TYPE_CHECKING:

    def jit(function: Callable[..., Any]) -> Any:
        """Compiles a function for a GPU when a kernel is first launched."""
else:
    from triton import jit


def jit_without(*names: str) -> Callable[[Callable[..., Any]], Any]:
    """`jit`, but values of the arguments called so make no difference to what is compiled."""
    import triton  # type: ignore[import-not-found,import-untyped,unused-ignore]

    decorator: Callable[[Callable[..., Any]], Any] = triton.jit(do_not_specialize=list(names))
    return decorator


LOW = tl.constexpr(-(2**60))  # below every exponent that a weight can add up to
MOST = tl.constexpr(2.0**46)  # the largest exponent of one weight; 16,000 of them stay above LOW


@jit
def number_of_bits(bits):
    """The float64 whose 64 bits these are: Triton would round a float argument to float32."""
    return bits.to(tl.int64).to(tl.float64, bitcast=True)


@jit
def exponential(power):
    """2 ** power as a number. -inf gives 0, and inf NaN: of a weight it makes no sense."""
    finite = tl.abs(power) < float("inf")
    whole = tl.where(finite, tl.floor(power), 0.0)
    mantissa = tl.where(power == float("inf"), float("nan"), tl.exp2(power - whole))
    exponent = tl.minimum(tl.maximum(whole, -MOST), MOST).to(tl.int64)
    return mantissa.to(power.dtype), tl.where(power == float("-inf"), LOW, exponent)


@jit
def power_of_two(exponent, WIDE: tl.constexpr):  # noqa: N803
    """2 ** exponent as a plain float, for an exponent of at most 0; 0 where it is too small."""
    if WIDE:
        bits = tl.where(exponent < -1022, 0, (exponent + 1023) << 52)
        power = bits.to(tl.float64, bitcast=True)
    else:
        bits = tl.where(exponent < -126, 0, (exponent + 127) << 23)
        power = bits.to(tl.int32).to(tl.float32, bitcast=True)
    return power


@jit
def normalised(value, exponent, WIDE: tl.constexpr):  # noqa: N803
    """The number value * 2 ** exponent; a value is 0, NaN or a normal float above 0."""
    if WIDE:
        bits = value.to(tl.int64, bitcast=True)
        beyond = (bits >> 52) - 1023
        mantissa = ((bits & 0x000FFFFFFFFFFFFF) | 0x3FF0000000000000).to(tl.float64, bitcast=True)
    else:
        bits = value.to(tl.int32, bitcast=True)
        beyond = (bits >> 23) - 127
        mantissa = ((bits & 0x007FFFFF) | 0x3F800000).to(tl.float32, bitcast=True)
    positive = value > 0
    return tl.where(positive, mantissa, value), tl.where(positive, exponent + beyond, LOW)


@jit
def plus(
    mantissa,
    exponent,
    other_mantissa,
    other_exponent,
    WIDE: tl.constexpr,  # noqa: N803
):
    """The sum of two numbers."""
    largest = tl.maximum(exponent, other_exponent)
    total = mantissa * power_of_two(exponent - largest, WIDE)
    total += other_mantissa * power_of_two(other_exponent - largest, WIDE)
    return normalised(total, largest, WIDE)


@jit
def quotient(
    mantissa,
    exponent,
    by_mantissa,
    by_exponent,
    WIDE: tl.constexpr,  # noqa: N803
):
    """A number divided by one that is at least as large, as a plain float."""
    return mantissa / by_mantissa * power_of_two(tl.minimum(exponent - by_exponent, 0), WIDE)


@jit
def from_lane_before(values, lane):
    """For each lane what the lane before it holds; the first lane gets its own."""
    return tl.gather(values, tl.maximum(lane - 1, 0), 0)


@jit
def from_lane_after(values, lane, LANES: tl.constexpr):  # noqa: N803
    """For each lane what the lane after it holds; the last lane gets its own."""
    return tl.gather(values, tl.minimum(lane + 1, LANES - 1), 0)


# border rules, as constants of a kernel
FREE = tl.constexpr(0)
FORBIDDEN = tl.constexpr(1)
GAPS = tl.constexpr(2)


@jit
def extents(lengths, pair, rows, columns, WITH_LENGTHS: tl.constexpr):  # noqa: N803
    """Rows and columns of a pair, never more than there are."""
    height = rows
    width = columns
    if WITH_LENGTHS:
        height = tl.minimum(tl.load(lengths + 2 * pair).to(tl.int32), rows)
        width = tl.minimum(tl.load(lengths + 2 * pair + 1).to(tl.int32), columns)
    # no row where there is no column: then no loop begins
    return tl.where(width > 0, height, 0), width


@jit
def border_value(
    border,
    place,
    exists,
    corner,
    BORDER: tl.constexpr,  # noqa: N803
    HARD: tl.constexpr,  # noqa: N803
    DTYPE: tl.constexpr,  # noqa: N803
):
    """A cell of the border: its value, or for a smooth table the number exp(value / gamma).

    Args:
        border: float64, for `GAPS`: the values along a border, in powers of 2 for a smooth table.
        place: of the cell in `border`.
        exists: where anything may be read.
        corner: whether it is the corner C[0, 0]; that of a local alignment is -inf as well.
        BORDER: the rule.
        HARD: whether it is a hard table.
        DTYPE: of the value.
    """
    alive = corner | (BORDER != FORBIDDEN)
    power = tl.where(alive, 0.0, float("-inf")).to(tl.float64)
    if BORDER == GAPS:
        given = tl.load(border + place, mask=exists & (corner == 0), other=0.0)
        power = tl.where(corner, 0.0, given)
    if HARD:
        mantissa, exponent = power, tl.zeros_like(place).to(tl.int64)
    else:
        mantissa, exponent = exponential(power)
    return mantissa.to(DTYPE), exponent


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
