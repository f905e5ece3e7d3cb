"""The `cpu` backend: compiled code.

- gamma above 0: one SIMD lane per pair, in linear space: `cpu_smooth`; lanes along the diagonal
  for few long pairs: `cpu_strips`.
- gamma 0: one SIMD lane per pair, with the one path walked backward: `cpu_hard`.

Pairs are spread over as many threads as torch may use where there are enough cells for that to pay
(`cpu_calls`); the result does not depend on it.

Values that are not finite are noticed on the way, as are values so large in units of gamma that
their exponents would not fit. Then the inputs are looked at, and where nothing is wrong with them
the `torch` backend computes the scores.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, Protocol

import torch
from torch import Tensor

from wsal_bench.kernels._recurrence import torch_backend
from wsal_bench.kernels._recurrence.checks import refuse_not_finite
from wsal_bench.kernels._recurrence.cpu_calls import Grids
from wsal_bench.kernels._recurrence.rules import Rules
from wsal_bench.kernels._recurrence.second_order import recorded_score, recurrence_gradients


class Kept(Protocol):
    """What a forward leaves for its backward."""

    def gradients(self, upstream: Tensor) -> list[Tensor | None]:
        """Gradients of match, insert and delete; insert's is that of both if they are one."""
        ...


@lru_cache
def _compiled() -> tuple[Callable[..., Kept | None], Callable[..., Kept | None]]:
    """What runs the smooth and the hard maximum; imported late, as numba takes its time."""
    from wsal_bench.kernels._recurrence.cpu_hard import run_hard
    from wsal_bench.kernels._recurrence.cpu_smooth import run_smooth

    return run_smooth, run_hard


@dataclass(eq=False, slots=True)  # not frozen: made at each call, and that would cost more
class _Call:
    """What a call is about, beside its grids. `gaps`: how many grids of gap weights there are."""

    rules: Rules
    gamma: float
    lengths: Tensor | None
    check: bool
    gaps: int

    def run(self, match: Tensor, gaps: tuple[Tensor, ...]) -> tuple[Tensor, Kept | None]:
        """Scores, and what backward needs; None where the compiled code could not tell."""
        grids = Grids(match, gaps)
        value = torch.empty(grids.shape[:1], dtype=grids.dtype)
        run_smooth, run_hard = _compiled()
        if self.gamma:
            kept = run_smooth(self.rules, grids, self.lengths, self.gamma, value)
        else:
            kept = run_hard(self.rules, grids, self.lengths, value)
        return (value if kept else self._without_compiled(match, gaps)), kept

    def _without_compiled(self, match: Tensor, gaps: tuple[Tensor, ...]) -> Tensor:
        insert, delete = self.both(gaps)
        if self.check:
            refuse_not_finite(self.rules, match, insert, delete, self.lengths)
        with torch.no_grad():
            return torch_backend.score(
                self.rules,
                match,
                insert,
                delete,
                gamma=self.gamma,
                lengths=self.lengths,
                check=False,
            )

    def both(self, gaps: tuple[Tensor, ...]) -> tuple[Tensor | None, Tensor | None]:
        """Insert and delete."""
        return (gaps[0], gaps[-1]) if gaps else (None, None)


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
    gaps: tuple[Tensor, ...] = ()
    if insert is not None and delete is not None:
        gaps = (insert,) if insert is delete else (insert, delete)
    call = _Call(rules, gamma, lengths, check, len(gaps))
    if torch.is_grad_enabled() and (match.requires_grad or any(x.requires_grad for x in gaps)):
        recorded: Tensor = _Compiled.apply(call, match, *gaps)  # type: ignore[no-untyped-call]
        return recorded
    return call.run(match, gaps)[0]


class _Compiled(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, call: _Call, match: Tensor, *gaps: Tensor) -> Tensor:
        value, ctx.kept = call.run(match, gaps)
        ctx.save_for_backward(match, *gaps)
        ctx.call = call
        return value

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
        needed = ctx.needs_input_grad[1:]
        if ctx.kept is None or torch.is_grad_enabled():
            return None, *_recorded(ctx.call, *ctx.saved_tensors, needed=needed, upstream=upstream)
        found = ctx.kept.gradients(upstream)[: len(needed)]
        if not all(needed):
            found = [x if need else None for x, need in zip(found, needed, strict=True)]
        return None, *found


def _recorded(
    call: _Call, match: Tensor, *gaps: Tensor, needed: tuple[bool, ...], upstream: Tensor
) -> tuple[Tensor | None, ...]:
    """Gradients of match and each grid of gap weights, recorded by autograd."""
    wanted = (needed[0], *((needed[1], needed[-1]) if gaps else (False, False)))
    twin = recorded_score if call.gamma else partial(torch_backend.score, check=False)
    in_match, *in_gaps = recurrence_gradients(
        call.rules,
        (match, *call.both(gaps)),
        wanted,
        upstream,
        gamma=call.gamma,
        lengths=call.lengths,
        twin=twin,
    )
    if len(gaps) == 1:
        insert, delete = in_gaps
        in_gaps = [None if insert is None or delete is None else insert + delete]
    return in_match, *in_gaps[: len(gaps)]
