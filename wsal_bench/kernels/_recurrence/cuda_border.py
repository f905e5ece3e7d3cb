"""Where a pair ends and what lies along its border, for the Triton kernels."""

# mypy: allow-untyped-defs, allow-incomplete-defs, allow-untyped-calls
from __future__ import annotations

import triton.language as tl  # type: ignore[import-not-found,import-untyped,unused-ignore]

from wsal_bench.kernels._recurrence.cuda_numbers import exponential, jit

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
