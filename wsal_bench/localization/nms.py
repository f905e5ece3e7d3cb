"""Non-maximum suppression of segments in time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from wsal_bench.types import FloatArray


def falling_order(score: FloatArray) -> NDArray[np.intp]:
    """Indices [P] by falling score; of equal ones the later first.

    That is where the published pipelines' `argsort()[::-1]` puts them when its sort is stable,
    which numpy's default sort is only for short arrays and not alike on all machines.
    """
    return np.argsort(score, kind="stable")[::-1]


def hard_nms(
    start: FloatArray,
    end: FloatArray,
    score: FloatArray,
    *,
    threshold: float,
    plus: float = 0.0,
) -> NDArray[np.intp]:
    """Keeps a segment where no better kept one overlaps it by `threshold` or more.

    Args:
        start: [P] seconds.
        end: [P] seconds, after start.
        score: [P].
        threshold: tIoU from which on the worse of two segments goes.
        plus: seconds added to lengths and intersections; see `recipe.Nms`.

    Returns:
        [K] indices of the kept segments, by falling score.
    """
    order = falling_order(score)
    # rows: start, end, length, of what is still in play; compacted as segments go
    rest = np.stack([start[order], end[order], end[order] - start[order] + plus])
    kept = []
    while len(order):
        kept.append(order[0])
        first, last, length = rest[:, 0]
        order, rest = order[1:], rest[:, 1:]
        shared = np.minimum(last, rest[1])
        shared -= np.maximum(first, rest[0])
        shared += plus
        np.maximum(shared, 0.0, out=shared)
        apart = shared / (length + rest[2] - shared) < threshold
        order, rest = order[apart], rest[:, apart]
    return np.asarray(kept, dtype=np.intp)
