"""Some videos, ready for a network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@dataclass(frozen=True, eq=False)
class Batch:
    """Some videos, ready for a network; padded or sampled to one length.

    Args:
        features: [B, T, D] float32.
        lengths: [B] snippets of each video that are real (all T where videos were sampled).
        labels: [B, C] zeros and ones; all zeros at inference.
        times: [B, T + 1] borders of the snippets in seconds, float64.
        indices: [B] positions of the videos in the sequence that they were drawn from.
        extras: further tensors by name.
    """

    features: Tensor
    lengths: Tensor
    labels: Tensor
    times: Tensor
    indices: Tensor
    extras: Mapping[str, Tensor] = field(default_factory=dict)

    def __len__(self) -> int:
        return int(self.features.shape[0])

    def to(self, device: torch.device | str) -> Batch:
        """The same batch on a device; a no-op where it already is."""
        moved: dict[str, Any] = {
            name: value.to(device, non_blocking=True)
            for name, value in vars(self).items()
            if name != "extras"
        }
        extras = {name: value.to(device, non_blocking=True) for name, value in self.extras.items()}
        return replace(self, **moved, extras=extras)


@dataclass(frozen=True, eq=False, kw_only=True)
class PairBatch(Batch):
    """2P videos and how they pair up.

    Args:
        first: [P] rows of the batch that are the first video of a pair.
        second: [P] rows that are the second.
        similar: [P] bool, true where the two show the same classes, false where they share none.
    """

    first: Tensor
    second: Tensor
    similar: Tensor
