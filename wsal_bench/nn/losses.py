"""Losses on what a network says of whole videos, snippets or pairs; pure functions of tensors.

None of them asks the device for a value, so nothing waits for an accelerator.
"""

from __future__ import annotations

import torch
from torch import Tensor


def with_background(labels: Tensor, value: float) -> Tensor:
    """Labels with a last column for the background: [B, C] -> [B, C + 1]."""
    return torch.cat([labels, labels.new_full((len(labels), 1), value)], dim=1)


def normalised_labels(labels: Tensor, *, eps: float = 0.0) -> Tensor:
    """Labels as shares of a video: each row [C] divided by its sum + eps; zeros stay zeros.

    Args:
        labels: [B, C] zeros and ones, with or without a column for the background.
        eps: HAM-Net and CO2-Net's family add 1e-4, so that their rows sum to slightly less than 1.
    """
    total = labels.sum(1, keepdim=True)
    return labels / (total + eps if eps else total.clamp_min(1))


def label_cross_entropy(probabilities: Tensor, labels: Tensor, *, eps: float = 1e-10) -> Tensor:
    """Cross entropy with several labels at once, mean over the videos.

    Args:
        probabilities: [B, C], each row sums to 1.
        labels: [B, C] zeros and ones; each row is divided by its sum. A row of zeros adds 0.
        eps: added to the probabilities before the logarithm.

    Returns:
        A scalar >= 0 (up to eps).
    """
    target = normalised_labels(labels)
    return -(target * (probabilities + eps).log()).sum(1).mean()


def logit_cross_entropy(logits: Tensor, labels: Tensor, *, label_eps: float = 0.0) -> Tensor:
    """Cross entropy of a softmax over the classes, several labels at once, mean over the videos.

    Args:
        logits: [B, C].
        labels: [B, C] zeros and ones; see `normalised_labels`.
        label_eps: its eps.

    Returns:
        A scalar >= 0.
    """
    target = normalised_labels(labels, eps=label_eps)
    return -(target * logits.log_softmax(1)).sum(1).mean()


def label_binary_cross_entropy(probabilities: Tensor, targets: Tensor) -> Tensor:
    """Binary cross entropy of each class, mean over videos and classes.

    Published code applies it to a softmax (BaS-Net, UM, CoLA), and since it is a mean over the
    classes it shrinks as they get more. As in torch a logarithm is never below -100; unlike there,
    the gradient is exact for probabilities below 1e-12 as well. Written out because torch refuses
    its own in mixed precision.

    Args:
        probabilities: [B, C] in [0, 1].
        targets: [B, C] in [0, 1], for example `normalised_labels`.

    Returns:
        A scalar >= 0.
    """
    probabilities = probabilities.to(torch.promote_types(probabilities.dtype, torch.float32))
    shown = _bounded_log(probabilities)
    absent = _bounded_log(1 - probabilities)
    return -(targets * shown + (1 - targets) * absent).mean()


def _bounded_log(values: Tensor) -> Tensor:
    tiny = torch.finfo(values.dtype).tiny  # log(0) has no gradient that a clamp could save
    return values.clamp_min(tiny).log().clamp_min(-100)


def guide_loss(background: Tensor, attention: Tensor) -> Tensor:
    """Pulls the classes' share of a snippet to its attention, which gets no gradient.

    Source: ACM-Net (arXiv 2104.02967). Summed over T, so it grows with the number of snippets.

    Args:
        background: [B, T] probability of the background in each snippet.
        attention: [B, T] in [0, 1].

    Returns:
        Scalar: sum over T, mean over B, of |1 - background - attention|.
    """
    return (1 - background - attention.detach()).abs().sum(1).mean()


def attention_mass(attention: Tensor) -> Tensor:
    """How many snippets attention covers: [B, T] -> scalar, sum over T, mean over B."""
    return attention.sum(1).mean()


def feature_norm_loss(
    instance: Tensor, context: Tensor, background: Tensor, *, margin: float
) -> Tensor:
    """Wants features of actions longer than those of context, and those longer than background.

    Source: ACM-Net (arXiv 2104.02967).

    Args:
        instance: [B, D] mean feature of the action snippets.
        context: [B, D] of the context snippets.
        background: [B, D] of the background snippets.
        margin: by how much the L2 norms should differ.

    Returns:
        Scalar: mean over B of (relu(margin - |i| + |c|) + relu(margin - |c| + |b|) + |b|)^2.
    """
    long, middle, short = (feature.norm(dim=1) for feature in (instance, context, background))
    excess = (margin - long + middle).relu() + (margin - middle + short).relu() + short
    loss: Tensor = excess.square().mean()
    return loss


def contrast(scores: Tensor, similar: Tensor) -> Tensor:
    """Mean score of the pairs that differ minus mean score of the similar ones.

    Source: FTCL (Gao et al., CVPR 2022). Linear: no margin, no bound. A kind without any pair
    counts as 0.

    Args:
        scores: [P], larger is more alike.
        similar: [P] bool.

    Returns:
        A scalar, lower where similar pairs are more alike than the others.
    """
    weight = similar.to(scores.dtype)
    # the published count has this in it, so that a kind without pairs is not 0 / 0
    positive = (scores * weight).sum() / (weight.sum() + 1e-10)
    negative = (scores * (1 - weight)).sum() / ((1 - weight).sum() + 1e-10)
    return negative - positive
