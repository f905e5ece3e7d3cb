"""The backward of a recurrence over three moves: how much of a score flows through each cell."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from wsal_bench.kernels._recurrence.diagonals import Diagonals


@dataclass(frozen=True)
class Flow:
    """Skewed derivatives of a score. With weights that sum to 1: the expected alignment.

    Attributes:
        visits: [D, N, B] with respect to each cell.
        diagonal: [D, N, B] with respect to what is added on the move from (i-1, j-1).
        up: [D, N, B] the same for the move from (i-1, j).
        left: [D, N, B] the same for the move from (i, j-1).
    """

    visits: Tensor
    diagonal: Tensor
    up: Tensor
    left: Tensor


def flow(layout: Diagonals, weights: Tensor, upstream: Tensor) -> Flow:
    """Sends each score's gradient back from the last cell along the weights of the moves.

    Args:
        layout: sizes of the grids.
        weights: [D, 3, N, B] derivative of each cell with respect to its neighbours (i-1, j-1),
            (i-1, j), (i, j-1), in this order; finite also in cells that do not exist.
        upstream: [B] gradient of the scores.
    """
    rows = layout.rows
    visits = weights.new_empty(layout.count, rows, layout.batch)
    # Two diagonals and one row after the last: what flows out of cells beyond it is zero, but for
    # the upstream gradient, which enters the last cell as if from its diagonal successor.
    moves = weights.new_zeros(layout.count + 2, 3, rows + 1, layout.batch)
    moves[-1, 0, -1] = upstream
    steps = zip(
        reversed(visits.unbind()),
        reversed(weights.unbind()),
        reversed(moves[:-2, :, :-1].unbind()),
        reversed(moves[2:, 0, 1:].unbind()),
        reversed(moves[1:-1, 1, 1:].unbind()),
        reversed(moves[1:-1, 2, :-1].unbind()),
        strict=True,
    )
    for here, weight, outgoing, by_diagonal, by_up, by_left in steps:
        torch.add(by_up, by_left, out=here)
        here.add_(by_diagonal)
        torch.mul(weight, here, out=outgoing)
    return Flow(visits, *moves[:-2, :, :-1].unbind(1))
