"""True and false positives of one video, by hand and beside the evaluator."""

from __future__ import annotations

import numpy as np
import pytest

from wsal_bench.evaluation import common, evaluate, with_tious
from wsal_bench.evaluation.one_video import judge
from wsal_bench.types import Detections, GroundTruth

NAMES = ("dive", "jump", "run")
TRUTH = GroundTruth(
    video=np.array([0, 0, 0, 1]),
    start=np.array([0.0, 10.0, 20.0, 0.0]),
    end=np.array([4.0, 14.0, 24.0, 4.0]),
    label=np.array([0, 0, 1, 0]),
    video_ids=("a", "b", "empty"),
    class_names=NAMES,
)


def detections(*rows: tuple[int, float, float, int, float]) -> Detections:
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    return Detections(
        columns[0].astype(int), columns[1], columns[2], columns[3].astype(int), columns[4],
        ("a", "b", "empty"), NAMES,
    )  # fmt: skip


FOUND = detections(
    (0, 0.0, 4.0, 0, 0.5),  # takes the first truth, though a worse one comes later
    (1, 0.0, 4.0, 0, 0.9),  # in another video
    (0, 0.5, 4.0, 0, 0.4),  # the truth is taken
    (0, 10.0, 14.0, 1, 0.8),  # another class
    (0, 10.0, 12.0, 0, 0.3),  # tIoU is 0.5, which is enough
    (0, 30.0, 31.0, 2, 0.7),  # a class that is never true
    (2, 1.0, 2.0, 0, 0.6),
)


def test_each_segment_is_told_apart_by_hand() -> None:
    judged = judge(TRUTH, FOUND, "a", common("x"), 0.5)
    assert judged.outcome == ("true", "false", "false", "true", "uncounted")
    assert judged.taken_by.tolist() == [0, 3, -1]
    assert judged.found.tolist() == [True, True, False]
    assert judged.start.tolist() == [0, 10, 20] and judged.label.tolist() == [0, 0, 1]


def test_a_higher_threshold_misses_more() -> None:
    judged = judge(TRUTH, FOUND, "a", common("x"), 0.55)
    assert judged.outcome[3] == "false" and judged.found.tolist() == [True, False, False]


def test_a_video_without_truth_has_false_positives_only() -> None:
    judged = judge(TRUTH, FOUND, "empty", common("x"), 0.5)
    assert judged.outcome == ("false",) and len(judged.start) == 0


def test_another_order_moves_outcomes_and_takers_alike() -> None:
    judged = judge(TRUTH, FOUND, "a", common("x"), 0.5)
    turned = judged.in_order(np.array([4, 3, 2, 1, 0]))
    assert turned.outcome == tuple(reversed(judged.outcome))
    assert turned.taken_by.tolist() == [4, 1, -1]


@pytest.mark.parametrize("tiou", [0.1, 0.3, 0.5, 0.7])
def test_many_videos_are_judged_as_the_evaluator_scores_them(tiou: float) -> None:
    generator = np.random.default_rng(0)
    start = generator.uniform(0, 50, 300)
    length = generator.uniform(1, 8, 300)
    names = tuple(f"v{index}" for index in range(10))
    truth = GroundTruth(
        generator.integers(0, 10, 100), start[:100], (start + length)[:100],
        generator.integers(0, 3, 100), names, NAMES,
    )  # fmt: skip
    found = Detections(
        generator.integers(0, 10, 200), start[100:], (start + length)[100:],
        generator.integers(0, 3, 200), generator.uniform(0, 1, 200), names, NAMES,
    )  # fmt: skip
    matches = evaluate(truth, found, with_tious(common("x"), (tiou,))).matches
    assert matches is not None
    for index, name in enumerate(names):
        judged = judge(truth, found, name, common("x"), tiou)
        hits = matches.hits[found.video == index].astype(bool)
        assert [one == "true" for one in judged.outcome] == hits.tolist()
        # each true positive took one truth, and no truth was taken twice
        assert sorted(judged.taken_by[judged.found]) == np.flatnonzero(hits).tolist()
