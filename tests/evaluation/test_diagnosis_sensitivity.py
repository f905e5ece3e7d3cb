import numpy as np
import pytest
from hypothesis import given

from tests.evaluation.diagnosis_cases import (
    BOTH,
    HALF,
    Scene,
    case_of,
    fates,
    plain_average_precision,
    scenes,
    truth_of,
)
from tests.examples import examples
from wsal_bench.evaluation.diagnosis.sensitivity import REASONS, missed, sensitivity
from wsal_bench.evaluation.diagnosis.traits import Buckets, bucket_set, buckets

# lengths 2, 3, 10 and 20 of 100 seconds; A twice in u
LENGTHS = truth_of(
    [("u", "A", 0, 2), ("u", "A", 10, 13), ("v", "A", 0, 10), ("w", "B", 0, 20)], seconds=100
)


def test_published_buckets_hold_their_upper_border() -> None:
    length, coverage, instances = buckets(case_of(LENGTHS, []), "thumos14")
    assert (length.trait, coverage.trait, instances.trait) == ("length", "coverage", "instances")
    assert length.names == ("XS", "S", "M", "L", "XL") and instances.names == ("XS", "S", "M", "L")
    assert length.member.tolist() == [0, 0, 2, 4]  # 0-3, 6-12, above 18 seconds
    assert coverage.member.tolist() == [0, 1, 4, 4]  # 0.02, 0.03, 0.1 and 0.2 of the video
    assert instances.member.tolist() == [1, 1, 0, 0]  # 2 of A in u, else one


def test_activitynet_has_wider_buckets() -> None:
    length, coverage, instances = buckets(case_of(LENGTHS, []), "activitynet")
    assert length.edges == (0, 30, 60, 120, 180, float("inf"))
    assert length.member.tolist() == [0, 0, 0, 0]
    assert coverage.member.tolist() == [0, 0, 0, 0]
    assert instances.member.tolist() == [1, 1, 0, 0]


def test_without_durations_there_is_no_coverage() -> None:
    case = case_of(truth_of([("v", "A", 0, 10)]), [])
    assert [part.trait for part in buckets(case, "thumos14")] == ["length", "instances"]


def test_other_data_are_cut_into_fifths_that_each_hold_something() -> None:
    truth = truth_of([("v", "A", 20 * k, 20 * k + k) for k in range(1, 11)])
    length, instances = buckets(case_of(truth, []), "quantile")
    assert length.edges == (0, 2, 4, 6, 8, float("inf"))
    assert np.bincount(length.member).tolist() == [2, 2, 2, 2, 2]
    assert instances.names == ("all",) and instances.member.tolist() == [0] * 10


def test_the_data_set_of_a_protocol_names_its_buckets() -> None:
    assert bucket_set("thumos14/common") == "thumos14"
    assert bucket_set("activitynet13/common") == "activitynet"
    assert bucket_set("simulated/common") == "quantile"


# a long truth that is found and a short one that is not; a false positive above both
TRUTH = truth_of([("v", "A", 0, 20), ("v", "A", 40, 42), ("v", "B", 60, 62)])
ROWS = [
    ("v", "A", 80, 90, 0.9),
    ("v", "A", 0, 20, 0.8),
    ("v", "B", 60, 62, 0.7),
]


def test_a_bucket_is_scored_by_its_own_truths_and_all_false_positives() -> None:
    case = case_of(TRUTH, ROWS)  # A has 2 truths, B 1: the average class has 1.5
    length = sensitivity(case, buckets(case, "thumos14")[0])
    assert length.truths.tolist() == [2, 0, 0, 0, 1]
    assert length.classes.tolist() == [2, 0, 0, 0, 1]
    # XS: A finds none of its one, B its one: (0 + 1) / 2. XL: R = 1, 1.5 / (1.5 + 1)
    assert length.normalised[[0, 4], 0].tolist() == pytest.approx([0.5, 0.6])
    assert length.missed[[0, 4], 0].tolist() == [0.5, 0.0]
    assert np.isnan(length.normalised[1:4]).all() and np.isnan(length.missed[1:4]).all()
    assert np.isnan(length.average).tolist() == [False, True, True, True, False]


@given(scenes())
@examples(15)
def test_every_threshold_leaves_out_its_own_hits_only(scene: Scene) -> None:
    case = case_of(truth_of(scene.truth), scene.detections, BOTH)
    member = np.arange(len(scene.truth)) % 2
    found = sensitivity(case, Buckets("length", ("S", "L"), (0, 1, 2), member))
    for bucket in range(2):
        inside = {int(case.truth_rows[m]) for m in np.flatnonzero(member == bucket)}
        for k, tiou in enumerate((0.3, 0.5)):
            scores = []
            for name in case.class_names:
                total = sum(scene.truth[row][1] == name for row in inside)
                kept = [
                    fate.truth is not None
                    for fate, row in zip(fates(scene, tiou), scene.detections, strict=True)
                    if row[1] == name and (fate.truth is None or fate.truth in inside)
                ]
                if total:
                    scores.append(plain_average_precision(kept, total, case.normal))
            expected = np.mean(scores) if scores else np.nan
            assert found.normalised[bucket, k] == pytest.approx(expected, abs=1e-12, nan_ok=True)


def test_a_missed_truth_has_a_reason() -> None:
    truth = truth_of(
        [
            ("v", "A", 0, 10),
            ("v", "A", 2, 12),  # overlapped by 8 / 12 with the detection that took the first
            ("v", "A", 20, 30),  # only a detection of B reaches it, and the next
            ("v", "A", 21, 31),
            ("v", "A", 40, 50),  # a third
            ("v", "A", 60, 70),  # nothing
            ("v", "B", 100, 110),
        ]
    )
    rows = [
        ("v", "A", 0, 10, 0.9),
        ("v", "B", 20, 30, 0.8),
        ("v", "A", 45, 55, 0.7),
        ("v", "B", 100, 110, 0.6),
        ("v", "B", 2, 12, 0.5),  # reaches the second too, which the class of its own decides
    ]
    found = missed(case_of(truth, rows))
    assert REASONS == ("taken", "wrong label", "localization", "unseen")
    assert found.truths == 7 and found.found.tolist() == [2]
    assert found.reasons.tolist() == [[1, 2, 1, 1]]


@given(scenes())
@examples(10)
def test_found_and_missed_truths_are_all_truths(scene: Scene) -> None:
    found = missed(case_of(truth_of(scene.truth), scene.detections, BOTH))
    assert (found.found + found.reasons.sum(axis=1)).tolist() == [len(scene.truth)] * 2
    assert found.found.tolist() == [
        sum(fate.truth is not None for fate in fates(scene, tiou)) for tiou in (0.3, 0.5)
    ]


def test_the_headline_average_is_over_its_thresholds() -> None:
    case = case_of(TRUTH, ROWS, HALF)
    assert case.headline(np.array([0.25])) == 0.25
