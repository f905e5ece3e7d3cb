"""The cosine similarity as one product of matrices that is scaled afterwards.

Differs from the reference in that the features are never normalised: scaling [N, M] products is
much less work than scaling [N, D] features, forward and backward.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from wsal_bench.kernels._recurrence.checks import without_autocast
from wsal_bench.kernels._recurrence.second_order import differentiable_gradients
from wsal_bench.kernels.cosine.reference import unit_rows


def cosine_fused(a: Tensor, b: Tensor) -> Tensor:
    """Similarities [B, N, M] of rows [B, N, D] and [B, M, D]; see `cosine_similarity`."""
    similarity: Tensor = _CosineFused.apply(a, b)  # type: ignore[no-untyped-call]
    return similarity


class _CosineFused(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor) -> Tensor:
        scale_a, scale_b = _inverse_lengths(a), _inverse_lengths(b)
        similarity = torch.bmm(a, b.mT).mul_(scale_a).mul_(scale_b.mT)
        ctx.save_for_backward(a, b, scale_a, scale_b, similarity)
        return similarity

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
        a, b, scale_a, scale_b, similarity = ctx.saved_tensors
        need_a, need_b = ctx.needs_input_grad
        # Autocast may be on where the caller runs backward, though it was off in forward.
        with without_autocast(a.device):
            if torch.is_grad_enabled():
                return differentiable_gradients(
                    _recorded_by_autograd, (a, b), (need_a, need_b), upstream
                )
            # d S / d a = b / (|a| |b|) - S a / |a|^2, and the same for b
            direct = (upstream * scale_a).mul_(scale_b.mT)
            radial = upstream * similarity
            return (
                _gradient(direct, radial, a, b, scale_a) if need_a else None,
                _gradient(direct.mT, radial.mT, b, a, scale_b) if need_b else None,
            )


def _gradient(
    direct: Tensor, radial: Tensor, rows: Tensor, others: Tensor, scale: Tensor
) -> Tensor:
    inwards = radial.sum(dim=2, keepdim=True) * scale.square()
    return torch.bmm(direct, others).addcmul_(rows, inwards, value=-1)


def _inverse_lengths(rows: Tensor) -> Tensor:
    """[B, N, 1]: 1 / length of rows [B, N, D], 0 for a row of zeros."""
    lengths = torch.linalg.vector_norm(rows, dim=2, keepdim=True)
    return torch.where(lengths == 0, 0.0, lengths.reciprocal())


def _recorded_by_autograd(a: Tensor, b: Tensor) -> Tensor:
    """The same similarity from differentiable operations only, for gradients of gradients."""
    return torch.bmm(unit_rows(a), unit_rows(b).mT)
