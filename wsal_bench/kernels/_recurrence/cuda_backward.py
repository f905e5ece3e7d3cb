"""The backward pass of the `cuda` backend, with the lanes of `cuda_forward`, in reverse.

Of a smooth table: how much of the score's gradient flows through each cell and move. Of a hard
table: the one path, walked from its end.
"""

# mypy: allow-untyped-defs, allow-incomplete-defs, allow-untyped-calls
from __future__ import annotations

import triton.language as tl  # type: ignore[import-not-found,import-untyped,unused-ignore]

from wsal_bench.kernels._recurrence.cuda_border import extents
from wsal_bench.kernels._recurrence.cuda_cells import DIAGONAL, LEFT, NO_DIAGONAL, START, UP
from wsal_bench.kernels._recurrence.cuda_numbers import (
    from_lane_after,
    jit_without,
    plus,
    quotient,
)


@jit_without("rows", "columns", "pairs")
def flow(
    up_plane,  # what `sweep` kept
    left_plane,
    mantissas,
    exponents,
    sum_mantissa,
    sum_exponent,
    score,
    upstream,  # [B]
    lengths,
    d_match,  # out, [B, N, M]; not written beyond the lengths
    d_insert,
    d_delete,
    leading,  # out, [2, B, N + M]: what enters the border, straight and diagonally
    carry,  # scratch [2, 2, B, M]
    rows,
    columns,
    pairs,
    EVERY: tl.constexpr,  # noqa: N803
    LOCAL: tl.constexpr,  # noqa: N803
    NEGATE: tl.constexpr,  # noqa: N803
    GAPS: tl.constexpr,  # noqa: N803
    LENGTHS: tl.constexpr,  # noqa: N803
    NEED_MATCH: tl.constexpr,  # noqa: N803
    NEED_INSERT: tl.constexpr,  # noqa: N803
    NEED_DELETE: tl.constexpr,  # noqa: N803
    STRIPS: tl.constexpr,  # noqa: N803
    LANES: tl.constexpr,  # noqa: N803
):
    """Gradients of match, insert and delete from the weights of the moves."""
    DTYPE: tl.constexpr = up_plane.dtype.element_ty  # noqa: N806
    WIDE: tl.constexpr = DTYPE == tl.float64  # noqa: N806, SIM300
    pair = tl.program_id(0).to(tl.int64)
    height, width = extents(lengths, pair, rows, columns, LENGTHS)
    lane = tl.arange(0, LANES)
    cells = pair * rows * columns
    nothing = tl.zeros([LANES], DTYPE)
    gradient = tl.load(upstream + pair)
    value = tl.load(score + pair)
    # an end that nothing leads to passes nothing on
    gradient = tl.where((value == float("inf")) | (value == float("-inf")), 0.0, gradient)
    strips = (height + LANES - 1) // LANES
    for after in range(strips):
        strip = strips - 1 - after
        start = strip * LANES
        row = start + lane
        by_up, by_left, by_diagonal = nothing, nothing, nothing  # out of the diagonal after
        later = nothing  # into each lane's cell, from two diagonals after
        carried = ((after + 1) % 2) * 2 * pairs * columns + pair * columns
        carrying = (after % 2) * 2 * pairs * columns + pair * columns
        steps = width + tl.minimum(LANES, height - start) - 1
        for back in range(steps):
            column = steps - 1 - back - lane
            within = (row < height) & (column >= 0) & (column < width)
            last = lane == LANES - 1
            from_below = tl.where(last, 0.0, from_lane_after(by_up, lane, LANES))
            from_diagonal = later
            later = tl.where(last, 0.0, from_lane_after(by_diagonal, lane, LANES))
            if STRIPS:
                reads = within & last & (after > 0)
                from_below += tl.load(carry + carried + column, mask=reads, other=0.0)
                beyond = carry + carried + pairs * columns + column + 1
                reads = reads & (column + 1 < width)
                from_diagonal += tl.load(beyond, mask=reads, other=0.0)
            row_, column_ = row.to(tl.int64), column.to(tl.int64)
            place = cells + row_ * columns + column_
            up = tl.load(up_plane + place, mask=within, other=0.0)
            left = tl.load(left_plane + place, mask=within, other=0.0)
            diagonal = 1.0 - up - left
            diagonal = tl.where((up < 0) | (diagonal < 0), 0.0, diagonal)
            up = tl.where(up < 0, tl.where(up == NO_DIAGONAL, 1.0 - left, 0.0), up)
            if LOCAL:
                cell_m = tl.load(mantissas + place, mask=within, other=0.0)
                cell_e = tl.load(exponents + place, mask=within, other=0)
                one = tl.full([LANES], 1.0, DTYPE)
                with_start_m, with_start_e = plus(cell_m, cell_e, one, cell_e * 0, WIDE)
                from_diagonal *= quotient(cell_m, cell_e, with_start_m, with_start_e, WIDE)
                sum_m = tl.load(sum_mantissa + pair).to(DTYPE)
                sum_e = tl.load(sum_exponent + pair)
                seed = gradient * quotient(cell_m, cell_e, sum_m, sum_e, WIDE)
            else:
                at_end = (row == height - 1) & (column == width - 1)
                seed = tl.where(at_end, gradient, 0.0)
            visits = seed + from_below + by_left + from_diagonal
            visits = tl.where(within, visits, 0.0)
            by_up, by_left, by_diagonal = visits * up, visits * left, visits * diagonal
            if NEED_MATCH:
                tl.store(d_match + place, visits if EVERY else by_diagonal, mask=within)
            if NEED_INSERT:
                tl.store(d_insert + place, -by_up if NEGATE else by_up, mask=within)
            if NEED_DELETE:
                tl.store(d_delete + place, -by_left if NEGATE else by_left, mask=within)
            if GAPS:
                beside = leading + pair * (rows + columns) + row_
                above = leading + pair * (rows + columns) + rows + column_
                diagonally = pairs * (rows + columns)
                tl.store(beside, by_left, mask=within & (column == 0))
                tl.store(above, by_up, mask=within & (row == 0))
                into_beside = within & (column == 0) & (row > 0)
                tl.store(beside + diagonally - 1, by_diagonal, mask=into_beside)
                into_above = within & (row == 0) & (column > 0)
                tl.store(above + diagonally - 1, by_diagonal, mask=into_above)
            if STRIPS:
                writes = within & (lane == 0)
                tl.store(carry + carrying + column, by_up, mask=writes)
                beyond = carry + carrying + pairs * columns + column
                tl.store(beyond, by_diagonal, mask=writes)
        if STRIPS:
            tl.debug_barrier()  # the next strip reads what another thread has written


