"""The divergence of soft-DTW: 0 for equal sequences, and not below."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from wsal_bench.kernels._recurrence.checks import (
    check_alike,
    check_lengths,
    check_tensor,
    in_working_precision,
    without_autocast,
)
from wsal_bench.kernels.dtw import soft_dtw


def soft_dtw_divergence(
    a: Tensor,
    b: Tensor,
    *,
    gamma: float = 1.0,
    bandwidth: int | None = None,
    cost: Callable[[Tensor, Tensor], Tensor] | None = None,
    lengths: Tensor | None = None,
    backend: str = "auto",
    check: bool | None = None,
) -> Tensor:
    """How far two sequences of features are apart: soft-DTW without its bias.

        divergence(a, b) = soft_dtw(a, b) - (soft_dtw(a, a) + soft_dtw(b, b)) / 2

    with the cost |a[i] - b[j]|^2. It is symmetric, 0 for equal sequences and, up to rounding, not
    negative; soft-DTW itself goes below 0, and is not smallest for equal sequences. That it is not
    negative the source proves under conditions on the cost; for the squared distance it is what
    every case tried has shown. With a bandwidth or another cost it need not hold.

    Source: Blondel, Mensch and Vert, AISTATS 2021.

    Args:
        a: [B, N, D] features of the first sequence of each pair.
        b: [B, M, D] features of the second.
        gamma: softness, in the unit of the cost; see `soft_dtw`.
        bandwidth: as in `soft_dtw`, in all three terms.
        cost: a function of features [B, N, D] and [B, M, D] that gives costs [B, N, M]; None: the
            squared Euclidean distance.
        lengths: int64 [B, 2] lengths of `a` and of `b`; None: N and M. Padding may be NaN.
        backend: as in `soft_dtw`.
        check: as in `soft_dtw`.

    Returns:
        [B] divergences, float64 for float64, else float32. Where a sequence is empty: inf, with a
        zero gradient. Differentiable in both; each gets its gradient in its own dtype.

    Raises:
        ValueError: `a` or `b` is not a floating-point [B, N, D], [B, M, D] with the same B and D,
            or they differ in device or precision; else as `soft_dtw`, where "cost" holds NaN if
            the features of that pair do.
        TypeError: an input is not a tensor; else as `soft_dtw`.
    """
    check_tensor("a", a, "BND")
    check_tensor("b", b, "BMD")
    if a.shape[0] != b.shape[0] or a.shape[2] != b.shape[2]:
        raise ValueError(
            f"a has shape {list(a.shape)} and b has {list(b.shape)}, "
            "expected [B, N, D] and [B, M, D] with the same B and D"
        )
    check_alike("b", b, "a", a)
    dtw = partial(soft_dtw, gamma=gamma, bandwidth=bandwidth, backend=backend, check=check)
    own_a = own_b = alive = None
    if lengths is not None:
        lengths = check_lengths(lengths, (*a.shape[:2], b.shape[1]), a.device, check=bool(check))
        own_a, own_b = (lengths[:, k : k + 1].expand(-1, 2) for k in (0, 1))
        a, b = _without_padding(a, lengths[:, 0]), _without_padding(b, lengths[:, 1])
        alive = (lengths > 0).all(dim=1)
    measure = squared_distances if cost is None else cost
    with without_autocast(a.device):
        a, b = in_working_precision(a, b)
        across, within_a, within_b = measure(a, b), measure(a, a), measure(b, b)
    own = dtw(within_a, lengths=own_a) + dtw(within_b, lengths=own_b)
    apart = dtw(across, lengths=lengths)
    if not across.numel():
        return apart
    return apart - own / 2 if alive is None else torch.where(alive, apart - own / 2, math.inf)


def squared_distances(a: Tensor, b: Tensor) -> Tensor:
    """[B, N, M] squared Euclidean distances of features [B, N, D] and [B, M, D]."""
    # Distances do not depend on the origin, but their rounding does: squares of what all have in
    # common would cancel.
    origin = torch.cat((a, b), dim=1)[:, :1].detach()
    a, b = a - origin, b - origin
    squares = a.square().sum(dim=2)[:, :, None] + b.square().sum(dim=2)[:, None]
    return (squares - 2 * a @ b.mT).clamp_min(0)


def _without_padding(features: Tensor, lengths: Tensor) -> Tensor:
    position = torch.arange(features.shape[1], device=features.device)
    return torch.where((position < lengths[:, None])[:, :, None], features, 0.0)
