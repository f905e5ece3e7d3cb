"""Cells of the recurrence, in all lanes at once: one, rows of them, strips of them.

In a row each lane is at the same cell of another pair. In a strip all lanes are in one pair, along
an anti-diagonal: LANES rows make a strip, and at step t lane l is in column t - l of its row, so
that what it needs from above was computed by lane l - 1 one step earlier, and what it needs from
above left two steps earlier. Where t - l is not a column nothing is there: inputs are 0, and before
the first column a lane holds its row's border.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import types
from numba.extending import intrinsic

from wsal_bench.kernels._recurrence.cpu_vectors import (
    LANES,
    Lanes,
    Scaled,
    Variable,
    Vector,
    power_of_two,
)

# moves of the hard maximum; START: diagonal, and the path begins there
DIAGONAL, UP, LEFT, START = range(4)


class Plan:
    """What is the same for all cells of a call.

    Args:
        lanes: for the instructions.
        units: what turns a match and a gap weight into a power of two.
        diagonal: empty if the match counts on every move; else the threshold and whether a match
            above it is always taken.
        local: whether a path may begin at any match.
        worst: the largest magnitude so far of an exponent of an input, as bits.
    """

    def __init__(
        self,
        lanes: Lanes,
        units: Sequence[Any],
        diagonal: Sequence[Any],
        local: bool,
        worst: Vector,
    ) -> None:
        self.lanes, self.diagonal, self.local = lanes, diagonal, local
        self.match_unit, self.gap_unit = units
        self.worst: Variable = lanes.variable(worst)

    def watch(self, x: Vector) -> None:
        """Remembers the magnitude: in this order of bits infinity and NaN come last."""
        width = x.form.integer.width
        self.worst.set(self.worst.get().larger(x.bits() & (2 ** (width - 1) - 1)))


@dataclass(frozen=True)
class Cell:
    """A cell and which shares of it came from above and from the left."""

    value: Scaled
    by_up: Vector
    by_left: Vector


def enter(
    plan: Plan, values: Sequence[Vector | None], up: Scaled, left: Scaled, across: Scaled
) -> Cell:
    """The cell that is entered from the cells above, left and above left.

    Args:
        plan: what is the same for all cells.
        values: of match, insert and delete; None without gap weights, only the last None where
            insert serves both.
        up: the cell above.
        left: the cell to the left.
        across: the cell above left.
    """
    raw, insert, delete = values
    assert raw is not None
    x = raw * plan.match_unit
    plan.watch(x)
    match = power_of_two(x)
    if insert is not None:
        weight, closed = _gap(plan, insert)
        up = (up * weight).but(closed)
        if delete is not None:
            weight, closed = _gap(plan, delete)
        left = (left * weight).but(closed)
    if plan.diagonal:
        if plan.local:
            one = Scaled(plan.lanes.number(1.0), plan.lanes.whole(0))
            across = across.plus(one)
        threshold, greedy = plan.diagonal
        matches = raw > threshold
        across = (across * match).only(matches)
        taken = matches & (greedy > 0)
        up, left = up.but(taken), left.but(taken)
    largest = across.exponent.larger(up.exponent.larger(left.exponent))
    by_up, by_left = up.at(largest), left.at(largest)
    total = across.at(largest) + by_up + by_left
    value = Scaled(total, largest)
    if not plan.diagonal:
        value = value * match
    inverse = (total > 0.0).where(plan.lanes.number(1.0) / total, 0.0)
    return Cell(value.settled(), by_up * inverse, by_left * inverse)


class Chooser:
    """A cell of the hard maximum, in all lanes: the largest of three, and which one it was.

    Adds in the order of the reference, so that scores and ties are equal to the last bit.

    Args:
        lanes: for the instructions.
        sign: of a match in the score.
        diagonal: as in `Plan`.
        local: as in `Plan`.
    """

    def __init__(self, lanes: Lanes, sign: Vector, diagonal: Sequence[Any], local: bool) -> None:
        self.lanes, self.sign, self.diagonal, self.local = lanes, sign, diagonal, local
        self.infinity = lanes.number(math.inf)

    def finite(self, values: Sequence[Vector | None]) -> Vector:
        """Where a match is finite and no gap weight is NaN or inf."""
        match, *gaps = values
        assert match is not None
        fine = self.infinity > match.magnitude()
        for weight in gaps:
            if weight is not None:
                fine = fine & (self.infinity > weight)
        return fine

    def enter(
        self, values: Sequence[Vector | None], up: Vector, left: Vector, across: Vector
    ) -> tuple[Vector, Vector]:
        """The cell and the number of the move into it; arguments as of the other `enter`."""
        match, insert, delete = values
        assert match is not None
        if insert is not None:
            up, left = up + insert, left + (insert if delete is None else delete)
        over = left > up
        cell = over.where(left, up)
        move = over.where(self.lanes.whole(LEFT), UP)
        if not self.diagonal:
            over = across > cell
            return over.where(across, cell) + self.sign * match, over.where(
                self.lanes.whole(DIAGONAL), move
            )
        took = self.lanes.whole(DIAGONAL)
        if self.local:
            goes_on = across > 0.0
            across, took = goes_on.where(across, 0.0), goes_on.where(took, START)
        by_match = across + self.sign * match
        threshold, greedy = self.diagonal
        over = (match > threshold) & ((greedy > 0) | (by_match > cell))
        return over.where(by_match, cell), over.where(took, move)


def _gap(plan: Plan, raw: Vector) -> tuple[Scaled, Vector]:
    """A gap's weight, and where it is -inf: the move does not exist."""
    lowest = -(2.0 - 2.0**-raw.form.mantissa) * 2.0**raw.form.bias
    closed = raw._new(raw._other(lowest)) > raw
    x = closed.where(plan.lanes.number(0.0), raw * plan.gap_unit)
    plan.watch(x)
    return power_of_two(x), closed


