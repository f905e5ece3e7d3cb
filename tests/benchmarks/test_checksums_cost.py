"""What it costs that features are compared with their checksums when a process first reads them."""

from __future__ import annotations

import shutil
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from itertools import islice

import numpy as np
import pytest
import torch

from tests.benchmarks.figures import tell
from tests.benchmarks.measuring import shortest_ms
from tests.benchmarks.test_paper_size import acm
from tests.benchmarks.thumos_size import (
    BATCH_SIZE,
    Material,
    make_material,
    our_batches,
    weak_videos,
)
from wsal_bench.profiling.steps import step_seconds
from wsal_bench.types import WeakVideo

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


def read_epoch(videos: Sequence[WeakVideo]) -> None:
    """The batches of an epoch, from which nobody learns."""
    for _ in islice(our_batches(videos), len(videos) // BATCH_SIZE):
        pass


def step_cpu_seconds(videos: list[WeakVideo], steps: int = 2) -> float:
    """CPU time of a step of ACM-Net with its published options; the videos were read before."""
    method = acm()
    began = time.process_time()
    step_seconds(method, videos, steps, warmup=0)
    return (time.process_time() - began) / steps


def test_comparing_takes_less_than_two_percent_of_an_epoch(material: Material) -> None:
    opened = weak_videos(material.store)
    read_epoch(opened)
    blocks = [video.features[:] for video in opened]
    ways: dict[str, Callable[[], object]] = {
        "CRC-32": lambda: [zlib.crc32(rows.data) for rows in blocks],
        "SHA-256": lambda: [sha256(rows.data).digest() for rows in blocks],
        "a plain sum": lambda: [np.add.reduce(rows.view(np.uint64), axis=None) for rows in blocks],
    }
    ms = shortest_ms(
        {
            **ways,
            "opening": lambda: weak_videos(material.store),
            "first": lambda: read_epoch(weak_videos(material.store)),
            "later": lambda: read_epoch(opened),
        },
        rounds=4,
        calls={},
    )
    cost = ms["first"] - ms["opening"] - ms["later"]
    tell(
        f"comparing {material.about}, alone: "
        + ", ".join(f"{name} {ms[name]:.0f} ms" for name in ways)
        + "; the plain sum would miss numbers that changed places"
    )
    epoch = len(opened) / BATCH_SIZE * step_cpu_seconds(opened)
    share = cost / 1e3 / epoch
    tell(
        f"reading an epoch: {ms['later']:.0f} ms of CPU, the first of a process {cost:.0f} ms more "
        f"for comparing; that is {share:.2%} of an epoch of ACM-Net ({epoch:.1f} s of CPU)"
    )
    assert share < 0.02
