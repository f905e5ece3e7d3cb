"""What the diagnosis costs, against its definition and against what it is made of."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest

from tests.benchmarks.figures import tell
from tests.evaluation.diagnosis_cases import Scene, detections_of, fates, truth_of
from wsal_bench.evaluation import common, evaluate
from wsal_bench.evaluation.diagnosis import diagnose, snippet_precision
from wsal_bench.evaluation.diagnosis.case import lay_out
from wsal_bench.evaluation.diagnosis.errors import kinds_of_rows
from wsal_bench.types import Activations

RULES = common("x")

pytestmark = pytest.mark.measured


def cpu_seconds(work: Callable[[], object], times: int) -> float:
    """The quickest of several runs."""
    seconds = []
    for _ in range(times):
        begin = time.process_time()
        work()
        seconds.append(time.process_time() - begin)
    return min(seconds)


def made_up(num_videos: int, truths: int, detections: int) -> Scene:
    """So many truths and detections in each video, of five classes."""
    rng = np.random.default_rng(0)
    found = []
    for number in (truths, detections):
        start = rng.uniform(0, 100, (num_videos, number))
        length = rng.uniform(1, 10, (num_videos, number))
        label = rng.integers(0, 5, (num_videos, number))
        found.append(
            [
                (f"v{v}", "ABCDE"[label[v, k]], float(start[v, k]), float((start + length)[v, k]))
                for v in range(num_videos)
                for k in range(number)
            ]
        )
    scores = np.sort(rng.random(len(found[1])))[::-1].tolist()
    scored = [(*row, score) for row, score in zip(found[1], scores, strict=True)]
    return Scene(tuple(found[0]), tuple(scored))


def test_kinds_of_errors_come_400_times_as_fast_as_from_their_definition() -> None:
    scene = made_up(20, 10, 50)
    truth, detections = truth_of(scene.truth), detections_of(scene.detections)
    scores = evaluate(truth, detections, RULES)
    fast = cpu_seconds(lambda: kinds_of_rows(lay_out(truth, detections, scores)), 5)
    slow = cpu_seconds(lambda: [fates(scene, tiou) for tiou in RULES.tious], 1)
    tell(f"kinds of errors: {slow / fast:,.0f} x their plain definition")
    assert slow >= 400 * fast, f"{slow:.3f} s against {fast:.4f} s"


def test_a_whole_diagnosis_costs_a_few_sorts_of_every_column() -> None:
    scene = made_up(200, 16, 150)  # as large as 31,587 real detections of THUMOS14
    truth, detections = truth_of(scene.truth), detections_of(scene.detections)
    scores = evaluate(truth, detections, RULES)
    whole = cpu_seconds(lambda: diagnose(truth, detections, scores), 5)
    sort = cpu_seconds(lambda: np.argsort(detections.score), 5)
    tell(f"a whole diagnosis: {whole / sort:.0f} x one argsort of the scores")
    assert whole <= 100 * sort, f"{whole:.3f} s against {sort:.5f} s"


def test_snippet_precision_costs_little_more_than_its_sorts() -> None:
    rng, classes = np.random.default_rng(0), tuple("ABCDE")
    scene = made_up(50, 16, 1)
    times = np.arange(401) / 4
    said = {
        f"v{v}": Activations({"cas": rng.random((400, 5))}, {}, np.zeros(5), times)
        for v in range(50)
    }
    truth = truth_of(scene.truth)
    column = rng.random((5, 20_000))
    whole = cpu_seconds(lambda: snippet_precision(truth, said, classes), 5)
    sorts = cpu_seconds(lambda: [np.argsort(row, kind="stable") for row in column], 5)
    assert whole <= 10 * sorts, f"{whole:.4f} s against {sorts:.4f} s"