def share_beside_one(lanes: Lanes, x: Scaled) -> Vector:
    """X / (X + 1): of what went across, the share that began before."""
    larger = x.exponent.larger(0)
    part = x.at(larger)
    return part / (part + Scaled(lanes.number(1.0), lanes.whole(0)).at(larger))


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


def _last(vector: Vector) -> Any:
    return vector.builder.extract_element(vector.value, ir.Constant(ir.IntType(32), LANES - 1))


def _first(vector: Vector) -> Any:
    return vector.builder.extract_element(vector.value, ir.Constant(ir.IntType(32), 0))


def _forward_strip(
    typing: Any, inputs: Any, steps: Any, row: Any, side: Any, kept: Any, kept_at: Any, units: Any,
    diagonal: Any, worst: Any,
) -> Any:  # fmt: skip
    """Steps 0, ..., steps - 1 of a strip.

    `row` is the row above it and becomes its last row; its column j is number LANES + j + 1.
    `side` is the border to the left of its rows and becomes the lanes' last cells.
    """
    kinds = (inputs, types.intp, row, side, kept, types.intp, units, diagonal, worst)

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        lanes = Lanes(context, builder, signature.args[8].dtype)
        inputs, (row_f, row_e), (side_f, side_e), kept, units, diagonal = (
            lanes.unpack(signature.args[n], arguments[n]) for n in (0, 2, 3, 4, 6, 7)
        )
        worst = lanes.memory(signature.args[8], arguments[8])
        steps, kept_at, zero = arguments[1], arguments[5], lanes.index(0)
        plan = Plan(lanes, units, diagonal, False, worst[zero])
        border = Scaled(side_f[zero], side_e[zero])
        state_f, state_e = lanes.variable(border.fraction), lanes.variable(border.exponent)
        corner = lanes.index(LANES)
        across_f = lanes.variable(border.fraction.lanes_moved_up(row_f.scalar(corner)))
        across_e = lanes.variable(border.exponent.lanes_moved_up(row_e.scalar(corner)))
        with lanes.loop(zero, steps) as t:
            above = builder.add(t, lanes.index(LANES + 1))
            left = Scaled(state_f.get(), state_e.get())
            up = Scaled(
                left.fraction.lanes_moved_up(row_f.scalar(above)),
                left.exponent.lanes_moved_up(row_e.scalar(above)),
            )
            values = [None if x is None else x[t] for x in inputs]
            cell = enter(plan, values, up, left, Scaled(across_f.get(), across_e.get()))
            entered = lanes.column(t) - lanes.counting() > -1
            value = Scaled(
                entered.where(cell.value.fraction, border.fraction),
                entered.where(cell.value.exponent, border.exponent),
            )
            state_f.set(value.fraction)
            state_e.set(value.exponent)
            across_f.set(up.fraction)
            across_e.set(up.exponent)
            below = builder.add(t, lanes.index(2))  # LANES + (t - LANES + 1) + 1
            row_f.set_scalar(below, _last(value.fraction))
            row_e.set_scalar(below, _last(value.exponent))
            place = builder.add(kept_at, t)
            kept[0][place], kept[1][place] = cell.by_up, cell.by_left
        worst[zero] = plan.worst.get()
        side_f[zero], side_e[zero] = state_f.get(), state_e.get()
        return context.get_dummy_value()

    return types.void(*kinds), emit


