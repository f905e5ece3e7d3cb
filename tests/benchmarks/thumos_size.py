"""Features of THUMOS14's size and shape, made up, as files of a video each and as a store.

As a program it walks epochs of the store and prints what memory that takes: RssAnon, which counts
what the process made and leaves out the mapped files.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tests.data.stores import write_store
from wsal_bench.api import Split
from wsal_bench.data.stored import StoredConfig
from wsal_bench.training.reading import Buffers, read_ahead
from wsal_bench.training.sampling import shuffled_batches
from wsal_bench.types import Batch, WeakVideo
from wsal_datasets.imported import Dataset

# durations in seconds of the 200 training videos: share of the videos -> quantile
QUANTILES = {
    0.0: 8.932,
    0.05: 30.788,
    0.1: 37.026,
    0.25: 81.199,
    0.5: 150.529,
    0.75: 228.733,
    0.9: 450.487,
    0.95: 700.035,
    0.99: 950.821,
    1.0: 1409.434,
}
SNIPPETS_PER_SECOND = 25 / 16
NUM_VIDEOS, DIM, NUM_CLASSES = 200, 2048, 20
BATCH_SIZE, NUM_SNIPPETS = 16, 750
SMALL = "WSAL_BENCH_SMALL"
"""Set it to 1 for a quarter of the videos."""


@dataclass(frozen=True)
class Material:
    """The same videos twice.

    Args:
        store: as wsal-bench keeps them, with two test videos more.
        files: an npy file of float16 for each training video.
        about: what it is, for people.
    """

    store: Path
    files: tuple[Path, ...]
    about: str


def lengths(count: int) -> list[int]:
    """Snippets of videos whose durations have the quantiles of THUMOS14."""
    shares = (np.arange(count) + 0.5) / count
    seconds = np.interp(shares, list(QUANTILES), list(QUANTILES.values()))
    return [int(number) for number in np.maximum(seconds * SNIPPETS_PER_SECOND, 1)]


def make_material(root: Path) -> Material:
    """Writes the features, a quarter of them where asked for or where the disk is nearly full."""
    small = os.environ.get(SMALL) == "1" or shutil.disk_usage(root).free < 3e9
    snippets = lengths(NUM_VIDEOS // 4 if small else NUM_VIDEOS)
    rng = np.random.default_rng(0)
    rng.shuffle(snippets)
    # not negative and mostly small, as after the last ReLU of I3D
    block = np.square(rng.random((4096, DIM), np.float32)).astype(np.float16)
    files = []

    def make(split: Split, number: int, length: int) -> NDArray[Any]:
        begin = int(rng.integers(4096 - length))
        if split == "train":
            files.append(root / f"{number}.npy")
            np.save(files[-1], block[begin : begin + length])
        return block[begin : begin + length]

    classes = tuple(f"class {number}" for number in range(NUM_CLASSES))
    store = write_store(
        root / "store", {"train": snippets, "test": [50, 60]}, make, dim=DIM, class_names=classes
    )
    size = (store / "train.npy").stat().st_size / 1e9
    about = f"{len(snippets)} videos, {size:.2f} GB in float16"
    return Material(store, tuple(files), about + (", a quarter of THUMOS14" if small else ""))


def weak_videos(store: Path) -> list[WeakVideo]:
    """The training videos of a store."""
    videos = Dataset(StoredConfig(), path=store).videos("train")
    return [video for video in videos if isinstance(video, WeakVideo)]


def our_batches(videos: Sequence[WeakVideo], *, workers: int = 0) -> Iterator[Batch]:
    """Full batches, epoch after epoch, as the training loop gets them."""
    generator = np.random.default_rng(0)
    buffers = Buffers(workers + 2)
    while True:
        epoch = shuffled_batches(
            videos, generator, batch_size=BATCH_SIZE, num_snippets=NUM_SNIPPETS
        )
        full = [draft for draft, _ in zip(epoch.drafts, range(len(videos) // BATCH_SIZE))]  # noqa: B905
        yield from read_ahead(iter(full), buffers, workers)


def published_batches(files: Sequence[Path]) -> Iterator[Tensor]:
    """Full batches as published loaders make them: a file, a loop and an array for each sample."""
    draw = random.Random(0)
    order = list(files)
    while True:
        draw.shuffle(order)
        for at in range(0, len(order) - BATCH_SIZE + 1, BATCH_SIZE):
            yield torch.stack(
                [published_sample(path, draw) for path in order[at : at + BATCH_SIZE]]
            )


def published_sample(path: Path, draw: random.Random) -> Tensor:
    """One video as [T, D]: stratified where it has snippets enough, else with replacement."""
    features = np.load(path)
    num = len(features)
    if num == NUM_SNIPPETS:
        positions = list(range(num))
    elif num < NUM_SNIPPETS:
        positions = sorted(draw.randrange(num) for _ in range(NUM_SNIPPETS))
    else:
        positions = []
        for stretch in range(NUM_SNIPPETS):
            begin = stretch * num // NUM_SNIPPETS
            if stretch < NUM_SNIPPETS - 1:
                end = (stretch + 1) * num // NUM_SNIPPETS
            else:
                begin, end = positions[-1], num - 1
            positions.append(draw.randint(begin, end))
    return torch.from_numpy(features[positions].astype(np.float32))


def anonymous_bytes() -> int:
    """Resident memory of this process that no file stands behind."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon:"))


def main() -> None:
    """Walks two epochs of a store with some workers; prints the bytes before and at most."""
    store, workers = Path(sys.argv[1]), int(sys.argv[2])
    videos = weak_videos(store)
    before, most, total = anonymous_bytes(), 0, 0.0
    batches = our_batches(videos, workers=workers)
    for _, batch in zip(range(2 * (len(videos) // BATCH_SIZE)), batches):  # noqa: B905
        most = max(most, anonymous_bytes())
        total += float(batch.features[:, -1].sum())  # somebody looks at it
    batches.close()  # type: ignore[attr-defined]
    sys.stdout.write(json.dumps({"before": before, "most": most, "total": total}))


if __name__ == "__main__":
    main()
