"""Compiled: blocks of pairs, one SIMD lane per pair, and how they get in and out.

Inputs lie pair by pair, [B, N, M]; compiled code works on [N, M, LANES], some rows at a time.

Import this module lazily: numba takes a third of a second.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types
from numba.extending import overload

from wsal_bench.compiling import compiled
from wsal_bench.kernels._recurrence.cpu_memory import TILE
from wsal_bench.kernels._recurrence.cpu_rows import tile_in, tile_out
from wsal_bench.kernels._recurrence.cpu_vectors import LANES

FREE, FORBIDDEN, GAPS, LOCAL = range(4)
CHUNK = 128  # cells of a pair that are transposed at a time, at least


def scratch(like: Any, room: int) -> Any:
    """Zeros of the type of `like`; None if it is None. For compiled functions only."""
    raise NotImplementedError


@overload(scratch)
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
                tile_in(buffer, k, grid, starts, lane, first + k)
            tile_in(buffer, count - TILE, grid, starts, lane, first + count - TILE)


@compiled
def spread(buffer, grid, starts, used, first, count):  # type: ignore[no-untyped-def]
    """The reverse, for the first `used` lanes."""
    for lane in range(0, used, TILE):
        if count < TILE or used < lane + TILE:
            for inner in range(lane, min(used, lane + TILE)):
                for k in range(count):
                    grid[starts[inner] + first + k] = buffer[k * LANES + inner]
        else:
            for k in range(0, count - TILE, TILE):
                tile_out(buffer, k, grid, starts, lane, first + k)
            tile_out(buffer, count - TILE, grid, starts, lane, first + count - TILE)


@compiled
def _clean(buffer, rows, columns, first, last, width):  # type: ignore[no-untyped-def]
    """Puts 0 where a pair has no cells but another of its block; rows first, ..., last - 1."""
    most = columns.max()
    for lane in range(LANES):
        for i in range(first, last):
            inside = columns[lane] if i < rows[lane] else 0
            for j in range(inside, most):
                buffer[((i - first) * width + j) * LANES + lane] = 0


@compiled
def choose(block, order, lengths, shape, lanes):  # type: ignore[no-untyped-def]
    """Fills `lanes` [4, LANES]: pair, rows, columns, and start in the grids; returns lanes used.

    A lane too many repeats the last.
    """
    batch, height, width = shape
    used = min(LANES, batch - block * LANES)
    for lane in range(LANES):
        place = block * LANES + min(lane, used - 1)
        pair = order[place] if len(order) else place
        rows = lengths[pair, 0] if len(lengths) else height
        columns = lengths[pair, 1] if len(lengths) else width
        if rows == 0 or columns == 0:
            rows = columns = 0
        lanes[0, lane], lanes[1, lane], lanes[2, lane] = pair, rows, columns
        lanes[3, lane] = pair * height * width
    return used


@compiled
def get_in(to_match, to_insert, to_delete, match, insert, delete, lanes, first, last, width):  # type: ignore[no-untyped-def]
    """Rows first, ..., last - 1 of a block, transposed; 0 where a pair has no cells."""
    rows, columns, starts = lanes[1], lanes[2], lanes[3]
    begin, count = first * width, (last - first - 1) * width + columns.max()
    ragged = rows.min() < last or columns.min() < width
    _fill(to_match, match, starts, begin, count)
    if insert is not None:
        _fill(to_insert, insert, starts, begin, count)
    if delete is not None:
        _fill(to_delete, delete, starts, begin, count)
    if ragged:
        _clean(to_match, rows, columns, first, last, width)
        if insert is not None:
            _clean(to_insert, rows, columns, first, last, width)
        if delete is not None:
            _clean(to_delete, rows, columns, first, last, width)
