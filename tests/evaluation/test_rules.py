"""Each rule on a case small enough to work out by hand."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.evaluation.test_scoring import detections_of, truth_of
from wsal_bench.errors import DataError, UsageError
from wsal_bench.evaluation import Scores, common, evaluate, with_tious
from wsal_bench.types import Detections, GroundTruth

ONE = truth_of([("v", "A", 0, 10)])
HIT = ("v", "A", 0.0, 10.0)
MISS = ("v", "A", 50.0, 60.0)


def scores(truth: GroundTruth, rows: Any, tiou: float = 0.5, **rules: Any) -> Scores:
    found = rows if isinstance(rows, Detections) else detections_of(rows)
    return evaluate(truth, found, replace(with_tious(common("x"), [tiou]), **rules))


def ap(truth: GroundTruth, rows: Any, tiou: float = 0.5, **rules: Any) -> float:
    return float(scores(truth, rows, tiou, **rules).ap[0, 0])


TWO = truth_of([("v", "A", 0, 10), ("v", "A", 20, 30)])
MISS_HIT_HIT = [(*MISS, 0.9), (*HIT, 0.8), ("v", "A", 20.0, 30.0, 0.7)]


def test_the_envelope_the_hits_and_eleven_points_give_three_numbers() -> None:
    # precision at the hits: 1/2 and 2/3
    assert ap(TWO, MISS_HIT_HIT) == pytest.approx(2 / 3)
    assert ap(TWO, MISS_HIT_HIT, ap_rule="non-interpolated") == pytest.approx((1 / 2 + 2 / 3) / 2)
    # one of three found: recall 1/3 covers the points 0, 0.1, 0.2 and 0.3
    three = truth_of([("v", "A", 0, 10), ("v", "A", 20, 30), ("v", "A", 40, 45)])
    assert ap(three, [(*HIT, 0.9)], ap_rule="voc-11-points") == pytest.approx(4 / 11)


def test_a_recall_that_stands_on_a_point_covers_it() -> None:
    # precision 1 up to recall 0.5 and 2/4 beyond: points 0 to 0.5, and 0.6 to 1
    rows = [(*HIT, 0.9), (*MISS, 0.8), (*MISS, 0.7), ("v", "A", 20.0, 30.0, 0.6)]
    assert ap(TWO, rows, ap_rule="voc-11-points") == pytest.approx((6 * 1 + 5 * 0.5) / 11)


def test_the_first_truth_that_reaches_the_threshold_is_taken_where_the_rule_says_so() -> None:
    # D2 of the reference page: [4, 13] fits the second truth better
    truth = truth_of([("v", "A", 0, 10), ("v", "A", 4, 14)])
    rows = [("v", "A", 4.0, 13.0, 0.9), ("v", "A", 4.0, 14.0, 0.8)]
    assert ap(truth, rows, 0.45) == 0.5
    assert ap(truth, rows, 0.45, matching="first-match") == 1.0


TRUTH_DRIVEN: dict[str, Any] = {"matching": "truth-driven", "ties": "true-positives-first"}


def test_a_truth_takes_the_best_overlap_whatever_its_score() -> None:
    rows = [("v", "A", 0.0, 6.0, 0.9), (*HIT, 0.8)]  # D3
    assert ap(ONE, rows) == 1.0
    assert ap(ONE, rows, **TRUTH_DRIVEN) == 0.5


def test_a_truth_wants_more_than_the_threshold_and_turns_segments_round() -> None:
    half = [("v", "A", 0.0, 5.0, 0.9)]  # D4
    assert ap(ONE, half) == 1.0
    assert ap(ONE, half, **TRUTH_DRIVEN) == 0.0
    turned = [("v", "A", 10.0, 0.0, 0.9)]  # D12d
    assert ap(ONE, turned, empty_union="miss") == 0.0
    assert ap(ONE, turned, empty_union="miss", **TRUTH_DRIVEN) == 1.0


def test_the_union_is_the_lengths_less_the_overlap_or_the_span() -> None:
    # 2.4 of 4.8 s; the lengths 3.5 and 3.7 less 2.4 come out a little below 4.8
    truth, rows = truth_of([("v", "A", 0.5, 4.0)]), [("v", "A", 1.6, 5.3, 0.9)]
    assert ap(truth, rows, **TRUTH_DRIVEN) == 1.0
    assert ap(truth, rows, union="span", **TRUTH_DRIVEN) == 0.0
    apart = [("v", "A", 5.0, 6.0, 0.9)]
    assert ap(truth, apart, 0.01, union="span", **TRUTH_DRIVEN) == 0.0
    empty, point = truth_of([("v", "A", 3, 3)]), [("v", "A", 3.0, 3.0, 0.9)]
    rules: dict[str, Any] = {**TRUTH_DRIVEN, "union": "span", "empty_union": "miss"}
    assert ap(empty, point, **rules) == 0.0


def test_the_tie_rules_rank_the_later_the_earlier_or_the_hit_first() -> None:
    hit_first, miss_first = [(*HIT, 0.5), (*MISS, 0.5)], [(*MISS, 0.5), (*HIT, 0.5)]  # D1, D1b
    assert (ap(ONE, hit_first), ap(ONE, miss_first)) == (0.5, 1.0)
    earlier: dict[str, Any] = {"ties": "earlier-first"}
    assert (ap(ONE, hit_first, **earlier), ap(ONE, miss_first, **earlier)) == (1.0, 0.5)
    assert (ap(ONE, hit_first, **TRUTH_DRIVEN), ap(ONE, miss_first, **TRUTH_DRIVEN)) == (1.0, 1.0)


def test_the_earlier_of_equally_overlapped_truths_is_taken_where_the_rule_says_so() -> None:
    truth = truth_of([("v", "A", 0, 10), ("v", "A", 10, 20)])
    rows = [("v", "A", 0.0, 20.0, 0.9), ("v", "A", 10.0, 20.0, 0.8)]
    assert ap(truth, rows) == 0.5
    assert ap(truth, rows, truth_ties="earlier-first") == 1.0


def test_single_precision_misses_a_tiou_of_exactly_seven_tenths() -> None:
    rows = [("v", "A", 0.0, 7.0, 0.9)]  # D5
    assert ap(ONE, rows, 0.7) == 1.0
    assert ap(ONE, rows, 0.7, comparison="float32") == 0.0


GRID: dict[str, Any] = {"time_unit": "snippets", "fps": 1.0, "stride": 1}


def test_exact_comparison_takes_a_drifted_threshold_for_the_decimal_it_stands_for() -> None:
    rows, drifted = [("v", "A", 0.0, 3.0, 0.9)], 0.1 + 0.2  # D5b
    assert ap(ONE, rows, drifted, **GRID) == 0.0
    assert ap(ONE, rows, drifted, comparison="exact", **GRID) == 1.0
    assert ap(ONE, [("v", "A", 0.0, 2.0, 0.9)], drifted, comparison="exact", **GRID) == 0.0


def test_borders_are_rounded_to_whole_snippets_with_halves_to_even() -> None:
    # 25 / 16 snippets a second: 1.6 s is 2.5 snippets, 4.8 s is 7.5; to even: 2 and 8
    truth = truth_of([("v", "A", 1.6, 4.8)])
    exact = [("v", "A", 1.28, 5.12, 0.9)]  # 2 and 8 snippets
    assert ap(truth, exact, 1.0, time_unit="snippets") == 1.0
    assert ap(truth, exact, 1.0, time_unit="grid-seconds") == 1.0
    assert ap(truth, exact, 1.0) == 0.0


def test_seconds_of_a_grid_round_where_whole_snippets_do_not() -> None:
    # 7 of 14 snippets: exactly a half on the grid; 0.64 s are no binary fraction
    truth = truth_of([("v", "A", 23 * 0.64, 37 * 0.64)])
    rows = [("v", "A", 30 * 0.64, 37 * 0.64, 0.9)]
    assert ap(truth, rows, time_unit="snippets") == 1.0
    below = (37 * 16 / 25 - 30 * 16 / 25) / (
        (37 * 16 / 25 - 23 * 16 / 25) + (37 * 16 / 25 - 30 * 16 / 25) - (37 - 30) * 0.64
    )
    assert ap(truth, rows, time_unit="grid-seconds") == float(below >= 0.5)


UNSURE = replace(ONE, ambiguous=np.array([[0.0, 52.0, 53.0], [0.0, 9.0, 12.0]]))


def test_a_miss_on_an_ambiguous_stretch_does_not_count_where_misses_are_dropped() -> None:
    rows = [(*MISS, 0.9), (*HIT, 0.8)]  # the hit touches a stretch as well
    assert ap(UNSURE, rows) == 0.5
    assert ap(UNSURE, rows, ambiguous="drop-false-positives") == 1.0
    dropped = scores(UNSURE, rows, ambiguous="drop-any")
    assert (dropped.headline, dropped.counts.ignored) == (0.0, 2)


def test_touching_an_ambiguous_stretch_is_not_overlapping_it() -> None:
    truth = replace(ONE, ambiguous=np.array([[0.0, 60.0, 70.0]]))
    assert ap(truth, [(*MISS, 0.9), (*HIT, 0.8)], ambiguous="drop-any") == 0.5


def test_the_rule_for_ambiguous_stretches_needs_some() -> None:
    with pytest.raises(UsageError, match="the truth has none; give them"):
        scores(ONE, [(*HIT, 0.9)], ambiguous="drop-any")


def test_zero_by_zero_is_a_hit_or_a_miss_as_the_rule_says() -> None:
    truth, rows = truth_of([("v", "A", 3, 3)]), [("v", "A", 5.0, 5.0, 0.9)]  # D12b
    assert ap(truth, rows) == 1.0
    assert ap(truth, rows, empty_union="miss") == 0.0


def test_truth_is_cleaned_as_the_rule_says() -> None:
    rows = [("v", "A", 0, 10), ("v", "A", 0.0005, 10), ("v", "A", 5, 5.0005), ("v", "A", 7, 7)]
    truth = truth_of([*rows, ("w", "A", 0, 10), ("v", "B", 0, 10)])
    counted = {
        rule: scores(truth, [(*HIT, 0.9)], truth_cleaning=rule).counts.truths
        for rule in (
            *("none", "drop-empty"),
            *("drop-empty-and-duplicates", "drop-short-and-duplicates"),
        )
    }
    assert list(counted.values()) == [6, 5, 4, 3]


def test_a_class_that_cleaning_empties_is_not_scored() -> None:
    truth = truth_of([("v", "A", 0, 10), ("v", "B", 3, 3)])
    assert scores(truth, [(*HIT, 0.9)]).class_names == ("A", "B")
    assert scores(truth, [(*HIT, 0.9)], truth_cleaning="drop-empty").class_names == ("A",)
    with pytest.raises(DataError, match="no true segment"):
        scores(truth_of([("v", "B", 3, 3)]), [], truth_cleaning="drop-empty")


PAIR = truth_of([("v", "A", 0, 10), ("w", "A", 0, 10)])
BOTH = [("w", "A", 0.0, 10.0, 0.9), (*HIT, 0.8)]


def test_excluded_videos_are_dropped_counted_against_or_only_unreachable() -> None:
    excluded: dict[str, Any] = {"excluded_videos": ("w",)}
    assert ap(PAIR, BOTH) == 1.0
    assert ap(PAIR, BOTH, **excluded) == 1.0
    assert scores(PAIR, BOTH, **excluded).counts.truths == 1
    assert ap(PAIR, BOTH, **excluded, excluded_rule="false-positive") == 0.5
    assert ap(PAIR, BOTH, **excluded, excluded_rule="truth-kept") == 0.5
    assert scores(PAIR, BOTH, **excluded, excluded_rule="truth-kept").counts.truths == 2
    # a truth that never had the video gives the same answers
    without = PAIR.only(["v"])
    assert ap(without, BOTH, **excluded) == 1.0
    assert ap(without, BOTH, **excluded, excluded_rule="false-positive") == 0.5


def test_videos_without_any_true_segment_can_be_left_out() -> None:
    truth = truth_of([("v", "A", 0, 10)], "quiet")
    rows = [("quiet", "A", 0.0, 1.0, 0.9), ("elsewhere", "A", 0.0, 1.0, 0.95), (*HIT, 0.8)]
    assert ap(truth, rows) == pytest.approx(1 / 3)
    assert ap(truth, rows, videos_outside="dropped") == 0.5
    assert ap(truth, rows, videos_outside="dropped-without-truth") == 1.0


def test_one_silent_class_can_empty_the_whole_table() -> None:
    truth = truth_of([("v", "A", 0, 10), ("v", "B", 0, 10)])
    assert scores(truth, [(*HIT, 0.9)]).ap.tolist() == [[1.0, 0.0]]  # D10
    assert scores(truth, [(*HIT, 0.9)], missing_class="all-zero").ap.tolist() == [[0.0, 0.0]]


def test_a_protocol_names_the_videos_that_it_needs() -> None:
    with pytest.raises(UsageError, match="does not fit this truth of 1 videos: it lacks w"):
        scores(ONE, [(*HIT, 0.9)], needs_videos=("v", "w"))
    assert ap(PAIR, BOTH, needs_videos=("v", "w")) == 1.0


@pytest.mark.parametrize(
    "rules",
    [
        {"comparison": "exact"},
        {"comparison": "exact", "time_unit": "grid-seconds"},
        {"matching": "truth-driven"},
        {"ties": "true-positives-first"},
        {"union": "span"},
        {"fps": 0.0},
        {"fps": float("nan")},
        {"stride": 0},
    ],
)
def test_rules_that_do_not_go_together_are_refused(rules: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="protocol 'x/common'"):
        replace(common("x"), **rules)


def test_what_does_not_count_where_it_misses_is_kept_with_the_matches() -> None:
    rows = [(*MISS, 0.9), (*HIT, 0.8), ("v", "A", 30.0, 40.0, 0.7)]
    found = scores(UNSURE, rows, ambiguous="drop-false-positives")
    back = Scores.from_json(json.loads(json.dumps(found.to_json(), allow_nan=False)))
    assert back.matches is not None
    assert np.asarray(back.matches.unsure).tolist() == [1, 1, 0]
    assert back.protocol == found.protocol
    plain = scores(UNSURE, rows).matches
    assert plain is not None
    assert plain.unsure is None
