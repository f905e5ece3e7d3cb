"""A grid stored by anti-diagonals, so that each is one contiguous block.

The cell (i, j) of a pair lies on diagonal d = i + j, of which there are D = N + M - 1. A *skewed*
tensor is [D, N, B]: diagonal, row, pair; the pair comes last, so that the shift by one row, which
leads to a neighbour, keeps blocks contiguous. It has room for N rows on every diagonal, though
cells with j < 0 or j >= M do not exist: computing them too costs less than cutting views to size.
Of those, the ones with j = -1 act as the left border, so a sweep has to leave the border's value
there. The others are never a neighbour of a real cell and hold anything but NaN.

    j  0 1 2          d  0 1 2 3         N = 2, M = 3, cell (i, j) = ij;
    i 0 00 01 02        00 01 02 -          - does not exist
      1 10 11 12         - 10 11 12

Here are the layout, the table of scores, and the weights as a sweep over the diagonals finds them.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from wsal_bench.kernels._recurrence.checks import inside
from wsal_bench.kernels._recurrence.rules import Rules


@dataclass(frozen=True)
class Diagonals:
    """The sizes of a batch of grids, and the tensors and views that belong to them.

    Attributes:
        batch: B, pairs.
        rows: N.
        columns: M.
    """

    batch: int
    rows: int
    columns: int

    @classmethod
    def of(cls, grid: Tensor) -> Diagonals:
        """The sizes of a grid [B, N, M]."""
        batch, rows, columns = grid.shape
        return cls(batch, rows, columns)

    @property
    def count(self) -> int:
        """D = N + M - 1, the number of anti-diagonals."""
        return self.rows + self.columns - 1

    def cells(self, skewed: Tensor) -> Tensor:
        """The real cells of a skewed tensor [D, N, B] (any strides), as a view [B, N, M].

        Reading the view unskews, writing to it skews; no index tensor is needed.
        """
        per_diagonal, per_row, per_pair = skewed.stride()
        return skewed.as_strided(
            (self.batch, self.rows, self.columns),
            (per_pair, per_diagonal + per_row, per_diagonal),
            skewed.storage_offset(),
        )

    def left_border(self, skewed: Tensor) -> Tensor:
        """View [B, N - 1] of a skewed tensor [D, N, B]: the cells (1, -1) ... (N - 1, -1)."""
        return skewed.diagonal(offset=1, dim1=0, dim2=1)

    def new_table(self, like: Tensor) -> Table:
        """A table of zeros, borders included, with `like`'s dtype and device."""
        return Table(like.new_zeros(self.count + 2, self.rows + 1, self.batch))

    def places(self, lengths: Tensor) -> Tensor:
        """[B]: where the last cell of each pair lies in the flat storage of a table.

        Args:
            lengths: int64 [B, 2]; where one is 0, the place is a border cell.
        """
        pair = torch.arange(self.batch, device=lengths.device)
        diagonal, row = lengths.sum(dim=1), lengths[:, 0]
        return (diagonal * (self.rows + 1) + row) * self.batch + pair


@dataclass(frozen=True)
class Table:
    """Scores [D + 2, N + 1, B] with their border: two diagonals and one row before the first.

    Attributes:
        values: the storage. Cell (i, j), both from 0, lies at [i + j + 2, i + 1]. So the border
            above (-1, j) lies at [j + 1, 0], the first cell of the left border, (0, -1), at
            [1, 1], and the rest of that border in cells that do not exist.
    """

    values: Tensor

    @property
    def cells(self) -> Tensor:
        """View [D, N, B]: the skewed table without its border."""
        return self.values[2:, 1:]

    @property
    def diagonal(self) -> Tensor:
        """View [D, N, B]: for each cell its neighbour (i-1, j-1)."""
        return self.values[:-2, :-1]

    @property
    def steps(self) -> Tensor:
        """View [D, 2, N, B]: for each cell its neighbours (i-1, j) and (i, j-1), in this order."""
        diagonals, rows, batch = self.values.shape
        return self.values.as_strided(
            (diagonals - 2, 2, rows - 1, batch),
            (rows * batch, batch, batch, 1),
            rows * batch,
        )


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
