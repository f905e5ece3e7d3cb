"""Folds over the groups of a training set: where options may be chosen without test data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wsal_bench.errors import UsageError
from wsal_bench.types import Video, WeakVideo

_SEED = 20140  # of the order of the groups; the same folds for every method


@dataclass(frozen=True, eq=False)
class Fold:
    """Training videos parted in two; no group is in both.

    Args:
        train: to learn from.
        held_out: to choose by; their labels are known, their boundaries are not to be looked at.
    """

    train: tuple[WeakVideo, ...]
    held_out: tuple[WeakVideo, ...]

    @property
    def plain(self) -> tuple[Video, ...]:
        """The held-out videos as inference sees them."""
        return tuple(
            Video(video.video_id, video.features, video.grid, video.group)
            for video in self.held_out
        )


def group_folds(videos: Sequence[WeakVideo], number: int) -> tuple[Fold, ...]:
    """The folds of a training set; each group is held out once.

    Args:
        videos: all training videos.
        number: how many folds, from 2 to the number of groups.

    Raises:
        UsageError: there are fewer groups than folds.
    """
    groups = sorted({video.group for video in videos})
    if not 2 <= number <= len(groups):
        raise UsageError(f"{number} folds of {len(groups)} groups; 2 to {len(groups)} are possible")
    order = np.random.default_rng(_SEED).permutation(len(groups))
    fold_of = {groups[position]: rank % number for rank, position in enumerate(order)}
    return tuple(
        Fold(
            train=tuple(video for video in videos if fold_of[video.group] != fold),
            held_out=tuple(video for video in videos if fold_of[video.group] == fold),
        )
        for fold in range(number)
    )
