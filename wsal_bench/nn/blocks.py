"""Layers that act on a sequence of snippets [B, T, D]."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn


class ConvEmbedding(nn.Conv1d):
    """ReLU of a convolution over time; T stays as it is.

    Args:
        feature_dim: D of the input.
        embedding_dim: D of the output.
        width: snippets that an output sees, odd.

    Raises:
        ValueError: an even width, which would change T.
    """

    def __init__(self, feature_dim: int, embedding_dim: int, *, width: int = 3) -> None:
        if width % 2 == 0:
            raise ValueError(f"width must be odd, not {width}")
        super().__init__(feature_dim, embedding_dim, width, padding=width // 2)

    def forward(self, features: Tensor) -> Tensor:
        """[B, T, feature_dim] -> [B, T, embedding_dim], >= 0."""
        return super().forward(features.mT).relu().mT


class SnippetDropout(nn.Module):
    """Drops whole snippets: in training each is zeroed, or scaled by 1 / (1 - share).

    Source: ACM-Net (arXiv 2104.02967).

    Args:
        share: probability that a snippet is zeroed.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, features: Tensor) -> Tensor:
        """[B, T, D] -> [B, T, D]; the input itself in eval mode."""
        if not self.training:
            return features
        kept = F.dropout(features.new_ones(*features.shape[:2], 1), self.share)
        return features * kept

    def extra_repr(self) -> str:
        """What `print(network)` shows."""
        return f"share={self.share}"
