"""Training steps at the paper's size: D = 2048, T = 750, 16 videos or pairs, published options.

Features are generated (`thumos_size`), the network is the method's own. Beside it the same step
with the loops that were published, written from the formulas: Python loops over pairs and cells.
What reading costs beside the published way is in `test_reading_speed`. About two minutes on two
cores.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from statistics import median
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.benchmarks import thumos_size
from tests.benchmarks.figures import tell
from tests.benchmarks.loops import (
    cosine_of_published_style,
    fsd_of_published_style,
    lcs_of_published_style,
)
from wsal_bench import kernels
from wsal_bench.api import Parent, Task
from wsal_bench.profiling.steps import PARTS, step_seconds
from wsal_bench.training.trainable import TrainableMethod
from wsal_bench.types import WeakVideo
from wsal_methods import acm_net, ftcl

STEPS = 2
TASK = Task(thumos_size.DIM, tuple(f"class {n}" for n in range(thumos_size.NUM_CLASSES)))

pytestmark = pytest.mark.measured


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> thumos_size.Material:
    return thumos_size.make_material(tmp_path_factory.mktemp("thumos"))


@pytest.fixture(autouse=True)
def _two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def acm(precision: Any = "fp32") -> TrainableMethod:
    """ACM-Net with its published options."""
    torch.manual_seed(0)
    task = Task(TASK.feature_dim, TASK.class_names, precision=precision)
    return acm_net.Method(acm_net.Method.Config(), task)


def ftcl_full(precision: Any = "fp32") -> TrainableMethod:
    """FTCL with its published options, from an ACM-Net that learnt nothing."""
    start = acm(precision).network().state_dict()
    task = Task(TASK.feature_dim, TASK.class_names, precision=precision)
    options = ftcl.Method.variants["full"]
    return ftcl.Method(ftcl.Method.Config(**options), task, {"start": Parent(weights=start)})


def measured(
    method: TrainableMethod,
    videos: list[WeakVideo],
    instead: Mapping[Callable[..., Any], Callable[..., Any]] | None = None,
) -> dict[str, float]:
    """Seconds by part, medians of a few steps."""
    rows = step_seconds(method, videos, STEPS, warmup=1, instead=instead)
    return {part: median(row[part] for row in rows) for part in PARTS}


def in_words(parts: Mapping[str, float]) -> str:
    whole = sum(parts.values())
    shares = ", ".join(
        f"{part} {1e3 * seconds:.3g} ms" for part, seconds in parts.items() if part != "other"
    )
    return f"{whole:.2f} s ({shares})"


def _fsd(match: Tensor, gate: Tensor, *, gamma: float, check: bool) -> Tensor:
    del check
    return fsd_of_published_style(match, gate, gamma)


def _lcs(similarity: Tensor, *, threshold: float, check: bool) -> Tensor:
    del check
    return lcs_of_published_style(similarity, threshold)


PUBLISHED: Mapping[Callable[..., Any], Callable[..., Any]] = {
    kernels.cosine_similarity: cosine_of_published_style,
    kernels.fsd_score: _fsd,
    kernels.lcs_score: _lcs,
}


def test_alignment_is_less_than_one_percent_of_a_step_at_the_papers_size(
    material: thumos_size.Material,
) -> None:
    videos = thumos_size.weak_videos(material.store)
    tell(f"ACM-Net, a step of 16 videos x 750 x 2048: {in_words(measured(acm(), videos))}")
    ours = measured(ftcl_full(), videos)
    tell(f"FTCL, a step of 16 pairs of videos x 750 x 2048: {in_words(ours)}")
    loops = measured(ftcl_full(), videos, PUBLISHED)
    tell(f"the same with the published loops: {in_words(loops)}")
    aligned = {name: parts["similarity"] + parts["kernels"] for name, parts in
               (("ours", ours), ("loops", loops))}  # fmt: skip
    share = aligned["ours"] / sum(ours.values())
    tell(
        f"alignment is {share:.2%} of our step and {aligned['loops'] / sum(loops.values()):.1%} of "
        f"theirs, {aligned['loops'] / aligned['ours']:.0f} x as fast"
    )
    assert share < 0.01
    assert aligned["loops"] > 20 * aligned["ours"]


def test_bf16_autocast_is_measured(material: thumos_size.Material) -> None:
    videos = thumos_size.weak_videos(material.store)
    single, half = (
        sum(measured(acm(precision), videos).values()) for precision in ("fp32", "bf16")
    )
    tell(f"ACM-Net, a step in float32 {single:.2f} s, in bf16 autocast {half:.2f} s")
    assert half > 0


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_step_at_the_papers_size_on_a_gpu(material: thumos_size.Material) -> None:
    videos = thumos_size.weak_videos(material.store)
    task = Task(TASK.feature_dim, TASK.class_names, device="cuda")
    method = acm_net.Method(acm_net.Method.Config(), task)
    parts = measured(method, videos)
    tell(f"ACM-Net on {torch.cuda.get_device_name()}: {in_words(parts)}")
    assert sum(parts.values()) > 0
