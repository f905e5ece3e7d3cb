"""Pieces of compiled code for one pair at a time: lanes along an anti-diagonal.

LANES rows make a strip. At step t lane l is in column t - l of its row, so that what it needs from
above was computed by lane l - 1 one step earlier, and what it needs from above left two steps
earlier. Where t - l is not a column nothing is there: inputs are 0, and before the first column a
lane holds its row's border.

As for `cpu_rows`, numba does not see a change of this file.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.extending import intrinsic

from wsal_bench.kernels._recurrence.cpu_cells import Plan, enter
from wsal_bench.kernels._recurrence.cpu_memory import Lanes
from wsal_bench.kernels._recurrence.cpu_vectors import LANES, Scaled, Vector


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


forward_strip: Any = intrinsic(_forward_strip)
backward_strip: Any = intrinsic(_backward_strip)
