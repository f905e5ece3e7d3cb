"""From snippets to a video: means over the snippets that score highest."""

from __future__ import annotations

import torch
from torch import Tensor


def num_kept(num_snippets: int, ratio: int) -> int:
    """How many snippets top-k pooling keeps: one in `ratio`, rounded down, at least one."""
    return max(num_snippets // ratio, 1)


def topk_mean(scores: Tensor, k: int) -> Tensor:
    """Mean of the k highest scores in time, each class by itself: [B, T, C] -> [B, C]."""
    return scores.topk(k, dim=1, sorted=False).values.mean(1)


def padded_topk_mean(scores: Tensor, lengths: Tensor, ratio: int) -> Tensor:
    """Mean of the highest scores in time of videos that are padded, each class by itself.

    Args:
        scores: [B, T, C].
        lengths: [B] snippets that are real, the first ones, at least one each.
        ratio: one real snippet in `ratio` is kept, rounded UP, as W-TALC does it in training.

    Returns:
        [B, C].
    """
    most = -(-scores.shape[1] // ratio)
    real = real_snippets(scores, lengths)[..., None]
    best = scores.masked_fill(~real, -torch.inf).topk(most, dim=1).values  # [B, most, C]
    num = -(-lengths // ratio)  # [B]
    kept = torch.arange(most, device=scores.device) < num[:, None]
    return best.masked_fill(~kept[..., None], 0).sum(1) / num[:, None]


def real_snippets(scores: Tensor, lengths: Tensor) -> Tensor:
    """Which of the snippets are no padding: scores [B, T, ...], lengths [B] -> bool [B, T]."""
    return torch.arange(scores.shape[1], device=scores.device) < lengths[:, None]


def strongest(values: Tensor, k: int) -> Tensor:
    """Positions of the k largest values in time, the largest first: [B, T] -> [B, k].

    Of equal values the earlier ones come first, on every device. Published code leaves that to an
    unstable sort; where masks set many values to 0 it decides which snippets are taken.
    """
    return values.sort(dim=1, descending=True, stable=True).indices[:, :k]


def weakest(values: Tensor, k: int, mask: Tensor | None = None) -> Tensor:
    """Positions of the k smallest values of those that a mask leaves: [B, T] -> [B, k].

    As UM and CoLA choose their background: the largest of (maximum - value) * mask, so a snippet
    whose mask is 0 comes as late as the one of the maximum.

    Args:
        values: [B, T].
        k: snippets to take, at most T.
        mask: [B, T], see `SnippetMask`; None: all ones.
    """
    depth = values.amax(1, keepdim=True) - values
    return strongest(depth if mask is None else depth * mask, k)


def above_lowest(scores: Tensor, attention: Tensor) -> Tensor:
    """Class scores under attention, counted from the lowest class of each snippet.

    Source: HAM-Net (arXiv 2101.00545), whose hard and soft drops these are, and CO2-Net.

    Args:
        scores: [B, T, C] logits.
        attention: [B, T].

    Returns:
        [B, T, C]: attention * (scores - m) + m, where m is the least of the C scores; it gets
        gradients too.
    """
    lowest = scores.amin(2, keepdim=True)
    return attention[..., None] * (scores - lowest) + lowest


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
