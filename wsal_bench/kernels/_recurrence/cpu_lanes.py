"""Compiled: one SIMD lane per pair, blocks of LANES pairs, in linear space.

With X = exp(C / gamma) the recurrence over three moves is a sum of products,

    X[i, j] = exp(match) * (X[i-1, j-1] + exp(insert) * X[i-1, j] + exp(delete) * X[i, j-1])

with weights in units of gamma. Exponentials are of inputs only and there is no logarithm but that
of the result. Each X is a fraction with an exponent of its own (`cpu_vectors`), so nothing
overflows, and rounding does not grow with |C| / gamma as in a table of logarithms.

Forward keeps what each cell got from the moves up and left, as shares of its sum; the diagonal
has the rest. Backward sends the gradient along these shares.

Import this module lazily: numba takes a third of a second.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types
from numba.extending import intrinsic, overload

from wsal_bench.compiling import compiled
from wsal_bench.kernels._recurrence.cpu_cells import Plan, enter, share_beside_one
from wsal_bench.kernels._recurrence.cpu_vectors import LANES, TILE, Lanes, Scaled, transposed

FREE, FORBIDDEN, GAPS, LOCAL = range(4)
CHUNK = 128  # cells of a pair that are transposed at a time, at least


@intrinsic  # type: ignore[untyped-decorator]
def _tile_in(
    typing: Any, buffer: Any, at: Any, grid: Any, starts: Any, lane: Any, shift: Any
) -> Any:
    """buffer[at + k, lane + l] = grid[starts[lane + l] + shift + k] for k, l < TILE."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        to, at, source, starts, lane, shift = arguments
        lanes = Lanes(context, builder, signature.args[0].dtype)
        to, source, starts = (
            lanes.memory(signature.args[n], x) for n, x in ((0, to), (2, source), (3, starts))
        )
        rows = []
        for k in range(TILE):
            start = starts.scalar(builder.add(lane, lanes.index(k)))
            rows.append(source.run(builder.add(start, shift), TILE))
        for k, row in enumerate(transposed(rows)):
            place = builder.mul(builder.add(at, lanes.index(k)), lanes.index(LANES))
            to.set_run(builder.add(place, lane), row)
        return context.get_dummy_value()

    return types.void(buffer, types.intp, grid, starts, types.intp, types.intp), emit


