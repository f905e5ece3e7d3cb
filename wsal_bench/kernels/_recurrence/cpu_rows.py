"""Pieces of compiled code: tiles that are transposed on the way, and rows of cells in all lanes."""

from __future__ import annotations

from typing import Any

from numba import types
from numba.extending import intrinsic

from wsal_bench.kernels._recurrence.cpu_cells import Chooser, Plan, enter, share_beside_one
from wsal_bench.kernels._recurrence.cpu_memory import TILE, Lanes, transposed
from wsal_bench.kernels._recurrence.cpu_vectors import LANES, Scaled


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


def _hard_row(
    typing: Any, inputs: Any, at: Any, first: Any, last: Any, row: Any, edge: Any, moves: Any,
    moves_at: Any, sign: Any, diagonal: Any, local: Any, wrong: Any, cells_at: Any, limits: Any,
) -> Any:  # fmt: skip
    """The cells first, ..., last - 1 of a row, all lanes, of the hard maximum.

    `inputs`, `row`, `edge` are as for `_forward_row`, but plain numbers; `moves` gets a byte for
    each cell and lane from vector `moves_at` on; `wrong` gets ones where an input is not finite.
    `local` is None, or the best cells so far, their places in the order of rows, and how many
    columns count; the row's first place is `cells_at`.
    """
    kinds = (inputs, types.intp, types.intp, types.intp, row, edge, moves, types.intp, sign,
             diagonal, local, wrong, types.intp, limits)  # fmt: skip

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        lanes = Lanes(context, builder, signature.args[4].dtype)
        parts = [lanes.unpack(signature.args[n], arguments[n]) for n in (0, 9, 10)]
        memory = {n: lanes.memory(signature.args[n], arguments[n]) for n in (4, 5, 6, 11, 13)}
        at, first, last, moves_at, cells_at = (arguments[n] for n in (1, 2, 3, 7, 12))
        zero, one = lanes.index(0), lanes.index(1)
        chooser = Chooser(lanes, lanes.splat(arguments[8]), parts[1], bool(parts[2]))
        wrong = lanes.variable(memory[11][zero])
        left, across = lanes.variable(memory[5][zero]), lanes.variable(memory[5][one])
        if parts[2]:
            best, place = (lanes.variable(x[zero]) for x in parts[2])
        with lanes.loop(first, last) as j:
            after = builder.add(j, one)
            values = [None if x is None else x[builder.add(at, j)] for x in parts[0]]
            above = memory[4][after]
            wrong.set(chooser.finite(values).where(wrong.get(), 1.0))
            cell, move = chooser.enter(values, above, left.get(), across.get())
            memory[4][after] = cell
            left.set(cell)
            across.set(above)
            memory[6].set_bytes(builder.add(moves_at, j), move)
            if parts[2]:
                better = (memory[13][zero] > lanes.column(j)) & (cell > best.get())
                best.set(better.where(cell, best.get()))
                place.set(better.where(lanes.column(builder.add(cells_at, j)), place.get()))
        memory[11][zero] = wrong.get()
        if parts[2]:
            parts[2][0][zero], parts[2][1][zero] = best.get(), place.get()
        return context.get_dummy_value()

    return types.void(*kinds), emit


tile_in: Any = intrinsic(_tile_in)
tile_out: Any = intrinsic(_tile_out)
forward_row: Any = intrinsic(_forward_row)
backward_row: Any = intrinsic(_backward_row)
hard_row: Any = intrinsic(_hard_row)
