"""Losses that compare features: of two videos that share a class, or of parts of one video."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from wsal_bench.nn.pooling import real_snippets


def unit(vectors: Tensor, dim: int) -> Tensor:
    """Vectors of length 1 along a dimension; a vector of zeros stays one, its gradient finite.

    Published code divides by the norm without more ado, so a row of zeros gives NaN there.
    """
    length = vectors.norm(dim=dim, keepdim=True)
    return vectors / torch.where(length > 0, length, torch.ones_like(length))


def info_nce(query: Tensor, positive: Tensor, negatives: Tensor, *, temperature: float) -> Tensor:
    """InfoNCE: tells the positive from the negatives by its likeness to the query.

    Source: CoLA (arXiv 2103.16392). All get gradients.

    Args:
        query: [B, D].
        positive: [B, D].
        negatives: [B, K, D], each video its own.
        temperature: divides the cosines.

    Returns:
        A scalar >= 0, mean over the videos.
    """
    query = unit(query, 1)
    near = (query * unit(positive, 1)).sum(1, keepdim=True)  # [B, 1]
    far = (unit(negatives, 2) @ query[..., None]).squeeze(2)  # [B, K]
    logits = torch.cat([near, far], dim=1) / temperature
    return -logits.log_softmax(1)[:, 0].mean()


def coactivity_loss(
    features: Tensor,
    logits: Tensor,
    labels: Tensor,
    *,
    lengths: Tensor | None = None,
    margin: float = 0.5,
) -> Tensor:
    """Co-activity similarity: videos that share a class look alike where it is, and only there.

    Source: W-TALC (arXiv 1807.10418); also in CO2-Net, DELU and DDG-Net. Rows 0 and 1, 2 and 3, ...
    are the pairs. Per shared class, the mean feature where the class is likely, H, and the mean
    where it is not, L: half of relu(d(H1, H2) - d(H1, L2) + margin) and half of
    relu(d(H1, H2) - d(L1, H2) + margin), where d is 1 - cosine. Nothing is detached.

    Args:
        features: [2P, T, D].
        logits: [2P, T, C].
        labels: [2P, C] zeros and ones; a background column is 0.
        lengths: [2P] snippets that are real, the first ones; None: all.
        margin: see above.

    Returns:
        A scalar >= 0, mean over the shared (pair, class). 0 where no pair shares a class (published
        code: NaN). The cosine with a feature of zeros is 0 (published code: NaN).
    """
    means = _coactivity(features, logits, lengths)
    high, low = unit(means.high, 1), unit(means.low, 1)
    high_1, high_2, low_1, low_2 = high[::2], high[1::2], low[::2], low[1::2]  # [P, D, C]
    shared = labels[::2] * labels[1::2]  # [P, C]
    # 1 - a.b in place of the cosine distance; the ones of a difference cancel
    alike = (high_1 * high_2).sum(1)
    hinges = ((high_1 * low_2).sum(1) - alike + margin).relu()
    hinges = hinges + ((low_1 * high_2).sum(1) - alike + margin).relu()
    loss: Tensor = (shared * hinges).sum() / 2 / shared.sum().clamp_min(1)
    return loss


@dataclass(frozen=True, eq=False)
class _Means:
    """Mean features of each class: [B, D, C] where it is likely (high) and where not (low)."""

    high: Tensor
    low: Tensor


def _coactivity(features: Tensor, logits: Tensor, lengths: Tensor | None) -> _Means:
    if lengths is None:
        share = logits.softmax(1)  # over time
        rest, others = 1 - share, torch.full_like(share[:, 0, 0], share.shape[1] - 1)
    else:
        real = real_snippets(logits, lengths)[..., None]
        share = logits.masked_fill(~real, -torch.inf).softmax(1)
        rest, others = (1 - share) * real, (lengths - 1).to(share.dtype)
    rest = rest / others.clamp_min(1)[:, None, None]
    return _Means(features.mT @ share, features.mT @ rest)
