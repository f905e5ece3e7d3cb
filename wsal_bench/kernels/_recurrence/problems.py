"""A kernel's arguments as a problem of the one recurrence, and its solution by a backend."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from wsal_bench.kernels._recurrence.backends import backend_for
from wsal_bench.kernels._recurrence.checks import (
    autocasts,
    check_band,
    check_device,
    check_grids,
    check_lengths,
    check_tensor,
    in_working_precision,
    without_autocast,
)
from wsal_bench.kernels._recurrence.rules import HARD_BELOW, Rules

WORKING = (torch.float32, torch.float64)


@dataclass(eq=False, slots=True)  # not frozen: made at each call, and that would cost more
class Problem:
    """What a kernel asks of the recurrence. Its shapes, dtypes and devices have been checked.

    Attributes:
        rules: those of the kernel.
        match: [B, N, M].
        insert: [B, N, M], or None: 0.
        delete: [B, N, M], or None: 0.
        gamma: softness, at least 0.
    """

    rules: Rules
    match: Tensor
    insert: Tensor | None
    delete: Tensor | None
    gamma: float


def problem_of(
    rules: Rules, match: Tensor, insert: Tensor | None, delete: Tensor | None, gamma: float
) -> Problem:
    """The problem, checked.

    Raises:
        TypeError: what should be a tensor is none, or gamma is one.
        ValueError: shapes, dtypes or devices do not fit, or gamma is negative or not finite.
    """
    check_grids(rules.names, match, insert, delete)
    if isinstance(gamma, Tensor):
        raise TypeError("gamma is a tensor, expected a number: it gets no gradient")
    if not 0 <= gamma < math.inf:
        raise ValueError(f"gamma is {gamma}, expected a finite number from 0 up")
    return Problem(rules, match, insert, delete, float(gamma))


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


def solve(problem: Problem, *, lengths: Tensor | None, backend: str, check: bool | None) -> Tensor:
    """Scores [B] of a problem.

    Args:
        problem: with arguments as the caller gave them.
        lengths: int [B, 2] or None.
        backend: a name of `backends.BACKENDS` or "auto".
        check: whether to look for values that are not finite, lengths that are out of range and
            lengths that the band does not reach; None: on a CPU, where it costs no waiting.

    Raises:
        ValueError: what `check` looks for; lengths of another shape, dtype or device; a band too
            narrow for the shape; an unknown backend or one that does not work here.
    """
    rules, match, insert, delete = problem.rules, problem.match, problem.insert, problem.delete
    device = match.device
    if check is None:
        check = device.type == "cpu"
    if lengths is not None:
        lengths = check_lengths(lengths, match.shape, device, check=check)
    if rules.band is not None:
        check_band(rules.band, match, lengths, check=check)
    match, insert, delete = in_one_precision(match, insert, delete)
    score = backend_for(backend, device, match.dtype)
    if not match.numel():
        return _without_cells(rules, match, insert, delete)
    gamma = problem.gamma if problem.gamma >= HARD_BELOW else 0.0
    if not autocasts(device):
        return score(rules, match, insert, delete, gamma=gamma, lengths=lengths, check=check)
    with without_autocast(device):
        return score(rules, match, insert, delete, gamma=gamma, lengths=lengths, check=check)


def in_one_precision(
    match: Tensor, insert: Tensor | None, delete: Tensor | None
) -> tuple[Tensor, Tensor | None, Tensor | None]:
    """Match, insert and delete in one dtype; a tensor given twice is converted once."""
    dtype = match.dtype
    alike = (insert is None or insert.dtype is dtype) and (delete is None or delete.dtype is dtype)
    if alike and dtype in WORKING:
        return match, insert, delete
    given = {id(x): x for x in (match, insert, delete) if x is not None}
    found = dict(zip(given, in_working_precision(*given.values()), strict=True))
    return found[id(match)], found.get(id(insert)), found.get(id(delete))


def _without_cells(
    rules: Rules, match: Tensor, insert: Tensor | None, delete: Tensor | None
) -> Tensor:
    """[B] scores of pairs without a cell, with a graph that gives zero gradients."""
    score = match.new_full((len(match),), rules.empty)
    for weights in (match, insert, delete):
        if weights is not None and weights.requires_grad:
            score = score + weights.sum(dim=(1, 2))
    return score
