"""Which snippets of a video a network sees, and which videos stand together in a batch.

Randomness comes from the generator that is passed, so the same generator state gives the same
batches. A batch is drawn first and read later; `reading` says into which memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Generic, Literal, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from wsal_bench.errors import DataError
from wsal_bench.training.positions import Draw, random_indices
from wsal_bench.training.reading import Buffers, Draft, read_rows
from wsal_bench.types import Batch, FloatArray, IntArray, PairBatch, Video, WeakVideo

Pick = Callable[[int], IntArray]
"""Number of snippets of a video -> positions of those to take, in time order."""

BatchT = TypeVar("BatchT", bound=Batch)


class Epoch(Generic[BatchT]):
    """The batches of one epoch, made one by one, and how many they are; to be walked once."""

    def __init__(self, length: int, batches: Iterable[BatchT]) -> None:
        self._length = length
        self._batches = batches

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[BatchT]:
        return iter(self._batches)


class DraftedEpoch(Epoch[BatchT]):
    """An epoch whose batches can be drawn without being read.

    Args:
        length: number of batches.
        drafts: the batches, not read yet; all draws happen while this is walked.
    """

    def __init__(self, length: int, drafts: Iterable[Draft[BatchT]]) -> None:
        super().__init__(length, ())
        self.drafts = drafts

    def __iter__(self) -> Iterator[BatchT]:
        buffers = Buffers()
        return (draft(buffers) for draft in self.drafts)


def collate(
    videos: Sequence[Video], indices: Sequence[int] | IntArray, pick: Pick, *, num_classes: int = 0
) -> Batch:
    """A batch of some of the videos.

    Where `pick` takes differently many snippets, shorter videos are padded with zeros at the end
    and `lengths` says how many are real.

    Args:
        videos: the sequence to draw from.
        indices: [B] positions of the batch's videos in it.
        pick: which snippets of each video.
        num_classes: C for videos without labels, which get zeros.

    Returns:
        The batch, on the CPU. Its times are the borders of equal parts of each video, which is
        exact for uniform sampling, the mean of random sampling, and meaningless for crops;
        `extras["snippets"]` [B, T] holds the positions that were taken (-1 in the padding).
    """
    taken = [pick(videos[int(index)].num_snippets) for index in indices]
    return gather(videos, indices, taken, Buffers(), num_classes)


def shuffled_batches(
    videos: Sequence[Video],
    generator: np.random.Generator,
    *,
    batch_size: int,
    num_snippets: int,
    draw: Draw = random_indices,
) -> DraftedEpoch[Batch]:
    """One epoch: every video once, in random order, its snippets drawn anew.

    The last batch holds what is left over and may be smaller.

    Args:
        videos: all training videos.
        generator: order of the videos, then the snippets, batch after batch.
        batch_size: videos of a batch.
        num_snippets: T, for `draw`.
        draw: which snippets of a video, see `positions`; where it takes fewer than T of some, those
            videos are padded.
    """
    chunks = _chunks(generator.permutation(len(videos)), batch_size)

    def draft(chunk: IntArray) -> Draft[Batch]:
        lengths = [videos[int(index)].num_snippets for index in chunk]
        taken = [draw(num, num_snippets, generator) for num in lengths]
        return partial(gather, videos, chunk, taken)

    return DraftedEpoch(len(chunks), map(draft, chunks))


@dataclass(frozen=True, eq=False)
class VideoPairs:
    """Pairs of videos, as columns.

    Args:
        first: [P] positions of the first videos.
        second: [P] positions of the second ones.
        similar: [P] bool, true where both show the same classes, false where they share none.
    """

    first: IntArray
    second: IntArray
    similar: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.first)


def video_pairs(labels: FloatArray, generator: np.random.Generator) -> VideoPairs:
    """All positive pairs of videos and as many negative ones, as FTCL pairs them.

    Of all pairs i < j those with equal label vectors are positive and those without a common
    class negative; pairs that share some classes are dropped. The negatives are drawn without
    replacement down to the number of positives; where there are fewer, all are taken.

    Args:
        labels: [V, C] zeros and ones.
        generator: which negatives.

    Returns:
        The positive pairs, then the negative ones, each by first and second video.

    Raises:
        DataError: no two videos show the same classes.
    """
    shown = np.asarray(labels) > 0
    common = shown.astype(np.float64) @ shown.T
    counts = shown.sum(1)
    upper = np.triu(np.ones(common.shape, bool), 1)
    equal = upper & (common == counts[:, None]) & (common == counts[None, :]) & (common > 0)
    positive = np.argwhere(equal)
    negative = np.argwhere(upper & (common == 0))
    if not len(positive):
        raise DataError(
            f"no two of the {len(shown)} training videos show the same classes",
            hint="a method that learns from pairs needs at least one such pair",
        )
    if len(negative) > len(positive):
        kept = generator.choice(len(negative), len(positive), replace=False)
        negative = negative[np.sort(kept)]
    both = np.concatenate([positive, negative])
    return VideoPairs(both[:, 0], both[:, 1], np.arange(len(both)) < len(positive))


@dataclass(frozen=True)
class PairPolicy:
    """How batches of video pairs are made.

    Args:
        batch_size: pairs of a batch.
        num_snippets: T, drawn by `random_indices`, once per video and epoch.
        resample: `epoch` draws each video's snippets anew in each epoch; `once` (what the
            published FTCL does) keeps the same ones for the whole training.
        seed: which negatives, and with `once` which snippets; the same in every epoch.
    """

    batch_size: int
    num_snippets: int
    resample: Literal["epoch", "once"] = "epoch"
    seed: int = 0


def pair_batches(
    videos: Sequence[WeakVideo], generator: np.random.Generator, policy: PairPolicy
) -> DraftedEpoch[PairBatch]:
    """One epoch: every pair of `video_pairs` once, in random order.

    A batch of P pairs holds 2P videos: rows 0..P-1 are the first ones, rows P..2P-1 the second.

    Args:
        videos: all training videos.
        generator: the snippets (unless drawn once), then the order of the pairs.
        policy: sizes, resampling and the seed of the pairing.

    Raises:
        DataError: no two videos show the same classes.
    """
    labels = np.stack([video.labels for video in videos])
    pairs = video_pairs(labels, np.random.default_rng([policy.seed, 0]))
    once = np.random.default_rng([policy.seed, 1])
    source = once if policy.resample == "once" else generator
    taken = [random_indices(video.num_snippets, policy.num_snippets, source) for video in videos]
    chunks = _chunks(generator.permutation(len(pairs)), policy.batch_size)

    def read(chosen: IntArray, buffers: Buffers) -> PairBatch:
        rows = np.concatenate([pairs.first[chosen], pairs.second[chosen]])
        return PairBatch(
            **vars(gather(videos, rows, [taken[row] for row in rows], buffers)),
            first=torch.arange(len(chosen)),
            second=torch.arange(len(chosen), len(rows)),
            similar=torch.from_numpy(pairs.similar[chosen]),
        )

    return DraftedEpoch(len(chunks), (partial(read, chosen) for chosen in chunks))


def _chunks(order: IntArray, size: int) -> list[IntArray]:
    return [order[begin : begin + size] for begin in range(0, len(order), size)]


def gather(
    videos: Sequence[Video],
    indices: Sequence[int] | IntArray,
    taken: Sequence[IntArray],
    buffers: Buffers,
    num_classes: int = 0,
) -> Batch:
    """Reads the snippets that were taken; see `collate`, which draws and reads in one.

    Args:
        videos: the sequence to draw from.
        indices: [B] positions of the batch's videos in it.
        taken: positions of the snippets of each of them.
        buffers: where the features go.
        num_classes: C for videos without labels.
    """
    chosen = [videos[int(index)] for index in indices]
    lengths = np.array([len(positions) for positions in taken])
    size = (len(chosen), int(lengths.max()))
    features = buffers.take(*size, *chosen[0].features.shape[1:])
    snippets = np.full(size, -1)
    times = np.empty((size[0], size[1] + 1))
    for row, (video, positions) in enumerate(zip(chosen, taken, strict=True)):
        num = len(positions)
        read_rows(video.features, positions, features[row, :num])
        features[row, num:] = 0
        snippets[row, :num] = positions
        borders = video.grid.edges(video.num_snippets, num)
        # padding goes on at the same pace, so that times rise to the end
        beyond = np.arange(1, size[1] - num + 1) * (borders[1] - borders[0])
        times[row, : num + 1] = borders
        times[row, num + 1 :] = borders[-1] + beyond
    labels = [
        video.labels if isinstance(video, WeakVideo) else np.zeros(num_classes) for video in chosen
    ]
    return Batch(
        features=torch.from_numpy(features),
        lengths=torch.from_numpy(lengths),
        labels=torch.from_numpy(np.stack(labels).astype(np.float32)),
        times=torch.from_numpy(times),
        indices=torch.as_tensor(np.asarray(indices, np.int64)),
        extras={"snippets": torch.from_numpy(snippets)},
    )
