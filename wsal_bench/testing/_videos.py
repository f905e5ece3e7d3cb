"""Small made-up videos on disk, beside which no truth lies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from wsal_bench.plugins.contract import Task
from wsal_bench.timegrid import TimeGrid
from wsal_bench.types import Video, WeakVideo

CLASS_NAMES = ("run", "jump", "throw")
FEATURE_DIM = 12
GRID = TimeGrid(25, 16)


@dataclass(frozen=True, eq=False)
class Videos:
    """Training and test videos of one small made-up data set."""

    train: tuple[WeakVideo, ...]
    test: tuple[Video, ...]


def make_videos(folder: Path, *, supervision: str = "video") -> Videos:
    """Nine training videos (each class alone three times) and four test videos.

    The features are memory maps of files in `folder`, as those of a real data set are.
    """
    generator = np.random.default_rng(7)
    prototypes = generator.random((len(CLASS_NAMES), FEATURE_DIM))
    train, test = [], []
    for index in range(13):
        label = index % len(CLASS_NAMES)
        features = _features(generator, prototypes[label], 6 + 5 * index)
        path = folder / f"video-{index:02d}.npy"
        np.save(path, features)
        mapped = np.load(path, mmap_mode="r")
        name, group = path.stem, f"person-{index}"
        if index >= 9:
            test.append(Video(name, mapped, GRID, group))
            continue
        labels = np.eye(len(CLASS_NAMES), dtype=np.float32)[label]
        train.append(
            WeakVideo(
                name,
                mapped,
                GRID,
                group,
                labels=labels,
                points=np.array([[1.0, label]]) if supervision == "point" else None,
                counts=labels.astype(np.int64) if supervision == "count" else None,
            )
        )
    return Videos(tuple(train), tuple(test))


def make_task(seed: int = 0) -> Task:
    """The task of these videos; it has two streams, for methods that need them."""
    half = FEATURE_DIM // 2
    streams = {"rgb": slice(0, half), "flow": slice(half, FEATURE_DIM)}
    return Task(FEATURE_DIM, CLASS_NAMES, streams=streams, seed=seed)


def copies(videos: Sequence[Video]) -> list[np.ndarray]:
    """The features as they are now."""
    return [np.array(video.features[:]) for video in videos]


def _features(
    generator: np.random.Generator, prototype: np.ndarray, num_snippets: int
) -> np.ndarray:
    features = generator.random((num_snippets, FEATURE_DIM)).astype(np.float32)
    start = num_snippets // 3
    features[start : start + max(num_snippets // 3, 1)] += 2 * prototype.astype(np.float32)
    return features
