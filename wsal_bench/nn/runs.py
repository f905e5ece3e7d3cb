"""Runs of active snippets: [B, T] of 0 and 1, grown and shrunk; outside of a video all is 0."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def above_median(values: Tensor) -> Tensor:
    """[B, T], 1 where a value is strictly above its row's median; of even T the two's mean."""
    ordered = values.sort(1).values
    last = ordered.shape[1] - 1
    median = (ordered[:, last // 2] + ordered[:, (last + 1) // 2]) / 2
    return (values > median[:, None]).to(values.dtype)


def dilate(active: Tensor, width: int) -> Tensor:
    """Runs grow by width // 2 to the left and by (width - 1) // 2 to the right."""
    padded = F.pad(active, ((width - 1) // 2, width // 2))
    return F.max_pool1d(padded[:, None], width, stride=1)[:, 0]


def erode(active: Tensor, width: int) -> Tensor:
    """Runs shrink by as much as `dilate` lets them grow, at the ends of the video too."""
    padded = F.pad(1 - active, (width // 2, (width - 1) // 2), value=1.0)
    return 1 - F.max_pool1d(padded[:, None], width, stride=1)[:, 0]
