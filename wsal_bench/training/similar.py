"""Batches in which some videos stand in pairs that share a class, as W-TALC's loss wants them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from wsal_bench.errors import DataError
from wsal_bench.training.positions import Draw, crop_indices
from wsal_bench.training.reading import Draft
from wsal_bench.training.sampling import DraftedEpoch, gather
from wsal_bench.types import Batch, IntArray, WeakVideo


@dataclass(frozen=True)
class SimilarPolicy:
    """How such batches are made.

    Args:
        batch_size: videos of a batch, >= 2 * num_pairs.
        num_pairs: rows 0 and 1, 2 and 3, ... of a batch are pairs that share a class.
        num_snippets: T, for `draw`.
        distinct: the two are different videos, wherever a class has two; else one video may stand
            in a pair with itself, as in W-TALC's own loader.
        draw: which snippets of a video.
    """

    batch_size: int
    num_pairs: int
    num_snippets: int
    distinct: bool = False
    draw: Draw = crop_indices

    def __post_init__(self) -> None:
        if not 0 <= 2 * self.num_pairs <= self.batch_size:
            raise ValueError(
                f"{self.num_pairs} pairs do not fit into a batch of {self.batch_size} videos"
            )


def similar_batches(
    videos: Sequence[WeakVideo], generator: np.random.Generator, policy: SimilarPolicy
) -> DraftedEpoch[Batch]:
    """As many batches as would show every video once; what is in them is drawn independently.

    Each pair: a class, each class that videos show being as likely as any other, and two of its
    videos. The rest of a batch: any videos, with replacement.

    Args:
        videos: all training videos, at least one of which shows a class.
        generator: the videos of a batch, then their snippets, batch after batch.
        policy: sizes, and how the two of a pair are drawn.

    Raises:
        DataError: no video shows any class.
    """
    labels = np.stack([video.labels for video in videos])
    by_class = [np.flatnonzero(column) for column in labels.T if column.any()]
    if not by_class:
        raise DataError(f"none of the {len(videos)} training videos shows a class")
    number = -(-len(videos) // policy.batch_size)

    def draft(_: int) -> Draft[Batch]:
        chosen = _drawn(len(videos), by_class, generator, policy)
        lengths = [videos[int(index)].num_snippets for index in chosen]
        taken = [policy.draw(num, policy.num_snippets, generator) for num in lengths]
        return partial(gather, videos, chosen, taken)

    return DraftedEpoch(number, map(draft, range(number)))


def _drawn(
    num_videos: int,
    by_class: Sequence[IntArray],
    generator: np.random.Generator,
    policy: SimilarPolicy,
) -> IntArray:
    pairs = []
    for label in generator.integers(len(by_class), size=policy.num_pairs):
        shown = by_class[label]
        again = not policy.distinct or len(shown) < 2
        pairs.append(generator.choice(shown, 2, replace=again))
    rest = generator.integers(num_videos, size=policy.batch_size - 2 * policy.num_pairs)
    return np.concatenate([*pairs, rest])
