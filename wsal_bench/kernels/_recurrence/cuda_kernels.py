"""The Triton kernels of the `cuda` backend: one program for each pair, one lane for each row.

Forward, in `sweep`, a lane goes along its row; at step d lane i is at column d - i, so all lanes
together are on one anti-diagonal. Each keeps its last cell in registers: to itself that is the
neighbour on the left, to the next lane the one above, and what a lane had from above a step ago is
its diagonal one. Before a row begins its lane holds the border beside it, so that the border needs
no rule of its own. A pair with more rows than lanes is done in strips; `carry` takes the last row
of a strip to the next.

Backward has the same lanes, in reverse. `flow`, of a smooth table: how much of the score's gradient
flows through each cell and move. `walk`, of a hard table: the one path, walked from its end.
"""

# mypy: allow-untyped-defs, allow-incomplete-defs, allow-untyped-calls
from __future__ import annotations

import triton.language as tl  # type: ignore[import-not-found,import-untyped,unused-ignore]

from wsal_bench.kernels._recurrence.cuda_cells import (
    DIAGONAL,
    LEFT,
    LOW,
    NO_DIAGONAL,
    START,
    UP,
    border_value,
    extents,
    from_lane_after,
    from_lane_before,
    hard_cell,
    jit,
    jit_without,
    normalised,
    number_of_bits,
    plus,
    power_of_two,
    quotient,
    smooth_cell,
)


