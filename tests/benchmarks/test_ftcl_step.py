"""What FTCL's alignment costs on top of the same training step without it."""

import time
from collections.abc import Callable

import numpy as np
import pytest
import torch

from tests.benchmarks.figures import tell
from wsal_bench.api import Parent, Task
from wsal_bench.timegrid import TimeGrid
from wsal_bench.training.hooks import Progress
from wsal_bench.training.sampling import PairPolicy, pair_batches
from wsal_bench.types import WeakVideo
from wsal_methods import acm_net, ftcl

FEATURE_DIM, NUM_SNIPPETS, NUM_PAIRS, ROUNDS = 128, 100, 16, 40


def stepper(task: Task, videos: list[WeakVideo], form: str) -> Callable[[], None]:
    """One optimiser step of a form of FTCL, on one batch of pairs."""
    options = {**ftcl.Method.variants, **ftcl.Method.controls}[form]
    torch.manual_seed(0)
    start = acm_net.Method(acm_net.Method.Config(), task).network().state_dict()
    config = ftcl.Method.Config(fsd_dim=FEATURE_DIM // 2, **options)
    method = ftcl.Method(config, task, {"start": Parent(weights=start)})
    network = method.network()
    method.initial_weights(network)
    (optimizer,) = method.optimizers(network)
    policy = PairPolicy(NUM_PAIRS, NUM_SNIPPETS)
    batch = next(iter(pair_batches(videos, np.random.default_rng(0), policy)))

    def step() -> None:
        optimizer.zero_grad()
        terms = method.loss(method.forward(network, batch), batch, Progress())
        torch.stack(list(terms.values())).sum().backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    return step


@pytest.mark.measured
def test_a_step_of_ftcl_costs_little_more_than_one_of_the_pair_control() -> None:
    rng = np.random.default_rng(0)
    videos = [
        WeakVideo(
            video_id=f"v{i}",
            features=rng.random((NUM_SNIPPETS, FEATURE_DIM), np.float32),
            grid=TimeGrid(fps=25, stride=16),
            labels=np.eye(4, dtype=np.float32)[i % 4],
        )
        for i in range(24)
    ]
    task = Task(feature_dim=FEATURE_DIM, class_names=tuple("abcd"))
    steps = {form: stepper(task, videos, form) for form in ("pairs", "full")}
    seconds: dict[str, list[float]] = {form: [] for form in steps}
    # taking turns, so that a busy machine slows both; the quickest step is the least disturbed
    for _ in range(ROUNDS):
        for form, step in steps.items():
            began = time.perf_counter()
            step()
            seconds[form].append(time.perf_counter() - began)
    pairs, full = min(seconds["pairs"]), min(seconds["full"])
    tell(f"pairs {1e3 * pairs:.1f} ms, full {1e3 * full:.1f} ms, ratio {full / pairs:.2f}")
    assert full < 1.6 * pairs, f"{1e3 * full:.1f} ms against {1e3 * pairs:.1f} ms"
    assert full - pairs < 0.020, f"{1e3 * full:.1f} ms against {1e3 * pairs:.1f} ms"
