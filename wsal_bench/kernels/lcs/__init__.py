"""LCS: the longest common subsequence, with similarities above a threshold as matches."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Literal

from torch import Tensor

from wsal_bench.kernels._recurrence.problems import Problem, problem_of, solve
from wsal_bench.kernels._recurrence.rules import Rules


def lcs_score(
    similarity: Tensor,
    *,
    threshold: float,
    gamma: float = 0.0,
    mode: Literal["greedy", "optimal"] = "greedy",
    lengths: Tensor | None = None,
    backend: str = "auto",
    check: bool | None = None,
) -> Tensor:
    """Summed similarity along the common subsequence of each pair in a batch.

    With i from 1 to N, j from 1 to M, C[0, j] = C[i, 0] = 0 and s = similarity[i, j], for "greedy"

        C[i, j] = C[i-1, j-1] + s               if s > threshold
                  smax(C[i-1, j], C[i, j-1])    elsewhere

    and for "optimal"

        C[i, j] = smax(C[i-1, j], C[i, j-1], C[i-1, j-1] + s)    if s > threshold
                  smax(C[i-1, j], C[i, j-1])                     elsewhere
        smax(x) = gamma * log(sum(exp(x / gamma))); max(x) for gamma = 0

    and the score is C[N, M]. Greedy is the published rule: a match is always taken, also where
    leaving it out would give a larger sum. Optimal is the largest sum.

    Source: FTCL (Gao et al., CVPR 2022), greedy and hard, with cosine similarities and 0.92.

    Args:
        similarity: [B, N, M] of snippet i of one sequence and snippet j of the other.
        threshold: what a similarity has to exceed to be a match; rounded to the dtype in which the
            kernel computes.
        gamma: softness. 0, and every gamma below 1e-6, is the hard maximum: a tie takes C[i-1, j]
            before C[i, j-1] before the match. A smooth score counts every path, so without any
            match it is above 0.
        mode: "greedy" or "optimal".
        lengths: int64 [B, 2] rows and columns of each pair; None: N and M. Values outside a
            pair's lengths are never read (padding may be NaN) and have a zero gradient.
        backend: "reference", "torch", "cpu", "cuda" or "auto", see `wsal_bench.kernels`; all give
            the same value and gradient to rounding, and to the last bit where gamma is 0.
        check: look for values that are not finite and, on CUDA, lengths out of range. None: on a
            CPU; on CUDA looking would wait for the device, so only True does.

    Returns:
        [B] scores on the input's device: float64 for float64, else float32 (half precision and
        autocast compute in float32). Without a cell (N, M or a length is 0) a score is 0, with a
        zero gradient. The hard gradient, in the input's dtype, is 1 at each match on the path from
        C[N, M] back to the border and 0 elsewhere, so zero where there is no match; it does not
        depend on the similarities, so its derivative exists with respect to the upstream gradient
        only. The smooth gradient is the expected number of matches, differentiable to any order.

    Raises:
        ValueError: `similarity` is not a floating-point [B, N, M] or holds NaN or inf (names the
            pair); threshold is not finite; mode is another; gamma is negative or not finite;
            lengths are out of range; the backend is unknown or does not work here.
        TypeError: `similarity` is not a tensor, or gamma or threshold is one.
    """
    problem = lcs_problem(similarity, threshold=threshold, gamma=gamma, mode=mode)
    return solve(problem, lengths=lengths, backend=backend, check=check)


def lcs_problem(
    similarity: Tensor, *, threshold: float, gamma: float = 0.0, mode: str = "greedy"
) -> Problem:
    """The arguments of `lcs_score` as a problem of the recurrence."""
    if isinstance(threshold, Tensor):
        raise TypeError("threshold is a tensor, expected a number: it gets no gradient")
    return problem_of(_rules(float(threshold), mode), similarity, None, None, gamma)


@lru_cache
def _rules(threshold: float, mode: str) -> Rules:
    if not math.isfinite(threshold):
        raise ValueError(f"threshold is {threshold}, expected a finite number")
    if mode not in ("greedy", "optimal"):
        raise ValueError(f"mode is {mode!r}, expected 'greedy' or 'optimal'")
    return Rules(
        match_on="diagonal",
        border="free",
        threshold=threshold,
        greedy=mode == "greedy",
        names=("similarity", "insert", "delete"),
    )
