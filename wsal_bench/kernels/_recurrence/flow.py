"""The backward by anti-diagonals: how much of a score flows through each cell and move.

Of a smooth maximum along the weights of the moves, of a hard one along the one path behind it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn import functional as F

from wsal_bench.kernels._recurrence.diagonals import Diagonals, Table
from wsal_bench.kernels._recurrence.rules import Rules


@dataclass(frozen=True)
class Flow:
    """Derivatives of a score, [B, N, M] each. With weights that sum to 1: the expected alignment.

    Attributes:
        visits: with respect to each cell.
        diagonal: with respect to what is added on the move from (i-1, j-1).
        up: the same for the move from (i-1, j).
        left: the same for the move from (i, j-1).
    """

    visits: Tensor
    diagonal: Tensor
    up: Tensor
    left: Tensor

    def like(self, tensor: Tensor) -> Flow:
        """The same in the dtype of `tensor`."""
        return Flow(*(x.to(tensor.dtype) for x in (self.visits, self.diagonal, self.up, self.left)))

    def gradients(self, rules: Rules, needed: Sequence[bool]) -> tuple[Tensor | None, ...]:
        """The gradients of match, insert and delete, as new tensors; None where not needed."""
        match = self.visits if rules.match_on == "every" else self.diagonal
        found = [
            x.clone(memory_format=torch.contiguous_format) if need else None
            for x, need in zip((match, self.up, self.left), needed, strict=True)
        ]
        if rules.border == "gaps":
            self._add_leading_gaps(*found[1:])
        if rules.negate:  # match was negated with the score, insert and delete were not
            found[1:] = [None if x is None else -x for x in found[1:]]
        return tuple(found)

    def _add_leading_gaps(self, insert: Tensor | None, delete: Tensor | None) -> None:
        """Adds what flows along the border; what enters it at i has passed the gaps 1 ... i."""
        if insert is not None:
            beside = self.left[:, :, 0] + F.pad(self.diagonal[:, 1:, 0], (0, 1))
            insert[:, :, 0] += beside.flip(1).cumsum(1).flip(1)
        if delete is not None:
            above = self.up[:, 0] + F.pad(self.diagonal[:, 0, 1:], (0, 1))
            delete[:, 0] += above.flip(1).cumsum(1).flip(1)


def flow(layout: Diagonals, weights: Tensor, seeds: Tensor, share: Tensor | None) -> Flow:
    """Sends each score's gradient back from where it was read along the weights of the moves.

    Args:
        layout: sizes of the grids.
        weights: [D, 3, N, B] derivative of each cell with respect to its diagonal, up and left
            offer; finite also in cells that do not exist.
        seeds: [D, N, B] gradient that enters from outside; overwritten.
        share: [D, N, B] derivative of the diagonal offer that a cell makes with respect to the
            cell; None: 1.
    """
    visits = seeds
    # Two diagonals and one row after the last: what flows out of cells beyond it is zero.
    moves = weights.new_zeros(layout.count + 2, 3, layout.rows + 1, layout.batch)
    steps = zip(
        reversed(visits.unbind()),
        reversed(weights.unbind()),
        reversed(moves[:-2, :, :-1].unbind()),
        reversed(moves[2:, 0, 1:].unbind()),
        reversed(moves[1:-1, 1, 1:].unbind()),
        reversed(moves[1:-1, 2, :-1].unbind()),
        [None] * layout.count if share is None else reversed(share.unbind()),
        strict=True,
    )
    for here, weight, outgoing, by_diagonal, by_up, by_left, part in steps:
        here.add_(by_up).add_(by_left)
        if part is None:
            here.add_(by_diagonal)
        else:
            here.addcmul_(by_diagonal, part)
        torch.mul(weight, here, out=outgoing)
    return Flow(*map(layout.cells, (visits, *moves[:-2, :, :-1].unbind(1))))


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
