"""The best path of each pair, written out on the host."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from wsal_bench.kernels._recurrence.checks import refuse_not_finite
from wsal_bench.kernels._recurrence.diagonals import prepare
from wsal_bench.kernels._recurrence.flow import decide
from wsal_bench.kernels._recurrence.rules import Rules
from wsal_bench.kernels._recurrence.torch_backend import last_cells, sweep

Move = Literal["diagonal", "up", "left"]


@dataclass(frozen=True)
class Step:
    """A move of a path and the cell it enters, counted from 0; -1 is the border."""

    row: int
    column: int
    move: Move


@dataclass(frozen=True)
class _Choices:
    """What was chosen in each cell of one pair, [N, M]; see `flow.Decisions`."""

    diagonal: np.ndarray
    left: np.ndarray
    starts: np.ndarray


def best_paths(
    rules: Rules,
    match: Tensor,
    insert: Tensor | None,
    delete: Tensor | None,
    *,
    lengths: Tensor | None,
) -> list[list[Step]]:
    """The steps of each pair's path, first to last; none where a pair has no path."""
    refuse_not_finite(rules, match, insert, delete, lengths)
    with torch.no_grad():
        planes = prepare(rules, match, insert, delete, gamma=0.0, lengths=lengths)
        sweep(rules, planes, 0.0)
        decisions = decide(rules, planes.table, planes.moves)
        ends = last_cells(rules, planes.layout, planes.table, lengths)
    nowhere = torch.zeros_like(decisions.left)
    masks = (decisions.diagonal, decisions.left, decisions.starts)
    diagonal, left, starts = (
        planes.layout.cells(nowhere if mask is None else mask).cpu().numpy() for mask in masks
    )
    paths = []
    for pair, place in enumerate(ends.tolist()):
        both, row = divmod(place // len(match), match.shape[1] + 1)
        choices = _Choices(diagonal[pair], left[pair], starts[pair])
        # Place 0 means no path; otherwise rows and columns are counted from 1.
        steps = _backwards(rules, choices, row - 1, both - row - 1) if place else ()
        paths.append(list(steps)[::-1])
    return paths


def _backwards(rules: Rules, choices: _Choices, row: int, column: int) -> Iterator[Step]:
    while row >= 0 and column >= 0:
        if choices.diagonal[row, column]:
            yield Step(row, column, "diagonal")
            if choices.starts[row, column]:
                return
            row, column = row - 1, column - 1
        elif choices.left[row, column]:
            yield Step(row, column, "left")
            column -= 1
        else:
            yield Step(row, column, "up")
            row -= 1
    if rules.border == "gaps":
        for left_over in range(row, -1, -1):
            yield Step(left_over, -1, "up")
        for left_over in range(column, -1, -1):
            yield Step(-1, left_over, "left")
