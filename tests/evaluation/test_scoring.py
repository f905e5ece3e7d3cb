import json
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from wsal_bench.errors import DataError
from wsal_bench.evaluation import Scores, common, evaluate, with_tious
from wsal_bench.types import Detections, GroundTruth

RULES = common("x")


def truth_of(rows: Sequence[tuple[str, str, float, float]], *videos: str) -> GroundTruth:
    """Rows (video, class, start, end), and further videos without any."""
    ids = tuple(dict.fromkeys([row[0] for row in rows] + list(videos)))
    classes = tuple(dict.fromkeys(row[1] for row in rows))
    return GroundTruth(
        video=np.array([ids.index(row[0]) for row in rows], dtype=np.int64),
        start=np.array([row[2] for row in rows], dtype=float),
        end=np.array([row[3] for row in rows], dtype=float),
        label=np.array([classes.index(row[1]) for row in rows], dtype=np.int64),
        video_ids=ids,
        class_names=classes,
    )


def detections_of(rows: Sequence[tuple[str, str, float, float, float]]) -> Detections:
    """Rows (video, class, start, end, score)."""
    ids = tuple(dict.fromkeys(row[0] for row in rows))
    classes = tuple(dict.fromkeys(row[1] for row in rows))
    return Detections(
        video=np.array([ids.index(row[0]) for row in rows], dtype=np.int64),
        start=np.array([row[2] for row in rows], dtype=float),
        end=np.array([row[3] for row in rows], dtype=float),
        label=np.array([classes.index(row[1]) for row in rows], dtype=np.int64),
        score=np.array([row[4] for row in rows], dtype=float),
        video_ids=ids,
        class_names=classes,
    )


def ap_at_half(truth: GroundTruth, detections: Detections) -> list[float]:
    ap: list[float] = evaluate(truth, detections, with_tious(RULES, [0.5])).ap[0].tolist()
    return ap


ONE = truth_of([("v", "A", 0, 10)])
MISS = ("v", "A", 50, 60)
HIT = ("v", "A", 0, 10)


def test_a_perfect_detection_scores_one_everywhere() -> None:
    scores = evaluate(ONE, detections_of([(*HIT, 0.9)]), RULES)
    assert scores.ap.tolist() == [[1.0]] * 7
    assert scores.averages == {"0.1:0.5": 1.0, "0.1:0.7": 1.0, "0.3:0.7": 1.0}
    assert scores.headline == 1.0


def test_a_miss_above_the_hit_halves_the_precision() -> None:
    assert ap_at_half(ONE, detections_of([(*MISS, 0.9), (*HIT, 0.8)])) == [0.5]


def test_precision_is_the_best_at_that_recall_or_higher() -> None:
    truth = truth_of([("v", "A", 0, 10), ("v", "A", 20, 30)])
    rows = [(*MISS, 0.9), (*HIT, 0.8), ("v", "A", 20, 30, 0.7)]
    assert ap_at_half(truth, detections_of(rows)) == [pytest.approx(2 / 3)]


def test_of_equal_scores_the_later_row_ranks_first() -> None:
    assert ap_at_half(ONE, detections_of([(*MISS, 0.5), (*HIT, 0.5)])) == [1.0]
    assert ap_at_half(ONE, detections_of([(*HIT, 0.5), (*MISS, 0.5)])) == [0.5]


def test_a_second_detection_of_a_taken_truth_is_a_miss() -> None:
    scores = evaluate(ONE, detections_of([(*HIT, 0.9), (*HIT, 0.8)]), RULES)
    assert scores.matches is not None
    assert scores.matches.hits.tolist() == [0b1111111, 0]


def test_a_detection_falls_back_to_a_free_truth_that_still_reaches_the_threshold() -> None:
    truth = truth_of([("v", "A", 0, 10), ("v", "A", 4, 14)])
    rows = [("v", "A", 4, 14, 0.9), ("v", "A", 4, 14, 0.8)]
    scores = evaluate(truth, detections_of(rows), RULES)
    assert scores.matches is not None
    # the second overlaps the free truth by 6 of 14 seconds: enough for 0.4, not for 0.5
    assert scores.matches.hits.tolist() == [0b1111111, 0b1111]