@jit_without("rows", "columns")
def walk(
    moves,  # int8 [B, N, M] of a hard table
    ends,  # [B, 2] last cell; a row of -1: there is no path
    upstream,  # [B]
    d_match,  # out, [B, N, M], 0 before
    d_insert,
    d_delete,
    rows,
    columns,
    EVERY: tl.constexpr,  # noqa: N803
    NEGATE: tl.constexpr,  # noqa: N803
    GAPS: tl.constexpr,  # noqa: N803
    NEED_MATCH: tl.constexpr,  # noqa: N803
    NEED_INSERT: tl.constexpr,  # noqa: N803
    NEED_DELETE: tl.constexpr,  # noqa: N803
):
    """Writes the gradient of a pair where its one path goes, and nowhere else."""
    pair = tl.program_id(0).to(tl.int64)
    row = tl.load(ends + 2 * pair).to(tl.int64)
    column = tl.load(ends + 2 * pair + 1).to(tl.int64)
    # no path where either is -1
    column = tl.where(row < 0, -1, column).to(tl.int64)
    row = tl.where(column < 0, -1, row).to(tl.int64)
    cells = pair * rows * columns
    gradient = tl.load(upstream + pair)
    of_gap = -gradient if NEGATE else gradient
    while (row >= 0) & (column >= 0):
        place = cells + row * columns + column
        move = tl.load(moves + place).to(tl.int32)
        if NEED_MATCH:
            tl.store(d_match + place, gradient, mask=(move >= DIAGONAL) | EVERY)
        if NEED_INSERT:
            tl.store(d_insert + place, of_gap, mask=move == UP)
        if NEED_DELETE:
            tl.store(d_delete + place, of_gap, mask=move == LEFT)
        row = tl.where(move == START, -1, row - (move != LEFT).to(tl.int64)).to(tl.int64)
        column = tl.where(move == START, -1, column - (move != UP).to(tl.int64)).to(tl.int64)
    if GAPS:
        # what is left leads along the border; at most one of the two
        while row >= 0:
            if NEED_INSERT:
                tl.store(d_insert + cells + row * columns, of_gap)
            row -= 1
        while column >= 0:
            if NEED_DELETE:
                tl.store(d_delete + cells + column, of_gap)
            column -= 1
