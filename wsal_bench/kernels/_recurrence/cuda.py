"""The `cuda` backend: one Triton program for each pair of the batch, forward and backward.

A smooth table is kept in linear space, with an exponent for each cell (`cuda_cells`), and what
goes from one pass to the other is two weights for each cell. A hard table holds the scores, and
passes on one byte for each cell: the move that was taken. Nothing here waits for the device.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from wsal_bench.kernels._recurrence import cuda_kernels
from wsal_bench.kernels._recurrence.checks import refuse_not_finite
from wsal_bench.kernels._recurrence.rules import Rules
from wsal_bench.kernels._recurrence.second_order import recurrence_gradients

MOST_LANES = 1024  # rows of a strip; a power of 2
BORDERS = {"free": 0, "forbidden": 1, "gaps": 2}


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
    """Scores [B]; see `_recurrence.rules`.

    Unchecked, inf and NaN in a pair make its score NaN where gamma is not 0; -inf forbids a move,
    and of a match all of them. |weight| / gamma has to stay below 4e13.
    """
    if check:
        refuse_not_finite(rules, match, insert, delete, lengths)
    inputs = (match, insert, delete)
    if torch.is_grad_enabled() and any(x is not None and x.requires_grad for x in inputs):
        recorded: Tensor = _Cuda.apply(*inputs, lengths, rules, gamma)  # type: ignore[no-untyped-call]
        return recorded
    return _forward(rules, match, insert, delete, lengths, gamma, store=False).score


class _Cuda(torch.autograd.Function):
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
        swept = _forward(rules, match, insert, delete, lengths, gamma, store=True)
        ctx.rules, ctx.gamma = rules, gamma
        ctx.save_for_backward(match, insert, delete, lengths, swept.score, *swept.kept)
        return swept.score

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
        match, insert, delete, lengths, scores, *kept = ctx.saved_tensors
        rules, gamma, needed = ctx.rules, ctx.gamma, ctx.needs_input_grad[:3]
        recording = torch.is_grad_enabled()
        if gamma and recording:
            inputs = (match, insert, delete)
            gradients = recurrence_gradients(
                rules, inputs, needed, upstream, gamma=gamma, lengths=lengths
            )
            return *gradients, None, None, None
        with torch.no_grad(), torch.cuda.device_of(match):  # type: ignore[no-untyped-call]
            if gamma:
                gradients = _flow(
                    rules, match, lengths, _Swept(scores, tuple(kept)), upstream, needed
                )
            else:
                seeds = torch.ones_like(upstream) if recording else upstream
                gradients = _walk(rules, match, tuple(kept), seeds, needed)
        if recording:
            # A differentiable operation of `upstream`, on which alone the gradient depends.
            by_pair = upstream[:, None, None]
            gradients = tuple(None if x is None else x * by_pair for x in gradients)
        return *gradients, None, None, None


@dataclass(frozen=True)
class _Swept:
    """What a forward pass leaves.

    Attributes:
        score: [B].
        kept: for backward; smooth: weights of the moves up and left [B, N, M], and of a local
            table mantissas and exponents of the cells [B, N, M] and of their sum [B]. Hard: moves
            int8 [B, N, M] and ends of the paths int32 [B, 2].
    """

    score: Tensor
    kept: tuple[Tensor, ...]


def _forward(
    rules: Rules,
    match: Tensor,
    insert: Tensor | None,
    delete: Tensor | None,
    lengths: Tensor | None,
    gamma: float,
    *,
    store: bool,
) -> _Swept:
    batch, rows, columns = match.shape
    # in powers of 2; a hard table is in the units of the input
    unit = math.log2(math.e) / gamma if gamma else 1.0
    scores = match.new_empty(batch)
    planes: list[Tensor | None] = [None] * 6
    ends = None
    if store and gamma:
        planes[:2] = match.new_empty(match.shape), match.new_empty(match.shape)
        if rules.local:
            planes[2] = match.new_empty(match.shape)
            planes[3] = match.new_empty(match.shape, dtype=torch.int64)
            planes[4] = match.new_empty(batch, dtype=torch.float64)
            planes[5] = match.new_empty(batch, dtype=torch.int64)
    elif store:
        planes[0] = match.new_empty(match.shape, dtype=torch.int8)
        ends = match.new_empty(batch, 2, dtype=torch.int32)
    lanes, strips = _lanes(rows), rows > _lanes(rows)
    carry_m = match.new_empty(2, batch, columns) if strips else None
    carry_e = match.new_empty(2, batch, columns, dtype=torch.int64) if strips and gamma else None
    with torch.no_grad(), torch.cuda.device_of(match):  # type: ignore[no-untyped-call]
        border = _border(rules, match, insert, delete, unit)
        cuda_kernels.sweep[(batch,)](
            match, insert, delete, None if lengths is None else lengths.contiguous(), border,
            scores, *planes, ends, carry_m, carry_e, rows, columns, batch, rules.band or 0,
            _bits(unit), _bits(rules.threshold or 0.0),
            *match.stride(), *(insert if insert is not None else match).stride(),
            *(delete if delete is not None else match).stride(),
            empty=rules.empty, EVERY=rules.match_on == "every", LOCAL=rules.local,
            BORDER=BORDERS["forbidden" if rules.local else rules.border],
            THRESHOLD=rules.threshold is not None,
            GREEDY=rules.greedy and rules.threshold is not None, NEGATE=rules.negate,
            BAND=rules.band is not None, INSERT=insert is not None, DELETE=delete is not None,
            SHARED=insert is not None and insert is delete, LENGTHS=lengths is not None,
            HARD=not gamma, STORE=store, STRIPS=strips, LANES=lanes,
            num_warps=_warps(lanes), enable_fp_fusion=True,
        )  # fmt: skip
    return _Swept(scores, tuple(x for x in (*planes, ends) if x is not None))


def _flow(
    rules: Rules,
    match: Tensor,
    lengths: Tensor | None,
    swept: _Swept,
    upstream: Tensor,
    needed: tuple[bool, ...],
) -> tuple[Tensor | None, ...]:
    """The gradients of a smooth table; None where not needed."""
    batch, rows, columns = match.shape
    make = match.new_empty if lengths is None else match.new_zeros
    found = [make(match.shape) if need else None for need in needed]
    gaps = rules.border == "gaps" and not rules.local
    leading = match.new_zeros(2, batch, rows + columns) if gaps else None
    lanes, strips = _lanes(rows), rows > _lanes(rows)
    local = swept.kept[2:] if rules.local else (None,) * 4
    cuda_kernels.flow[(batch,)](
        *swept.kept[:2], *local, swept.score, upstream.contiguous(),
        None if lengths is None else lengths.contiguous(), *found, leading,
        match.new_empty(2, 2, batch, columns) if strips else None, rows, columns, batch,
        EVERY=rules.match_on == "every", LOCAL=rules.local, NEGATE=rules.negate, GAPS=gaps,
        LENGTHS=lengths is not None, NEED_MATCH=needed[0], NEED_INSERT=needed[1],
        NEED_DELETE=needed[2], STRIPS=strips, LANES=lanes,
        num_warps=_warps(lanes), enable_fp_fusion=True,
    )  # fmt: skip
    if leading is not None:
        # what enters the border at i has passed the gaps 1 ... i
        beside, above = leading.sum(dim=0).tensor_split((rows,), dim=1)
        if found[1] is not None:
            found[1][:, :, 0] += beside.flip(1).cumsum(1).flip(1)
        if found[2] is not None:
            found[2][:, 0] += above.flip(1).cumsum(1).flip(1)
    return tuple(found)


def _walk(
    rules: Rules,
    match: Tensor,
    kept: tuple[Tensor, ...],
    upstream: Tensor,
    needed: tuple[bool, ...],
) -> tuple[Tensor | None, ...]:
    """The gradients of a hard table; None where not needed."""
    batch, rows, columns = match.shape
    found = [match.new_zeros(match.shape) if need else None for need in needed]
    moves, ends = kept
    cuda_kernels.walk[(batch,)](
        moves, ends, upstream.contiguous(), *found, rows, columns,
        EVERY=rules.match_on == "every", NEGATE=rules.negate,
        GAPS=rules.border == "gaps" and not rules.local, NEED_MATCH=needed[0],
        NEED_INSERT=needed[1], NEED_DELETE=needed[2], num_warps=1, enable_fp_fusion=True,
    )  # fmt: skip
    return tuple(found)


def _border(
    rules: Rules, match: Tensor, insert: Tensor | None, delete: Tensor | None, unit: float
) -> Tensor | None:
    """float64 [B, N + M]: sums of gaps, those beside the rows first; None for other borders."""
    if rules.border != "gaps" or rules.local:
        return None
    insert, delete = (
        match.new_zeros(()).expand_as(match) if x is None else x for x in (insert, delete)
    )
    sums = [x.double().cumsum(dim=1) for x in (insert[:, :, 0], delete[:, 0])]
    return torch.cat(sums, dim=1) * unit


def _lanes(rows: int) -> int:
    return min(MOST_LANES, 1 << (rows - 1).bit_length())


def _warps(lanes: int) -> int:
    return min(8, max(1, lanes // 32))


def _bits(number: float) -> int:
    """The 64 bits of a float as a whole number, as `cuda_cells.number_of_bits` wants it."""
    return int(np.float64(number).view(np.int64))
