"""Compiled cutting: interpolation, runs above thresholds and their scores.

The order of operations is that of `reference`, bit by bit: slopes in the sequence's own precision,
all else in float64, sums in pairs as numpy adds them. Imports numba: imported by the functions
that need it, when they need it.
"""

from __future__ import annotations

import numpy as np

from wsal_bench.compiling import compiled
from wsal_bench.localization.interpolation import Floats, Indices
from wsal_bench.types import FloatArray

CONTRAST, MAXIMUM, MEAN = range(3)


@compiled
def upsample_rows(curves: FloatArray, scale: int, steps: Floats) -> None:
    """`interpolation.upsample` of rows: [K, T] into [K, T * scale]."""
    rows, length = curves.shape
    share = 1.0 / scale
    for row in range(rows):
        if length == 1 or scale == 1:
            for i in range(length * scale):
                steps[row, i] = curves[row, i // scale]
            continue
        begin = 0
        for left in range(length - 1):
            # a step on a sample belongs to the interval before it, unless i / scale rounds up
            sample = (left + 1) * scale
            stop = sample if sample * share > left + 1 else sample + 1
            if left == length - 2:
                stop = length * scale
            slope = np.float64(curves[row, left + 1] - curves[row, left])
            base = np.float64(curves[row, left])
            for i in range(begin, stop):
                steps[row, i] = slope * (i * share - left) + base
            begin = stop


@compiled
def cut(
    gate: Floats,
    own: Floats,
    other: Floats,
    own_weight: float,
    other_weight: float,
    zero_own: bool,
    zero_other: bool,
    thresholds: Floats,
    limits: Floats,
    scale: int,
    min_steps: int,
    one_more: bool,
    skip_lone: bool,
    run_score: int,
    outer_weight: float,
    inflation: float,
    scratch: Floats,
) -> tuple[Indices, Indices, Floats]:
    """Runs of a gate above each threshold and their scores.

    Args:
        gate: [N] steps.
        own: [N] the score sequence.
        other: [N] what is added to it, or [0].
        own_weight: of the score sequence where something is added.
        other_weight: of what is added.
        zero_own: the score sequence counts as 0 below the threshold.
        zero_other: what is added counts as 0 there.
        thresholds: [K], below which sequences count as 0.
        limits: [K] a step belongs to a run where gate >= limit.
        scale: steps of a snippet; N is a multiple of it.
        min_steps: shorter runs are left out.
        one_more: see `ProposalRecipe.one_step_more`.
        skip_lone: see `ProposalRecipe.skips_lone_first_step`.
        run_score: one of the constants above.
        outer_weight: of the outer part of a contrast.
        inflation: share of the run's length that the outer part takes on each side.
        scratch: [2 * N] memory to work in.

    Returns:
        [P] first step, [P] step after the last one of the proposal, [P] score; by rising index of
        the threshold, then in time.
    """
    steps = len(gate)
    low, high = np.empty(steps // scale), np.empty(steps // scale)
    capacity = len(thresholds) * _survey(gate, scale, low, high)
    first = np.empty(capacity, np.int64)
    stop = np.empty(capacity, np.int64)
    score = np.empty(capacity, np.float64)
    mixed = len(other) > 0
    seen = scratch[:steps] if mixed or zero_own else own
    outer = scratch[steps:]
    waiting = np.empty((64, 2), np.int64)
    sums = np.empty(64)
    count = 0
    for k in range(len(thresholds)):
        threshold = thresholds[k]
        if zero_own or zero_other or (mixed and k == 0):
            for i in range(steps):
                value = own[i]
                if zero_own and value < threshold:
                    value = 0.0
                if mixed:
                    added = other[i]
                    if zero_other and added < threshold:
                        added = 0.0
                    value = own_weight * value + other_weight * added
                seen[i] = value
        begin = count
        count = _runs(gate, low, high, scale, limits[k], first, stop, begin)
        if skip_lone and count == begin + 1 and first[begin] == 0 and stop[begin] == 1:
            count = begin
        kept = begin
        for i in range(begin, count):
            if stop[i] - first[i] >= min_steps:
                first[kept] = first[i]
                score[kept] = _score(
                    seen,
                    first[i],
                    stop[i],
                    one_more,
                    run_score,
                    outer_weight,
                    inflation,
                    outer,
                    waiting,
                    sums,
                )
                stop[kept] = stop[i] + 1 if one_more else stop[i]
                kept += 1
        count = kept
    return first[:count].copy(), stop[:count].copy(), score[:count].copy()


@compiled
def _survey(gate: Floats, scale: int, low: Floats, high: Floats) -> int:
    """Writes the lowest and highest step of each snippet; returns how many runs there can be.

    The first step of a snippet lies on the line before it, the others rise or fall: three of them
    tell where all are on one side of a limit. A limit has a run for each hill at most.
    """
    hills, rising, before = 1, False, gate[0]
    for snippet in range(len(low)):
        lowest = highest = gate[snippet * scale]
        for i in (0, min(1, scale - 1), scale - 1):
            value = gate[snippet * scale + i]
            if value > before:
                hills += not rising
                rising = True
            elif value < before:
                rising = False
            before = value
            lowest, highest = min(lowest, value), max(highest, value)
        low[snippet], high[snippet] = lowest, highest
    return hills


@compiled
def _runs(
    gate: Floats,
    low: Floats,
    high: Floats,
    scale: int,
    limit: float,
    first: Indices,
    stop: Indices,
    count: int,
) -> int:
    """Writes the runs from a limit on up from index `count` on; returns the index after them."""
    begun = -1
    for snippet in range(len(low)):
        offset = snippet * scale
        if high[snippet] < limit:
            if begun >= 0:
                first[count], stop[count] = begun, offset
                count += 1
                begun = -1
        elif low[snippet] >= limit:
            if begun < 0:
                begun = offset
        else:
            # past the first step one change at most: counting those above needs no branch
            final = offset + scale
            inside = 0
            for i in range(offset + 1, final):
                inside += gate[i] >= limit
            second = scale > 1 and gate[offset + 1] >= limit
            change = offset + 1 + (inside if second else scale - 1 - inside)
            for position in (offset, offset + 1, change):
                if position >= final:
                    continue
                if gate[position] >= limit:
                    if begun < 0:
                        begun = position
                elif begun >= 0:
                    first[count], stop[count] = begun, position
                    count += 1
                    begun = -1
    if begun >= 0:
        first[count], stop[count] = begun, len(gate)
        count += 1
    return count


@compiled
def _score(
    seen: Floats,
    first: int,
    stop: int,
    one_more: bool,
    run_score: int,
    outer_weight: float,
    inflation: float,
    outer: Floats,
    waiting: Indices,
    sums: Floats,
) -> float:
    """Score of the run from `first` to before `stop`; the last three are scratch."""
    steps = len(seen)
    length = stop - first
    last = stop if one_more else stop - 1  # of the proposal: may be one beyond the sequence
    inner_stop = min(last + 1, steps)
    if run_score == MAXIMUM:
        best: float = seen[first]
        for i in range(first + 1, inner_stop):
            best = max(best, seen[i])
        return best
    inner: float = _pairwise(seen, first, inner_stop - first, waiting, sums) / (inner_stop - first)
    if run_score == MEAN:
        return inner
    reach = inflation * length
    outer_first = max(0, int(first - reach))
    outer_last = min(steps - 2 if one_more else steps - 1, int(last + reach))
    before, after = first - outer_first, max(0, outer_last - last)
    count = before + after
    outer[:before] = seen[outer_first:first]
    outer[before:count] = seen[last + 1 : last + 1 + after]
    around: float = _pairwise(outer, 0, count, waiting, sums) / count if count else 0.0
    return inner - outer_weight * around


@compiled
def _pairwise(values: Floats, begin: int, count: int, waiting: Indices, sums: Floats) -> float:
    """Sum in the order of numpy's `add.reduce`: of two halves, and of theirs, down to 128 values.

    A stack in place of recursion: numba crashes on recursive functions that it reads from its
    cache. `waiting` [64, 2] and `sums` [64] are scratch: begin and count of what is not summed yet
    (count 0: the last two sums are to be added), and what is.
    """
    if count <= 128:
        few: float = _eightfold(values[begin : begin + count])
        return few
    waiting[0, 0], waiting[0, 1] = begin, count
    top, done = 1, 0
    while top > 0:
        top -= 1
        begin, count = waiting[top, 0], waiting[top, 1]
        if count == 0:
            done -= 1
            sums[done - 1] += sums[done]
        elif count <= 128:
            sums[done] = _eightfold(values[begin : begin + count])
            done += 1
        else:
            half = count >> 4 << 3  # down to a multiple of 8
            waiting[top, 1] = 0
            waiting[top + 1, 0], waiting[top + 1, 1] = begin + half, count - half
            waiting[top + 2, 0], waiting[top + 2, 1] = begin, half
            top += 3
    whole: float = sums[0]
    return whole


@compiled
def _eightfold(values: Floats) -> float:
    """Sum of up to 128 values as numpy adds them: eight running sums where there are enough."""
    count = len(values)
    total: float = 0.0
    whole = 0
    if count >= 8:
        whole = count & ~7
        a, b, c, d = values[0], values[1], values[2], values[3]
        e, f, g, h = values[4], values[5], values[6], values[7]
        for i in range(8, whole, 8):
            a += values[i]
            b += values[i + 1]
            c += values[i + 2]
            d += values[i + 3]
            e += values[i + 4]
            f += values[i + 5]
            g += values[i + 6]
            h += values[i + 7]
        total = ((a + b) + (c + d)) + ((e + f) + (g + h))
    for i in range(whole, count):
        total += values[i]
    return total
