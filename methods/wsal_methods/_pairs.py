"""Which snippets of two videos FTCL aligns, and how alike they are.

Source: FTCL (Gao, Chen and Xu, CVPR 2022), as its code does it. Nothing here waits for the device.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from wsal_bench.api import PairBatch
from wsal_bench.kernels import cosine_similarity, fsd_score, lcs_score


@dataclass(frozen=True, eq=False)
class Chosen:
    """Positions of the candidates in time, each set in time order.

    Args:
        common: [B, L] snippets with the highest attention, for LCS.
        action: [B, F] snippets with the highest attention, for FSD.
        background: [B, F] those that come next in attention, for FSD.
    """

    common: Tensor
    action: Tensor
    background: Tensor


@dataclass(frozen=True, eq=False)
class Candidates:
    """Features of the candidates; see `Chosen`.

    Args:
        common: [B, L, D] embedded features.
        action: [B, F, fsd_dim] projected features.
        background: [B, F, fsd_dim] projected features.
    """

    common: Tensor
    action: Tensor
    background: Tensor


def choose(attention: Tensor, *, lcs_length: int, fsd_length: int, shuffle: bool = False) -> Chosen:
    """The candidates of B videos. The choice carries no gradient to the attention.

    Args:
        attention: [B, T].
        lcs_length: L, at most; T where that is less.
        fsd_length: F, at most; T // 2 where that is less, so that the two sets stay apart.
        shuffle: put each set in a random order, drawn per video from torch's global generator.
    """
    num_snippets = attention.shape[1]
    lcs_length = min(lcs_length, num_snippets)
    fsd_length = min(fsd_length, num_snippets // 2)
    ranked = attention.topk(max(lcs_length, 2 * fsd_length), dim=1).indices
    arrange = _shuffled if shuffle else _in_time
    return Chosen(
        common=arrange(ranked[:, :lcs_length]),
        action=arrange(ranked[:, :fsd_length]),
        background=arrange(ranked[:, fsd_length : 2 * fsd_length]),
    )


def fsd_of_pairs(candidates: Candidates, batch: PairBatch, *, gamma: float) -> Tensor:
    """FSD score of each pair, [P].

    Action is aligned with action where the videos are alike, and the first one's action with the
    second one's background where they are not. Of the projected features, one half gives the
    matches and the other the gate.
    """
    partner = torch.where(
        batch.similar[:, None, None],
        candidates.action[batch.second],
        candidates.background[batch.second],
    )
    match_a, gate_a = candidates.action[batch.first].chunk(2, dim=2)
    match_b, gate_b = partner.chunk(2, dim=2)
    match, gate = cosine_similarity(match_a, match_b), cosine_similarity(gate_a, gate_b)
    # The training loop finds a loss that is not finite, and says in which step.
    return fsd_score(match, gate, gamma=gamma, check=False)


def lcs_of_pairs(candidates: Candidates, batch: PairBatch, *, threshold: float) -> Tensor:
    """LCS score of each pair, [P]."""
    similarity = cosine_similarity(candidates.common[batch.first], candidates.common[batch.second])
    return lcs_score(similarity, threshold=threshold, check=False)


def _in_time(positions: Tensor) -> Tensor:
    return positions.sort(1).values


def _shuffled(positions: Tensor) -> Tensor:
    order = torch.rand(positions.shape, device=positions.device).argsort(1)
    return positions.gather(1, order)
