"""Which snippets of a video a network sees: positions in it, in time order.

A published loader is named after what it does: `jitter` (BaS-Net, UM, CoLA, HAM-Net), `crop` or
pad (W-TALC), `random` (ACM-Net, FTCL), all of them, or `uniform` for tests.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from wsal_bench.types import IntArray

Draw = Callable[[int, int, np.random.Generator], IntArray]
"""Snippets there are, snippets wanted, source of randomness -> positions, never falling."""


def random_indices(num: int, wanted: int, generator: np.random.Generator) -> IntArray:
    """Positions of `wanted` of `num` snippets, drawn for training; in time order.

    As ACM-Net and FTCL do it: too many snippets are cut into `wanted` stretches and one is drawn
    from each (a stretch reaches to the first snippet of the next one, the last draw starts at the
    one before it); too few are drawn with replacement and sorted; as many as wanted are all taken.

    Args:
        num: snippets there are, >= 1.
        wanted: snippets to draw, >= 1.
        generator: where the draws come from.

    Returns:
        [wanted] positions in 0..num-1, never falling.
    """
    _at_least_one(num=num, wanted=wanted)
    if num == wanted:
        return np.arange(num)
    if num < wanted:
        return np.sort(generator.integers(num, size=wanted))
    borders = np.arange(wanted) * num // wanted
    drawn = np.empty(wanted, np.int64)
    drawn[:-1] = generator.integers(borders[:-1], borders[1:], endpoint=True)
    drawn[-1] = generator.integers(drawn[-2] if wanted > 1 else 0, num)
    return drawn


def jitter_indices(num: int, wanted: int, generator: np.random.Generator) -> IntArray:
    """Positions of `wanted` of `num` snippets, drawn for training; short videos repeat theirs.

    As BaS-Net, UM, CoLA and HAM-Net do it: position i is drawn from floor(i * num / wanted) to the
    floor of the next one, both included, so neighbours may be the same snippet; where these are
    equal there is nothing to draw. The last one is drawn up to the video's end. As many as wanted
    are all taken.

    Args:
        num: snippets there are, >= 1.
        wanted: snippets to draw, >= 1.
        generator: where the draws come from.

    Returns:
        [wanted] positions in 0..num-1, never falling.
    """
    _at_least_one(num=num, wanted=wanted)
    if num == wanted:
        return np.arange(num)
    low = np.arange(wanted) * num // wanted
    high = np.append(low[1:], num - 1)
    open_ = low < high
    drawn = low.copy()
    drawn[open_] = generator.integers(low[open_], high[open_], endpoint=True)
    return drawn


def crop_indices(num: int, wanted: int, generator: np.random.Generator) -> IntArray:
    """A stretch of `wanted` snippets at a random place; all snippets where there are fewer.

    As W-TALC does it; the last stretch is never drawn, as there.

    Args:
        num: snippets there are, >= 1.
        wanted: snippets to take, >= 1.
        generator: where the draw comes from.

    Returns:
        [min(num, wanted)] positions, rising; what is missing is padding.
    """
    _at_least_one(num=num, wanted=wanted)
    first = generator.integers(0, num - wanted) if num > wanted else 0
    return first + np.arange(min(num, wanted))


def all_indices(num: int, wanted: int, generator: np.random.Generator) -> IntArray:
    """Every snippet, however many are wanted: for batches of one video, or padded ones.

    Returns:
        [num] positions, rising.
    """
    _at_least_one(num=num, wanted=wanted)
    return np.arange(num)


def uniform_indices(num: int, wanted: int, *, repeat: bool = False) -> IntArray:
    """Positions of `wanted` snippets, equally far apart; for inference.

    floor(i * num / wanted) in whole numbers. (ACM-Net's code multiplies by a rounded num / wanted,
    which can fall one short.)

    Args:
        num: snippets there are, >= 1.
        wanted: snippets to take, >= 1.
        repeat: a video with fewer snippets shows some of them several times (BaS-Net); false: it
            shows all, once.

    Returns:
        [wanted] positions, or [num] without `repeat` where that is less; never falling.
    """
    _at_least_one(num=num, wanted=wanted)
    return np.arange(num) if num <= wanted and not repeat else np.arange(wanted) * num // wanted


def _at_least_one(**numbers: int) -> None:
    for name, number in numbers.items():
        if number < 1:
            raise ValueError(f"{name} must be at least 1, not {number}")
