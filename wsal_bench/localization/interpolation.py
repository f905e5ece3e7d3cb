"""Sequences over snippets become sequences over steps, and steps become seconds.

T snippets, N = T * scale steps.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from wsal_bench.types import FloatArray

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]


def min_max(curves: FloatArray) -> Floats:
    """Each column of [T, C] moved and stretched to [0, 1], in float64.

    A constant column has no contrast to stretch and becomes all ones. Rounded to 6 decimals, about
    what float32 holds: where a value meets a threshold, the last bits of an affine change would
    else decide.
    """
    values = np.asarray(curves, dtype=np.float64)
    low, high = values.min(axis=0), values.max(axis=0)
    flat = high == low
    stretched = (values - low) / np.where(flat, 1.0, high - low)
    return np.where(flat, 1.0, np.round(stretched, 6))


def upsample(curves: FloatArray, scale: int) -> Floats:
    """Linear interpolation of [T, C] at 0, 1 / scale, 2 / scale, ... as [C, T * scale].

    Slopes are differences in the input's dtype, the rest is float64. The last scale - 1 steps lie
    beyond the last sample and continue its slope, so values can leave the range of the input. One
    snippet has no slope and stays constant.
    """
    length = len(curves)
    values = np.ascontiguousarray(curves.T)
    if length == 1 or scale == 1:
        return np.repeat(values, scale, axis=1).astype(np.float64)
    position = np.arange(length * scale) * (1.0 / scale)
    # a step on a sample belongs to the interval before it
    left = np.clip(np.ceil(position).astype(np.intp), 1, length - 1) - 1
    slope = np.diff(values, axis=1).astype(np.float64)
    steps = slope[:, left]
    steps *= position - left
    steps += values[:, left]
    return steps


def step_borders(times: FloatArray, scale: int, index: Indices) -> Floats:
    """Times of some of the borders between steps, in seconds.

    Where the snippets are equally long, border i is i times one step's length; else it is
    interpolated between the snippets' borders, and beyond the last goes on as the last step.

    Args:
        times: [T + 1] borders of the snippets.
        scale: steps of a snippet.
        index: [P] which borders, from 0 to T * scale + 1.
    """
    borders = np.asarray(times, dtype=np.float64)
    length = len(borders) - 1
    offset = float(borders[0])
    snippet = float((borders[-1] - offset) / length if offset else borders[1])
    even = offset + snippet * np.arange(length + 1)
    if np.abs(even - borders).max() <= 1e-9 * snippet:
        line = np.asarray(index * _step_seconds(snippet, scale), dtype=np.float64)
        return line + offset if offset else line
    beyond = borders[-1] + (borders[-1] - borders[-2]) / scale
    knots = np.append(np.arange(length + 1), length + 1 / scale)
    return np.asarray(np.interp(index / scale, knots, np.append(borders, beyond)))


@lru_cache(maxsize=4096)
def _step_seconds(snippet: float, scale: int) -> float:
    """A snippet's length over `scale`, rounded once where the length is a ratio of whole numbers.

    Published pipelines compute 16 * T0 / (25 * scale * T) from whole numbers; dividing the rounded
    snippet instead is off by one unit in the last place for a fifth of all T0.
    """
    # fractions with denominators up to 1e7 lie further apart than doubles of this size
    ratio = Fraction(snippet).limit_denominator(10**7)
    return float(ratio / scale) if float(ratio) == snippet else snippet / scale
