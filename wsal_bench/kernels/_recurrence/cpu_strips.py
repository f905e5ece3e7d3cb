"""The smooth maximum of few pairs: one at a time, SIMD lanes along its anti-diagonals.

The numbers are those of `cpu_smooth`. Grids are cut into strips of LANES rows (`cpu_cells`), whose
inputs and gradients are skewed on the way by the tiles that `cpu_smooth` transposes with: lane l
reads its row l numbers later. Without local paths, bands and leading gaps.

Import this module lazily: numba takes a third of a second.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from wsal_bench.compiling import compiled
from wsal_bench.kernels._recurrence.cpu_blocks import TILE, numbers_at, scratch, tile_in, tile_out
from wsal_bench.kernels._recurrence.cpu_calls import (
    FREE,
    NUMPY,
    ROOM,
    Grids,
    Setting,
    in_threads,
    known_lengths,
    new_grids,
)
from wsal_bench.kernels._recurrence.cpu_cells import backward_strip, forward_strip
from wsal_bench.kernels._recurrence.cpu_vectors import LANES


@dataclass(eq=False, slots=True)  # not frozen: made at each call, and that would cost more
class Strips:
    """What backward needs of a forward; arrays as `forward` describes them."""

    setting: Setting
    shape: tuple[int, int, int]
    lengths: Any
    shares: Any
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
            backward, shape[0], math.prod(shape),
            self.lengths, shape, self.shares, on_diagonal, self.score, upstream.data_ptr(),
            upstream.stride(0), match, insert, delete, setting.sign,
        )  # fmt: skip
        return found


def run_strips(
    setting: Setting, grids: Grids, lengths: Tensor | None, value: Tensor
) -> Strips | None:
    """Fills in scores [B]. Returns what backward needs; None where an input is out of range."""
    batch, rows, columns = shape = grids.shape
    known, dtype = known_lengths(lengths), NUMPY[grids.dtype]
    room = batch * -(-rows // LANES) * (columns + LANES - 1) * LANES
    shares = ROOM.take(room, dtype), ROOM.take(room, dtype)

    worst = in_threads(
        forward, batch, math.prod(shape),
        known, shape, grids.match, grids.insert, grids.delete, setting.units, setting.border,
        setting.diagonal, shares, setting.low, setting.scale, setting.empty, value.data_ptr(),
    )  # fmt: skip
    if worst > setting.limit:
        return None
    return Strips(setting, shape, known, shares, value.numpy().copy(), grids.gaps)


@compiled
def _skewed_in(buffer, grid, start, width, rows, columns, steps):  # type: ignore[no-untyped-def]
    """buffer[t, l] = grid[start + l * width + t - l], 0 where that is no cell; t < steps."""
    starts = np.empty(LANES, np.int64)
    for lane in range(LANES):
        starts[lane] = start + lane * (width - 1)
    for lane in range(0, LANES, TILE):
        for t in range(0, steps, TILE):
            if lane + TILE <= rows and t - lane - TILE + 1 >= 0 and t + TILE - lane <= columns:
                tile_in(buffer, t, grid, starts, lane, t)
                continue
            for inner in range(lane, lane + TILE):
                for k in range(t, t + TILE):
                    exists = inner < rows and 0 <= k - inner < columns
                    buffer[k * LANES + inner] = grid[starts[inner] + k] if exists else 0


@compiled
def _skewed_out(buffer, grid, start, width, rows, columns, steps):  # type: ignore[no-untyped-def]
    """The reverse, for cells only."""
    starts = np.empty(LANES, np.int64)
    for lane in range(LANES):
        starts[lane] = start + lane * (width - 1)
    for lane in range(0, LANES, TILE):
        for t in range(0, steps, TILE):
            if lane + TILE <= rows and t - lane - TILE + 1 >= 0 and t + TILE - lane <= columns:
                tile_out(buffer, t, grid, starts, lane, t)
                continue
            for inner in range(lane, min(rows, lane + TILE)):
                for k in range(max(t, inner), min(t + TILE, inner + columns)):
                    grid[starts[inner] + k] = buffer[k * LANES + inner]


@compiled
def forward(  # type: ignore[no-untyped-def]
    pairs, lengths, shape, match_at, insert_at, delete_at, units, border, diagonal, kept, low,
    scale, empty, score_at,
):  # fmt: skip
    """Scores of the pairs pairs[0], ..., pairs[1] - 1; returns the worst exponent's bits.

    Args:
        pairs: range of pairs.
        lengths: int64 [B, 2]; empty: no lengths.
        shape: B, N, M.
        match_at: address of [B, N, M] numbers.
        insert_at: the same, or None.
        delete_at: the same, or None; with insert given, insert then serves both.
        units: what turns a match and a gap weight into a power of two.
        border: FREE, or another number: nothing is there but the corner.
        diagonal: None if the match counts on every move, else threshold and greedy (1 or 0).
        kept: shares of up and left [B, strips, M + LANES - 1, LANES], flat, which are filled.
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
    strips, most = (height + LANES - 1) // LANES, width + LANES - 1
    room = (most + TILE) * LANES
    to_match, to_insert, to_delete = (
        scratch(match, room), scratch(insert, room), scratch(delete, room),
    )  # fmt: skip
    row_f, row_e = scratch(match, width + 3 * LANES), np.full(width + 3 * LANES, low)
    side_f, side_e = scratch(match, LANES), np.full(LANES, low)
    worst = np.full(LANES, low)
    for pair in range(pairs[0], pairs[1]):
        rows = lengths[pair, 0] if len(lengths) else height
        columns = lengths[pair, 1] if len(lengths) else width
        if rows == 0 or columns == 0:
            score[pair] = empty
            continue
        row_f[:] = 1 if border == FREE else 0
        row_e[:] = 0 if border == FREE else low
        row_f[LANES], row_e[LANES] = 1, 0  # the corner
        for strip in range((rows + LANES - 1) // LANES):
            first = strip * LANES
            here = min(LANES, rows - first)
            steps = columns + here - 1
            start = (pair * height + first) * width
            _skewed_in(to_match, match, start, width, here, columns, steps)
            if insert_at is not None:
                _skewed_in(to_insert, insert, start, width, here, columns, steps)
            if delete_at is not None:
                _skewed_in(to_delete, delete, start, width, here, columns, steps)
            side_f[:] = 1 if border == FREE else 0
            side_e[:] = 0 if border == FREE else low
            forward_strip(
                (to_match, to_insert, to_delete), steps, (row_f, row_e), (side_f, side_e), kept,
                (pair * strips + strip) * most, units, diagonal, worst,
            )  # fmt: skip
        score[pair] = (np.log2(side_f[here - 1]) + side_e[here - 1]) * scale
    return worst.max()


@compiled
def backward(  # type: ignore[no-untyped-def]
    pairs, lengths, shape, kept, on_diagonal, score, upstream_at, step, to_match_at, to_insert_at,
    to_delete_at, gap_sign,
):  # fmt: skip
    """Gradients of some pairs.

    Beside what `forward` takes and has filled:

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
    strips, most = (height + LANES - 1) // LANES, width + LANES - 1
    room = (most + TILE) * LANES
    match, insert, delete = (
        scratch(to_match, room), scratch(to_insert, room), scratch(to_delete, room),
    )  # fmt: skip
    up, across = scratch(to_match, width + 3 * LANES), scratch(to_match, width + 3 * LANES)
    seeds = scratch(to_match, LANES)
    for pair in range(pairs[0], pairs[1]):
        rows = lengths[pair, 0] if len(lengths) else height
        columns = lengths[pair, 1] if len(lengths) else width
        begin, end = pair * height * width, (pair + 1) * height * width
        if rows < height or columns < width or rows == 0 or columns == 0:
            to_match[begin:end] = 0
            if to_insert_at is not None:
                to_insert[begin:end] = 0
            if to_delete_at is not None:
                to_delete[begin:end] = 0
        if rows == 0 or columns == 0:
            continue
        up[:], across[:], seeds[:] = 0, 0, 0
        last = (rows + LANES - 1) // LANES - 1
        seeds[(rows - 1) % LANES] = upstream[pair * step] if np.isfinite(score[pair]) else 0
        for strip in range(last, -1, -1):
            first = strip * LANES
            here = min(LANES, rows - first)
            steps = columns + here - 1
            start = begin + first * width
            backward_strip(
                kept, (pair * strips + strip) * most, steps, up, across, seeds,
                (match, insert, delete), on_diagonal,
            )  # fmt: skip
            seeds[:] = 0
            _skewed_out(match, to_match, start, width, here, columns, steps)
            if to_insert_at is not None:
                if gap_sign < 0:
                    insert *= gap_sign
                _skewed_out(insert, to_insert, start, width, here, columns, steps)
            if to_delete_at is not None:
                if gap_sign < 0:
                    delete *= gap_sign
                _skewed_out(delete, to_delete, start, width, here, columns, steps)
