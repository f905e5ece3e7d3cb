"""Worlds whose true differences are known, drawn through the real evaluator.

A world makes test sets of videos in groups, and detections of several methods on them. A method's
quality in a video has effects of its group, its video, its training seed and its data seed; all of
them are drawn anew each time. Rows of one quality do not differ in truth; `LOWER` is what the worse
ones lack.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from wsal_bench.evaluation import Scores, common, evaluate
from wsal_bench.statistics import RowStatistics
from wsal_bench.types import Detections, FloatArray, GroundTruth, IntArray

CLASSES = 6
FALSE = 4  # detections of nothing in each video
RULES = common("made-up")
LOWER = (0.4, 0.6, 0.8, 1.0)  # quality that the worse rows lack; 0.1 is about 1.5 points of mAP
EQUAL = tuple(f"equal{k}" for k in range(8))
WORSE = tuple(f"worse{k}" for k in range(4))
TABLES: Mapping[str, tuple[str, ...]] = {
    "2 equal": EQUAL[:2],
    "2 apart": (EQUAL[0], WORSE[3]),
    "8 equal": EQUAL,
    "8 apart": (*EQUAL[:4], *WORSE),
}
"""What is compared: rows that are equal, and rows some of which are worse."""

Runs = dict[str, dict[tuple[int, int], Scores]]


@dataclass(frozen=True)
class World:
    """Where test sets come from.

    Args:
        sizes: videos of each group.
        data_seeds: test sets.
        seeds: training seeds on each.
        group: standard deviation of a method's quality over groups.
        video: over videos.
        seed: over training seeds.
        both: over training seeds and videos together.
        data: over data seeds.
        shared: over groups, of all methods alike.
    """

    sizes: tuple[int, ...]
    data_seeds: int
    seeds: int
    group: float = 0.5
    video: float = 0.3
    seed: float = 0.1
    both: float = 0.3
    data: float = 0.0
    shared: float = 0.6


GROUPS: Mapping[str, tuple[int, ...]] = {
    "9 equal": (13,) * 9,
    "9 unequal": (40, 25, 15, 12, 8, 6, 5, 4, 3),
    "30 groups": (4,) * 30,
    "210 videos": (1,) * 210,
}


def worlds() -> dict[str, World]:
    """The grid: groups x seeds."""
    return {
        f"{name}, {d} x {s}": World(sizes, d, s, data=0.0 if d == 1 else 0.1)
        for name, sizes in GROUPS.items()
        for d, s in ((1, 6), (3, 2))
    }


def draw(world: World, rows: Sequence[str], rng: Generator) -> Runs:
    """Scores of rows on new test sets."""
    groups = np.repeat(np.arange(len(world.sizes)), world.sizes)
    found: Runs = {name: {} for name in rows}
    for data_seed in range(world.data_seeds):
        truth = _truth(groups, rng)
        easy = rng.normal(0.3, world.shared, len(world.sizes))[groups]
        easy = easy + rng.normal(0, 0.5, len(groups))
        for name in rows:
            lacks = LOWER[WORSE.index(name)] if name in WORSE else 0.0
            own = easy - lacks + rng.normal(0, world.data)
            own = own + rng.normal(0, world.group, len(world.sizes))[groups]
            own = own + rng.normal(0, world.video, len(groups))
            for seed in range(world.seeds):
                noise = rng.normal(0, world.both, len(groups)) + rng.normal(0, world.seed)
                found[name][data_seed, seed] = evaluate(
                    truth, _detections(truth, own + noise, rng), RULES
                )
    return found


def _truth(groups: IntArray, rng: Generator) -> GroundTruth:
    videos = len(groups)
    start = rng.uniform(1, 14, videos)
    label = rng.permutation(np.arange(videos) % CLASSES)
    return GroundTruth(
        video=np.arange(videos),
        start=start,
        end=start + rng.gamma(6, 0.6, videos),
        label=label,
        video_ids=tuple(f"v{k}" for k in range(videos)),
        class_names=tuple("abcdef"[:CLASSES]),
        groups=tuple(f"g{group}" for group in groups),
    )


def _detections(truth: GroundTruth, quality: FloatArray, rng: Generator) -> Detections:
    """One try at each truth, the closer the better the method, and some of nothing."""
    videos = len(truth.video_ids)
    share = 1 / (1 + np.exp(-quality))
    length = truth.end - truth.start
    start, end = (
        side + rng.normal(0, 0.55, videos) * length * (1 - share)
        for side in (truth.start, truth.end)
    )
    right = rng.random(videos) < 0.35 + 0.6 * share
    many = videos * FALSE
    wrong = rng.uniform(0, 15, many)
    return Detections(
        video=np.r_[np.arange(videos), np.repeat(np.arange(videos), FALSE)],
        start=np.r_[start, wrong],
        end=np.r_[np.maximum(end, start + 0.2), wrong + rng.gamma(6, 0.6, many)],
        label=np.r_[
            np.where(right, truth.label, rng.integers(0, CLASSES, videos)),
            rng.integers(0, CLASSES, many),
        ],
        score=np.r_[rng.normal(0, 1, videos) + 2 * share, rng.normal(-0.6, 1, many)],
        video_ids=truth.video_ids,
        class_names=truth.class_names,
    )


def best_of(runs: Runs, rows: Sequence[str]) -> str:
    """The row that comes out first."""
    return max(rows, key=lambda name: float(np.mean([run.headline for run in runs[name].values()])))


def marked(statistics: Mapping[str, RowStatistics]) -> list[str]:
    """Rows that the table calls different from its reference."""
    return [
        name
        for name, one in statistics.items()
        if one.comparison is not None and not one.comparison.inside_noise
    ]