def test_of_equal_overlaps_the_later_truth_is_taken() -> None:
    truth = truth_of([("v", "A", 0, 10), ("v", "A", 10, 20)])
    first = ("v", "A", 0, 20, 0.9)  # covers both by half
    later_again = detections_of([first, ("v", "A", 10, 20, 0.8)])
    earlier = detections_of([first, ("v", "A", 0, 10, 0.8)])
    assert ap_at_half(truth, later_again) == [0.5]
    assert ap_at_half(truth, earlier) == [1.0]


def test_a_better_ranked_fallback_takes_precedence_over_a_worse_ranked_favourite() -> None:
    truth = truth_of([("v", "A", 0, 10), ("v", "A", 8, 18), ("v", "A", 16, 26)])
    rows = [("v", "A", 0, 10, 0.9), ("v", "A", 2, 12, 0.8), ("v", "A", 9, 19, 0.7)]
    scores = evaluate(truth, detections_of(rows), RULES)
    assert scores.matches is not None
    # up to 4/16 the second falls back on the truth that the third likes best; the third then has
    # 3/17 with the last truth, enough for 0.1 only
    assert scores.matches.hits.tolist() == [0b1111111, 0b0000011, 0b1111101]


def test_a_row_in_another_video_or_of_another_class_hits_nothing() -> None:
    truth = truth_of([("v", "A", 0, 10), ("w", "B", 0, 10)])
    rows = [("w", "A", 0, 10, 0.9), ("v", "A", 0, 10, 0.8), ("v", "B", 0, 10, 0.7)]
    assert ap_at_half(truth, detections_of(rows)) == [0.5, 0.0]


def test_classes_and_videos_are_matched_by_name_whatever_their_indices() -> None:
    truth = truth_of([("v", "A", 0, 10), ("w", "B", 0, 10)])
    rows = [("w", "B", 0, 10, 0.9), ("v", "A", 0, 10, 0.8)]
    assert ap_at_half(truth, detections_of(rows)) == [1.0, 1.0]


def test_classes_stand_in_order_of_their_first_truth_and_silent_ones_score_zero() -> None:
    truth = replace(
        truth_of([("v", "B", 0, 10), ("v", "A", 20, 30), ("v", "B", 40, 50)]),
        class_names=("C", "B", "A"),
        label=np.array([1, 2, 1]),
    )
    scores = evaluate(truth, detections_of([("v", "A", 20, 30, 0.9)]), RULES)
    assert scores.class_names == ("B", "A")
    assert scores.ap[0].tolist() == [0.0, 1.0]
    assert scores.mean_ap.tolist() == [0.5] * 7


def test_no_detection_at_all_scores_zero() -> None:
    empty = replace(detections_of([]), video_ids=("v",), class_names=("A",))
    scores = evaluate(ONE, empty, RULES)
    assert scores.ap.tolist() == [[0.0]] * 7
    assert scores.counts.detections == 0


def test_videos_outside_the_truth_are_false_positives_or_dropped_as_the_protocol_says() -> None:
    rows = detections_of([("elsewhere", "A", 0, 10, 0.9), (*HIT, 0.8)])
    counted = evaluate(ONE, rows, RULES)
    dropped = evaluate(ONE, rows, replace(RULES, videos_outside="dropped"))
    assert (counted.headline, counted.counts.outside, counted.counts.ignored) == (0.5, 1, 0)
    assert (dropped.headline, dropped.counts.outside, dropped.counts.ignored) == (1.0, 1, 1)


def test_a_video_of_the_truth_without_segments_is_not_outside() -> None:
    truth = truth_of([("v", "A", 0, 10)], "quiet")
    rows = detections_of([("quiet", "A", 0, 10, 0.9), (*HIT, 0.8)])
    scores = evaluate(truth, rows, replace(RULES, videos_outside="dropped"))
    assert (scores.headline, scores.counts.outside) == (0.5, 0)


