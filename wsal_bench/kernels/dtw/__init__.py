"""Soft-DTW: the smooth minimum over all warpings of two sequences, and its divergence."""

from __future__ import annotations

from functools import lru_cache
from operator import index

from torch import Tensor

from wsal_bench.kernels._recurrence.problems import Problem, problem_of, solve
from wsal_bench.kernels._recurrence.rules import Rules


def soft_dtw(
    cost: Tensor,
    *,
    gamma: float = 1.0,
    bandwidth: int | None = None,
    lengths: Tensor | None = None,
    backend: str = "auto",
    check: bool | None = None,
) -> Tensor:
    """Smooth minimum of the cost of warping one sequence onto the other; smaller is more alike.

    With i from 1 to N, j from 1 to M, R[0, 0] = 0 and R[0, j] = R[i, 0] = inf,

        R[i, j] = cost[i, j] + smin(R[i-1, j-1], R[i-1, j], R[i, j-1])
        smin(x) = -gamma * log(sum(exp(-x / gamma))); min(x) for gamma = 0, which is DTW

    and the result is R[N, M]. It may be negative: it is about gamma * log(number of warpings)
    below the cheapest one. `soft_dtw_divergence` is not.

    Source: Cuturi and Blondel, ICML 2017.

    Args:
        cost: [B, N, M] of matching element i of one sequence with element j of the other.
        gamma: softness, in the unit of the costs. 0, and every gamma below 1e-6, is DTW with the
            gradient of one cheapest path, a tie taking the move from (i-1, j) before that from
            (i, j-1) before the diagonal.
        bandwidth: Sakoe-Chiba band: only cells with |i - j| <= bandwidth may be visited, and no
            other is read; None: all.
        lengths: int64 [B, 2] rows and columns of each pair; None: N and M. Values outside a
            pair's lengths are never read (padding may be NaN) and have a zero gradient.
        backend: "reference", "torch", "cpu", "cuda" or "auto", see `wsal_bench.kernels`; all give
            the same value and gradient to rounding.
        check: look for values that are not finite, lengths that the band does not reach and, on
            CUDA, lengths out of range. None: on a CPU; on CUDA looking would wait for the device,
            so only True does. Unchecked, a pair out of reach gives inf with a zero gradient.

    Returns:
        [B] values on the input's device: float64 for float64, else float32 (half precision and
        autocast compute in float32). Without a cell (N, M or a length is 0) a value is inf, with
        a zero gradient. The gradient, in the input's dtype, is the expected alignment: for each
        cell the probability that a warping visits it. Differentiable to any order.

    Raises:
        ValueError: `cost` is not a floating-point [B, N, M] or holds NaN or inf (names the pair);
            gamma is negative or not finite; bandwidth is negative, or too small to reach the
            corner; lengths are out of range; the backend is unknown or does not work here.
        TypeError: `cost` is not a tensor, gamma is one, or bandwidth is not a whole number.
    """
    problem = dtw_problem(cost, gamma=gamma, bandwidth=bandwidth)
    return solve(problem, lengths=lengths, backend=backend, check=check)


def dtw_problem(cost: Tensor, *, gamma: float = 1.0, bandwidth: int | None = None) -> Problem:
    """The arguments of `soft_dtw` as a problem of the recurrence."""
    if bandwidth is not None:
        if isinstance(bandwidth, bool) or not hasattr(bandwidth, "__index__"):
            raise TypeError(f"bandwidth is {bandwidth!r}, expected a whole number or None")
        bandwidth = index(bandwidth)
        if bandwidth < 0:
            raise ValueError(f"bandwidth is {bandwidth}, expected 0 or more")
    return problem_of(_rules(bandwidth), cost, None, None, gamma)


@lru_cache
def _rules(bandwidth: int | None) -> Rules:
    return Rules(
        match_on="every",
        border="forbidden",
        negate=True,
        band=bandwidth,
        names=("cost", "insert", "delete"),
    )
