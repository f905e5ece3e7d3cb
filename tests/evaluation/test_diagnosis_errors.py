from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given

from tests.evaluation.diagnosis_cases import (
    BOTH,
    HALF,
    Scene,
    ScoredRow,
    case_of,
    detections_of,
    fates,
    plain_average_precision,
    scenes,
    truth_of,
)
from tests.examples import examples
from wsal_bench.evaluation import Protocol, evaluate
from wsal_bench.evaluation.diagnosis.case import areas, lay_out, precision_recall
from wsal_bench.evaluation.diagnosis.errors import KINDS, EqualTiou, error_profile, kinds_of_rows
from wsal_bench.types import GroundTruth

TWO = truth_of([("v", "A", 0, 10), ("v", "B", 20, 30)])
EACH_KIND = [
    ("v", "A", 0, 10, 0.9),  # the truth itself
    ("v", "A", 0, 9, 0.8),  # again, 0.9
    ("v", "A", 20, 29, 0.7),  # the truth of B, 0.9
    ("v", "A", 5, 15, 0.6),  # a third of A's truth
    ("v", "A", 25, 35, 0.5),  # a third of B's truth
    ("v", "A", 50, 60, 0.4),  # nothing
]


def kinds(
    rows: Sequence[ScoredRow],
    truth: GroundTruth = TWO,
    protocol: Protocol = HALF,
    equal_tiou: EqualTiou = "first",
) -> list[list[str]]:
    case = case_of(truth, rows, protocol)
    return [[KINDS[kind] for kind in row] for row in kinds_of_rows(case, equal_tiou)]


def test_each_kind_of_error_is_told_from_the_others() -> None:
    assert kinds(EACH_KIND) == [list(KINDS)]


def test_at_a_lower_threshold_a_third_is_enough() -> None:
    at_03, at_05 = kinds(EACH_KIND, protocol=BOTH)
    assert at_05 == list(KINDS)
    assert at_03[3:5] == ["double detection", "wrong label"]


def test_an_overlap_of_exactly_a_tenth_is_no_background() -> None:
    assert kinds([("v", "A", 9, 10, 0.9), ("v", "A", 9.01, 10, 0.8)]) == [
        ["localization", "background"]
    ]


def test_a_detection_in_another_video_is_background() -> None:
    assert kinds([("elsewhere", "A", 0, 10, 0.9)]) == [["background"]]


def test_a_truth_of_another_class_that_is_overlapped_better_decides() -> None:
    truth = truth_of([("v", "A", 0, 10), ("v", "B", 0, 8)])
    rows = [("v", "A", 0, 10, 0.9), ("v", "A", 0, 8.5, 0.8)]  # then 0.85 with A, 0.94 with B
    assert kinds(rows, truth) == [["true positive", "wrong label"]]


TWINS = truth_of([("v", "CliffDiving", 0, 10), ("v", "Diving", 0, 10)])
DIVES = [("v", "Diving", 0, 10, 0.9), ("v", "Diving", 0, 9, 0.8), ("v", "Diving", 0, 4, 0.7)]


def test_of_twin_truths_the_first_in_the_file_decides_unless_told_otherwise() -> None:
    assert kinds(DIVES, TWINS) == [["true positive", "wrong label", "confusion"]]
    by_label = kinds(DIVES, TWINS, equal_tiou="label")
    assert by_label == [["true positive", "double detection", "localization"]]


def test_twins_are_counted_either_way() -> None:
    case = case_of(TWINS, DIVES)
    assert error_profile(case, "first").twins.tolist() == [2]
    assert error_profile(case, "label").twins.tolist() == [2]
    assert error_profile(case_of(TWO, EACH_KIND)).twins.tolist() == [0]


def test_a_slice_holds_as_many_detections_as_the_class_has_truths() -> None:
    truth = truth_of([("v", "A", 0, 10), ("v", "A", 20, 30), ("v", "B", 40, 50)])
    rows: list[ScoredRow] = [("v", "A", 60, 70, 0.9 - k / 100) for k in range(23)]
    rows += [("v", "B", 40, 50, 0.5), ("v", "B", 40, 50, 0.4)]
    profile = error_profile(case_of(truth, rows))
    assert profile.slices.shape == (1, 10, 6)
    assert profile.slices[0, 0].tolist() == [1, 0, 0, 0, 0, 2]
    assert profile.slices[0, 1].tolist() == [0, 1, 0, 0, 0, 2]  # the second of B's one
    assert profile.slices[0, 1:, 5].tolist() == [2] * 9
    assert profile.beyond[0].tolist() == [0, 0, 0, 0, 0, 3]


def test_removing_a_kind_of_error_gives_what_it_cost() -> None:
    rows = [("v", "A", 50, 60, 0.95), *EACH_KIND[:1], ("v", "B", 20, 30, 0.9)]
    profile = error_profile(case_of(TWO, rows))
    assert profile.map.tolist() == [0.75]
    assert profile.map_without["background"].tolist() == [1.0]
    assert {k: v.tolist() for k, v in profile.map_without.items() if k != "background"} == {
        "double detection": [0.75],
        "wrong label": [0.75],
        "localization": [0.75],
        "confusion": [0.75],
    }


