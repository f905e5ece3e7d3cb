"""Cosine similarity of every snippet of one sequence with every snippet of another."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from wsal_bench.kernels._recurrence.backends import choose
from wsal_bench.kernels._recurrence.checks import (
    check_device,
    check_lengths,
    check_tensor,
    in_working_precision,
    without_autocast,
)
from wsal_bench.kernels.cosine.fused import cosine_fused
from wsal_bench.kernels.cosine.reference import cosine_reference

BACKENDS: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {
    "reference": cosine_reference,
    "fused": cosine_fused,
}


def cosine_similarity(
    a: Tensor,
    b: Tensor,
    *,
    lengths: Tensor | None = None,
    backend: str = "auto",
    check: bool | None = None,
) -> Tensor:
    """Cosine similarity of each row of `a` with each row of `b`, pair by pair.

        S[n, m] = a[n] . b[m] / (|a[n]| |b[m]|),    0 where a[n] or b[m] is all zeros

    An all-zero row has similarity 0 with everything and gets a zero gradient, never NaN. There is
    no epsilon: the similarity does not depend on a row's length, as long as the squares of its
    entries are in the range of the dtype (in float32: entries of about 1e-18 to 1e18).

    Args:
        a: [B, N, D] features of the first sequence of each pair.
        b: [B, M, D] features of the second.
        lengths: int64 [B, 2] rows of `a` and of `b` that are real; None: all. The similarity of
            others is 0 with a zero gradient, whatever they hold (padding may be NaN).
        backend: a key of `BACKENDS`; all give the same value and gradient to rounding. "auto" is
            "fused", on every device and dtype.
        check: look for lengths out of range. None: on a CPU; on CUDA looking would wait for the
            device, so only True does.

    Returns:
        [B, N, M] similarities in [-1, 1] up to rounding, on the inputs' device: float64 if an
        input is, else float32 (half precision and autocast compute in float32). Differentiable
        in `a` and `b`, to any order; each gets its gradient in its own dtype.

    Raises:
        ValueError: `a` or `b` has another shape, B or D differ, lengths are out of range or do not
            fit, or no backend has that name.
        TypeError: an input is not a tensor.
    """
    compute = choose(BACKENDS, backend, auto="fused")
    check_tensor("a", a, "BND")
    check_tensor("b", b, "BMD")
    if a.shape[0] != b.shape[0] or a.shape[2] != b.shape[2]:
        raise ValueError(
            f"a has shape {list(a.shape)} and b has {list(b.shape)}, "
            "expected [B, N, D] and [B, M, D] with the same B and D"
        )
    check_device("b", b, "a", a)
    if lengths is not None:
        looked = a.device.type == "cpu" if check is None else check
        shape = (a.shape[0], a.shape[1], b.shape[1])
        lengths = check_lengths(lengths, shape, a.device, check=looked)
        a, b = (_without_padding(x, lengths[:, n]) for n, x in enumerate((a, b)))
    with without_autocast(a.device):
        return compute(*in_working_precision(a, b))


def _without_padding(rows: Tensor, lengths: Tensor) -> Tensor:
    """The rows [B, N, D] with zeros beyond the lengths [B]: a zero row is like nothing."""
    beyond = torch.arange(rows.shape[1], device=rows.device) >= lengths[:, None]
    return rows.masked_fill(beyond[..., None], 0.0)
