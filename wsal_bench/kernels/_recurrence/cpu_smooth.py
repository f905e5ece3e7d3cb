"""The smooth maximum: one SIMD lane per pair, blocks of LANES pairs, in linear space.

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

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from wsal_bench.compiling import compiled
from wsal_bench.kernels._recurrence.cpu_blocks import (
    CHUNK,
    choose,
    get_in,
    numbers_at,
    scratch,
    spread,
)
from wsal_bench.kernels._recurrence.cpu_calls import (
    FORBIDDEN,
    FREE,
    GAPS,
    NUMBERS,
    NUMPY,
    ROOM,
    Grids,
    Setting,
    in_threads,
    known_lengths,
    new_grids,
    order_of,
    setting_of,
)
from wsal_bench.kernels._recurrence.cpu_cells import backward_row, forward_row
from wsal_bench.kernels._recurrence.cpu_strips import Strips, run_strips
from wsal_bench.kernels._recurrence.cpu_vectors import LANES
from wsal_bench.kernels._recurrence.rules import Rules

NO_SCORE = {dtype: np.empty(0, kind) for dtype, kind in NUMPY.items()}


@dataclass(eq=False, slots=True)  # not frozen: made at each call, and that would cost more
class Smooth:
    """What backward needs of a forward; arrays as `forward` describes them."""

    setting: Setting
    shape: tuple[int, int, int]
    lengths: Any
    order: Any
    shares: Any
    local: Any
    score: Any
    gaps: int

    def __del__(self) -> None:
        ROOM.give_back(*self.shares)

    def gradients(self, upstream: Tensor) -> list[Tensor | None]:
        """Gradients of match, insert and delete; insert's is that of both if they are one."""
        setting, shape = self.setting, self.shape
        found, (match, insert, delete) = new_grids(shape, upstream.dtype, 1 + self.gaps)
        on_diagonal = None if setting.diagonal is None else 1

        in_threads(
            backward, -(-shape[0] // LANES), math.prod(shape),
            self.order, self.lengths, shape, self.shares, setting.border, setting.band,
            on_diagonal, self.local, self.score, upstream.data_ptr(), upstream.stride(0), match,
            insert, delete, setting.sign, setting.low,
        )  # fmt: skip
        return found


def run_smooth(
    rules: Rules, grids: Grids, lengths: Tensor | None, gamma: float, value: Tensor
) -> Smooth | Strips | None:
    """Fills in scores [B]. Returns what backward needs; None where an input is out of range."""
    batch, rows, columns = shape = grids.shape
    setting = setting_of(rules, gamma, shape, grids.dtype)
    if setting.few:
        return run_strips(setting, grids, lengths, value)
    dtype, blocks = NUMPY[grids.dtype], -(-batch // LANES)
    known, order = known_lengths(lengths), order_of(lengths)
    room = blocks * rows * columns * LANES
    shares = ROOM.take(room, dtype), ROOM.take(room, dtype)
    local = _room_for_local(blocks, rows, columns, grids.dtype) if rules.local else None

    worst = in_threads(
        forward, blocks, batch * rows * columns,
        order, known, shape, grids.match, grids.insert, grids.delete, setting.units,
        setting.border, setting.band, setting.diagonal, local, shares, setting.low,
        setting.scale, setting.empty, value.data_ptr(),
    )  # fmt: skip
    if worst > setting.limit:
        return None
    # a cell beside a free border is always reached diagonally
    always = rules.border == "free" and rules.threshold is None
    ends = NO_SCORE[grids.dtype] if always else value.numpy().copy()
    return Smooth(setting, shape, known, order, shares, local, ends, grids.gaps)


def _room_for_local(blocks: int, rows: int, columns: int, dtype: torch.dtype) -> Any:
    real, whole = NUMBERS[dtype].real, NUMBERS[dtype].whole
    cells, sums = blocks * (rows + 1) * (columns + 1) * LANES, blocks * LANES
    return (
        np.empty(cells, real),
        np.empty(cells, whole),
        np.empty(sums, real),
        np.empty(sums, whole),
    )


@compiled
def _set_border(kind, weights, starts, step, counts, unit, low, to_f, to_e):  # type: ignore[no-untyped-def]
    """The border beside each lane's rows or columns: [0] is the corner, [k + 1] cell k.

    `weights` may be None; those along the border are `step` apart.
    """
    for k in range(len(to_f)):
        to_f[k] = 1 if kind in (FREE, GAPS) else 0
        to_e[k] = 0 if kind in (FREE, GAPS) else low
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
def _begin_local(local, block, height, width, low):  # type: ignore[no-untyped-def]
    """The empty path in the sum, nothing in the cells' border."""
    local[2][block * LANES : (block + 1) * LANES] = 1
    local[3][block * LANES : (block + 1) * LANES] = 0
    for i in range(height + 1):
        begin = (block * (height + 1) + i) * (width + 1) * LANES
        end = begin + (LANES if i else (width + 1) * LANES)
        local[0][begin:end] = 0
        local[1][begin:end] = low


@compiled
def forward(  # type: ignore[no-untyped-def]
    blocks, order, lengths, shape, match_at, insert_at, delete_at, units, border, band, diagonal,
    local, kept, low, scale, empty, score_at,
):  # fmt: skip
    """Scores of the pairs of blocks[0], ..., blocks[1] - 1; returns the worst exponent's bits.

    Args:
        blocks: range of blocks, LANES pairs each.
        order: int64 [B] pairs as they fill the blocks; empty: as they are.
        lengths: int64 [B, 2]; empty: no lengths.
        shape: B, N, M.
        match_at: address of [B, N, M] numbers.
        insert_at: the same, or None.
        delete_at: the same, or None; with insert given, insert then serves both.
        units: what turns a match and a gap weight into a power of two.
        border: FREE, FORBIDDEN, GAPS or LOCAL.
        band: largest |i - j|.
        diagonal: None if the match counts on every move, else threshold and greedy (1 or 0).
        local: None, or the cells' fractions and exponents [blocks, N + 1, M + 1, LANES] and those
            of their sums [blocks, LANES], all flat, which are filled.
        kept: shares of up and left [blocks, N, M, LANES], flat, which are filled.
        low: exponent of what is 0.
        scale: what turns a power of two into a score.
        empty: score of a pair without a cell.
        score_at: address of [B] scores, which are filled.
    """
    batch, height, width = shape
    match = numbers_at(match_at, batch * height * width, units[0])
    insert = numbers_at(insert_at, batch * height * width, units[0])
    delete = numbers_at(delete_at, batch * height * width, units[0])
    score = numbers_at(score_at, batch, units[0])
    lanes = np.empty((4, LANES), np.int64)
    pairs, rows, columns, starts = lanes
    chunk = min(height, max(1, CHUNK // width))
    room = chunk * width * LANES
    to_match, to_insert, to_delete = (
        scratch(match, room), scratch(insert, room), scratch(delete, room),
    )  # fmt: skip
    row_f, row_e = np.empty((width + 1) * LANES, match.dtype), np.full((width + 1) * LANES, low)
    side_f, side_e = np.empty((height + 1) * LANES, match.dtype), np.full((height + 1) * LANES, low)
    edge_f, edge_e = np.empty(2 * LANES, match.dtype), np.full(2 * LANES, low)
    limits, worst = np.full(LANES, low), np.full(LANES, low)
    for block in range(blocks[0], blocks[1]):
        used = choose(block, order, lengths, shape, lanes)
        height_here, width_here = rows.max(), columns.max()
        above = insert if delete_at is None else delete
        _set_border(border, above, starts, 1, columns, units[1], low, row_f, row_e)
        _set_border(border, insert, starts, width, rows, units[1], low, side_f, side_e)
        for lane in range(used):
            if rows[lane] == 0:
                score[pairs[lane]] = empty
        if local is not None:
            _begin_local(local, block, height, width, low)
        for i in range(height_here):
            at = i % chunk * width
            if not at:
                last = min(height_here, i + chunk)
                get_in(to_match, to_insert, to_delete, match, insert, delete, lanes, i, last, width)
            first, last = max(0, i - band), min(width_here, i + band + 1)
            for k in range(LANES):  # beyond a band's edge there is nothing to the left
                edge_f[k] = side_f[(i + 1) * LANES + k] if first == 0 else 0
                edge_e[k] = side_e[(i + 1) * LANES + k] if first == 0 else low
                place = first * LANES + k
                edge_f[LANES + k] = side_f[i * LANES + k] if first == 0 else row_f[place]
                edge_e[LANES + k] = side_e[i * LANES + k] if first == 0 else row_e[place]
                limits[k] = columns[k] if i < rows[k] else 0
            forward_row(
                (to_match, to_insert, to_delete), at, first, last, (row_f, row_e),
                (edge_f, edge_e), kept, (block * height + i) * width, units, diagonal, local,
                worst, (block * (height + 1) + i + 1) * (width + 1) + 1, block, limits,
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
def _put_out(  # type: ignore[no-untyped-def]
    match, insert, delete, to_match, to_insert, to_delete, starts, used, begin, count, gap_sign
):
    """Gradients of a block's rows, transposed back."""
    spread(match, to_match, starts, used, begin, count)
    if to_insert is not None:
        if gap_sign < 0:
            insert *= gap_sign
        spread(insert, to_insert, starts, used, begin, count)
    if to_delete is not None:
        if gap_sign < 0:
            delete *= gap_sign
        spread(delete, to_delete, starts, used, begin, count)


@compiled
def _empty(match, insert, delete):  # type: ignore[no-untyped-def]
    match[:] = 0
    if insert is not None:
        insert[:] = 0
    if delete is not None:
        delete[:] = 0


@compiled
def _add_leading_gaps(to_insert, to_delete, side, up, across, lanes, used, width, gap_sign):  # type: ignore[no-untyped-def]
    """Adds what flows along the border; what enters it at i has passed the gaps 1, ..., i."""
    for lane in range(used):
        total, start = 0.0, lanes[3, lane]
        for i in range(lanes[1, lane] - 1, -1, -1):
            total += side[(i + 1) * LANES + lane]
            to_insert[start + i * width] += gap_sign * total
        total = 0.0
        for j in range(lanes[2, lane] - 1, -1, -1):
            total += up[j * LANES + lane]
            if j + 1 < lanes[2, lane]:
                total += across[(j + 1) * LANES + lane]
            to_delete[start + j] += gap_sign * total


@compiled
def backward(  # type: ignore[no-untyped-def]
    blocks, order, lengths, shape, kept, border, band, on_diagonal, local, score, upstream_at,
    step, to_match_at, to_insert_at, to_delete_at, gap_sign, low,
):  # fmt: skip
    """Gradients of the pairs of some blocks.

    Beside what `forward` takes and has filled:

    - score: [B] scores, of which those that are not finite have no gradient; empty: all are
    - on_diagonal: None if the match counts on every move, else anything
    - upstream_at: address of the gradients of the scores, which are `step` numbers apart
    - to_match_at, to_insert_at, to_delete_at: addresses of [B, N, M] gradients, which are filled;
      None as for `forward`
    - gap_sign: the sign of the gap weights in the score
    """
    batch, height, width = shape
    like = kept[0][0]
    to_match = numbers_at(to_match_at, batch * height * width, like)
    to_insert = numbers_at(to_insert_at, batch * height * width, like)
    to_delete = numbers_at(to_delete_at, batch * height * width, like)
    upstream = numbers_at(upstream_at, (batch - 1) * step + 1, like)
    lanes = np.empty((4, LANES), np.int64)
    pairs, rows, columns, starts = lanes
    chunk = min(height, max(1, CHUNK // width))
    room = chunk * width * LANES
    match, insert, delete = (
        scratch(to_match, room), scratch(to_insert, room), scratch(to_delete, room),
    )  # fmt: skip
    up, across = scratch(to_match, width * LANES), scratch(to_match, (width + 1) * LANES)
    side, edge = scratch(to_match, (height + 1) * LANES), scratch(to_match, 2 * LANES)
    seeds, limits = scratch(to_match, LANES), np.full(LANES, low)
    for block in range(blocks[0], blocks[1]):
        used = choose(block, order, lengths, shape, lanes)
        height_here, width_here = rows.max(), columns.max()
        _empty(match, insert, delete)
        up[:], across[:], side[:] = 0, 0, 0
        for lane in range(LANES):
            reached = lane < used and rows[lane] > 0
            if reached and len(score):
                reached = np.isfinite(score[pairs[lane]])
            seeds[lane] = upstream[pairs[lane] * step] if reached else 0
            if local is not None:
                seeds[lane] /= local[2][block * LANES + lane]
        for i in range(height - 1, -1, -1):
            at = i % chunk * width
            if i < height_here:
                for lane in range(LANES):
                    limits[lane] = columns[lane] if i < rows[lane] else 0
                    if local is None and lane < used and rows[lane] == i + 1:
                        up[(columns[lane] - 1) * LANES + lane] += seeds[lane]
                cells_at = (block * (height + 1) + i + 1) * (width + 1) + 1
                backward_row(
                    kept, (block * height + i) * width, max(0, i - band),
                    min(width_here, i + band + 1), (up, across), edge, (match, insert, delete),
                    at, on_diagonal, local, seeds, cells_at, cells_at - width - 2, block, limits,
                )  # fmt: skip
                side[(i + 1) * LANES : (i + 2) * LANES] += edge[:LANES]
                side[i * LANES : (i + 1) * LANES] += edge[LANES:]
            if not at:
                count = min(height - i, chunk) * width
                _put_out(
                    match, insert, delete, to_match, to_insert, to_delete, starts, used,
                    i * width, count, gap_sign,
                )  # fmt: skip
                if band < width:
                    _empty(match, insert, delete)
        if border == GAPS and to_insert_at is not None:
            last = to_insert if to_delete_at is None else to_delete
            _add_leading_gaps(to_insert, last, side, up, across, lanes, used, width, gap_sign)
