"""The definition of the recurrence: one cell after the other, gradients by autograd.

Every other backend is compared with this one. It is written to be read, not to be fast.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from wsal_bench.kernels._recurrence.checks import inside, refuse_not_finite
from wsal_bench.kernels._recurrence.rules import Rules


def score(
    rules: Rules,
    match: Tensor,
    insert: Tensor | None,
    delete: Tensor | None,
    *,
    gamma: float,
    lengths: Tensor | None,
    check: bool,
) -> Tensor:
    """Scores [B]; see `_recurrence.rules`."""
    if check:
        refuse_not_finite(rules, match, insert, delete, lengths)
    within = inside(rules, match, lengths)
    # Values outside are replaced before anything is computed from them: no value, no gradient.
    weights = [
        match.new_zeros(match.shape) if x is None else torch.where(within, x, 0.0)
        for x in (match, insert, delete)
    ]
    match, insert, delete = (-weights[0] if rules.negate else weights[0]), *weights[1:]
    table = _table(rules, match, insert, delete, within, gamma)
    total = _end(rules, table, lengths, gamma)
    total = -total if rules.negate else total
    return total if lengths is None else torch.where((lengths > 0).all(1), total, rules.empty)


def _table(
    rules: Rules, match: Tensor, insert: Tensor, delete: Tensor, within: Tensor, gamma: float
) -> list[list[Tensor]]:
    """C[0..N][0..M], each [B]."""
    batch, rows, columns = match.shape
    smax = partial(smooth_maximum, gamma=gamma)
    zero, never = match.new_zeros(batch), match.new_full((batch,), -torch.inf)
    corner = never if rules.local else zero
    table = [[corner, *_border(rules, delete[:, 0, :], zero, never)]]
    first_column = _border(rules, insert[:, :, 0], zero, never)
    for i in range(rows):
        row = [first_column[i]]
        for j in range(columns):
            here = match[:, i, j]
            diagonal, up, left = table[i][j], table[i][j + 1], row[j]
            up, left = up + insert[:, i, j], left + delete[:, i, j]
            if rules.local:
                diagonal = smax(zero, diagonal)
            if rules.match_on == "diagonal":
                diagonal = diagonal + here
            if rules.threshold is not None:
                matches = here > torch.tensor(rules.threshold, dtype=here.dtype)
                diagonal = torch.where(matches, diagonal, never)
                if rules.greedy:
                    up, left = (torch.where(matches, never, x) for x in (up, left))
            cell = smax(up, left, diagonal)
            if rules.match_on == "every":
                cell = cell + here
            exists = rules.band is None or abs(i - j) <= rules.band
            row.append(cell if exists else never)
        table.append(row)
    return table


def _border(rules: Rules, gaps: Tensor, zero: Tensor, never: Tensor) -> list[Tensor]:
    """The border beside each row or column, each [B]; `gaps` [B, L] are the weights along it."""
    if rules.local or rules.border == "forbidden":
        return [never] * gaps.shape[1]
    if rules.border == "free":
        return [zero] * gaps.shape[1]
    return list(gaps.cumsum(dim=1).unbind(dim=1))


def _end(rules: Rules, table: list[list[Tensor]], lengths: Tensor | None, gamma: float) -> Tensor:
    """The score of each pair [B]."""
    if lengths is None and not rules.local:
        return table[-1][-1]
    batch, rows, columns = len(table[0][0]), len(table) - 1, len(table[0]) - 1
    cells = torch.stack([cell for row in table for cell in row], dim=1)
    cells = cells.view(batch, rows + 1, columns + 1)
    if lengths is not None and not rules.local:
        return cells[torch.arange(batch, device=cells.device), lengths[:, 0], lengths[:, 1]]
    cells = cells[:, 1:, 1:]
    within = inside(rules, cells, lengths)
    ends = torch.where(within, cells, -torch.inf).flatten(1).unbind(dim=1)
    return smooth_maximum(torch.zeros_like(ends[0]), *ends, gamma=gamma)


def smooth_maximum(*values: Tensor, gamma: float) -> Tensor:
    """The smooth maximum of tensors of one shape; of equal ones the hard maximum takes the first.

    Where all are -inf so is the result, and no gradient flows.
    """
    if not gamma:
        largest = values[0]
        for value in values[1:]:
            # Not torch.maximum, which halves the gradient at a tie.
            largest = torch.where(value > largest, value, largest)
        return largest
    stacked = torch.stack(values)
    dead = (stacked == -torch.inf).all(dim=0)
    alive = torch.where(dead, 0.0, stacked)
    return torch.where(dead, -torch.inf, gamma * torch.logsumexp(alive / gamma, dim=0))
