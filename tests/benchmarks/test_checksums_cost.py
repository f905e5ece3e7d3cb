"""What it costs that features are compared with their checksums when a process first reads them."""

from __future__ import annotations

import shutil
import zlib
from collections.abc import Iterator
from hashlib import sha256
from math import ceil
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.benchmarks.figures import tell
from tests.benchmarks.measuring import shortest_ms
from tests.benchmarks.test_paper_size import TASK, acm
from tests.benchmarks.thumos_size import BATCH_SIZE, Material, make_material, weak_videos
from wsal_bench.profiling.steps import step_seconds
from wsal_bench.training.trainable import TrainableMethod
from wsal_bench.types import WeakVideo
from wsal_methods import mil

pytestmark = pytest.mark.measured


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Material]:
    root = tmp_path_factory.mktemp("thumos")
    yield make_material(root)
    shutil.rmtree(root)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def first_views(store: Path) -> None:
    """Compares all training videos, as the first epoch of a process does."""
    for video in weak_videos(store):
        video.features.view()  # type: ignore[attr-defined]


def epoch_seconds(method: TrainableMethod, videos: list[WeakVideo]) -> float:
    """Of an epoch without comparing: these videos have been read before."""
    steps = step_seconds(method, videos, 2, warmup=1)
    return ceil(len(videos) / BATCH_SIZE) * min(sum(parts.values()) for parts in steps)


def test_comparing_takes_less_than_two_percent_of_an_epoch(material: Material) -> None:
    """Also of `mil`, whose steps are next to nothing but reading."""
    opened = weak_videos(material.store)
    blocks = [video.features.view() for video in opened]  # type: ignore[attr-defined]
    ms = shortest_ms(
        {
            "opened": lambda: weak_videos(material.store),
            "compared": lambda: first_views(material.store),
            "crc32": lambda: [zlib.crc32(rows.data) for rows in blocks],
            "sha256": lambda: [sha256(rows.data).digest() for rows in blocks],
            "added": lambda: [np.add.reduce(rows.view(np.uint64), axis=None) for rows in blocks],
        },
        rounds=3,
        calls={},
    )
    cost = ms["compared"] - ms["opened"]
    tell(
        f"comparing {material.about} with their checksums, once a process: {cost:.0f} ms "
        f"(CRC-32 alone {ms['crc32']:.0f} ms, SHA-256 {ms['sha256']:.0f} ms, a plain sum, which "
        f"misses exchanged numbers, {ms['added']:.0f} ms)"
    )
    torch.manual_seed(0)
    methods: dict[str, TrainableMethod] = {
        "mil": mil.Method(mil.Method.Config(), TASK),
        "acm-net": acm(),
    }
    for name, method in methods.items():
        seconds = epoch_seconds(method, opened)
        share = cost / 1e3 / seconds
        tell(f"an epoch of {name}: {seconds:.1f} s, {share:.2%} more where it is the first")
        assert share < 0.02
