"""Layers that act on a sequence of snippets [B, T, D]."""

from __future__ import annotations

from typing import Literal

import torch.nn.functional as F
from torch import Tensor, nn


class ConvEmbedding(nn.Conv1d):
    """ReLU of a convolution over time; T stays as it is.

    Args:
        feature_dim: D of the input.
        embedding_dim: D of the output.
        width: snippets that an output sees, odd.
        slope: of the ReLU below 0; above 0 it is a leaky one.

    Raises:
        ValueError: an even width, which would change T.
    """

    def __init__(
        self, feature_dim: int, embedding_dim: int, *, width: int = 3, slope: float = 0.0
    ) -> None:
        if width % 2 == 0:
            raise ValueError(f"width must be odd, not {width}")
        super().__init__(feature_dim, embedding_dim, width, padding=width // 2)
        self.slope = slope

    def forward(self, features: Tensor) -> Tensor:
        """[B, T, feature_dim] -> [B, T, embedding_dim]; >= 0 where the slope is 0."""
        found = super().forward(features.mT)
        return (F.leaky_relu(found, self.slope) if self.slope else found.relu()).mT


class SnippetMask(nn.Module):
    """Which snippets count: in training each is 0, or 1 / (1 - share); all ones else.

    Args:
        share: probability that a snippet is 0.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, features: Tensor) -> Tensor:
        """[B, T, D] -> [B, T]; nothing of the features but their shape and kind matters."""
        ones = features.new_ones(features.shape[:2])
        return F.dropout(ones, self.share) if self.training else ones

    def extra_repr(self) -> str:
        """What `print(network)` shows."""
        return f"share={self.share}"


class SnippetDropout(SnippetMask):
    """Drops whole snippets: in training each is zeroed, or scaled by 1 / (1 - share).

    Source: ACM-Net (arXiv 2104.02967).

    Args:
        share: probability that a snippet is zeroed.
    """

    def forward(self, features: Tensor) -> Tensor:
        """[B, T, D] -> [B, T, D]; the input itself in eval mode."""
        return features * super().forward(features)[..., None] if self.training else features


def initialise(network: nn.Module, scheme: Literal["xavier", "kaiming"]) -> None:
    """Draws the weights of all linear and convolution layers anew, in place; biases become 0.

    Args:
        network: whose layers, in the order of `modules()`, from torch's global generator.
        scheme: Glorot's uniform one (W-TALC), or He's uniform one by fan-in with the gain of a
            ReLU (HAM-Net and CO2-Net's family).
    """
    for module in network.modules():
        if isinstance(module, nn.Linear | nn.Conv1d):
            if scheme == "xavier":
                nn.init.xavier_uniform_(module.weight)
            else:
                nn.init.kaiming_uniform_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