def test_an_unknown_class_is_an_error_or_ignored_as_the_protocol_says() -> None:
    rows = detections_of([("v", "Aa", 0, 10, 0.9), (*HIT, 0.8)])
    with pytest.raises(DataError, match=r"video 'v'.*'Aa'; did you mean 'A'"):
        evaluate(ONE, rows, RULES)
    scores = evaluate(ONE, rows, replace(RULES, unknown_labels="ignore"))
    assert (scores.headline, scores.counts.ignored) == (1.0, 1)


def test_a_class_that_the_truth_names_but_never_shows_is_not_scored() -> None:
    truth = replace(ONE, class_names=("A", "Z"))
    scores = evaluate(truth, detections_of([("v", "Z", 0, 10, 0.9), (*HIT, 0.8)]), RULES)
    assert (scores.class_names, scores.headline, scores.counts.ignored) == (("A",), 1.0, 1)


def test_no_true_segment_is_an_error_and_never_nan() -> None:
    with pytest.raises(DataError, match="no true segment in the 1 videos"):
        evaluate(truth_of([], "v"), detections_of([]), RULES)


def test_tied_scores_are_counted_inside_a_class() -> None:
    truth = truth_of([("v", "A", 0, 10), ("v", "B", 0, 10)])
    rows = [("v", "A", 0, 1, 0.5), ("v", "A", 1, 2, 0.5), ("v", "A", 2, 3, 0.4)]
    rows += [("v", "B", 0, 1, 0.5), ("v", "B", 1, 2, 0.4)]
    assert evaluate(truth, detections_of(rows), RULES).counts.tied == 2


def test_ranks_are_positions_in_the_class() -> None:
    truth = truth_of([("v", "A", 0, 10), ("v", "B", 0, 10)])
    rows = [("v", "A", 0, 1, 0.1), ("v", "B", 0, 1, 0.5), ("v", "A", 1, 2, 0.9)]
    matches = evaluate(truth, detections_of(rows), RULES).matches
    assert matches is not None
    assert matches.rank.tolist() == [1, 0, 0]
    assert matches.label.tolist() == [0, 1, 0]


def test_single_precision_columns_are_compared_in_double_precision() -> None:
    rows = detections_of([("v", "A", 0, 7, 0.9)])
    narrow = replace(rows, start=rows.start.astype(np.float32), end=rows.end.astype(np.float32))
    assert evaluate(ONE, narrow, RULES).ap[:, 0].tolist() == [1.0] * 7  # 0.7 is met exactly


@pytest.mark.parametrize("with_matches", [True, False])
def test_scores_go_to_json_and_back(with_matches: bool) -> None:
    truth = truth_of([("v", "B", 0, 10), ("v", "A", 20, 30)])
    rows = [("v", "B", 0, 6, 0.9), ("v", "A", 21, 30, 0.8), ("w", "A", 0, 1, 0.85)]
    scores = evaluate(truth, detections_of(rows), RULES)
    text = json.dumps(scores.to_json(matches=with_matches), allow_nan=False, sort_keys=True)
    back = Scores.from_json(json.loads(text))
    assert (back.protocol, back.class_names, back.counts) == (RULES, ("B", "A"), scores.counts)
    assert back.ap.tolist() == scores.ap.tolist()
    assert back.averages == scores.averages
    assert (back.matches is not None) == with_matches
    assert json.dumps(back.to_json(matches=with_matches), sort_keys=True) == text


@pytest.mark.parametrize("key", ["protocol", "ap", "counts", "class_names"])
def test_a_document_that_lacks_something_is_no_scores(key: str) -> None:
    document = evaluate(ONE, detections_of([(*HIT, 0.9)]), RULES).to_json()
    del document[key]
    with pytest.raises(DataError, match="not a document of scores"):
        Scores.from_json(document)
