"""Ratios measured in one run; absolute times are reported elsewhere."""

import time
from collections.abc import Callable

import numpy as np

from wsal_bench.evaluation import common, evaluate
from wsal_bench.evaluation import reference as plain
from wsal_bench.types import Detections, GroundTruth

NUM_VIDEOS, NUM_CLASSES, NUM_TRUTHS, NUM_DETECTIONS = 20, 5, 200, 1500


def made_up_case() -> tuple[GroundTruth, Detections]:
    rng = np.random.default_rng(0)
    start, found = rng.uniform(0, 100, NUM_TRUTHS), rng.uniform(0, 100, NUM_DETECTIONS)
    video_ids = tuple(f"v{i}" for i in range(NUM_VIDEOS))
    class_names = tuple("ABCDE"[:NUM_CLASSES])
    truth = GroundTruth(
        video=rng.integers(0, NUM_VIDEOS, NUM_TRUTHS),
        start=start,
        end=start + rng.uniform(5, 30, NUM_TRUTHS),
        label=rng.integers(0, NUM_CLASSES, NUM_TRUTHS),
        video_ids=video_ids,
        class_names=class_names,
    )
    detections = Detections(
        video=rng.integers(0, NUM_VIDEOS, NUM_DETECTIONS),
        start=found,
        end=found + rng.uniform(5, 30, NUM_DETECTIONS),
        label=rng.integers(0, NUM_CLASSES, NUM_DETECTIONS),
        score=rng.random(NUM_DETECTIONS),
        video_ids=video_ids,
        class_names=class_names,
    )
    return truth, detections


def cpu_seconds(work: Callable[[], object], times: int) -> float:
    """The quickest of several runs."""
    seconds = []
    for _ in range(times):
        begin = time.process_time()
        work()
        seconds.append(time.process_time() - begin)
    return min(seconds)


def test_evaluate_is_at_least_ten_times_as_fast_as_its_definition() -> None:
    truth, detections = made_up_case()
    rules = common("x")
    fast = cpu_seconds(lambda: evaluate(truth, detections, rules), 5)
    slow = cpu_seconds(lambda: plain.average_precisions(truth, detections, rules), 1)
    assert slow >= 10 * fast, f"{slow:.3f} s against {fast:.4f} s"
