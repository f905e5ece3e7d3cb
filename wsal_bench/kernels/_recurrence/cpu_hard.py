"""The hard maximum, one SIMD lane per pair, and the one path of each walked backward.

Forward keeps one byte per cell: the move that was taken into it. Adds in the order of the
reference, so that scores and ties are equal to the last bit.

Import this module lazily: numba takes a third of a second.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numba.core import types
from numba.extending import overload
from torch import Tensor

from wsal_bench.compiling import compiled
from wsal_bench.kernels._recurrence.cpu_blocks import CHUNK, choose, get_in, numbers_at, scratch
from wsal_bench.kernels._recurrence.cpu_calls import (
    FORBIDDEN,
    FREE,
    GAPS,
    LOCAL,
    NUMBERS,
    ROOM,
    Grids,
    band_of,
    border_of,
    in_threads,
    known_lengths,
    new_grids,
    order_of,
)
from wsal_bench.kernels._recurrence.cpu_cells import DIAGONAL, LEFT, START, UP, hard_row
from wsal_bench.kernels._recurrence.cpu_vectors import LANES
from wsal_bench.kernels._recurrence.rules import Rules

BYTES = np.dtype(np.uint8)


@dataclass(frozen=True, eq=False)
class Plan:
    """Rules and shape in the terms of the compiled code.

    Attributes:
        sign: of a match in the score.
        border: one of its numbers.
        band: largest |i - j|.
        diagonal: None, or the threshold and whether a match above it is always taken.
        local: None, or anything where a path may begin and end anywhere.
        none: -1, an integer of the width of the numbers.
        empty: score of a pair without a cell.
        blocks: how many blocks of pairs there are.
        cells: of all pairs.
    """

    sign: Any
    border: int
    band: int
    diagonal: tuple[Any, Any] | None
    local: int | None
    none: Any
    empty: float
    blocks: int
    cells: int


@lru_cache
def _plan_of(rules: Rules, shape: tuple[int, int, int], dtype: torch.dtype) -> Plan:
    numbers = NUMBERS[dtype]
    threshold = -math.inf if rules.threshold is None else rules.threshold
    pair = numbers.real(threshold), numbers.real(rules.greedy)
    return Plan(
        sign=numbers.real(-1 if rules.negate else 1),
        border=border_of(rules),
        band=band_of(rules, shape),
        diagonal=pair if rules.match_on == "diagonal" else None,
        local=1 if rules.local else None,
        none=numbers.whole(-1),
        empty=rules.empty,
        blocks=-(-shape[0] // LANES),
        cells=math.prod(shape),
    )


@dataclass(eq=False, slots=True)  # not frozen: made at each call, and that would cost more
class Hard:
    """What backward needs of a forward; arrays as `forward` describes them."""

    plan: Plan
    shape: tuple[int, int, int]
    order: Any
    moves: Any
    ends: Any
    gaps: int

    def __del__(self) -> None:
        ROOM.give_back(self.moves)

    def gradients(self, upstream: Tensor) -> list[Tensor | None]:
        """Gradients of match, insert and delete; insert's is that of both if they are one."""
        plan, shape, gaps = self.plan, self.shape, self.gaps
        found, (match, insert, delete) = new_grids(shape, upstream.dtype, 1 + gaps)
        in_threads(
            backward, plan.blocks, plan.cells,
            self.order, shape, plan.border, plan.diagonal is not None, self.moves, self.ends,
            upstream.data_ptr(), upstream.stride(0), match, insert,
            insert if gaps == 1 else delete, plan.sign,
        )  # fmt: skip
        return found


