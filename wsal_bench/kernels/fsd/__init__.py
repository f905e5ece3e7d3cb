"""FSD: fine-grained sequence distance, a soft alignment with a gate on insertion and deletion."""

from __future__ import annotations

from torch import Tensor

from wsal_bench.kernels._recurrence.problems import Problem, problem_of, solve
from wsal_bench.kernels._recurrence.rules import Rules

RULES = Rules(match_on="every", border="free", names=("match", "gate_insert", "gate_delete"))


def fsd_score(
    match: Tensor,
    gate_insert: Tensor,
    gate_delete: Tensor | None = None,
    *,
    gamma: float = 0.1,
    lengths: Tensor | None = None,
    backend: str = "auto",
    check: bool | None = None,
) -> Tensor:
    """Soft alignment score of each pair of sequences in a batch; larger is more alike.

    With i from 1 to N, j from 1 to M and C[0, j] = C[i, 0] = 0,

        C[i, j] = match[i, j] + smax(C[i-1, j-1],
                                     gate_insert[i, j] + C[i-1, j],
                                     gate_delete[i, j] + C[i, j-1])
        smax(x) = gamma * log(sum(exp(x / gamma))); max(x) for gamma = 0

    and the score is C[N, M]. The match is added on every move. The zero border lets a path begin
    anywhere on it for free. A gate may be negative (a penalty), positive (a reward) or -inf (the
    move is forbidden); a match has to be finite.

    Source: FTCL (Gao et al., CVPR 2022), where one gate serves both moves and gamma is 0.1.

    Args:
        match: [B, N, M] score of matching snippet i of one sequence with snippet j of the other.
        gate_insert: [B, N, M] added where the path comes from (i-1, j).
        gate_delete: [B, N, M] added where it comes from (i, j-1); None: `gate_insert` again.
        gamma: softness, in the unit of the scores. 0 is the hard maximum, and so is every gamma
            below 1e-6: the gradient is then that of one best path, a tie taking the move from
            (i-1, j) before that from (i, j-1) before the diagonal.
        lengths: int64 [B, 2] rows and columns of each pair; None: N and M. Values outside a
            pair's lengths are never read (padding may be NaN) and have a zero gradient.
        backend: "reference", "torch", "cpu", "cuda" or "auto", see `wsal_bench.kernels`; all give
            the same value and gradient to rounding.
        check: look for values that are not finite and, on CUDA, lengths out of range. None: on a
            CPU; on CUDA looking would wait for the device, so only True does.

    Returns:
        [B] scores on the inputs' device: float64 for float64 inputs, else float32 (half precision
        and autocast compute in float32). Without a cell (N, M or a length is 0) a score is 0, with
        a zero gradient. Differentiable in match and gates, to any order; each gets its gradient in
        its own dtype. The gradient of match is the expected number of visits to a cell, that of a
        gate the expected number of such moves into it.

    Raises:
        ValueError: an input is not a floating-point [B, N, M] or does not fit the others in shape,
            device or precision (float64 and float32 do not mix); it holds NaN, inf or, as a match,
            -inf (names the argument and the pair); gamma is negative or not finite; lengths are
            out of range; the backend is unknown or does not work here.
        TypeError: an input is not a tensor, or gamma is one.
    """
    problem = fsd_problem(match, gate_insert, gate_delete, gamma=gamma)
    return solve(problem, lengths=lengths, backend=backend, check=check)


def fsd_problem(
    match: Tensor, gate_insert: Tensor, gate_delete: Tensor | None = None, *, gamma: float = 0.1
) -> Problem:
    """The arguments of `fsd_score` as a problem of the recurrence."""
    if gate_delete is None:
        gate_delete = gate_insert
    return problem_of(RULES, match, gate_insert, gate_delete, gamma)
