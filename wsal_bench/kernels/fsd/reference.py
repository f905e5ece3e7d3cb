"""The definition of FSD: one cell after the other, gradients by autograd."""

from __future__ import annotations

import torch
from torch import Tensor


def fsd_reference(match: Tensor, gate_insert: Tensor, gate_delete: Tensor, gamma: float) -> Tensor:
    """Scores [B] of grids [B, N, M]; see `fsd_score`."""
    batch, rows, columns = match.shape
    border = match.new_zeros(batch)
    above = [border] * (columns + 1)  # C[i-1, 0..M], each [B]
    for i in range(rows):
        current = [border]
        for j in range(columns):
            moves = (
                above[j],
                gate_insert[:, i, j] + above[j + 1],
                gate_delete[:, i, j] + current[j],
            )
            smooth_max = gamma * torch.logsumexp(torch.stack(moves) / gamma, dim=0)
            current.append(match[:, i, j] + smooth_max)
        above = current
    return above[-1]