@jit_without("rows", "columns", "pairs", "band", "unit_bits", "threshold_bits")
def sweep(
    match,
    insert,
    delete,
    lengths,
    border,
    score,
    up_plane,  # out, [B, N, M]: weights of the move up, or the moves of a hard table
    left_plane,
    mantissas,  # out, [B, N, M] and [B]: of a local smooth table, its cells and their sum
    exponents,
    sum_mantissa,
    sum_exponent,
    ends,  # out, [B, 2]: last cell of a hard path
    carry_m,  # scratch [2, B, M]
    carry_e,
    rows,
    columns,
    pairs,
    band,
    unit_bits,
    threshold_bits,
    match_b,  # strides
    match_n,
    match_m,
    insert_b,
    insert_n,
    insert_m,
    delete_b,
    delete_n,
    delete_m,
    empty: tl.constexpr,
    EVERY: tl.constexpr,  # noqa: N803
    LOCAL: tl.constexpr,  # noqa: N803
    BORDER: tl.constexpr,  # noqa: N803
    THRESHOLD: tl.constexpr,  # noqa: N803
    GREEDY: tl.constexpr,  # noqa: N803
    NEGATE: tl.constexpr,  # noqa: N803
    BAND: tl.constexpr,  # noqa: N803
    INSERT: tl.constexpr,  # noqa: N803
    DELETE: tl.constexpr,  # noqa: N803
    SHARED: tl.constexpr,  # noqa: N803
    LENGTHS: tl.constexpr,  # noqa: N803
    HARD: tl.constexpr,  # noqa: N803
    STORE: tl.constexpr,  # noqa: N803
    STRIPS: tl.constexpr,  # noqa: N803
    LANES: tl.constexpr,  # noqa: N803
):
    """Scores of all pairs and, with STORE, what the backward pass needs."""
    DTYPE: tl.constexpr = match.dtype.element_ty  # noqa: N806
    WIDE: tl.constexpr = DTYPE == tl.float64  # noqa: N806, SIM300
    pair = tl.program_id(0).to(tl.int64)
    height, width = extents(lengths, pair, rows, columns, LENGTHS)
    unit = number_of_bits(unit_bits).to(DTYPE)
    threshold = number_of_bits(threshold_bits).to(DTYPE)
    lane = tl.arange(0, LANES)
    cells = pair * rows * columns
    beside = pair * (rows + columns)  # offset in `border`
    nothing_m = tl.where(lane < 0, 0.0, float("-inf") if HARD else 0.0).to(DTYPE)
    nothing_e = tl.where(lane < 0, 0, LOW).to(tl.int64)
    end_m, end_e = nothing_m, nothing_e  # the value of the last cell, in its lane
    sum_m = tl.where(lane < 0, 1.0, 0.0).to(tl.float64)  # of a local table
    sum_e = nothing_e
    best = tl.where(lane < 0, 1.0, 0.0).to(DTYPE)  # of a hard local table, where above 0
    best_row, best_column = lane * 0 - 1, lane * 0 - 1
    for start in range(0, height, LANES):
        row = start + lane
        left_m, left_e = border_value(
            border, beside + row, row < height, row < 0, BORDER, HARD, DTYPE
        )
        # the first lane's diagonal neighbour in the first column
        up_m, up_e = border_value(
            border, beside + row - 1, row < height, (row == 0) & (LOCAL == 0), BORDER, HARD, DTYPE
        )
        parity = (start // LANES) % 2
        carried = ((1 - parity) * pairs + pair) * columns
        carrying = (parity * pairs + pair) * columns
        for step in range(width + tl.minimum(LANES, height - start) - 1):
            column = step - lane
            within = (row < height) & (column >= 0) & (column < width)
            exists = within
            if BAND:
                exists = within & (row - column <= band) & (column - row <= band)
            diagonal_m, diagonal_e = up_m, up_e
            above_m, above_e = border_value(
                border,
                beside + rows + column,
                (lane == 0) & (column < width),
                row < 0,
                BORDER,
                HARD,
                DTYPE,
            )
            if STRIPS:
                reads = within & (lane == 0) & (start > 0)
                kept = tl.load(carry_m + carried + column, mask=reads, other=0.0)
                above_m = tl.where(start > 0, kept, above_m)
                if not HARD:
                    kept = tl.load(carry_e + carried + column, mask=reads, other=0)
                    above_e = tl.where(start > 0, kept, above_e)
            up_m = tl.where(lane == 0, above_m, from_lane_before(left_m, lane))
            if not HARD:
                up_e = tl.where(lane == 0, above_e, from_lane_before(left_e, lane))
            row_, column_ = row.to(tl.int64), column.to(tl.int64)
            here = match + pair * match_b + row_ * match_n + column_ * match_m
            raw = tl.load(here, mask=exists, other=0.0)
            matches = lane >= 0
            if THRESHOLD:
                matches = raw > threshold
            if NEGATE:
                raw = -raw
            weight = raw * unit
            up_weight = tl.zeros_like(weight)
            left_weight = tl.zeros_like(weight)
            if INSERT:
                here = insert + pair * insert_b + row_ * insert_n + column_ * insert_m
                up_weight = tl.load(here, mask=exists, other=0.0) * unit
            if SHARED:
                left_weight = up_weight
            elif DELETE:
                here = delete + pair * delete_b + row_ * delete_n + column_ * delete_m
                left_weight = tl.load(here, mask=exists, other=0.0) * unit
            place = cells + row_ * columns + column_
            if HARD:
                cell_m, move = hard_cell(
                    weight, up_weight, left_weight, matches, diagonal_m, up_m, left_m,
                    EVERY, LOCAL, GREEDY,
                )  # fmt: skip
                cell_e = left_e
                if STORE:
                    tl.store(up_plane + place, move, mask=within)
            else:
                cell_m, cell_e, kept_up, kept_left = smooth_cell(
                    weight, up_weight, left_weight, matches,
                    diagonal_m, diagonal_e, up_m, up_e, left_m, left_e,
                    EVERY, LOCAL, GREEDY, WIDE,
                )  # fmt: skip
            if BAND:
                cell_m = tl.where(exists, cell_m, nothing_m)
                cell_e = tl.where(exists, cell_e, nothing_e)
            if STORE and not HARD:
                if BAND:
                    kept_up = tl.where(exists, kept_up, -2.0)  # NO_WAY
                    kept_left = tl.where(exists, kept_left, 0.0)
                tl.store(up_plane + place, kept_up, mask=within)
                tl.store(left_plane + place, kept_left, mask=within)
                if LOCAL:
                    tl.store(mantissas + place, cell_m, mask=within)
                    tl.store(exponents + place, cell_e, mask=within)
            if LOCAL and HARD:
                larger = within & (cell_m > best)
                best = tl.where(larger, cell_m, best)
                best_row = tl.where(larger, row, best_row)
                best_column = tl.where(larger, column, best_column)
            elif LOCAL:
                more_m, more_e = plus(sum_m, sum_e, cell_m.to(tl.float64), cell_e, True)
                sum_m = tl.where(within, more_m, sum_m)
                sum_e = tl.where(within, more_e, sum_e)
            left_m = tl.where(within, cell_m, left_m)
            left_e = tl.where(within, cell_e, left_e)
            if STRIPS:
                writes = within & (lane == LANES - 1)
                tl.store(carry_m + carrying + column, cell_m, mask=writes)
                if not HARD:
                    tl.store(carry_e + carrying + column, cell_e, mask=writes)
        end_m = tl.where(row == height - 1, left_m, end_m)
        end_e = tl.where(row == height - 1, left_e, end_e)
        if STRIPS:
            tl.debug_barrier()  # the next strip reads what another thread has written
    finish(
        score, sum_mantissa, sum_exponent, ends, pair, height, width, lane, end_m, end_e,
        sum_m, sum_e, best, best_row, best_column, unit_bits, nothing_m, nothing_e,
        empty, LOCAL, NEGATE, HARD, STORE, LANES,
    )  # fmt: skip


@jit
def finish(
    score,
    sum_mantissa,
    sum_exponent,
    ends,
    pair,
    height,
    width,
    lane,
    end_m,
    end_e,
    sum_m,
    sum_e,
    best,
    best_row,
    best_column,
    unit_bits,
    nothing_m,
    nothing_e,
    empty: tl.constexpr,
    LOCAL: tl.constexpr,  # noqa: N803
    NEGATE: tl.constexpr,  # noqa: N803
    HARD: tl.constexpr,  # noqa: N803
    STORE: tl.constexpr,  # noqa: N803
    LANES: tl.constexpr,  # noqa: N803
):
    """From what each lane has seen to the score of the pair."""
    last = (height - 1) % LANES
    if HARD:
        last_row, last_column = height - 1, width - 1
        if LOCAL:
            total = tl.max(best, axis=0)
            # the first of the best cells in the order of rows; each lane kept its first
            first = tl.min(
                tl.where((best == total) & (best_row >= 0), best_row, 2147483647), axis=0
            )
            chosen = (best_row == first) & (best == total)
            last_row = tl.where(total > 0, first, -1)
            last_column = tl.max(tl.where(chosen, best_column, -1), axis=0)
        else:
            # not a sum: 0 times -inf is NaN
            total = tl.max(tl.where(lane == last, end_m, float("-inf")), axis=0)
            missing = tl.sum(((end_m != end_m) & (lane == last)).to(tl.int32), axis=0)
            total = tl.where(missing > 0, float("nan"), total)
            last_row = tl.where(total == float("-inf"), -1, last_row)
        if STORE:
            tl.store(ends + 2 * pair, last_row)
            tl.store(ends + 2 * pair + 1, last_column)
        value = total.to(tl.float64)
    else:
        if LOCAL:
            # with 1 for the empty path
            largest = tl.maximum(tl.max(sum_e, axis=0), 0)
            total = tl.sum(sum_m * power_of_two(sum_e - largest, True), axis=0)
            total += power_of_two(0 - largest, True)
            total_m, total_e = normalised(total, largest, True)
            if STORE:
                tl.store(sum_mantissa + pair, total_m)
                tl.store(sum_exponent + pair, total_e)
        else:
            total_m = tl.sum(tl.where(lane == last, end_m, 0.0), axis=0).to(tl.float64)
            total_e = tl.max(tl.where(lane == last, end_e, LOW), axis=0)
        value = (
            tl.log2(tl.where(total_m == 0, 1.0, total_m)) + total_e.to(tl.float64)
        ) / number_of_bits(unit_bits)
        value = tl.where(total_m == 0, float("-inf"), value)
    if NEGATE:
        value = -value
    value = tl.where(height > 0, value, empty)
    tl.store(score + pair, value.to(score.dtype.element_ty))


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
