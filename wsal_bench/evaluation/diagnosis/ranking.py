"""Average precision of a plain ranking: no segments, no interpolation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from wsal_bench.types import FloatArray


def ranking_average_precision(positive: FloatArray | NDArray[np.bool_], score: FloatArray) -> float:
    """Sum over score values, best first, of precision there times the recall gained.

    The definition of sklearn's `average_precision_score`: rows of equal score count at once, so
    their order plays no part.

    Args:
        positive: [N] 1 where the row is right, else 0.
        score: [N] higher is surer.

    Returns:
        In 0..1; NaN where no row is right.
    """
    right = np.asarray(positive, dtype=np.float64)
    total = right.sum()
    if not total:
        return float("nan")
    order = np.argsort(-np.asarray(score, dtype=np.float64), kind="stable")
    ranked = np.asarray(score)[order]
    last = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)  # of each score value
    found = np.cumsum(right[order])[last]
    return float(np.sum(np.diff(found, prepend=0.0) * found / (last + 1)) / total)
