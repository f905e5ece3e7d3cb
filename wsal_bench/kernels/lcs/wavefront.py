"""LCS by anti-diagonals: all cells of a diagonal and all pairs at once; backward walks the path.

Differs from the reference in the gradient, which is not recorded: backward makes a table that
points each cell to the one its score came from, walks it from the last cell of every pair at
once, and marks the matches that it meets.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from wsal_bench.kernels._recurrence.diagonals import Diagonals, Table


def lcs_wavefront(similarity: Tensor, threshold: float) -> Tensor:
    """Scores [B] of grids [B, N, M]; see `lcs_score`."""
    if torch.is_grad_enabled() and similarity.requires_grad:
        score: Tensor = _LcsWavefront.apply(similarity, threshold)  # type: ignore[no-untyped-call]
        return score
    return _sweep(similarity, _matches(similarity, threshold)).score.clone()


class _LcsWavefront(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, similarity: Tensor, threshold: float) -> Tensor:
        matches = _matches(similarity, threshold)
        table = _sweep(similarity, matches)
        ctx.layout = Diagonals.of(similarity)
        ctx.save_for_backward(matches, table.values)
        return table.score.clone()

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, None]:
        matches, values = ctx.saved_tensors
        layout: Diagonals = ctx.layout
        with torch.no_grad():
            visited = _visited(_origins(layout, Table(values), matches), layout)
            on_path = layout.cells(visited & matches)
        # A differentiable operation of `upstream`; nothing else here depends on an input.
        return torch.where(on_path, upstream[:, None, None], 0.0), None


def _matches(similarity: Tensor, threshold: float) -> Tensor:
    """Skewed [D, N, B]: where the similarity exceeds the threshold."""
    layout = Diagonals.of(similarity)
    matches = similarity.new_zeros(layout.count, layout.rows, layout.batch, dtype=torch.bool)
    torch.gt(similarity, threshold, out=layout.cells(matches))
    return matches


def _sweep(similarity: Tensor, matches: Tensor) -> Table:
    layout = Diagonals.of(similarity)
    table = layout.new_table(similarity)
    # Cells that do not exist are no matches, so that left of the table the border's 0 goes on.
    matched = similarity.new_zeros(matches.shape)
    layout.cells(matched).copy_(similarity)
    diagonals = zip(
        table.cells.unbind(),
        table.diagonal.unbind(),
        table.steps[:, 0].unbind(),
        table.steps[:, 1].unbind(),
        matched.unbind(),
        matches.unbind(),
        strict=True,
    )
    for cell, diagonal, up, left, matched_, is_match in diagonals:
        torch.maximum(up, left, out=cell)
        matched_.add_(diagonal)
        torch.where(is_match, matched_, cell, out=cell)
    return table


def _origins(layout: Diagonals, table: Table, matches: Tensor) -> Tensor:
    """For each place of the table's storage, flat, the place that its score was taken from.

    Border cells lead to place 0, also a border cell, which leads to itself. A walk that leaves the
    table to the left finds ties of zeros, so it goes up, and so reaches the border's row in time.
    """
    per_row, per_diagonal = layout.batch, (layout.rows + 1) * layout.batch
    up, left = table.steps.unbind(1)
    back = torch.where(
        matches,
        2 * per_diagonal + per_row,
        torch.where(left > up, per_diagonal, per_diagonal + per_row),
    )
    places = torch.arange(table.values.numel(), device=back.device).view_as(table.values)
    origins = torch.zeros_like(places)
    torch.sub(places[2:, 1:], back, out=origins[2:, 1:])
    return origins.view(-1)


def _visited(origins: Tensor, layout: Diagonals) -> Tensor:
    """Skewed [D, N, B]: the cells on the path of each pair from its last cell to the border."""
    path = origins.new_empty(layout.count, layout.batch)
    steps = path.unbind()
    torch.arange(len(origins) - layout.batch, len(origins), out=steps[0])
    for place, origin in pairwise(steps):
        torch.index_select(origins, 0, place, out=origin)
    visited = torch.zeros_like(origins, dtype=torch.bool).index_fill_(0, path.view(-1), True)
    return visited.view(layout.count + 2, layout.rows + 1, layout.batch)[2:, 1:]
