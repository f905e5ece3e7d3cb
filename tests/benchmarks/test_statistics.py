"""Resampling at the size of THUMOS14, against evaluating each resample anew."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from tests.benchmarks.figures import tell
from wsal_bench.evaluation import common, evaluate
from wsal_bench.evaluation.resampling import resampled_average_precision
from wsal_bench.statistics import paired_bootstrap
from wsal_bench.types import Detections, FloatArray, GroundTruth, IntArray

VIDEOS, TRUTHS, EACH, CLASSES = 212, 3358, 200, 20
RULES = common("x")


def made_up() -> tuple[GroundTruth, Detections]:
    """As many truths, detections and classes as THUMOS14's test set; two classes in a video."""
    rng = np.random.default_rng(0)
    names = tuple(f"v{index}" for index in range(VIDEOS))
    of_video = rng.integers(0, CLASSES, (VIDEOS, 2))
    video = rng.integers(0, VIDEOS, TRUTHS)
    start = rng.uniform(0, 200, TRUTHS)
    truth = GroundTruth(
        video=video,
        start=start,
        end=start + rng.uniform(1, 10, TRUTHS),
        label=of_video[video, rng.integers(0, 2, TRUTHS)],
        video_ids=names,
        class_names=tuple(f"c{index:02}" for index in range(CLASSES)),
    )
    video = np.repeat(np.arange(VIDEOS), EACH)
    start = rng.uniform(0, 200, len(video))
    detections = Detections(
        video=video,
        start=start,
        end=start + rng.uniform(1, 10, len(video)),
        label=of_video[video, rng.integers(0, 2, len(video))],
        score=rng.permutation(len(video)) / len(video),
        video_ids=names,
        class_names=truth.class_names,
    )
    return truth, detections


def repeated(
    truth: GroundTruth, detections: Detections, drawn: IntArray
) -> tuple[GroundTruth, Detections]:
    """The data in which the drawn videos stand under names of their own."""
    rows = [np.flatnonzero(truth.video == video) for video in drawn]
    taken = np.concatenate(rows)
    twice = replace(
        truth,
        video=np.repeat(np.arange(VIDEOS), [len(part) for part in rows]),
        start=truth.start[taken],
        end=truth.end[taken],
        label=truth.label[taken],
    )
    rows = [np.flatnonzero(detections.video == video) for video in drawn]
    taken = np.concatenate(rows)
    return twice, replace(
        detections,
        video=np.repeat(np.arange(VIDEOS), [len(part) for part in rows]),
        start=detections.start[taken],
        end=detections.end[taken],
        label=detections.label[taken],
        score=detections.score[taken],
    )


def cpu_seconds(work: Callable[[], object]) -> float:
    begin = time.process_time()
    work()
    return time.process_time() - begin


def draws(number: int) -> tuple[IntArray, FloatArray]:
    """Videos drawn with replacement, and how often each was."""
    drawn = np.random.default_rng(1).integers(0, VIDEOS, (number, VIDEOS))
    return drawn, np.stack([np.bincount(row, minlength=VIDEOS) for row in drawn]).astype(float)


def test_a_resample_is_what_evaluating_anew_gives() -> None:
    truth, detections = made_up()
    drawn, weights = draws(50)
    scores = evaluate(truth, detections, RULES)
    fast = resampled_average_precision(scores, np.arange(VIDEOS), weights)
    plain = evaluate(*repeated(truth, detections, drawn[0]), RULES).mean_ap
    # repeated detections share their score, and whichever comes first may hit: no exact equality
    np.testing.assert_allclose(np.nanmean(fast[0], axis=1), plain, atol=0.01)


@pytest.mark.measured
def test_resampling_is_10_times_as_fast_as_evaluating_anew() -> None:
    truth, detections = made_up()
    scores, unit = evaluate(truth, detections, RULES), np.arange(VIDEOS)
    drawn, weights = draws(50)
    data = repeated(truth, detections, drawn[0])
    quick, slow = [], []
    for _ in range(5):
        quick.append(cpu_seconds(lambda: resampled_average_precision(scores, unit, weights)) / 50)
        slow.append(cpu_seconds(lambda: evaluate(*data, RULES)))
    ratio = min(slow) / min(quick)
    tell(f"a resample of THUMOS14's size: {ratio:.1f} x evaluating the resampled data")
    assert ratio >= 10, f"{1e3 * min(slow):.1f} ms anew, {1e3 * min(quick):.2f} ms re-weighted"


def test_a_thousand_paired_resamples(benchmark: BenchmarkFixture) -> None:
    truth, detections = made_up()
    a = evaluate(truth, detections, RULES)
    b = evaluate(truth, replace(detections, score=1 - detections.score), RULES)

    def paired() -> None:
        paired_bootstrap([a], [b], 1000, generator=np.random.default_rng(0))

    benchmark(paired)