def run_hard(rules: Rules, grids: Grids, lengths: Tensor | None, value: Tensor) -> Hard | None:
    """Fills in scores [B]. Returns what backward needs; None where a value is not finite."""
    batch, height, width = shape = grids.shape
    plan = _plan_of(rules, shape, grids.dtype)
    moves = ROOM.take(plan.blocks * height * width * LANES, BYTES)
    ends = np.empty((batch, 2), np.int64)
    known, order = known_lengths(lengths), order_of(lengths)
    bad = in_threads(
        forward, plan.blocks, plan.cells,
        order, known, shape, grids.match, grids.insert, grids.delete, plan.sign, plan.border,
        plan.band, plan.diagonal, plan.local, plan.none, moves, ends, plan.empty,
        value.data_ptr(),
    )  # fmt: skip
    return None if bad else Hard(plan, shape, order, moves, ends, grids.gaps)


@compiled
def _set_border(kind, weights, starts, step, counts, to):  # type: ignore[no-untyped-def]
    """The border beside each lane's rows or columns: [0] is the corner, [k + 1] cell k."""
    to[:] = 0 if kind in (FREE, GAPS) else -np.inf
    if kind == FORBIDDEN:
        to[:LANES] = 0
    if kind == GAPS and weights is not None:
        for lane in range(LANES):
            total = 0.0
            for k in range(counts[lane]):
                total += weights[starts[lane] + k * step]
                to[(k + 1) * LANES + lane] = total


def _best(local: Any, row: Any, none: Any) -> Any:
    """Each lane's best cell and its place in the order of rows; None if `local` is None."""
    raise NotImplementedError


@overload(_best)
def _best_compiled(local, row, none):  # type: ignore[no-untyped-def]
    if isinstance(local, types.NoneType):
        return lambda local, row, none: None
    return lambda local, row, none: (np.zeros(LANES, row.dtype), np.full(LANES, none))


