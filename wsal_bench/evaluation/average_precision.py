"""Area under the precision envelope, plain and re-weighted."""

from __future__ import annotations

import numpy as np

from wsal_bench.types import FloatArray


def average_precision(
    weight: FloatArray, depth: FloatArray, num_truths: FloatArray | float
) -> FloatArray:
    """All-point interpolated average precision (VOC 2010 and later) of ranked hits.

    Precision falls between hits, so its envelope has its maxima at hits: the other detections
    matter through `depth` alone.

    Args:
        weight: [..., K] how often each candidate hit counts, best-ranked first; 0 is no hit.
        depth: [..., K] detections down to and with this one, each as often as it counts.
        num_truths: [...] true segments, each as often as it counts.

    Returns:
        [...] in 0..1, NaN where there is no truth.
    """
    found = np.cumsum(weight, axis=-1, dtype=np.float64)
    counted = np.asarray(depth) > 0
    precision = np.divide(found, depth, out=np.zeros_like(found), where=counted)
    envelope = np.maximum.accumulate(precision[..., ::-1], axis=-1)[..., ::-1]
    area = np.asarray(np.einsum("...k,...k->...", envelope, np.asarray(weight, dtype=np.float64)))
    total = np.broadcast_to(np.asarray(num_truths, dtype=np.float64), area.shape)
    result: FloatArray = np.divide(area, total, out=np.full(area.shape, np.nan), where=total > 0)
    return result
