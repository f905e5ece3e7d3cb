"""How fast batches of THUMOS14's size arrive, and in how much memory."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from tests.benchmarks.figures import tell
from tests.benchmarks.measuring import shortest_ms
from tests.benchmarks.thumos_size import (
    BATCH_SIZE,
    DIM,
    NUM_SNIPPETS,
    Material,
    make_material,
    our_batches,
    published_batches,
    weak_videos,
)

pytestmark = pytest.mark.measured
ROOT = Path(__file__).parents[2]
SHAPE = (BATCH_SIZE, NUM_SNIPPETS, DIM)


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


def test_batches_arrive_four_times_as_fast_as_from_a_published_loader(material: Material) -> None:
    theirs, ours = published_batches(material.files), our_batches(weak_videos(material.store))
    assert next(theirs).shape == next(ours).features.shape == SHAPE
    ms = shortest_ms(
        {"theirs": lambda: next(theirs), "ours": lambda: next(ours)},
        rounds=4,
        calls={"theirs": 3, "ours": 12},
    )
    ratio = ms["theirs"] / ms["ours"]
    tell(
        f"batches of {BATCH_SIZE} x {NUM_SNIPPETS} x {DIM} from {material.about}, numpy.load and "
        f"a Python loop for each sample: {ms['theirs']:.0f} ms -> {ms['ours']:.1f} ms of CPU, "
        f"{ratio:.3g} x"
    )
    assert ratio > 4


def test_a_batch_that_is_read_ahead_is_there_when_it_is_asked_for(material: Material) -> None:
    """The step is a sleep: it leaves the reading a core, as a GPU does."""
    waits: dict[int, list[float]] = {}
    for workers in (0, 1):
        batches = our_batches(weak_videos(material.store), workers=workers)
        next(batches)
        waits[workers] = []
        for _ in range(15):
            time.sleep(0.15)
            began = time.perf_counter()
            next(batches)
            waits[workers].append(1e3 * (time.perf_counter() - began))
        batches.close()  # type: ignore[attr-defined]
    without, ahead = min(waits[0]), min(waits[1])
    tell(
        f"a step waits {without:.1f} ms for its batch, {ahead:.2f} ms with --num-workers 1, where "
        "it leaves a core to the reading"
    )
    assert ahead < without / 4


@pytest.mark.parametrize("workers", [0, 1])
def test_reading_takes_less_than_a_gigabyte_of_memory_of_its_own(
    material: Material, workers: int
) -> None:
    command = [sys.executable, "-m", "tests.benchmarks.thumos_size", str(material.store)]
    ended = subprocess.run(
        [*command, str(workers)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout)
    tell(
        f"anonymous memory of a process that reads two epochs, --num-workers {workers}: "
        f"{found['before'] / 1e6:.0f} MB after the imports, {found['most'] / 1e6:.0f} MB at most"
    )
    assert 0 < found["most"] < 1e9
