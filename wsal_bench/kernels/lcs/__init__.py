"""LCS: the longest common subsequence, with similarities above a threshold as matches."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from torch import Tensor

from wsal_bench.kernels._recurrence.backends import choose
from wsal_bench.kernels._recurrence.checks import (
    check_grids,
    empty_score,
    in_working_precision,
    without_autocast,
)
from wsal_bench.kernels.lcs.reference import lcs_reference
from wsal_bench.kernels.lcs.wavefront import lcs_wavefront

BACKENDS: Mapping[str, Callable[[Tensor, float], Tensor]] = {
    "reference": lcs_reference,
    "wavefront": lcs_wavefront,
}


def lcs_score(similarity: Tensor, *, threshold: float, backend: str = "auto") -> Tensor:
    """Summed similarity along the common subsequence of each pair in a batch.

    With i from 1 to N, j from 1 to M, C[0, j] = C[i, 0] = 0 and s = similarity[i, j],

        C[i, j] = C[i-1, j-1] + s              if s > threshold
                  max(C[i-1, j], C[i, j-1])    elsewhere; a tie takes C[i-1, j]

    and the score is C[N, M]. The rule is greedy, as published: a match is always taken, also
    where leaving it out would give a larger sum.

    Source: FTCL (Gao et al., CVPR 2022), with cosine similarities and the threshold 0.92.

    Args:
        similarity: [B, N, M] of snippet i of one sequence and snippet j of the other.
        threshold: what a similarity has to exceed to be a match; compared in the dtype in which
            the kernel computes. NaN similarities are no matches.
        backend: a key of `BACKENDS`; all give the same value and gradient. "auto" is
            "wavefront", on every device and dtype.

    Returns:
        [B] scores on the input's device: float64 for float64, else float32 (half precision and
        autocast compute in float32). Without a cell (N or M is 0) a score is 0. The gradient, in
        the input's dtype, is 1 at each match on the path from C[N, M] back to the border and 0
        elsewhere, so zero where there is no match. It does not depend on the similarities, so
        a second derivative exists with respect to the upstream gradient only.

    Raises:
        ValueError: `similarity` is not [B, N, M], `threshold` is NaN, or no backend has that name.
        TypeError: `similarity` is not a tensor.
    """
    compute = choose(BACKENDS, backend, auto="wavefront")
    if math.isnan(threshold):
        raise ValueError("threshold is nan, expected a number")
    check_grids(similarity=similarity)
    with without_autocast(similarity.device):
        (grid,) = in_working_precision(similarity)
        return compute(grid, threshold) if similarity.numel() else empty_score(grid)
