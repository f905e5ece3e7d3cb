"""The definition of LCS: one cell after the other, gradients by autograd."""

from __future__ import annotations

import torch
from torch import Tensor


def lcs_reference(similarity: Tensor, threshold: float) -> Tensor:
    """Scores [B] of grids [B, N, M]; see `lcs_score`."""
    batch, rows, columns = similarity.shape
    border = similarity.new_zeros(batch)
    above = [border] * (columns + 1)  # C[i-1, 0..M], each [B]
    for i in range(rows):
        current = [border]
        for j in range(columns):
            here, up, left = similarity[:, i, j], above[j + 1], current[j]
            # Not torch.maximum, which halves the gradient at a tie.
            larger = torch.where(left > up, left, up)
            current.append(torch.where(here > threshold, above[j] + here, larger))
        above = current
    return above[-1]
