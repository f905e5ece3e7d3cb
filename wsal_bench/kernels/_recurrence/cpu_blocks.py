"""Compiled: how numbers get in and out of vectors; blocks of pairs, one SIMD lane per pair.

Inputs lie pair by pair, [B, N, M]; compiled code works on [N, M, LANES], some rows at a time. Tiles
of TILE numbers and lanes are transposed on the way.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import types
from numba.extending import intrinsic, overload
from numba.np.arrayobj import populate_array

from wsal_bench.compiling import compiled
from wsal_bench.kernels._recurrence.cpu_vectors import LANES, Lanes, Vector

TILE = 8  # divides LANES
CHUNK = 128  # cells of a pair that are transposed at a time, at least


def transposed(rows: list[Vector]) -> list[Vector]:
    """The columns of a tile of TILE rows: log2(TILE) rounds in which pairs of rows swap halves."""
    half = TILE // 2
    while half:
        low = [i if not i & half else i - half + TILE for i in range(TILE)]
        high = [i + half if not i & half else i + TILE for i in range(TILE)]
        swapped: dict[int, Vector] = {}
        for i in range(TILE):
            if not i & half:
                a, b = rows[i], rows[i + half]
                swapped[i], swapped[i + half] = _shuffled(a, b, low), _shuffled(a, b, high)
        rows = [swapped[i] for i in range(TILE)]
        half //= 2
    return rows


def _shuffled(a: Vector, b: Vector, order: list[int]) -> Vector:
    mask = ir.Constant(ir.VectorType(ir.IntType(32), TILE), order)
    return a._new(a.builder.shuffle_vector(a.value, b.value, mask))


def _numbers_at(typing: Any, address: Any, count: Any, like: Any) -> Any:
    """The array of `count` numbers of the type of `like` at an address; None for None.

    Whoever gives the address keeps what is there alive. Cheaper for the caller than an array.
    """
    if isinstance(address, types.NoneType):
        return types.none(address, types.intp, like), lambda context, *_: context.get_dummy_value()
    kind = types.Array(like, 1, "C")

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        number = context.get_data_type(like)
        size = context.get_constant(types.intp, context.get_abi_sizeof(number))
        array = context.make_array(kind)(context, builder)
        populate_array(  # type: ignore[no-untyped-call]
            array,
            data=builder.inttoptr(arguments[0], number.as_pointer()),
            shape=[arguments[1]],
            strides=[size],
            itemsize=size,
            meminfo=None,
        )
        return array._getvalue()

    return kind(types.intp, types.intp, like), emit


numbers_at: Any = intrinsic(_numbers_at)


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


tile_in: Any = intrinsic(_tile_in)
tile_out: Any = intrinsic(_tile_out)


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
