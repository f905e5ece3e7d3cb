"""What Python hands to compiled code: addresses of tensors, which cost less than arrays of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from threading import RLock
from typing import Any

import numpy as np
import torch
from torch import Tensor

from wsal_bench.kernels._recurrence.rules import Rules

LANES = 16  # pairs in a block; also in `cpu_vectors`, which imports numba
NUMPY = {torch.float32: np.dtype(np.float32), torch.float64: np.dtype(np.float64)}
KINDS: dict[torch.dtype, Any] = {torch.float32: np.float32, torch.float64: np.float64}
BORDERS = {"free": 0, "forbidden": 1, "gaps": 2}
LOCAL = 3
NO_LENGTHS = np.empty((0, 2), np.int64)
BIG, KEEP = 1 << 20, 256 << 20  # bytes


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

    def give_back(self, array: Any) -> None:
        """Says that an array from `take` is not used any more."""
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
        batch, rows, columns = match.shape
        self.shape, self.dtype = (batch, rows, columns), match.dtype
        self._alive = grids = [x.contiguous() for x in (match, *gaps)]
        self.gaps = len(gaps)
        self.match = grids[0].data_ptr()
        self.insert = grids[1].data_ptr() if gaps else None
        self.delete = grids[2].data_ptr() if self.gaps == 2 else None


def border_of(rules: Rules) -> int:
    """The number by which compiled code knows a border."""
    return LOCAL if rules.local else BORDERS[rules.border]


def band_of(rules: Rules, shape: tuple[int, int, int]) -> int:
    """Largest |i - j|."""
    return shape[1] + shape[2] if rules.band is None else rules.band


def known_lengths(lengths: Tensor | None) -> Any:
    """[B, 2], or [0, 2] without lengths."""
    return NO_LENGTHS if lengths is None else lengths.contiguous().numpy()


def new_grid(shape: tuple[int, int, int], dtype: torch.dtype) -> Tensor:
    """A tensor of any values. Large ones come from numpy, which asks for large pages."""
    if math.prod(shape) * dtype.itemsize < 4 * BIG:
        return torch.empty(shape, dtype=dtype)
    return torch.from_numpy(np.empty(shape, NUMPY[dtype]))


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
    )
