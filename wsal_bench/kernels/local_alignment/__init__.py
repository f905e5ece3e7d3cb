"""Smith-Waterman: the best local alignment of two sequences with gaps."""

from __future__ import annotations

from torch import Tensor

from wsal_bench.kernels._recurrence.problems import Problem, gap_problem, solve
from wsal_bench.kernels._recurrence.rules import Rules

RULES = Rules(match_on="diagonal", local=True, names=("match", "gap_insert", "gap_delete"))


def smith_waterman(
    match: Tensor,
    gap_insert: float | Tensor,
    gap_delete: float | Tensor | None = None,
    *,
    gamma: float,
    lengths: Tensor | None = None,
    backend: str = "auto",
    check: bool | None = None,
) -> Tensor:
    """Score of the best local alignment of each pair; larger is more alike, 0 is nothing in common.

    With i from 1 to N, j from 1 to M and C[0, j] = C[i, 0] = -inf,

        C[i, j] = smax(smax(0, C[i-1, j-1]) + match[i, j],
                       C[i-1, j] + gap_insert[i, j],
                       C[i, j-1] + gap_delete[i, j])
        smax(x) = gamma * log(sum(exp(x / gamma))); max(x) for gamma = 0

    and the score is smax over 0 and all C[i, j]. So an alignment begins with a match anywhere and
    ends anywhere; the smooth score counts each once, and the empty one once. For gamma = 0 that is
    the textbook's max(0, ...) in every cell: an alignment that begins with a gap, where gaps are
    penalties, is never better than one without it.

    Source: Smith and Waterman, 1981; smoothed as in SMURF (Petti et al., Bioinformatics 2023),
    where the empty alignment does not count.

    Args:
        match: [B, N, M] score of aligning element i of one sequence with element j of the other;
            negative for elements that do not match.
        gap_insert: added where element i stands against a gap, usually negative: a number, a
            tensor [B, N] or [B, N, M] or without dimensions. -inf forbids it.
        gap_delete: the same where element j stands against a gap: a number, [B, M] or [B, N, M]
            or without dimensions; None: `gap_insert` again.
        gamma: softness, in the unit of the scores. 0, and every gamma below 1e-6, is the hard
            maximum with the gradient of one best path: a tie takes the move from (i-1, j) before
            that from (i, j-1) before the diagonal, beginning before going on, and the first end in
            the order of rows, then columns. A score of 0 has a zero gradient.
        lengths: int64 [B, 2] rows and columns of each pair; None: N and M. Values outside a
            pair's lengths are never read (padding may be NaN) and have a zero gradient.
        backend: "reference", "torch", "cpu", "cuda" or "auto", see `wsal_bench.kernels`; all give
            the same value and gradient to rounding.
        check: look for values that are not finite and, on CUDA, lengths out of range. None: on a
            CPU; on CUDA looking would wait for the device, so only True does.

    Returns:
        [B] scores, at least 0, on the inputs' device: float64 for float64 inputs, else float32
        (half precision and autocast compute in float32). Without a cell (N, M or a length is 0) a
        score is 0, with a zero gradient. Differentiable in match and gaps, to any order, each in
        its own dtype and shape; the gradients are the expected numbers of matches and gaps.

    Raises:
        ValueError: an input does not fit in shape, device or precision (float64 and float32 do not
            mix); it holds NaN, inf or, as a match, -inf (names the argument and the pair); gamma is
            negative or not finite; lengths are out of range; the backend is unknown or does not
            work here.
        TypeError: match is not a tensor, a gap neither a tensor nor a number, or gamma is a tensor.
    """
    problem = local_problem(match, gap_insert, gap_delete, gamma=gamma)
    return solve(problem, lengths=lengths, backend=backend, check=check)


def local_problem(
    match: Tensor,
    gap_insert: float | Tensor,
    gap_delete: float | Tensor | None = None,
    *,
    gamma: float,
) -> Problem:
    """The arguments of `smith_waterman` as a problem of the recurrence."""
    return gap_problem(RULES, match, gap_insert, gap_delete, gamma)
