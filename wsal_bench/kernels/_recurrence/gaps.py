"""Gap weights of alignments, given as a number, per position or per cell."""

from __future__ import annotations

from torch import Tensor

from wsal_bench.kernels._recurrence.checks import check_device, check_tensor
from wsal_bench.kernels._recurrence.problems import Problem, problem_of
from wsal_bench.kernels._recurrence.rules import Rules


def gap_problem(
    rules: Rules,
    match: Tensor,
    gap_insert: float | Tensor,
    gap_delete: float | Tensor | None,
    gamma: float,
) -> Problem:
    """The arguments of an alignment with gaps as a problem of the recurrence."""
    check_tensor("match", match, "BNM")
    insert = _per_cell("gap_insert", gap_insert, match, along=1)
    delete = gap_insert if gap_delete is None else gap_delete
    name = "gap_insert" if gap_delete is None else "gap_delete"
    return problem_of(rules, match, insert, _per_cell(name, delete, match, along=2), gamma)


def _per_cell(name: str, gap: float | Tensor, match: Tensor, *, along: int) -> Tensor:
    """Weights [B, N, M], expanded where they were given as less.

    Args:
        name: of the argument.
        gap: a number, a tensor without dimensions, [B, N] or [B, M], or [B, N, M].
        match: [B, N, M].
        along: dimension that weights [B, L] run along, 1 or 2.
    """
    if not isinstance(gap, Tensor):
        if not isinstance(gap, int | float):
            raise TypeError(
                f"{name} is a {type(gap).__name__}, expected a number or a torch.Tensor"
            )
        return match.new_full((), gap).expand(match.shape)
    if gap.ndim == 3:
        return gap
    check_device(name, gap, "match", match)
    if gap.ndim == 0:
        return gap.expand(match.shape)
    if gap.shape != (match.shape[0], match.shape[along]):
        letter, size = "NM"[along - 1], match.shape[along]
        raise ValueError(
            f"{name} has shape {list(gap.shape)}, expected a number, [B, {letter}] = "
            f"[{match.shape[0]}, {size}] or [B, N, M] = {list(match.shape)}"
        )
    return gap.unsqueeze(3 - along).expand(match.shape)