@compiled
def forward(  # type: ignore[no-untyped-def]
    blocks, order, lengths, shape, match_at, insert_at, delete_at, sign, border, band, diagonal,
    local, none, moves, ends, empty, score_at,
):  # fmt: skip
    """Scores of the pairs of blocks[0], ..., blocks[1] - 1; returns whether one holds a bad value.

    Args:
        blocks: range of blocks, LANES pairs each.
        order: int64 [B] pairs as they fill the blocks; empty: as they are.
        lengths: int64 [B, 2]; empty: no lengths.
        shape: B, N, M.
        match_at: address of [B, N, M] numbers.
        insert_at: the same, or None.
        delete_at: the same, or None; with insert given, insert then serves both.
        sign: of a match in the score.
        border: FREE, FORBIDDEN, GAPS or LOCAL.
        band: largest |i - j|.
        diagonal: None if the match counts on every move, else threshold and greedy (1 or 0).
        local: None but for the border LOCAL.
        none: -1, an integer of the width of the numbers.
        moves: uint8 [blocks, N, M, LANES], flat, which is filled.
        ends: int64 [B, 2], which is filled: each pair's last cell, -1 where it has no path.
        empty: score of a pair without a cell.
        score_at: address of [B] scores, which are filled.
    """
    batch, height, width = shape
    match = numbers_at(match_at, batch * height * width, sign)
    insert = numbers_at(insert_at, batch * height * width, sign)
    delete = numbers_at(delete_at, batch * height * width, sign)
    score = numbers_at(score_at, batch, sign)
    lanes = np.empty((4, LANES), np.int64)
    pairs, rows, columns, starts = lanes
    chunk = min(height, max(1, CHUNK // width))
    room = chunk * width * LANES
    to_match, to_insert, to_delete = (
        scratch(match, room), scratch(insert, room), scratch(delete, room),
    )  # fmt: skip
    row, side = scratch(match, (width + 1) * LANES), scratch(match, (height + 1) * LANES)
    edge, wrong = scratch(match, 2 * LANES), scratch(match, LANES)
    limits, best = np.full(LANES, none), _best(local, row, none)
    for block in range(blocks[0], blocks[1]):
        used = choose(block, order, lengths, shape, lanes)
        height_here, width_here = rows.max(), columns.max()
        above = insert if delete_at is None else delete
        _set_border(border, above, starts, 1, columns, row)
        _set_border(border, insert, starts, width, rows, side)
        for lane in range(used):
            ends[pairs[lane], 0] = ends[pairs[lane], 1] = -1
            if rows[lane] == 0:
                score[pairs[lane]] = empty
        if local is not None:
            best[0][:], best[1][:] = 0, -1
        for i in range(height_here):
            at = i % chunk * width
            if not at:
                last = min(height_here, i + chunk)
                get_in(to_match, to_insert, to_delete, match, insert, delete, lanes, i, last, width)
            first, last = max(0, i - band), min(width_here, i + band + 1)
            for k in range(LANES):  # beyond a band's edge there is nothing to the left
                edge[k] = side[(i + 1) * LANES + k] if first == 0 else -np.inf
                edge[LANES + k] = side[i * LANES + k] if first == 0 else row[first * LANES + k]
                limits[k] = columns[k] if i < rows[k] else 0
            hard_row(
                (to_match, to_insert, to_delete), at, first, last, row, edge, moves,
                (block * height + i) * width, sign, diagonal, best, wrong, i * width, limits,
            )  # fmt: skip
            for lane in range(used):
                if border != LOCAL and rows[lane] == i + 1:
                    cell = row[columns[lane] * LANES + lane]
                    score[pairs[lane]] = sign * cell
                    if abs(cell) < np.inf:
                        ends[pairs[lane], 0], ends[pairs[lane], 1] = i, columns[lane] - 1
        if local is not None:
            for lane in range(used):
                if rows[lane]:
                    score[pairs[lane]] = best[0][lane]
                    place = best[1][lane]
                    if place >= 0:
                        ends[pairs[lane], 0], ends[pairs[lane], 1] = place // width, place % width
    return wrong.max() > 0


@compiled
def backward(  # type: ignore[no-untyped-def]
    blocks, order, shape, border, on_diagonal, moves, ends, upstream_at, step, to_match_at,
    to_insert_at, to_delete_at, sign,
):  # fmt: skip
    """Gradients of the pairs of some blocks.

    Beside what `forward` takes and has filled:

    - on_diagonal: whether the match counts on the diagonal move only
    - upstream_at: address of the gradients of the scores, which are `step` numbers apart
    - to_match_at, to_insert_at, to_delete_at: addresses of [B, N, M] gradients, which are filled;
      the last two are None without gap weights, and may be one
    """
    batch, height, width = shape
    to_match = numbers_at(to_match_at, batch * height * width, sign)
    to_insert = numbers_at(to_insert_at, batch * height * width, sign)
    to_delete = numbers_at(to_delete_at, batch * height * width, sign)
    upstream = numbers_at(upstream_at, (batch - 1) * step + 1, sign)
    for number in range(blocks[0] * LANES, min(blocks[1] * LANES, batch)):
        pair = order[number] if len(order) else number
        start, kept = pair * height * width, number // LANES * height * width
        to_match[start : start + height * width] = 0
        if to_insert_at is not None:
            to_insert[start : start + height * width] = 0
            to_delete[start : start + height * width] = 0
        i, j, gradient = ends[pair, 0], ends[pair, 1], upstream[pair * step]
        reached = i >= 0
        while i >= 0 and j >= 0:
            place = start + i * width + j
            move = moves[(kept + i * width + j) * LANES + number % LANES]
            if not on_diagonal or move in (DIAGONAL, START):
                to_match[place] += gradient
            if move == UP:
                if to_insert_at is not None:
                    to_insert[place] += sign * gradient
                i -= 1
            elif move == LEFT:
                if to_insert_at is not None:
                    to_delete[place] += sign * gradient
                j -= 1
            elif move == START:
                i = j = -1
            else:
                i -= 1
                j -= 1
        if border == GAPS and reached and to_insert_at is not None:
            for k in range(i + 1):
                to_insert[start + k * width] += sign * gradient
            for k in range(j + 1):
                to_delete[start + k] += sign * gradient
