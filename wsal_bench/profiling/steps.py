"""`profile methods`: seconds of a training step by part, measured on real steps of a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch

from wsal_bench import plugins
from wsal_bench.config import Layer, build
from wsal_bench.environment import environment
from wsal_bench.errors import DataError, UsageError
from wsal_bench.plugins.contract import Method
from wsal_bench.plugins.truth_lock import truth_locked
from wsal_bench.profiling.parts import Clock, timed_kernels
from wsal_bench.running.cells import RunSpec
from wsal_bench.running.datasource import Catalog
from wsal_bench.running.learning import parent_of
from wsal_bench.running.resolution import resolve_device, task_of
from wsal_bench.training.hooks import Progress
from wsal_bench.training.learner import Learner
from wsal_bench.training.trainable import TrainableMethod
from wsal_bench.types import Batch

SCHEMA = "wsal-bench/profile-methods/2"
WARMUP = 2  # steps before the clock counts: compilation, first allocations
PARTS = ("data", "forward", "loss", "similarity", "kernels", "backward", "optimiser", "other")


def profile_run(spec: RunSpec, directory: Path, steps: int) -> dict[str, Any]:
    """Repeats the first steps of a run with clocks in them; its directory is only read.

    `loss` and `backward` are without similarity and kernels, whose own backward is counted with
    them. `other` is what lies between the parts. The first phase of a method is measured.

    Args:
        spec: of the run.
        directory: of the run; what it starts from is looked for beside it.
        steps: that are measured.

    Raises:
        UsageError: a reference row, or a method that has no training steps.
        DataError: data or a parent that cannot be read.
    """
    if spec.method.startswith(("floor:", "ceiling:")):
        raise UsageError(f"{spec.method} is a reference row and learns nothing")
    kind: type[Method] = plugins.load("methods", spec.method)
    if not issubclass(kind, TrainableMethod):
        raise UsageError(f"{spec.name} does not learn in steps of the common training loop")
    dataset = Catalog().dataset(spec.data)
    device = resolve_device(spec.device)
    config = build(kind.Config, [Layer("the specification", spec.config)], owner=spec.name)
    results = directory.resolve().parents[len(Path(spec.key).parts) - 1]
    parents = {name: parent_of(need, results) for name, need in spec.needs.items()}
    before = torch.get_num_threads()
    torch.set_num_threads(spec.threads)
    try:
        with truth_locked(), torch.random.fork_rng():
            torch.manual_seed(spec.seed)
            method = kind(config, task_of(spec, dataset, device), parents)
            rows = step_seconds(method, dataset.videos("train"), steps)
        where = environment(device)
    finally:
        torch.set_num_threads(before)
    return {"method": spec.name, "dataset": spec.data.name, "environment": where, **_summary(rows)}


def _summary(rows: list[dict[str, float]]) -> dict[str, Any]:
    """Medians over the steps; shares of their sum, so that shares add up to 1."""
    parts = {part: median(row[part] for row in rows) for part in PARTS}
    total = sum(sum(row.values()) for row in rows)
    shares = {part: sum(row[part] for row in rows) / total for part in PARTS}
    return {
        "steps": len(rows),
        "seconds_step": median(sum(row.values()) for row in rows),
        "seconds": parts,
        "share": shares,
        "kernels_share": shares["similarity"] + shares["kernels"],
        "raw": rows,
    }


def step_seconds(
    method: TrainableMethod,
    videos: Any,
    steps: int,
    *,
    warmup: int = WARMUP,
    instead: Mapping[Callable[..., Any], Callable[..., Any]] | None = None,
) -> list[dict[str, float]]:
    """Seconds by part of each measured step.

    Args:
        method: not trained yet.
        videos: with labels.
        steps: that are measured.
        warmup: steps before.
        instead: kernel -> what runs in its place, for a comparison.
    """
    learner, clock = Learner(method), Clock(torch.device(method.task.device))
    timed: Any = method  # its instance gets timed versions of two methods
    timed.forward = clock.timed("forward", method.forward)
    timed.loss = clock.timed("loss", method.loss)
    learner.begin_epoch()
    batches = _endless(method, videos)
    rows = []
    with timed_kernels(clock, instead):
        for index in range(warmup + steps):
            clock.seconds.clear()
            began = clock.now()
            batch, progress = next(batches)
            loaded = clock.now()
            learner.backward(batch, progress)
            learned = clock.now()
            learner.step(progress)
            ended = clock.now()
            if index >= warmup:
                rows.append(_row(clock, began, loaded, learned, ended))
    return rows


def _row(
    clock: Clock, began: float, loaded: float, learned: float, ended: float
) -> dict[str, float]:
    took = clock.seconds
    inside = took["similarity"] + took["kernels"]
    behind = took["similarity backward"] + took["kernels backward"]
    return {
        "data": loaded - began,
        "forward": took["forward"],
        "loss": took["loss"] - inside,
        "similarity": took["similarity"] + took["similarity backward"],
        "kernels": took["kernels"] + took["kernels backward"],
        "backward": learned - loaded - took["forward"] - took["loss"] - behind,
        "optimiser": ended - learned,
        "other": clock.now() - ended,
    }


def _endless(method: TrainableMethod, videos: Any) -> Iterator[tuple[Batch, Progress]]:
    """Batches of the first phase, epoch after epoch."""
    generator = np.random.default_rng([method.task.seed, 0])
    epochs = method.phases()[0].epochs
    done = 0
    for epoch in range(10**9):
        start = Progress(0, epoch % epochs, done, (epoch % epochs) / epochs, {})
        before = done
        for batch in islice(method.batches(videos, generator, start), None):
            yield batch, Progress(0, epoch % epochs, done, (epoch % epochs) / epochs, {}, done)
            done += 1
        if done == before:
            raise DataError(f"epoch {epoch} has no batch to learn from")
