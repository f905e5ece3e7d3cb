"""FSD: fine-grained sequence distance, a soft alignment with a gate on insertion and deletion."""

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
from wsal_bench.kernels.fsd.reference import fsd_reference
from wsal_bench.kernels.fsd.wavefront import fsd_wavefront

BACKENDS: Mapping[str, Callable[[Tensor, Tensor, Tensor, float], Tensor]] = {
    "reference": fsd_reference,
    "wavefront": fsd_wavefront,
}

SMALLEST_GAMMA = 1e-30  # below it, a match score / gamma leaves the range of float32


def fsd_score(
    match: Tensor,
    gate_insert: Tensor,
    gate_delete: Tensor | None = None,
    *,
    gamma: float = 0.1,
    backend: str = "auto",
) -> Tensor:
    """Soft alignment score of each pair of sequences in a batch; larger is more alike.

    With i from 1 to N, j from 1 to M and C[0, j] = C[i, 0] = 0,

        C[i, j] = match[i, j] + smax(C[i-1, j-1],
                                     gate_insert[i, j] + C[i-1, j],
                                     gate_delete[i, j] + C[i, j-1])
        smax(x) = gamma * log(sum(exp(x / gamma)))

    and the score is C[N, M]. The match is added on every move. The zero border lets a path begin
    anywhere on it for free. A gate may be negative (a penalty), positive (a reward) or -inf (the
    move is forbidden); a match has to be finite.

    Source: FTCL (Gao et al., CVPR 2022), where one gate serves both moves and gamma is 0.1.

    Args:
        match: [B, N, M] score of matching snippet i of one sequence with snippet j of the other.
        gate_insert: [B, N, M] added where the path comes from (i-1, j).
        gate_delete: [B, N, M] added where it comes from (i, j-1); None: `gate_insert` again.
        gamma: softness, > 0; smaller is closer to the hard maximum. The gradient's rounding
            error grows as |score| / gamma times the dtype's precision.
        backend: a key of `BACKENDS`; all give the same value and gradient to rounding. "auto" is
            "wavefront", on every device and dtype.

    Returns:
        [B] scores on the inputs' device: float64 if an input is, else float32 (half precision
        and autocast compute in float32). Without a cell (N or M is 0) a score is 0.
        Differentiable in match and gates, to any order; each gets its gradient in its own dtype.
        The gradient of match is the expected number of visits to a cell, that of a gate the
        expected number of such moves into it.

    Raises:
        ValueError: an input is not [B, N, M] or not like the others, gamma is not positive and
            finite, or no backend has that name.
        TypeError: an input is not a tensor.
    """
    compute = choose(BACKENDS, backend, auto="wavefront")
    if not SMALLEST_GAMMA <= gamma < math.inf:
        raise ValueError(f"gamma is {gamma}, expected a positive number from {SMALLEST_GAMMA} up")
    if gate_delete is None:
        gate_delete = gate_insert
    check_grids(match=match, gate_insert=gate_insert, gate_delete=gate_delete)
    with without_autocast(match.device):
        match, gate_insert, gate_delete = in_working_precision(match, gate_insert, gate_delete)
        if match.numel() == 0:
            return empty_score(match, gate_insert, gate_delete)
        return compute(match, gate_insert, gate_delete, gamma)
