"""The definition of the cosine similarity: one pair of rows after the other."""

from __future__ import annotations

import torch
from torch import Tensor


def unit_rows(rows: Tensor) -> Tensor:
    """Rows [..., D] divided by their length; an all-zero row stays zero, with zero gradient."""
    squared = (rows * rows).sum(dim=-1, keepdim=True)
    is_zero = squared == 0
    # The inner `where` keeps 1/0 out of the backward, where 0 * inf would be NaN.
    return torch.where(is_zero, 0.0, rows / torch.where(is_zero, 1.0, squared).sqrt())


def cosine_reference(a: Tensor, b: Tensor) -> Tensor:
    """Similarities [B, N, M] of rows [B, N, D] and [B, M, D]; see `cosine_similarity`."""
    batch, rows, columns = a.shape[0], a.shape[1], b.shape[1]
    similarities = [
        (unit_rows(a[:, n]) * unit_rows(b[:, m])).sum(dim=-1)
        for n in range(rows)
        for m in range(columns)
    ]
    if not similarities:  # stack needs one; this is as empty, and differentiable
        return a.sum(dim=2)[:, :, None] * b.sum(dim=2)[:, None, :]
    return torch.stack(similarities, dim=1).view(batch, rows, columns)
