"""From snippets to a video: means over the snippets that score highest."""

from __future__ import annotations

from torch import Tensor


def num_kept(num_snippets: int, ratio: int) -> int:
    """How many snippets top-k pooling keeps: one in `ratio`, rounded down, at least one."""
    return max(num_snippets // ratio, 1)


def topk_mean(scores: Tensor, k: int) -> Tensor:
    """Mean of the k highest scores in time, each class by itself: [B, T, C] -> [B, C]."""
    return scores.topk(k, dim=1, sorted=False).values.mean(1)


def gather_snippets(features: Tensor, positions: Tensor) -> Tensor:
    """Rows of each video: features [B, T, D] at positions [B, K] -> [B, K, D]."""
    return features.gather(1, positions[..., None].expand(-1, -1, features.shape[-1]))


def attended_mean(features: Tensor, attention: Tensor, k: int) -> Tensor:
    """Mean feature of the k snippets with the highest attention.

    The choice carries no gradient to the attention.

    Args:
        features: [B, T, D].
        attention: [B, T].
        k: snippets to take, at most T.

    Returns:
        [B, D].
    """
    return gather_snippets(features, attention.topk(k, dim=1, sorted=False).indices).mean(1)
