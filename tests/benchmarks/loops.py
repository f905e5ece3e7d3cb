"""The alignments as they were published: Python loops over pairs and cells, recorded by autograd.

Written from the formulas. Slow on purpose, each in the way that the published code is.
"""

from __future__ import annotations

import torch
from torch import Tensor


def fsd_of_published_style(match: Tensor, gate: Tensor, gamma: float = 0.1) -> Tensor:
    """FSD [B]; each cell makes a new table, as autograd forbids writing it."""
    return torch.stack([_fsd_of_pair(*pair, gamma) for pair in zip(match, gate, strict=True)])


def _fsd_of_pair(match: Tensor, gate: Tensor, gamma: float) -> Tensor:
    rows, columns = match.shape
    table = match.new_zeros(rows + 1, columns + 1)
    for i in range(1, rows + 1):
        for j in range(1, columns + 1):
            here = gate[i - 1, j - 1]
            moves = torch.stack(
                [table[i - 1, j - 1], here + table[i - 1, j], here + table[i, j - 1]]
            )
            value = match[i - 1, j - 1] + gamma * torch.logsumexp(moves / gamma, dim=0)
            is_cell = torch.zeros_like(table)
            is_cell[i, j] = 1
            table = table * (1 - is_cell) + value * is_cell
    return table[rows, columns]


def lcs_of_published_style(similarity: Tensor, threshold: float = 0.92) -> Tensor:
    """LCS [B], greedy, written into a table; the host is asked which way to go."""
    return torch.stack([_lcs_of_pair(pair, threshold) for pair in similarity])


def _lcs_of_pair(similarity: Tensor, threshold: float) -> Tensor:
    rows, columns = similarity.shape
    table = similarity.new_zeros(rows + 1, columns + 1)
    for i in range(1, rows + 1):
        for j in range(1, columns + 1):
            here = similarity[i - 1, j - 1]
            if here > threshold:
                table[i, j] = table[i - 1, j - 1] + here
            else:
                table[i, j] = max(table[i - 1, j], table[i, j - 1])
    return table[rows, columns]


def cosine_of_published_style(a: Tensor, b: Tensor) -> Tensor:
    """Similarities [B, N, M]: unit vectors first, then their products."""
    normalize = torch.nn.functional.normalize
    return normalize(a, dim=2) @ normalize(b, dim=2).mT
