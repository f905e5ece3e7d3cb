"""The weights of a recurrence, skewed, and a table with its border: what a sweep starts from."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from wsal_bench.kernels._recurrence.checks import inside
from wsal_bench.kernels._recurrence.diagonals import Diagonals, Table
from wsal_bench.kernels._recurrence.rules import Rules


@dataclass(frozen=True)
class Planes:
    """Skewed weights, in units of gamma where it is not 0.

    Attributes:
        layout: sizes of the grids.
        moves: [D, 3, N, B]; at [:, 0] the match, at [:, 1] and [:, 2] the weights of the moves up
            and left; -inf where a move does not exist.
        table: zeros, with its border.
    """

    layout: Diagonals
    moves: Tensor
    table: Table


def prepare(
    rules: Rules,
    match: Tensor,
    insert: Tensor | None,
    delete: Tensor | None,
    *,
    gamma: float,
    lengths: Tensor | None,
) -> Planes:
    """Planes of grids [B, N, M]; arguments as in `_recurrence.rules`."""
    layout = Diagonals.of(match)
    moves = match.new_zeros(layout.count, 3, layout.rows, layout.batch)
    # Cells that do not exist have match 0 and no way in but the diagonal, so they hold 0.
    moves[:, 1:] = -torch.inf
    unit = 1 / gamma if gamma else 1.0
    scales = (-unit if rules.negate else unit, unit, unit)
    cells = [layout.cells(plane) for plane in moves.unbind(1)]
    for here, grid, scale in zip(cells, (match, insert, delete), scales, strict=True):
        if grid is None:
            here.zero_()
        else:
            torch.mul(grid, scale, out=here)
    if rules.threshold is not None:
        matches = match > rules.threshold
        cells[0].masked_fill_(~matches, -torch.inf)
        if rules.greedy:
            cells[1].masked_fill_(matches, -torch.inf)
            cells[2].masked_fill_(matches, -torch.inf)
    _clear_outside(rules, cells, match, lengths)
    table = layout.new_table(match)
    _set_border(rules, layout, table, moves[:, 0], *cells[1:])
    return Planes(layout, moves, table)


def _clear_outside(
    rules: Rules, cells: list[Tensor], match: Tensor, lengths: Tensor | None
) -> None:
    """Puts 0 where a pair has no cells, whatever was there, and -inf beyond the band."""
    if lengths is not None:
        outside = ~inside(Rules(), match, lengths)
        for here in cells:
            here.masked_fill_(outside, 0.0)
    if rules.band is not None:
        outside = ~inside(rules, match, None)
        for here in cells:
            here.masked_fill_(outside, -torch.inf)


def _set_border(
    rules: Rules, layout: Diagonals, table: Table, match: Tensor, up: Tensor, left: Tensor
) -> None:
    """Writes the border: into the table, and below (0, -1) as a match, which a sweep takes over."""
    values, below = table.values, layout.left_border(match)
    if rules.local:
        values[0, 0] = -torch.inf
    if rules.local or rules.border == "forbidden":
        values[1:, 0] = -torch.inf
        values[1, 1] = -torch.inf
        below.fill_(-torch.inf)
    elif rules.border == "gaps":
        beside, above = up[:, :, 0].cumsum(dim=1), left[:, 0].cumsum(dim=1)
        values[1 : layout.columns + 1, 0] = above.mT
        values[1, 1] = beside[:, 0]
        below.copy_(beside[:, 1:])