def _backward_strip(
    typing: Any, kept: Any, kept_at: Any, steps: Any, up: Any, across: Any, seeds: Any,
    outputs: Any, on_diagonal: Any,
) -> Any:  # fmt: skip
    """Gradients at the steps steps - 1, ..., 0 of a strip.

    `up` and `across` are what the strip below sends up from its first row, and become what this one
    sends; column j is number LANES + j. `seeds` enter at the last step.
    """
    kinds = (kept, types.intp, types.intp, up, across, seeds, outputs, on_diagonal)

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        lanes = Lanes(context, builder, signature.args[5].dtype)
        kept, outputs = (lanes.unpack(signature.args[n], arguments[n]) for n in (0, 6))
        up, across, seeds = (lanes.memory(signature.args[n], arguments[n]) for n in (3, 4, 5))
        kept_at, steps = arguments[1], arguments[2]
        zero, one = lanes.index(0), lanes.index(1)
        nothing = lanes.number(0.0)
        left, ups = lanes.variable(seeds[zero]), lanes.variable(nothing)
        last, before = lanes.variable(nothing), lanes.variable(nothing)
        smallest = 2.0 ** (1 - lanes.form.mantissa)
        with lanes.loop(builder.sub(steps, one), lanes.index(-1), -1) as t:
            below = builder.add(t, one)  # LANES + (t - (LANES - 1)): the last lane's column
            from_below = ups.get().lanes_moved_down(up.scalar(below))
            from_across = before.get().lanes_moved_down(across.scalar(builder.add(below, one)))
            here = left.get() + from_below + from_across
            here = (lanes.column(t) - lanes.counting() > -1).where(here, 0.0)
            place = builder.add(kept_at, t)
            up_share, left_share = kept[0][place], kept[1][place]
            by_up, by_left = here * up_share, here * left_share
            rest = lanes.number(1.0) - up_share - left_share
            by_diagonal = here * (rest > smallest).where(rest, 0.0)
            outputs[0][t] = here if isinstance(on_diagonal, types.NoneType) else by_diagonal
            if outputs[2] is not None:
                outputs[1][t], outputs[2][t] = by_up, by_left
            elif outputs[1] is not None:
                outputs[1][t] = by_up + by_left
            first = builder.add(t, lanes.index(LANES))
            up.set_scalar(first, _first(by_up))
            across.set_scalar(first, _first(by_diagonal))
            left.set(by_left)
            ups.set(by_up)
            before.set(last.get())
            last.set(by_diagonal)
        return context.get_dummy_value()

    return types.void(*kinds), emit


forward_row: Any = intrinsic(_forward_row)
backward_row: Any = intrinsic(_backward_row)
hard_row: Any = intrinsic(_hard_row)
forward_strip: Any = intrinsic(_forward_strip)
backward_strip: Any = intrinsic(_backward_strip)