def test_normalised_precision_takes_every_class_as_the_average_class() -> None:
    # A has 1 truth, B 3: the average class has 2. A's hit comes second: 1 * 2 / (1 * 2 + 1)
    truth = truth_of([("v", "A", 0, 10), *(("v", "B", 20 * k, 20 * k + 5) for k in (1, 2, 3))])
    rows = [("v", "A", 90, 95, 0.9), ("v", "A", 0, 10, 0.8), ("v", "B", 20, 25, 0.7)]
    case = case_of(truth, rows)
    found = areas(case, case.state)
    assert found.ap[0].tolist() == pytest.approx([1 / 2, 1 / 3])
    assert found.normalised[0].tolist() == pytest.approx([2 / 3, 1 / 3])


@given(scenes())
@examples(20)
def test_kinds_and_owners_are_those_of_the_definition(scene: Scene) -> None:
    case = case_of(truth_of(scene.truth), scene.detections, BOTH)
    for k, tiou in enumerate((0.3, 0.5)):
        expected = fates(scene, tiou)
        scored = [
            fate
            for name in case.class_names
            for fate, row in zip(expected, scene.detections, strict=True)
            if row[1] == name
        ]
        assert [KINDS[kind] for kind in kinds_of_rows(case)[k]] == [one.kind for one in scored]
        owners = [None if o < 0 else int(case.truth_rows[o]) for o in case.owner[k]]
        assert owners == [one.truth for one in scored]


@given(scenes())
@examples(20)
def test_areas_are_those_of_the_definition_and_of_the_evaluator(scene: Scene) -> None:
    truth, detections = truth_of(scene.truth), detections_of(scene.detections)
    case = case_of(truth, scene.detections, BOTH)
    found = areas(case, case.state)
    for c, name in enumerate(case.class_names):
        for k, tiou in enumerate((0.3, 0.5)):
            hits = [
                fate.truth is not None
                for fate, row in zip(fates(scene, tiou), scene.detections, strict=True)
                if row[1] == name
            ]
            total = int(case.num_truths[c])
            plain = plain_average_precision(hits, total, None)
            normalised = plain_average_precision(hits, total, case.normal)
            assert found.ap[k, c] == pytest.approx(plain, abs=1e-12)
            assert found.normalised[k, c] == pytest.approx(normalised, abs=1e-12)
    if set(detections.class_names) <= set(truth.class_names):
        assert np.abs(found.ap - evaluate(truth, detections, BOTH).ap).max() <= 1e-12


@given(scenes())
@examples(10)
def test_precision_at_a_recall_is_the_best_there_or_above(scene: Scene) -> None:
    case = case_of(truth_of(scene.truth), scene.detections)
    recalls = np.array([0.0, 0.25, 0.5, 0.75, 1.0])
    expected = np.zeros((len(case.class_names), 5))
    for c in range(len(case.class_names)):
        hits = case.hit[0, case.first[c] : case.first[c + 1]]
        for depth in np.flatnonzero(hits) + 1:
            found = hits[:depth].sum()
            reached = recalls <= found / case.num_truths[c] + 1e-9
            expected[c, reached] = np.maximum(expected[c, reached], found / depth)
    assert precision_recall(case, recalls)[0] == pytest.approx(expected.mean(axis=0))


def test_a_later_and_better_precision_holds_for_every_recall_before() -> None:
    truth = truth_of([("v", "A", 20 * k, 20 * k + 10) for k in range(4)])
    rows: list[ScoredRow] = [("v", "A", 90, 95, 0.9)]  # then three of four: 1/2, 2/3, 3/4
    rows += [("v", "A", 20 * k, 20 * k + 10, 0.8 - k / 100) for k in range(3)]
    recalls = np.array([0, 0.2, 0.3, 0.5, 0.75, 0.8])
    assert precision_recall(case_of(truth, rows), recalls).tolist() == [[0.75] * 5 + [0.0]]


def test_scores_of_another_truth_are_refused() -> None:
    detections = detections_of(EACH_KIND)
    scores = evaluate(TWO, detections, HALF)
    longer = truth_of([("v", "A", 0, 10), ("v", "B", 20, 30), ("v", "B", 40, 50)])
    moved = truth_of([("v", "A", 100, 110), ("v", "B", 20, 30)])
    for other in (longer, moved):
        with pytest.raises(ValueError, match="another truth"):
            lay_out(other, detections, scores)


def test_no_detection_at_all_is_an_evaluation_like_any_other() -> None:
    profile = error_profile(case_of(TWO, []))
    assert profile.slices.sum() == 0 and profile.map.tolist() == [0.0]


def test_a_detection_of_length_zero_hits_the_same_truth_as_in_the_evaluator() -> None:
    truth = truth_of([("v", "A", 5, 5), ("v", "A", 0, 10)])
    case = case_of(truth, [("v", "A", 5, 5, 0.9)])
    assert case.hit.tolist() == [[True]] and case.truth_rows[case.owner[0, 0]] == 0
