"""Which detection hits a true segment, at every tIoU threshold in one pass.

The rule is greedy: in order of score, a detection takes the truth of its class and video with the
best tIoU among those that are free at the threshold. All truths prefer the better-ranked detection,
so the greedy matching is the one stable matching, and deferred acceptance finds it in a few
vectorised rounds: everyone without a truth asks for the next on its list, every truth keeps the
best-ranked that ever asked, the others ask on.

`assign` is the core: plain columns in, bits out, so that a compiled core can take its place.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wsal_bench.types import FloatArray, IntArray

BITS = np.int64
_FREE = np.iinfo(np.int64).max
_MAX_PAIRS = 1 << 20  # pairs of a detection and a truth held at once, about 100 MB


@dataclass(frozen=True, eq=False)
class Segments:
    """True segments sorted by group, in file order inside a group, as columns [M].

    A group is one class in one video: only inside it can a detection meet a truth.

    Args:
        start: seconds.
        end: seconds.
        first: [G + 1] the rows of group g are `first[g]:first[g + 1]`.
    """

    start: FloatArray
    end: FloatArray
    first: IntArray


@dataclass(frozen=True, eq=False)
class _Pairs:
    """Detections that have candidates, and those candidates, best first.

    `row` [D]: the detections, in rank order inside each group. `first` [D]: where the candidates
    of each begin. `truth`, `tiou` [N]: the candidates; `tiou` is inf where it is 0 / 0.
    """

    row: IntArray
    first: IntArray
    truth: IntArray
    tiou: FloatArray


def assign(
    start: FloatArray, end: FloatArray, group: IntArray, truth: Segments, tious: FloatArray
) -> NDArray[np.int64]:
    """The thresholds at which each detection hits.

    Args:
        start: [P] seconds, best-ranked first inside each group.
        end: [P] seconds.
        group: [P] a group of `truth`, or -1: no truth that it could hit.
        truth: the true segments.
        tious: [K] increasing thresholds, at most 63.

    Returns:
        [P] bit k is 1 where the detection hits at `tious[k]`.
    """
    bits = np.zeros(len(start), dtype=BITS)
    for rows in _chunks(group, truth):
        pairs = _candidates(rows, start[rows], end[rows], group[rows], truth, tious[0])
        bits[pairs.row] = _deferred_acceptance(pairs, len(truth.start), tious)
    return bits


def _chunks(group: IntArray, truth: Segments) -> Iterator[IntArray]:
    """Rows that have truth in their group, whole groups together, some at a time."""
    rows = np.flatnonzero(group >= 0)
    rows = rows[np.argsort(group[rows], kind="stable")]
    if not len(rows):
        return
    sorted_group = group[rows]
    pairs = np.cumsum(np.diff(truth.first)[sorted_group])
    borders = np.flatnonzero(np.diff(sorted_group)) + 1
    chunk_of_border = pairs[borders - 1] // _MAX_PAIRS
    cuts = borders[np.flatnonzero(np.diff(chunk_of_border, prepend=0))]
    yield from np.split(rows, cuts)


def _candidates(
    rows: IntArray,
    start: FloatArray,
    end: FloatArray,
    group: IntArray,
    truth: Segments,
    lowest: float,
) -> _Pairs:
    """Every truth that each row could take at the lowest threshold, best first."""
    counts = np.diff(truth.first)[group]
    row = np.repeat(np.arange(len(rows)), counts)
    shift = truth.first[group] - (np.cumsum(counts) - counts)
    candidate = np.repeat(shift, counts) + np.arange(len(row))

    tiou = temporal_iou(start[row], end[row], truth.start[candidate], truth.end[candidate])
    # 0 / 0 is not below any threshold: the ActivityNet code sorts it first and counts it as a hit
    tiou[np.isnan(tiou)] = np.inf
    kept = np.flatnonzero(tiou >= lowest)
    row, candidate, tiou = row[kept], candidate[kept], tiou[kept]

    best_first = np.lexsort((-candidate, -tiou, row))  # equal tIoU: the later truth first
    first = np.flatnonzero(np.diff(row, prepend=-1))
    return _Pairs(rows[row[first]], first, candidate[best_first], tiou[best_first])


def temporal_iou(
    start: FloatArray, end: FloatArray, truth_start: FloatArray, truth_end: FloatArray
) -> FloatArray:
    """Intersection over union of segments, elementwise; NaN for 0 / 0.

    The order of the operations is that of the ActivityNet code: a threshold may be met exactly.
    """
    overlap = np.minimum(end, truth_end) - np.maximum(start, truth_start)
    overlap = np.maximum(overlap, 0.0)
    union = (truth_end - truth_start) + (end - start) - overlap
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio: FloatArray = overlap / union
    return ratio


def _deferred_acceptance(pairs: _Pairs, num_truths: int, tious: FloatArray) -> NDArray[np.int64]:
    """Bits of each row of `pairs`.

    A suitor is a row at a threshold; numbered threshold by threshold, so that at one threshold
    the better-ranked suitor has the lower number.
    """
    num_rows = len(pairs.row)
    bits = np.zeros(num_rows, dtype=BITS)
    if not num_rows:
        return bits
    eligible = (pairs.tiou >= tious[:, None]).astype(np.int64)
    eligible = np.add.reduceat(eligible, pairs.first, axis=1)  # [K, D], a prefix of each list
    place = np.tile(pairs.first, len(tious))  # where in its list a suitor asks next
    stop = place + eligible.ravel()
    offset = np.repeat(np.arange(len(tious)) * num_truths, num_rows)
    holder = np.full(len(tious) * num_truths, _FREE)

    asking = np.flatnonzero(place < stop)
    while len(asking):
        asked = offset[asking] + pairs.truth[place[asking]]
        before = holder[asked]
        np.minimum.at(holder, asked, asking)
        after = holder[asked]
        displaced = np.unique(before[(before != after) & (before != _FREE)])
        refused = np.concatenate([asking[after != asking], displaced])
        place[refused] += 1
        asking = refused[place[refused] < stop[refused]]

    winners = holder[holder != _FREE]
    np.bitwise_or.at(bits, winners % num_rows, np.left_shift(BITS(1), winners // num_rows))
    return bits