@intrinsic  # type: ignore[untyped-decorator]
def _tile_out(
    typing: Any, buffer: Any, at: Any, grid: Any, starts: Any, lane: Any, shift: Any
) -> Any:
    """grid[starts[lane + l] + shift + k] = buffer[at + k, lane + l] for k, l < TILE."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        source, at, to, starts, lane, shift = arguments
        lanes = Lanes(context, builder, signature.args[0].dtype)
        source, to, starts = (
            lanes.memory(signature.args[n], x) for n, x in ((0, source), (2, to), (3, starts))
        )
        rows = []
        for k in range(TILE):
            place = builder.mul(builder.add(at, lanes.index(k)), lanes.index(LANES))
            rows.append(source.run(builder.add(place, lane), TILE))
        for k, row in enumerate(transposed(rows)):
            start = starts.scalar(builder.add(lane, lanes.index(k)))
            to.set_run(builder.add(start, shift), row)
        return context.get_dummy_value()

    return types.void(buffer, types.intp, grid, starts, types.intp, types.intp), emit


@intrinsic  # type: ignore[untyped-decorator]
def _forward_row(
    typing: Any, inputs: Any, at: Any, first: Any, last: Any, row: Any, edge: Any, kept: Any,
    kept_at: Any, units: Any, diagonal: Any, local: Any, worst: Any, cells_at: Any, block: Any,
    limits: Any,
) -> Any:  # fmt: skip
    """The cells first, ..., last - 1 of a row, all lanes.

    `inputs` begin at vector `at`; `row` is the row above and becomes this one, [column + 1];
    `edge` holds the cells to the left and above left of the first; `kept` gets the shares. `local`
    is where the cells go (from vector `cells_at` on), their sum, and how many columns count.
    """
    kinds = (inputs, types.intp, types.intp, types.intp, row, edge, kept, types.intp, units,
             diagonal, local, worst, types.intp, types.intp, limits)  # fmt: skip

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        lanes = Lanes(context, builder, signature.args[11].dtype)
        names = ("inputs", "row", "edge", "kept", "units", "diagonal", "local")
        places = (0, 4, 5, 6, 8, 9, 10)
        parts = {
            name: lanes.unpack(signature.args[n], arguments[n])
            for name, n in zip(names, places, strict=True)
        }
        at, first, last, kept_at = (arguments[n] for n in (1, 2, 3, 7))
        worst = lanes.memory(signature.args[11], arguments[11])
        zero, one = lanes.index(0), lanes.index(1)
        plan = Plan(lanes, parts["units"], parts["diagonal"], bool(parts["local"]), worst[zero])
        row_f, row_e = parts["row"]
        edge_f, edge_e = parts["edge"]
        left_f, left_e = lanes.variable(edge_f[zero]), lanes.variable(edge_e[zero])
        across_f, across_e = lanes.variable(edge_f[one]), lanes.variable(edge_e[one])
        if parts["local"]:
            cells_f, cells_e, total_f, total_e = parts["local"]
            limit = lanes.memory(signature.args[14], arguments[14])[zero]
            block = arguments[13]
            sum_f, sum_e = lanes.variable(total_f[block]), lanes.variable(total_e[block])
        with lanes.loop(first, last) as j:
            after = builder.add(j, one)
            values = [None if x is None else x[builder.add(at, j)] for x in parts["inputs"]]
            up = Scaled(row_f[after], row_e[after])
            left = Scaled(left_f.get(), left_e.get())
            across = Scaled(across_f.get(), across_e.get())
            cell = enter(plan, values, up, left, across)
            row_f[after], row_e[after] = cell.value.fraction, cell.value.exponent
            left_f.set(cell.value.fraction)
            left_e.set(cell.value.exponent)
            across_f.set(up.fraction)
            across_e.set(up.exponent)
            place = builder.add(kept_at, j)
            for memory, share in zip(parts["kept"], (cell.by_up, cell.by_left), strict=True):
                memory[place] = share
            if parts["local"]:
                place = builder.add(arguments[12], j)
                cells_f[place], cells_e[place] = cell.value.fraction, cell.value.exponent
                inside = cell.value.only(limit > lanes.column(j))
                summed = Scaled(sum_f.get(), sum_e.get()).plus(inside).settled()
                sum_f.set(summed.fraction)
                sum_e.set(summed.exponent)
        worst[zero] = plan.worst.get()
        if parts["local"]:
            total_f[block], total_e[block] = sum_f.get(), sum_e.get()
        return context.get_dummy_value()

    return types.void(*kinds), emit


@intrinsic  # type: ignore[untyped-decorator]
def _backward_row(
    typing: Any, kept: Any, kept_at: Any, first: Any, last: Any, flows: Any, edge: Any,
    outputs: Any, at: Any, on_diagonal: Any, local: Any, seeds: Any, cells_at: Any, before_at: Any,
    block: Any, limits: Any,
) -> Any:  # fmt: skip
    """The gradients of the cells last - 1, ..., first of a row.

    `flows` are what the row below sends up [column] and across [column + 1], and become what this
    row sends; `edge` gets what leaves its first cell to the left and across. `local` is what
    forward kept of local paths: the cells of this row from vector `cells_at` on, those above left
    from `before_at`, sums of all at `block`. `seeds`: of each sum, its gradient over its fraction.
    """
    kinds = (kept, types.intp, types.intp, types.intp, flows, edge, outputs, types.intp,
             on_diagonal, local, seeds, types.intp, types.intp, types.intp, limits)  # fmt: skip

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        lanes = Lanes(context, builder, signature.args[10].dtype)
        kept, flows, outputs, local = (
            lanes.unpack(signature.args[n], arguments[n]) for n in (0, 4, 6, 9)
        )
        edge = lanes.memory(signature.args[5], arguments[5])
        kept_at, first, last, at = (arguments[n] for n in (1, 2, 3, 7))
        zero, one = lanes.index(0), lanes.index(1)
        if local:
            seed = lanes.memory(signature.args[10], arguments[10])[zero]
            limit = lanes.memory(signature.args[14], arguments[14])[zero]
            total_e = local[3][arguments[13]]
        left, across = lanes.variable(lanes.number(0.0)), lanes.variable(lanes.number(0.0))
        smallest = 2.0 ** (1 - lanes.form.mantissa)
        with lanes.loop(builder.sub(last, one), builder.sub(first, one), -1) as j:
            after, place = builder.add(j, one), builder.add(kept_at, j)
            here = flows[0][j] + left.get() + flows[1][after]
            if local:
                cell = Scaled(*(x[builder.add(arguments[11], j)] for x in local[:2]))
                ends = (limit > lanes.column(j)).where(cell.at(total_e) * seed, 0.0)
                here = here + ends
            up_share, left_share = kept[0][place], kept[1][place]
            by_up, by_left = here * up_share, here * left_share
            # What rounding leaves of nothing must not flow into cells that are out of reach.
            rest = lanes.number(1.0) - up_share - left_share
            by_diagonal = here * (rest > smallest).where(rest, 0.0)
            target = builder.add(at, j)
            outputs[0][target] = here if isinstance(on_diagonal, types.NoneType) else by_diagonal
            if outputs[2] is not None:
                outputs[1][target], outputs[2][target] = by_up, by_left
            elif outputs[1] is not None:
                outputs[1][target] = by_up + by_left
            if local:
                before = Scaled(*(x[builder.add(arguments[12], j)] for x in local[:2]))
                by_diagonal = by_diagonal * share_beside_one(lanes, before)
            flows[0][j], flows[1][after] = by_up, across.get()
            left.set(by_left)
            across.set(by_diagonal)
        flows[1][first] = across.get()
        edge[zero], edge[one] = left.get(), across.get()
        return context.get_dummy_value()

    return types.void(*kinds), emit


def _scratch(like: Any, room: int) -> Any:
    """Zeros of the type of `like`; None if it is None. For compiled functions only."""
    raise NotImplementedError


@overload(_scratch)  # type: ignore[untyped-decorator]
def _scratch_compiled(like, room):  # type: ignore[no-untyped-def]
    if isinstance(like, types.NoneType):
        return lambda like, room: None
    return lambda like, room: np.zeros(room, like.dtype)


@compiled
def _fill(buffer, grid, starts, first, count):  # type: ignore[no-untyped-def]
    """buffer[k, lane] = grid[starts[lane] + first + k], k < count."""
    for lane in range(0, LANES, TILE):
        if count < TILE:
            for k in range(count):
                for inner in range(lane, lane + TILE):
                    buffer[k * LANES + inner] = grid[starts[inner] + first + k]
        else:
            for k in range(0, count - TILE, TILE):
                _tile_in(buffer, k, grid, starts, lane, first + k)
            _tile_in(buffer, count - TILE, grid, starts, lane, first + count - TILE)


@compiled
def _spread(buffer, grid, starts, used, first, count):  # type: ignore[no-untyped-def]
    """The reverse, for the first `used` lanes."""
    for lane in range(0, used, TILE):
        if count < TILE or used < lane + TILE:
            for inner in range(lane, min(used, lane + TILE)):
                for k in range(count):
                    grid[starts[inner] + first + k] = buffer[k * LANES + inner]
        else:
            for k in range(0, count - TILE, TILE):
                _tile_out(buffer, k, grid, starts, lane, first + k)
            _tile_out(buffer, count - TILE, grid, starts, lane, first + count - TILE)


@compiled
def _clean(buffer, rows, columns, first, last, width):  # type: ignore[no-untyped-def]
    """Puts 0 where a pair has no cells, whatever was there; rows first, ..., last - 1."""
    for lane in range(LANES):
        for i in range(first, last):
            inside = columns[lane] if i < rows[lane] else 0
            for j in range(inside, width):
                buffer[((i - first) * width + j) * LANES + lane] = 0


@compiled
def _choose(block, order, lengths, shape, pairs, rows, columns, starts):  # type: ignore[no-untyped-def]
    """Which pairs a block holds; a lane too many repeats the last. Returns lanes used."""
    batch, height, width = shape
    used = min(LANES, batch - block * LANES)
    for lane in range(LANES):
        place = block * LANES + min(lane, used - 1)
        pair = order[place] if len(order) else place
        pairs[lane] = pair
        rows[lane] = lengths[pair, 0] if len(lengths) else height
        columns[lane] = lengths[pair, 1] if len(lengths) else width
        if rows[lane] == 0 or columns[lane] == 0:
            rows[lane] = columns[lane] = 0
        starts[lane] = pair * height * width
    return used


@compiled
def _set_border(kind, weights, starts, step, counts, unit, low, to_f, to_e):  # type: ignore[no-untyped-def]
    """The border beside each lane's rows or columns: [0] is the corner, [k + 1] cell k.

    `weights` may be None; those along the border are `step` apart.
    """
    for k in range(len(to_f)):
        to_f[k] = 1 if kind == FREE or kind == GAPS else 0
        to_e[k] = 0 if kind == FREE or kind == GAPS else low
    if kind == FORBIDDEN:
        to_f[:LANES] = 1
        to_e[:LANES] = 0
    if kind == GAPS and weights is not None:
        for lane in range(LANES):
            total = 0.0
            for k in range(counts[lane]):
                total += np.float64(weights[starts[lane] + k * step]) * unit
                place = (k + 1) * LANES + lane
                if abs(total) < 1e18:
                    whole = np.rint(total)
                    to_f[place] = 2.0 ** (total - whole)
                    to_e[place] = max(whole, low)
                else:
                    to_f[place] = 0
                    to_e[place] = low


@compiled
def forward(
    blocks, order, lengths, shape, match, insert, delete, units, border, band, diagonal, local, kept, low, scale,
    score,
):  # type: ignore[no-untyped-def]  # fmt: skip
    """Scores of the pairs of blocks[0], ..., blocks[1] - 1; returns the worst exponent's bits.

    Args:
        blocks: range of blocks, LANES pairs each.
        order: int64 [B] pairs as they fill the blocks; empty: as they are.
        lengths: int64 [B, 2]; empty: no lengths.
        shape: B, N, M.
        match: flat [B * N * M].
        insert: the same, or None.
        delete: the same, or None; with insert given, insert then serves both.
        units: what turns a match and a gap weight into a power of two.
        border: FREE, FORBIDDEN, GAPS or LOCAL.
        band: largest |i - j|.
        diagonal: None if the match counts on every move, else threshold and greedy (1 or 0).
        local: None, or the cells' fractions and exponents [blocks, N + 1, M + 1, LANES] and those
            of their sums [blocks, LANES], all flat, which are filled.
        kept: shares of up and left [blocks, N, M, LANES], flat, which are filled.
        low: exponent of what is 0.
        scale: what turns a power of two into a score.
        score: [B], which is filled.
    """
    _, height, width = shape
    pairs, rows, columns = (
        np.empty(LANES, np.int64),
        np.empty(LANES, np.int64),
        np.empty(LANES, np.int64),
    )
    starts = np.empty(LANES, np.int64)
    chunk = min(height, max(1, CHUNK // width))
    room = chunk * width * LANES
    to_match = np.zeros(room, match.dtype)
    to_insert, to_delete = _scratch(insert, room), _scratch(delete, room)
    row_f, row_e = np.empty((width + 1) * LANES, match.dtype), np.full((width + 1) * LANES, low)
    side_f, side_e = np.empty((height + 1) * LANES, match.dtype), np.full((height + 1) * LANES, low)
    edge_f, edge_e = np.empty(2 * LANES, match.dtype), np.full(2 * LANES, low)
    limits = np.full(LANES, low)
    worst = np.full(LANES, low)
    for block in range(blocks[0], blocks[1]):
        used = _choose(block, order, lengths, shape, pairs, rows, columns, starts)
        height_here, width_here = rows.max(), columns.max()
        ragged = rows.min() < height_here or columns.min() < width
        above = insert if delete is None else delete
        _set_border(border, above, starts, 1, columns, units[1], low, row_f, row_e)
        _set_border(border, insert, starts, width, rows, units[1], low, side_f, side_e)
        if local is not None:
            for k in range(LANES):
                local[2][block * LANES + k] = 1
                local[3][block * LANES + k] = 0
            for i in range(height + 1):
                begin = (block * (height + 1) + i) * (width + 1) * LANES
                end = begin + (LANES if i else (width + 1) * LANES)
                local[0][begin:end] = 0
                local[1][begin:end] = low
        for i in range(height_here):
            at = i % chunk * width
            if not at:
                stop = min(height_here, i + chunk)
                _fill(to_match, match, starts, i * width, (stop - i) * width)
                if insert is not None:
                    _fill(to_insert, insert, starts, i * width, (stop - i) * width)
                if delete is not None:
                    _fill(to_delete, delete, starts, i * width, (stop - i) * width)
                if ragged:
                    _clean(to_match, rows, columns, i, stop, width)
                    if insert is not None:
                        _clean(to_insert, rows, columns, i, stop, width)
                    if delete is not None:
                        _clean(to_delete, rows, columns, i, stop, width)
            first, last = max(0, i - band), min(width_here, i + band + 1)
            for k in range(LANES):
                edge_f[k] = side_f[(i + 1) * LANES + k] if first == 0 else 0
                edge_e[k] = side_e[(i + 1) * LANES + k] if first == 0 else low
                edge_f[LANES + k] = (
                    side_f[i * LANES + k] if first == 0 else row_f[first * LANES + k]
                )
                edge_e[LANES + k] = (
                    side_e[i * LANES + k] if first == 0 else row_e[first * LANES + k]
                )
                limits[k] = columns[k] if i < rows[k] else 0
            _forward_row(
                (to_match, to_insert, to_delete), at, first, last, (row_f, row_e),
                (edge_f, edge_e), kept, (block * height + i) * width, units, diagonal, local, worst,
                (block * (height + 1) + i + 1) * (width + 1) + 1, block, limits,
            )  # fmt: skip
            for lane in range(used):
                if rows[lane] == i + 1:
                    place = columns[lane] * LANES + lane
                    score[pairs[lane]] = (np.log2(row_f[place]) + row_e[place]) * scale
        if local is not None:
            for lane in range(used):
                if rows[lane]:
                    place = block * LANES + lane
                    score[pairs[lane]] = (np.log2(local[2][place]) + local[3][place]) * scale
    return worst.max()


@compiled
def backward(
    blocks, order, lengths, shape, kept, border, band, on_diagonal, local, score, upstream,
    to_match, to_insert, to_delete, gap_sign, low,
):  # type: ignore[no-untyped-def]  # fmt: skip
    """Gradients of the pairs of some blocks; arguments as in `forward`, and

    Args:
        on_diagonal: None if the match counts on every move, else anything.
        upstream: [B] gradients of the scores.
        to_match: gradient, flat [B * N * M], which is filled.
        to_insert: the same, or None.
        to_delete: the same, or None.
        gap_sign: the sign of the gap weights in the score.
    """
    _, height, width = shape
    pairs, rows, columns = (
        np.empty(LANES, np.int64),
        np.empty(LANES, np.int64),
        np.empty(LANES, np.int64),
    )
    starts = np.empty(LANES, np.int64)
    chunk = min(height, max(1, CHUNK // width))
    room = chunk * width * LANES
    match = np.zeros(room, to_match.dtype)
    insert, delete = _scratch(to_insert, room), _scratch(to_delete, room)
    up, across = np.zeros(width * LANES, match.dtype), np.zeros((width + 1) * LANES, match.dtype)
    side = np.zeros((height + 1) * LANES, match.dtype)
    edge = np.zeros(2 * LANES, match.dtype)
    seeds = np.zeros(LANES, match.dtype)
    limits = np.full(LANES, low)
    for block in range(blocks[0], blocks[1]):
        used = _choose(block, order, lengths, shape, pairs, rows, columns, starts)
        height_here, width_here = rows.max(), columns.max()
        match[:] = 0
        if to_insert is not None:
            insert[:] = 0
        if to_delete is not None:
            delete[:] = 0
        up[:] = 0
        across[:] = 0
        side[:] = 0
        for lane in range(LANES):
            fine = lane < used and rows[lane] and np.isfinite(score[pairs[lane]])
            seeds[lane] = upstream[pairs[lane]] if fine else 0
        if local is not None:
            for k in range(LANES):
                seeds[k] = seeds[k] / local[2][block * LANES + k]
        for i in range(height - 1, -1, -1):
            at = i % chunk * width
            if i < height_here:
                if local is None:
                    for lane in range(used):
                        if rows[lane] == i + 1:
                            up[(columns[lane] - 1) * LANES + lane] += seeds[lane]
                else:
                    for k in range(LANES):
                        limits[k] = columns[k] if i < rows[k] else 0
                first, last = max(0, i - band), min(width_here, i + band + 1)
                cells_at = (block * (height + 1) + i + 1) * (width + 1) + 1
                _backward_row(
                    kept, (block * height + i) * width, first, last, (up, across), edge,
                    (match, insert, delete), at, on_diagonal, local, seeds, cells_at,
                    cells_at - width - 2, block, limits,
                )  # fmt: skip
                if border == GAPS:
                    for k in range(LANES):
                        side[(i + 1) * LANES + k] += edge[k]
                        side[i * LANES + k] += edge[LANES + k]
            if not at:
                count = min(height - i, chunk) * width
                if gap_sign < 0:
                    if to_insert is not None:
                        insert *= -1
                    if to_delete is not None:
                        delete *= -1
                _spread(match, to_match, starts, used, i * width, count)
                if to_insert is not None:
                    _spread(insert, to_insert, starts, used, i * width, count)
                if to_delete is not None:
                    _spread(delete, to_delete, starts, used, i * width, count)
                if band < width:
                    match[:] = 0
                    if to_insert is not None:
                        insert[:] = 0
                    if to_delete is not None:
                        delete[:] = 0
        if border == GAPS and to_insert is not None:
            last_one = to_insert if to_delete is None else to_delete
            for lane in range(used):
                total = 0.0
                for i in range(rows[lane] - 1, -1, -1):
                    total += side[(i + 1) * LANES + lane]
                    to_insert[starts[lane] + i * width] += gap_sign * total
                total = 0.0
                for j in range(columns[lane] - 1, -1, -1):
                    total += up[j * LANES + lane]
                    if j + 1 < columns[lane]:
                        total += across[(j + 1) * LANES + lane]
                    last_one[starts[lane] + j] += gap_sign * total
