from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.examples import examples
from tests.statistics.made_up import RULES, noisy_detections, random_truth
from wsal_bench.evaluation import Protocol, Scores, evaluate
from wsal_bench.evaluation.resampling import obstacle, resampled_average_precision
from wsal_bench.types import Detections, GroundTruth

AP_RULES = ("all-points", "voc-11-points", "non-interpolated")


def repeated(
    truth: GroundTruth, detections: Detections, times: list[int], rules: Protocol = RULES
) -> Scores:
    """The scores of a data set in which video i is really there `times[i]` times."""
    copies = [(i, copy) for i, count in enumerate(times) for copy in range(count)]
    true = [
        (row, new) for new, (i, _) in enumerate(copies) for row in np.flatnonzero(truth.video == i)
    ]
    outside = len(times)
    rows = [
        (row, new)
        for row in range(len(detections))
        for new, (i, _) in enumerate([*copies, (outside, 0)])
        if detections.video[row] == i
    ]
    t, tv = np.array(true).T
    d, dv = np.array(rows).T
    names = tuple(f"{i}-{copy}" for i, copy in copies)
    stretches = [
        (new, start, end)
        for new, (i, _) in enumerate(copies)
        for video, start, end in truth.ambiguous.tolist()
        if video == i
    ]
    unsure = np.array(stretches, dtype=float).reshape(-1, 3)
    return evaluate(
        replace(
            truth,
            video=tv,
            start=truth.start[t],
            end=truth.end[t],
            label=truth.label[t],
            video_ids=names,
            groups=(),
            ambiguous=unsure,
        ),
        replace(
            detections,
            video=dv,
            start=detections.start[d],
            end=detections.end[d],
            label=detections.label[d],
            score=detections.score[d],
            video_ids=(*names, "elsewhere"),
        ),
        rules,
    )


@examples(10)
@given(st.integers(0, 10_000), st.sampled_from(AP_RULES))
def test_weight_one_gives_the_average_precision(seed: int, ap_rule: str) -> None:
    rules = replace(RULES, ap_rule=ap_rule)
    rng = np.random.default_rng(seed)
    truth = random_truth(rng)
    scores = evaluate(truth, noisy_detections(rng, truth, 2.0), rules)
    ap = resampled_average_precision(scores, np.arange(6), np.ones((1, 6)))
    np.testing.assert_allclose(ap[0], scores.ap, rtol=0, atol=1e-12)


@examples(10)
@given(
    st.integers(0, 10_000),
    st.lists(st.integers(0, 3), min_size=6, max_size=6),
    st.sampled_from(AP_RULES),
)
def test_a_weight_is_as_good_as_a_copy(seed: int, times: list[int], ap_rule: str) -> None:
    rules = replace(RULES, ap_rule=ap_rule)
    rng = np.random.default_rng(seed)
    truth = random_truth(rng)
    times[truth.video[0]] += 1  # some truth is left
    detections = noisy_detections(rng, truth, 2.0)
    scores = evaluate(truth, detections, rules)
    ap = resampled_average_precision(scores, np.arange(6), np.array([times], float))
    expected = repeated(truth, detections, times, rules)
    for label, name in enumerate(scores.class_names):
        if name in expected.class_names:
            column = expected.ap[:, expected.class_names.index(name)]
            np.testing.assert_allclose(ap[0, :, label], column, rtol=0, atol=1e-12)
        else:
            assert np.isnan(ap[0, :, label]).all()


def test_a_weight_of_a_group_reaches_all_its_videos() -> None:
    rng = np.random.default_rng(0)
    truth = random_truth(rng)
    scores = evaluate(truth, noisy_detections(rng, truth, 2.0), RULES)
    grouped = resampled_average_precision(
        scores, np.array([0, 0, 1, 1, 1, 0]), np.array([[2.0, 1.0]])
    )
    single = resampled_average_precision(scores, np.arange(6), np.array([[2.0, 2, 1, 1, 1, 2]]))
    np.testing.assert_allclose(grouped, single, rtol=0, atol=1e-12)


TRUTH_DRIVEN: dict[str, Any] = {
    "matching": "truth-driven",
    "ties": "true-positives-first",
    "ap_rule": "voc-11-points",
    "ambiguous": "drop-false-positives",
    "union": "span",
    "empty_union": "miss",
}


@examples(20)
@given(
    st.integers(0, 10_000),
    st.lists(st.integers(0, 3), min_size=6, max_size=6),
    st.sampled_from([TRUTH_DRIVEN, {"ambiguous": "drop-false-positives"}]),
)
def test_each_threshold_ranks_anew_where_the_rules_say_so(
    seed: int, times: list[int], changed: dict[str, Any]
) -> None:
    rules = replace(RULES, **changed)
    rng = np.random.default_rng(seed)
    truth = random_truth(rng)
    truth = replace(truth, ambiguous=np.array([[v, 10.0 * v, 10.0 * v + 9] for v in range(6)]))
    times[truth.video[0]] += 1
    found = noisy_detections(rng, truth, 2.0)
    if changed is TRUTH_DRIVEN:  # equal scores: under the other rules copies come in another order
        found = replace(found, score=np.floor(5 * found.score))
    scores = evaluate(truth, found, rules)
    weights = np.array([np.ones(6), times], float)
    ap = resampled_average_precision(scores, np.arange(6), weights)
    np.testing.assert_allclose(ap[0], scores.ap, rtol=0, atol=1e-12)
    expected = repeated(truth, found, times, rules)
    for label, name in enumerate(scores.class_names):
        if name in expected.class_names:
            column = expected.ap[:, expected.class_names.index(name)]
            np.testing.assert_allclose(ap[1, :, label], column, rtol=0, atol=1e-12)


def test_scores_from_before_levels_were_kept_are_evaluated_again() -> None:
    rng = np.random.default_rng(0)
    truth = replace(random_truth(rng), ambiguous=np.array([[0, 1.0, 2.0]]))
    rules = replace(RULES, **TRUTH_DRIVEN)
    scores = evaluate(truth, noisy_detections(rng, truth, 2.0), rules)
    assert scores.matches is not None and not obstacle(scores)
    assert obstacle(Scores.from_json(scores.to_json())) == ""
    old = replace(scores, matches=replace(scores.matches, level=None))
    assert "evaluate the detections again" in obstacle(old)
    with pytest.raises(ValueError, match="levels of equal scores"):
        resampled_average_precision(old, np.arange(6), np.ones((1, 6)))


def test_the_number_of_units_has_to_be_that_of_the_videos() -> None:
    rng = np.random.default_rng(0)
    truth = random_truth(rng)
    scores = evaluate(truth, noisy_detections(rng, truth, 2.0), RULES)
    with pytest.raises(ValueError, match="5 units for 6 videos"):
        resampled_average_precision(scores, np.arange(5), np.ones((1, 5)))


def test_half_a_video_has_no_place_without_interpolation() -> None:
    rng = np.random.default_rng(0)
    truth = random_truth(rng)
    rules = replace(RULES, ap_rule="non-interpolated")
    scores = evaluate(truth, noisy_detections(rng, truth, 2.0), rules)
    with pytest.raises(ValueError, match="whole weights"):
        resampled_average_precision(scores, np.arange(6), np.full((1, 6), 0.5))
