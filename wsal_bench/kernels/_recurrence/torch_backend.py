"""The `torch` backend: all cells of an anti-diagonal and all pairs at once, analytic backward.

Differs from the reference in four ways. The table is computed in units of gamma. Forward keeps
the weight of each cell's three moves (the softmax behind the smooth maximum), computed from the
moves themselves and not from differences of rounded scores. Backward sends the gradient along
those weights. For a hard maximum, backward walks the one path.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from wsal_bench.kernels._recurrence.checks import inside, refuse_not_finite
from wsal_bench.kernels._recurrence.diagonals import Diagonals, Planes, Table, prepare
from wsal_bench.kernels._recurrence.flow import decide, flow, walk
from wsal_bench.kernels._recurrence.rules import Rules
from wsal_bench.kernels._recurrence.second_order import recurrence_gradients


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
    inputs = (match, insert, delete)
    if torch.is_grad_enabled() and any(x is not None and x.requires_grad for x in inputs):
        recorded: Tensor = _Wavefront.apply(*inputs, lengths, rules, gamma)  # type: ignore[no-untyped-call]
        return recorded
    planes = prepare(rules, *inputs, gamma=gamma, lengths=lengths)
    sweep(rules, planes, gamma)
    return _score(rules, _best(rules, planes.layout, planes.table, gamma, lengths), gamma, lengths)


class _Wavefront(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        match: Tensor,
        insert: Tensor | None,
        delete: Tensor | None,
        lengths: Tensor | None,
        rules: Rules,
        gamma: float,
    ) -> Tensor:
        planes = prepare(rules, match, insert, delete, gamma=gamma, lengths=lengths)
        smooth_max = sweep(rules, planes, gamma)
        if gamma:
            _into_weights(rules, planes, smooth_max)
        best = _best(rules, planes.layout, planes.table, gamma, lengths)
        ctx.rules, ctx.gamma = rules, gamma
        ctx.save_for_backward(
            match, insert, delete, lengths, planes.moves, planes.table.values, best
        )
        return _score(rules, best, gamma, lengths)

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
        match, insert, delete, lengths, moves, values, best = ctx.saved_tensors
        rules, gamma, needed = ctx.rules, ctx.gamma, ctx.needs_input_grad[:3]
        if gamma and torch.is_grad_enabled():
            inputs = (match, insert, delete)
            gradients = recurrence_gradients(
                rules, inputs, needed, upstream, gamma=gamma, lengths=lengths
            )
            return *gradients, None, None, None
        layout, table = Diagonals.of(match), Table(values)
        if gamma:
            seeds = _seeds(rules, layout, table, best, lengths, upstream)
            share = table.cells.sigmoid() if rules.local else None
            gradients = flow(layout, moves, seeds, share).gradients(rules, needed)
        else:
            with torch.no_grad():
                end = last_cells(rules, layout, table, lengths)
                path = walk(layout, decide(rules, table, moves), end)
                gradients = path.like(match).gradients(rules, needed)
            # A differentiable operation of `upstream`, on which alone the gradient depends.
            by_pair = upstream[:, None, None]
            gradients = tuple(None if x is None else x * by_pair for x in gradients)
        return *gradients, None, None, None


def sweep(rules: Rules, planes: Planes, gamma: float) -> Tensor:
    """Fills the table, and in `moves` the offers; returns their smooth maximum [D, N, B].

    With match on every move, `moves[:, 0]` goes on to hold the match.
    """
    table, moves = planes.table, planes.moves
    every = rules.match_on == "every"
    best = torch.empty_like(moves[:, 0]) if every else table.cells
    combine = torch.logaddexp if gamma else torch.maximum
    nothing = best.new_zeros(()) if rules.local else None
    diagonals = zip(
        table.cells.unbind(),
        table.diagonal.unbind(),
        table.steps.unbind(),
        moves[:, 0].unbind(),
        moves[:, 1].unbind(),
        moves[:, 2].unbind(),
        moves[:, 1:].unbind(),
        best.unbind(),
        strict=True,
    )
    for cell, diagonal, steps, match, up, left, up_and_left, larger in diagonals:
        up_and_left.add_(steps)
        combine(up, left, out=larger)
        if every:
            combine(larger, diagonal, out=larger)
            torch.add(larger, match, out=cell)
        else:
            match.add_(diagonal if nothing is None else combine(diagonal, nothing))
            combine(larger, match, out=larger)
    return best


def _into_weights(rules: Rules, planes: Planes, smooth_max: Tensor) -> None:
    """Writes the weights of the moves over the offers: they sum to 1, or are 0 in a dead cell."""
    if rules.match_on == "every":
        planes.moves[:, 0] = planes.table.diagonal
    # In a cell that nothing reaches, -inf less the smallest number is -inf: a weight of 0.
    smallest = torch.finfo(smooth_max.dtype).min
    planes.moves.sub_(smooth_max.clamp_min(smallest).unsqueeze(1)).exp_()


def _within(layout: Diagonals, table: Table, lengths: Tensor | None) -> Tensor:
    """The cells [B, N, M], -inf outside the lengths."""
    cells = layout.cells(table.cells)
    return cells if lengths is None else cells.where(inside(Rules(), cells, lengths), -torch.inf)


def _best(
    rules: Rules, layout: Diagonals, table: Table, gamma: float, lengths: Tensor | None
) -> Tensor:
    """[B] what the table says of each pair, in its units."""
    if rules.local:
        cells = _within(layout, table, lengths).flatten(1)
        if not gamma:
            return cells.amax(dim=1).clamp_min(0)
        return torch.logsumexp(F.pad(cells, (1, 0)), dim=1)  # 0 for the empty path
    if lengths is None:
        return table.values[-1, -1].clone()  # not a view, which would keep the table alive
    return table.values.view(-1).index_select(0, layout.places(lengths))


def _score(rules: Rules, best: Tensor, gamma: float, lengths: Tensor | None) -> Tensor:
    """[B] scores in the units of the input; those of pairs without a cell as the rules say."""
    scale = (gamma or 1.0) * (-1 if rules.negate else 1)
    score = best * scale  # never `best` itself, which backward needs as it is
    return score if lengths is None else score.where((lengths > 0).all(dim=1), rules.empty)


def _seeds(
    rules: Rules,
    layout: Diagonals,
    table: Table,
    best: Tensor,
    lengths: Tensor | None,
    upstream: Tensor,
) -> Tensor:
    """[D, N, B] the gradient of each cell where it is read as a score."""
    seeds = torch.zeros_like(table.values)
    inner = Table(seeds).cells
    if rules.local:
        weights = (_within(layout, table, lengths) - best[:, None, None]).exp_()
        layout.cells(inner).copy_(weights.mul_(upstream[:, None, None]))
        return inner
    upstream = upstream.where(best > -torch.inf, 0.0)
    if lengths is None:
        seeds[-1, -1] = upstream
    else:
        # A length of 0 leads into the border, from which nothing flows into a cell.
        seeds.view(-1)[layout.places(lengths)] = upstream
    return inner


def last_cells(rules: Rules, layout: Diagonals, table: Table, lengths: Tensor | None) -> Tensor:
    """[B] where each pair's path ends in the flat storage of the table; 0 where there is none."""
    batch, values = layout.batch, table.values
    if rules.local:
        cells = _within(layout, table, lengths).flatten(1)
        first = cells.argmax(dim=1)
        row, column = first // layout.columns, first % layout.columns
        ends = layout.places(torch.stack((row, column), dim=1) + 1)
        return ends * (cells.amax(dim=1) > 0)
    if lengths is None:
        ends = torch.arange(values.numel() - batch, values.numel(), device=values.device)
    else:
        ends = layout.places(lengths) * (lengths > 0).all(dim=1)
    return ends * (values.view(-1)[ends] > -torch.inf)
