"""The `cpu` backend: compiled code.

- gamma above 0: one SIMD lane per pair, in linear space: `cpu_smooth`, compiled `cpu_lanes`.
- gamma 0: one pair after the other, with the one path walked backward: `cpu_hard`, compiled
  `cpu_walks`.

Pairs are spread over as many threads as torch may use where there are enough cells for that to pay
(`cpu_threads`); the result does not depend on it.

Values that are not finite are noticed on the way, as are values so large in units of gamma that
their exponents would not fit. Then the inputs are looked at, and where nothing is wrong with them
the `torch` backend computes the scores.
"""

from __future__ import annotations

from typing import Any, Protocol

import torch
from torch import Tensor

from wsal_bench.kernels._recurrence.checks import refuse_not_finite
from wsal_bench.kernels._recurrence.cpu_arrays import Grids
from wsal_bench.kernels._recurrence.cpu_hard import run_hard
from wsal_bench.kernels._recurrence.cpu_smooth import run_smooth
from wsal_bench.kernels._recurrence.rules import Rules
from wsal_bench.kernels._recurrence.second_order import recurrence_gradients


class Kept(Protocol):
    """What a forward leaves for its backward."""

    def gradients(self, upstream: Tensor) -> list[Tensor | None]:
        """Gradients of match, insert and delete; insert's is that of both if they are one."""
        ...


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
    if (insert is None) != (delete is None):
        insert, delete = (torch.zeros_like(match) if x is None else x for x in (insert, delete))
    wanted = match.requires_grad
    if insert is not None and delete is not None:
        wanted = wanted or insert.requires_grad or delete.requires_grad
    if wanted and torch.is_grad_enabled():
        recorded: Tensor = _Compiled.apply(  # type: ignore[no-untyped-call]
            match, insert, delete, lengths, rules, gamma, check
        )
        return recorded
    return _run(rules, match, insert, delete, lengths, gamma, check)[0]


def _run(
    rules: Rules,
    match: Tensor,
    insert: Tensor | None,
    delete: Tensor | None,
    lengths: Tensor | None,
    gamma: float,
    check: bool,
) -> tuple[Tensor, Kept | None]:
    """Scores, and what backward needs; None where the compiled code could not tell."""
    kept: Kept | None
    grids = Grids(match, insert, delete)
    value = torch.full(grids.shape[:1], rules.empty, dtype=grids.dtype)
    if gamma:
        kept = run_smooth(rules, grids, lengths, gamma, value)
    else:
        kept = run_hard(rules, grids, lengths, value)
    if kept is None:
        from wsal_bench.kernels._recurrence import wavefront

        if check:
            refuse_not_finite(rules, match, insert, delete, lengths)
        value = wavefront.score(
            rules, match, insert, delete, gamma=gamma, lengths=lengths, check=False
        )
    return value, kept


class _Compiled(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        match: Tensor,
        insert: Tensor | None,
        delete: Tensor | None,
        lengths: Tensor | None,
        rules: Rules,
        gamma: float,
        check: bool,
    ) -> Tensor:
        value, ctx.kept = _run(rules, match, insert, delete, lengths, gamma, check)
        ctx.save_for_backward(match, insert, delete, lengths)
        ctx.rules, ctx.gamma = rules, gamma
        return value

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
        needed = ctx.needs_input_grad[:3]
        match, insert, delete, lengths = ctx.saved_tensors
        if ctx.kept is None or torch.is_grad_enabled():
            gradients = recurrence_gradients(
                ctx.rules,
                (match, insert, delete),
                needed,
                upstream,
                gamma=ctx.gamma,
                lengths=lengths,
            )
        else:
            found = ctx.kept.gradients(upstream)
            gradients = tuple(x if need else None for x, need in zip(found, needed, strict=True))
        return *gradients, None, None, None, None
