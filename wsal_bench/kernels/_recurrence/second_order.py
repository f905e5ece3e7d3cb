"""Gradients that can be differentiated again, for kernels with a backward of their own.

An analytic backward reads intermediate results that autograd did not record, so differentiating
it would silently give wrong numbers. When a graph of the gradient is asked for (`create_graph`,
which is when autograd runs a backward in grad mode), the kernel takes the gradient of a plainly
written twin instead: slower, but right to any order.

Here are also the twin of the recurrence, by anti-diagonals, and its gradients.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from wsal_bench.kernels._recurrence.checks import inside
from wsal_bench.kernels._recurrence.reference import smooth_maximum
from wsal_bench.kernels._recurrence.rules import Rules


def differentiable_gradients(
    function: Callable[..., Tensor],
    inputs: Sequence[Tensor],
    needed: Sequence[bool],
    upstream: Tensor,
) -> tuple[Tensor | None, ...]:
    """The gradient of each input of `function` that is needed, recorded by autograd.

    Args:
        function: made of differentiable torch operations.
        inputs: its arguments.
        needed: for each input whether its gradient is wanted; the others get None.
        upstream: the gradient with respect to the function's result.
    """
    with torch.enable_grad():
        # One tensor may be passed twice; as two views each place gets its own gradient.
        arguments = [tensor.view_as(tensor) for tensor in inputs]
        wanted = [argument for argument, need in zip(arguments, needed, strict=True) if need]
        gradients = iter(
            torch.autograd.grad(function(*arguments), wanted, upstream, create_graph=True)
        )
    return tuple(next(gradients) if need else None for need in needed)


def recorded_score(
    rules: Rules,
    match: Tensor,
    insert: Tensor | None,
    delete: Tensor | None,
    *,
    gamma: float,
    lengths: Tensor | None,
) -> Tensor:
    """Scores [B]; see `_recurrence.rules`. Checks nothing.

    From differentiable operations only, so that gradients are right to any order. Slower than the
    backends, and only for a gamma above 0.
    """
    exists = inside(rules, match, lengths)
    match, insert, delete = (
        match.new_zeros(match.shape) if x is None else torch.where(exists, x, 0.0)
        for x in (-match if rules.negate else match, insert, delete)
    )
    diagonals = _diagonals(rules, match, insert, delete, gamma)
    total = _end(rules, diagonals, match, lengths, gamma)
    total = -total if rules.negate else total
    return total if lengths is None else torch.where((lengths > 0).all(1), total, rules.empty)


def _diagonals(
    rules: Rules, match: Tensor, insert: Tensor, delete: Tensor, gamma: float
) -> list[Tensor]:
    """C by row [B, N + 1] on each diagonal from -2 on, so that [i + j + 2][:, i + 1] is (i, j)."""
    batch, rows, columns = match.shape
    beside, above = _border(rules, insert[:, :, 0]), _border(rules, delete[:, 0])
    room = match.new_zeros(batch, rows + 1)
    corner = room[:, :1] - torch.inf if rules.local else room[:, :1]
    tables = [
        torch.cat((corner, room[:, 1:]), dim=1),
        torch.cat((above[:, :1], beside[:, :1], room[:, 2:]), dim=1),
    ]
    exists = inside(rules, match, None).expand(1, rows, columns)
    # The anti-diagonals of a grid are the diagonals of its mirror image.
    mirrored = [grid.flip(2) for grid in (match, insert, delete, exists)]
    for d in range(rows + columns - 1):
        first, end = max(0, d - columns + 1), min(rows, d + 1)
        here, up, left, is_cell = (x.diagonal(columns - 1 - d, 1, 2) for x in mirrored)
        before, last = tables[-2:]
        cells = _cells(
            rules,
            here,
            (before[:, first:end], last[:, first:end] + up, last[:, first + 1 : end + 1] + left),
            gamma,
        )
        row = (
            above[:, d + 1 : d + 2] if d + 1 < columns else room[:, :1],
            room[:, :first],
            torch.where(is_cell, cells, -torch.inf),
            beside[:, d + 1 : d + 2],  # empty beyond the last row
        )
        padded = torch.cat(row, dim=1)
        tables.append(torch.cat((padded, room[:, padded.shape[1] :]), dim=1))
    return tables


def _cells(
    rules: Rules, match: Tensor, offers: tuple[Tensor, Tensor, Tensor], gamma: float
) -> Tensor:
    diagonal, up, left = offers
    if rules.match_on == "every":
        return match + smooth_maximum(up, left, diagonal, gamma=gamma)
    if rules.local:
        diagonal = smooth_maximum(torch.zeros_like(diagonal), diagonal, gamma=gamma)
    diagonal = diagonal + match
    if rules.threshold is not None:
        matches = match > rules.threshold
        diagonal = torch.where(matches, diagonal, -torch.inf)
        if rules.greedy:
            up, left = (torch.where(matches, -torch.inf, x) for x in (up, left))
    return smooth_maximum(up, left, diagonal, gamma=gamma)


def _border(rules: Rules, gaps: Tensor) -> Tensor:
    """[B, L] border beside each row or column; `gaps` [B, L] are the weights along it."""
    if rules.local or rules.border == "forbidden":
        return torch.full_like(gaps, -torch.inf)
    return gaps.cumsum(dim=1) if rules.border == "gaps" else torch.zeros_like(gaps)


def _end(
    rules: Rules, diagonals: list[Tensor], match: Tensor, lengths: Tensor | None, gamma: float
) -> Tensor:
    if lengths is None and not rules.local:
        return diagonals[-1][:, -1]
    batch, rows, columns = match.shape
    table = torch.stack(diagonals, dim=1)  # [B, D + 2, N + 1]
    pair = torch.arange(batch, device=match.device)
    if lengths is not None and not rules.local:
        return table[pair, lengths.sum(dim=1), lengths[:, 0]]
    row, column = (torch.arange(n, device=match.device) for n in (rows, columns))
    cells = table[:, row[:, None] + column + 2, (row + 1)[:, None]]
    ends = torch.where(inside(Rules(), cells, lengths), cells, -torch.inf).flatten(1)
    return smooth_maximum(torch.zeros_like(ends[:, 0]), *ends.unbind(dim=1), gamma=gamma)


def recurrence_gradients(
    rules: Rules,
    inputs: Sequence[Tensor | None],
    needed: Sequence[bool],
    upstream: Tensor,
    *,
    gamma: float,
    lengths: Tensor | None,
    twin: Callable[..., Tensor] = recorded_score,
) -> tuple[Tensor | None, ...]:
    """The gradient of a recurrence's score, recorded by autograd.

    What the backward of every backend returns where `torch.is_grad_enabled()` is true in it.

    Args:
        rules: those of the kernel.
        inputs: match, insert and delete; the last two may be None.
        needed: for each of the three whether its gradient is wanted; the others get None.
        upstream: [B] gradient with respect to the scores.
        gamma: as in forward.
        lengths: as in forward.
        twin: gives the scores; for a gamma of 0, of which a gradient does not depend on the
            weights, `score` of the `torch` backend can be differentiated again.
    """

    def of_given(*given: Tensor) -> Tensor:
        rest = iter(given)
        match, insert, delete = (None if x is None else next(rest) for x in inputs)
        assert match is not None
        return twin(rules, match, insert, delete, gamma=gamma, lengths=lengths)

    present = [place for place, tensor in enumerate(inputs) if tensor is not None]
    gradients = differentiable_gradients(
        of_given,
        [tensor for tensor in inputs if tensor is not None],
        [needed[place] for place in present],
        upstream,
    )
    found = dict(zip(present, gradients, strict=True))
    return tuple(found.get(place) for place in range(len(inputs)))
