"""The one path behind a hard maximum: which way each cell was reached, walked from the end."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from wsal_bench.kernels._recurrence.diagonals import Diagonals, Table
from wsal_bench.kernels._recurrence.flow import Flow
from wsal_bench.kernels._recurrence.rules import Rules


@dataclass(frozen=True)
class Decisions:
    """The move into each cell, as skewed masks [D, N, B].

    Attributes:
        diagonal: from (i-1, j-1).
        left: from (i, j-1); where neither is true, the move is up, from (i-1, j).
        starts: a diagonal move that begins a local path; None where paths are not local.
    """

    diagonal: Tensor
    left: Tensor
    starts: Tensor | None


def decide(rules: Rules, table: Table, moves: Tensor) -> Decisions:
    """What the recurrence chose; a tie takes up before left before diagonal.

    Args:
        rules: those of the kernel.
        table: the scores.
        moves: [D, 3, N, B] what the moves offered; with match on every move, [:, 0] is not read.
    """
    diagonal = table.diagonal if rules.match_on == "every" else moves[:, 0]
    up, left = moves[:, 1], moves[:, 2]
    starts = table.diagonal <= 0 if rules.local else None
    return Decisions(diagonal > torch.maximum(up, left), left > up, starts)


def walk(layout: Diagonals, decisions: Decisions, ends: Tensor) -> Flow:
    """Masks of the cells and moves of each pair's path.

    Args:
        layout: sizes of the grids.
        decisions: the move into each cell.
        ends: [B] places of the last cells in the flat storage of a table; 0 where there is no path.
    """
    origins = _origins(layout, decisions)
    path = origins.new_empty(layout.count, layout.batch)
    steps = path.unbind()
    steps[0].copy_(ends)
    for place, origin in pairwise(steps):
        torch.index_select(origins, 0, place, out=origin)
    visited = torch.zeros_like(origins, dtype=torch.bool).index_fill_(0, path.view(-1), True)
    visits = visited.view(layout.count + 2, layout.rows + 1, layout.batch)[2:, 1:]
    diagonal = visits & decisions.diagonal
    straight = visits & ~decisions.diagonal
    left = straight & decisions.left
    return Flow(*map(layout.cells, (visits, diagonal, straight & ~decisions.left, left)))


def _origins(layout: Diagonals, decisions: Decisions) -> Tensor:
    """For each place of a table's storage, flat, the place that its score was taken from.

    Border cells lead to place 0, also a border cell, which leads to itself. A path that enters
    the left border goes on diagonally through cells that do not exist, up to the border's row.
    """
    per_row, per_diagonal = layout.batch, (layout.rows + 1) * layout.batch
    back = torch.where(
        decisions.diagonal,
        2 * per_diagonal + per_row,
        torch.where(decisions.left, per_diagonal, per_diagonal + per_row),
    )
    shape = (layout.count + 2, layout.rows + 1, layout.batch)
    places = torch.arange((layout.count + 2) * per_diagonal, device=back.device).view(shape)
    origins = torch.zeros_like(places)
    inner = origins[2:, 1:]
    torch.sub(places[2:, 1:], back, out=inner)
    if decisions.starts is not None:
        inner.masked_fill_(decisions.starts & decisions.diagonal, 0)
    return origins.view(-1)
