"""From a network's tensors of one video to `Activations`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from wsal_bench.types import Activations, Batch


def to_activations(
    batch: Batch,
    *,
    scores: Mapping[str, Tensor],
    video_scores: Tensor,
    gates: Mapping[str, Tensor] | None = None,
) -> Activations:
    """What a network says of a batch of ONE video, as arrays.

    Args:
        batch: the video; its times become the borders.
        scores: by name, [1, T, C].
        video_scores: [1, C].
        gates: by name, [1, T] or [1, T, C].

    Returns:
        Arrays in the tensors' precision, half precision as float32.

    Raises:
        ValueError: the batch holds more than one video.
    """
    if len(batch) != 1:
        raise ValueError(f"activations are of one video, not of {len(batch)}")
    return Activations(
        scores={name: _array(value) for name, value in scores.items()},
        gates={name: _array(value) for name, value in (gates or {}).items()},
        video_scores=_array(video_scores),
        times=_array(batch.times),
    )


def _array(value: Tensor) -> NDArray[Any]:
    half = value.dtype in (torch.float16, torch.bfloat16)
    array: NDArray[Any] = (
        value[0].detach().to("cpu", torch.float32 if half else value.dtype).numpy()
    )
    return array
