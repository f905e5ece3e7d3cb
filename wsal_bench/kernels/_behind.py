"""What is behind a score: the expected alignment, and the best path."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor

from wsal_bench.kernels._recurrence.checks import check_band, check_lengths
from wsal_bench.kernels._recurrence.paths import Move, best_paths
from wsal_bench.kernels._recurrence.problems import Problem, in_one_precision, solve
from wsal_bench.kernels.dtw import dtw_problem, soft_dtw
from wsal_bench.kernels.fsd import fsd_problem, fsd_score
from wsal_bench.kernels.global_alignment import global_problem, needleman_wunsch
from wsal_bench.kernels.lcs import lcs_problem, lcs_score
from wsal_bench.kernels.local_alignment import local_problem, smith_waterman

PROBLEMS: Mapping[Callable[..., Tensor], Callable[..., Problem]] = MappingProxyType(
    {
        fsd_score: fsd_problem,
        lcs_score: lcs_problem,
        soft_dtw: dtw_problem,
        needleman_wunsch: global_problem,
        smith_waterman: local_problem,
    }
)


@dataclass(frozen=True, eq=False)
class Alignment:
    """The expected alignment of each pair of a batch: how probable each cell and move is.

    A path has the probability exp(its score / gamma), divided by the sum over all paths. Without
    softness there is one path, and all entries are 0 or 1.

    Attributes:
        match: [B, N, M] that a path adds the match of a cell: visits it where the match counts on
            every move (FSD, soft-DTW), enters it diagonally elsewhere.
        insert: [B, N, M] that it enters a cell from (i-1, j). Of a global alignment's leading gap,
            the part that pays this weight is included in the first column.
        delete: [B, N, M] that it enters a cell from (i, j-1), with leading gaps in the first row.
    """

    match: Tensor
    insert: Tensor
    delete: Tensor


@dataclass(frozen=True, eq=False)
class Path:
    """The best path of one pair, from its first move to its last.

    Attributes:
        rows: int64 [K] row that each move enters, from 0, on the CPU; -1 in a global alignment's
            leading gap, which runs along the border.
        columns: int64 [K] column, the same.
        moves: K names: "diagonal" from (i-1, j-1), "up" from (i-1, j), "left" from (i, j-1).
    """

    rows: Tensor
    columns: Tensor
    moves: tuple[Move, ...]


def alignment(
    kernel: Callable[..., Tensor],
    *inputs: Any,
    lengths: Tensor | None = None,
    backend: str = "auto",
    check: bool | None = None,
    **options: Any,
) -> Alignment:
    """The expected alignment behind a score: the derivatives of the score, as probabilities.

        alignment(fsd_score, match, gate, gamma=0.1).match

    Works where gradients are switched off, and for inputs that want none. The result has no graph:
    for a loss on an alignment, differentiate the score with `create_graph=True`.

    Args:
        kernel: `fsd_score`, `lcs_score`, `soft_dtw`, `needleman_wunsch` or `smith_waterman`.
        *inputs: its tensors.
        lengths: as the kernel takes it.
        backend: as the kernel takes it.
        check: as the kernel takes it.
        **options: the kernel's other arguments.

    Returns:
        The alignment, float32 or float64; 0 outside the lengths.

    Raises:
        TypeError: no such kernel, or what the kernel raises.
        ValueError: what the kernel raises.
    """
    problem = _problem(kernel, inputs, options)
    grids = (problem.match, problem.insert, problem.delete)
    with torch.inference_mode(False), torch.enable_grad():
        # Clones: each place is to have its own derivative, also where one tensor fills two, and
        # tensors of inference mode take part in no graph.
        match, insert, delete = (
            (
                torch.zeros_like(problem.match) if grid is None else grid.detach().clone()
            ).requires_grad_()
            for grid in grids
        )
        lengths = lengths.clone() if isinstance(lengths, Tensor) else lengths
        asked = Problem(problem.rules, match, insert, delete, problem.gamma)
        score = solve(asked, lengths=lengths, backend=backend, check=check)
        found = torch.autograd.grad(score.sum(), (match, insert, delete))
    # A cost is the negative of the score of which the moves' weights are a part.
    sign = -1 if problem.rules.negate else 1
    in_match, in_insert, in_delete = (x.to(score.dtype) for x in found)
    return Alignment(in_match, in_insert * sign, in_delete * sign)


def path(
    kernel: Callable[..., Tensor],
    *inputs: Any,
    lengths: Tensor | None = None,
    **options: Any,
) -> list[Path]:
    """The best path of each pair, as the hard maximum finds it, whatever gamma is given.

    Ties are those of the kernel at gamma = 0. The paths are wanted on the host, so on CUDA this
    waits for the device.

    Args:
        kernel: as in `alignment`.
        *inputs: its tensors.
        lengths: as the kernel takes it.
        **options: the kernel's other arguments; `backend` and `check` have no effect.

    Returns:
        A path for each pair of the batch, empty where there is none: without a cell, where no
        path is possible, and where the best local alignment is the empty one.

    Raises:
        TypeError: no such kernel, or what the kernel raises.
        ValueError: what the kernel raises.
    """
    options = {name: value for name, value in options.items() if name not in ("backend", "check")}
    problem = _problem(kernel, inputs, {"gamma": 0.0, **options})
    rules, match = problem.rules, problem.match
    if lengths is not None:
        lengths = check_lengths(lengths, match.shape, match.device, check=True)
    if rules.band is not None:
        check_band(rules.band, match, lengths, check=True)
    if not match.numel():
        steps: list[Any] = [[] for _ in range(len(match))]
    else:
        grids = in_one_precision(match, problem.insert, problem.delete)
        steps = best_paths(rules, *grids, lengths=lengths)
    return [
        Path(
            torch.tensor([step.row for step in taken], dtype=torch.int64),
            torch.tensor([step.column for step in taken], dtype=torch.int64),
            tuple(step.move for step in taken),
        )
        for taken in steps
    ]


def _problem(
    kernel: Callable[..., Tensor], inputs: tuple[Any, ...], options: Mapping[str, Any]
) -> Problem:
    if kernel not in PROBLEMS:
        known = ", ".join(known.__name__ for known in PROBLEMS)
        name = getattr(kernel, "__name__", repr(kernel))
        raise TypeError(f"{name} has no alignment; kernels that have one: {known}")
    return PROBLEMS[kernel](*inputs, **options)
