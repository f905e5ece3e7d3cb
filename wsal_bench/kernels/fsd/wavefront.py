"""FSD by anti-diagonals: all cells of a diagonal and all pairs at once, analytic backward.

Differs from the reference in three ways. The table is computed in units of gamma. Forward keeps
the weight of each cell's three moves (the softmax behind the smooth maximum), computed from the
moves themselves and not from differences of rounded scores. Backward sends the gradient along
those weights.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from wsal_bench.kernels._recurrence.diagonals import Diagonals, Table
from wsal_bench.kernels._recurrence.flow import flow
from wsal_bench.kernels._recurrence.second_order import differentiable_gradients


def fsd_wavefront(match: Tensor, gate_insert: Tensor, gate_delete: Tensor, gamma: float) -> Tensor:
    """Scores [B] of grids [B, N, M]; see `fsd_score`."""
    inputs = (match, gate_insert, gate_delete)
    if torch.is_grad_enabled() and any(tensor.requires_grad for tensor in inputs):
        score: Tensor = _FsdWavefront.apply(*inputs, gamma)  # type: ignore[no-untyped-call]
        return score
    return _sweep(*inputs, gamma).table.score * gamma


class _FsdWavefront(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, match: Tensor, gate_insert: Tensor, gate_delete: Tensor, gamma: float
    ) -> Tensor:
        swept = _sweep(match, gate_insert, gate_delete, gamma)
        ctx.save_for_backward(match, gate_insert, gate_delete, swept.into_weights())
        ctx.gamma = gamma
        return swept.table.score * gamma

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
        *inputs, weights = ctx.saved_tensors
        needed = ctx.needs_input_grad[:3]
        if torch.is_grad_enabled():
            twin = partial(_recorded_by_autograd, gamma=ctx.gamma)
            return *differentiable_gradients(twin, inputs, needed, upstream), None
        layout = Diagonals.of(inputs[0])
        flows = flow(layout, weights, upstream)
        gradients = zip((flows.visits, flows.up, flows.left), needed, strict=True)
        return *(layout.cells(x).contiguous() if need else None for x, need in gradients), None


@dataclass(frozen=True)
class _Sweep:
    """What a forward sweep leaves, in units of gamma.

    Attributes:
        table: the scores C.
        moves: [D, 3, N, B]; at [:, 0] the match, at [:, 1] and [:, 2] the scores offered by the
            moves from (i-1, j) and (i, j-1), gate included.
        smooth_max: [D, N, B] over the three moves.
    """

    table: Table
    moves: Tensor
    smooth_max: Tensor

    def into_weights(self) -> Tensor:
        """The weights [D, 3, N, B] of the moves, which sum to 1; written over `moves`."""
        self.moves[:, 0] = self.table.diagonal
        return self.moves.sub_(self.smooth_max.unsqueeze(1)).exp_()


def _sweep(match: Tensor, gate_insert: Tensor, gate_delete: Tensor, gamma: float) -> _Sweep:
    layout = Diagonals.of(match)
    table = layout.new_table(match)
    moves = match.new_zeros(layout.count, 3, layout.rows, layout.batch)
    # Cells that do not exist have match 0 and no way in but the diagonal: the zero border.
    moves[:, 1:] = -torch.inf
    for plane, grid in zip(moves.unbind(1), (match, gate_insert, gate_delete), strict=True):
        torch.mul(grid, 1 / gamma, out=layout.cells(plane))
    smooth_max = torch.empty_like(moves[:, 0])
    diagonals = zip(
        table.cells.unbind(),
        table.diagonal.unbind(),
        table.steps.unbind(),
        moves[:, 0].unbind(),
        moves[:, 1].unbind(),
        moves[:, 2].unbind(),
        moves[:, 1:].unbind(),
        smooth_max.unbind(),
        strict=True,
    )
    for cell, diagonal, steps, match_, up, left, up_and_left, smooth in diagonals:
        up_and_left.add_(steps)
        torch.logaddexp(up, left, out=smooth)
        torch.logaddexp(smooth, diagonal, out=smooth)
        torch.add(smooth, match_, out=cell)
    return _Sweep(table, moves, smooth_max)


def _recorded_by_autograd(
    match: Tensor, gate_insert: Tensor, gate_delete: Tensor, gamma: float
) -> Tensor:
    """The same score from differentiable operations only, for gradients of gradients."""
    batch, rows, columns = match.shape
    # The anti-diagonals of a grid are the diagonals of its mirror image.
    mirrored = [grid.flip(2) for grid in (match, gate_insert, gate_delete)]
    before = last = match.new_zeros(
        batch, rows + 1
    )  # C by row on diagonals d-2, d-1; row 0: border
    for d in range(rows + columns - 1):
        first, end = max(0, d - columns + 1), min(rows, d + 1)
        on_diagonal, insert, delete = (x.diagonal(columns - 1 - d, 1, 2) for x in mirrored)
        moves = (
            before[:, first:end],
            insert + last[:, first:end],
            delete + last[:, first + 1 : end + 1],
        )
        cells = on_diagonal + gamma * torch.logsumexp(torch.stack(moves) / gamma, dim=0)
        before, last = last, F.pad(cells, (first + 1, rows - end))
    return last[:, rows]
