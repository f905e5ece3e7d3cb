"""How Python calls compiled code: addresses of tensors, rules as numbers, work spread over threads.

Addresses cost less than arrays. Nothing here imports numba.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from threading import RLock, Thread
from typing import Any

import numpy as np
import torch
from torch import Tensor

from wsal_bench.kernels._recurrence.rules import Rules

FREE, FORBIDDEN, GAPS, LOCAL = range(4)  # borders, as compiled code knows them
NUMPY = {torch.float32: np.dtype(np.float32), torch.float64: np.dtype(np.float64)}
BORDERS = {"free": FREE, "forbidden": FORBIDDEN, "gaps": GAPS}
NO_ORDER = np.empty(0, np.int64)
NO_LENGTHS = np.empty((0, 2), np.int64)
FEW, LONG = 8, 64  # fewer pairs than this, of at least so many rows and columns
BIG, KEEP = 1 << 20, 256 << 20  # bytes
PARALLEL_FROM = 500_000  # cells: below, starting threads costs more than it saves


class Room:
    """Large arrays for what forward leaves, used again: fresh memory costs as much as the work.

    Keeps at most `KEEP` bytes that nobody uses.
    """

    def __init__(self) -> None:
        self._free: list[Any] = []
        self._lock = RLock()  # a collection of garbage may give back in the middle of `take`

    def take(self, count: int, dtype: Any) -> Any:
        """An array [count] of any values."""
        size = count * dtype.itemsize
        if size < BIG:
            return np.empty(count, dtype)
        with self._lock:
            for place, array in enumerate(self._free):
                if size <= array.nbytes <= 2 * size:
                    return self._free.pop(place)[:size].view(dtype)
        return np.empty(size, np.uint8).view(dtype)

    def give_back(self, *arrays: Any) -> None:
        """Says that arrays from `take` are not used any more."""
        for array in arrays:
            if array.nbytes >= BIG:
                whole = array
                while whole.base is not None:
                    whole = whole.base
                with self._lock:
                    if whole.nbytes + sum(x.nbytes for x in self._free) <= KEEP:
                        self._free.append(whole)


class Grids:
    """A recurrence's inputs, without steps between the numbers, and where they are.

    Args:
        match: [B, N, M].
        gaps: insert and delete; one tensor if it serves both; none.

    Attributes:
        shape: B, N, M.
        dtype: torch.float32 or torch.float64.
        gaps: how many tensors of gap weights there are.
        match: address of [B, N, M] numbers.
        insert: the same, or None.
        delete: the same, or None; also where insert serves both.
    """

    __slots__ = ("_alive", "delete", "dtype", "gaps", "insert", "match", "shape")

    def __init__(self, match: Tensor, gaps: tuple[Tensor, ...]) -> None:
        self.shape: tuple[int, int, int] = tuple(match.shape)  # type: ignore[assignment]
        self.dtype, self.gaps = match.dtype, len(gaps)
        match = match.contiguous()
        insert = gaps[0].contiguous() if gaps else None
        delete = gaps[1].contiguous() if self.gaps == 2 else None
        self._alive = match, insert, delete
        self.match = match.data_ptr()
        self.insert = None if insert is None else insert.data_ptr()
        self.delete = None if delete is None else delete.data_ptr()


def border_of(rules: Rules) -> int:
    """The number by which compiled code knows a border."""
    return LOCAL if rules.local else BORDERS[rules.border]


def band_of(rules: Rules, shape: tuple[int, int, int]) -> int:
    """Largest |i - j|."""
    return shape[1] + shape[2] if rules.band is None else rules.band


def known_lengths(lengths: Tensor | None) -> Any:
    """[B, 2], or [0, 2] without lengths."""
    return NO_LENGTHS if lengths is None else lengths.contiguous().numpy()


def order_of(lengths: Tensor | None) -> Any:
    """int64 [B]: pairs of like size one after the other, so that blocks waste little; or [0]."""
    if lengths is None:
        return NO_ORDER
    known = known_lengths(lengths)
    return np.argsort(-known[:, 0] * known[:, 1], kind="stable")


def new_grids(
    shape: tuple[int, int, int], dtype: torch.dtype, count: int
) -> tuple[list[Tensor | None], list[int | None]]:
    """Tensors of any values and their addresses; three places, None behind the first `count`.

    Large ones come from numpy, which asks for large pages.
    """
    small = math.prod(shape) * dtype.itemsize < 4 * BIG
    grids: list[Tensor | None] = [None, None, None]
    places: list[int | None] = [None, None, None]
    for number in range(count):
        grid = (
            torch.empty(shape, dtype=dtype)
            if small
            else torch.from_numpy(np.empty(shape, NUMPY[dtype]))
        )
        grids[number], places[number] = grid, grid.data_ptr()
    return grids, places


ROOM = Room()


@dataclass(frozen=True)
class Numbers:
    """The numbers that a precision computes with.

    Attributes:
        real: numpy's type of the floats.
        whole: of the exponents.
        low: exponent of what is 0.
        reach: limit of the sum of exponents along a path.
    """

    real: Any
    whole: Any
    low: Any
    reach: float


NUMBERS = {
    torch.float32: Numbers(np.float32, np.int32, np.int32(-(2**30)), 2.0**28),
    torch.float64: Numbers(np.float64, np.int64, np.int64(-(2**62)), 2.0**60),
}


@dataclass(frozen=True, eq=False)
class Setting:
    """Rules and shape in the terms of the compiled code.

    Attributes:
        sign: of a match in the score.
        empty: score of a pair without a cell.
        low: exponent of what is 0.
        units: what turns a match and a gap weight into a power of two.
        scale: what turns a power of two into a score.
        limit: largest exponent that an input may have, as bits of a float.
        border: one of its numbers.
        band: largest |i - j|.
        diagonal: None, or the threshold and whether a match above it is always taken.
        few: whether lanes along the diagonals are to be used.
    """

    sign: int
    empty: float
    low: Any
    units: tuple[Any, Any]
    scale: float
    limit: int
    border: int
    band: int
    diagonal: tuple[Any, Any] | None
    few: bool


@lru_cache
def setting_of(
    rules: Rules, gamma: float, shape: tuple[int, int, int], dtype: torch.dtype
) -> Setting:
    """Rules, softness, shape [B, N, M] and precision as compiled code takes them."""
    numbers = NUMBERS[dtype]
    unit, sign = math.log2(math.e) / gamma, -1 if rules.negate else 1
    threshold = -math.inf if rules.threshold is None else rules.threshold
    pair = numbers.real(threshold), numbers.real(rules.greedy)
    return Setting(
        sign=sign,
        empty=rules.empty,
        low=numbers.low,
        units=(numbers.real(sign * unit), numbers.real(unit)),
        scale=sign * gamma * math.log(2),
        limit=int(numbers.real(numbers.reach / (shape[1] + shape[2])).view(numbers.whole)),
        border=border_of(rules),
        band=band_of(rules, shape),
        diagonal=pair if rules.match_on == "diagonal" else None,
        few=_few(rules, shape),
    )


def _few(rules: Rules, shape: tuple[int, int, int]) -> bool:
    """Whether lanes along the diagonals are faster than one lane per pair, and can do it."""
    plain = not rules.local and rules.band is None and rules.border != "gaps"
    return plain and shape[0] < FEW and min(shape[1:]) >= LONG


def in_threads(compute: Callable[..., Any], count: int, cells: int, *arguments: Any) -> Any:
    """The largest result of `compute((first, last), *arguments)` on ranges that make up `count`.

    As many ranges as torch may use threads (`torch.set_num_threads`, OMP_NUM_THREADS); one if
    there are few cells. Compiled code releases the interpreter's lock, so threads do.
    """
    threads = min(count, torch.get_num_threads()) if cells >= PARALLEL_FROM else 1
    if threads == 1:
        return compute((0, count), *arguments)
    bounds = [n * count // threads for n in range(threads + 1)]
    results = [0] * threads

    def work(part: int) -> None:
        results[part] = compute((bounds[part], bounds[part + 1]), *arguments) or 0

    others = [Thread(target=work, args=(part,)) for part in range(1, threads)]
    for thread in others:
        thread.start()
    work(0)
    for thread in others:
        thread.join()
    return max(results)
