"""Small random truths and detections to resample."""

import numpy as np

from wsal_bench.evaluation import Scores, common, evaluate
from wsal_bench.types import Detections, GroundTruth

RULES = common("x")


def random_truth(rng: np.random.Generator, num_videos: int = 6, size: int = 20) -> GroundTruth:
    start = rng.uniform(0, 50, size)
    return GroundTruth(
        video=rng.integers(0, num_videos, size),
        start=start,
        end=start + rng.uniform(1, 10, size),
        label=rng.integers(0, 3, size),
        video_ids=tuple(f"v{i}" for i in range(num_videos)),
        class_names=("A", "B", "C"),
    )


def noisy_detections(
    rng: np.random.Generator, truth: GroundTruth, noise: float, size: int = 80
) -> Detections:
    """Copies of true segments, moved about; one more video than the truth has."""
    source = rng.integers(0, len(truth), size)
    start = truth.start[source] + rng.normal(0, noise, size)
    return Detections(
        video=np.where(rng.random(size) < 0.1, len(truth.video_ids), truth.video[source]),
        start=start,
        end=start + np.maximum(truth.end - truth.start, 0.5)[source],
        label=truth.label[source],
        score=rng.permutation(size) / size,
        video_ids=(*truth.video_ids, "elsewhere"),
        class_names=truth.class_names,
    )


def compared(noise: float, seed: int = 0) -> tuple[list[Scores], list[Scores]]:
    """Two training seeds of a fair method and of one whose segments are `noise` seconds off."""
    rng = np.random.default_rng(seed)
    truth = random_truth(rng, num_videos=20, size=100)
    a = [evaluate(truth, noisy_detections(rng, truth, 1.0, 300), RULES) for _ in range(2)]
    b = [evaluate(truth, noisy_detections(rng, truth, noise, 300), RULES) for _ in range(2)]
    return a, b
