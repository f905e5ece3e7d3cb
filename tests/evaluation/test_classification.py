import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.evaluation.diagnosis_cases import truth_of
from wsal_bench.errors import DataError
from wsal_bench.evaluation.diagnosis.classification import video_classification
from wsal_bench.evaluation.diagnosis.ranking import ranking_average_precision
from wsal_bench.types import Activations


def test_the_example_of_sklearns_documentation() -> None:
    positive, score = np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8])
    assert ranking_average_precision(positive, score) == pytest.approx(0.83333333)


def test_rows_of_equal_score_count_at_once() -> None:
    for positive in ([1, 0], [0, 1]):
        assert ranking_average_precision(np.array(positive), np.ones(2)) == 0.5


def test_nothing_right_has_no_average_precision() -> None:
    assert np.isnan(ranking_average_precision(np.zeros(3), np.arange(3.0)))


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=1))
def test_precision_times_recall_gained_over_falling_thresholds(
    rows: list[tuple[bool, int]],
) -> None:
    total = sum(right for right, _ in rows)
    expected, before = 0.0, 0.0
    for threshold in sorted({score for _, score in rows}, reverse=True):
        above = [right for right, score in rows if score >= threshold]
        recall = sum(above) / max(total, 1)
        expected += (recall - before) * sum(above) / len(above)
        before = recall
    found = ranking_average_precision(
        np.array([right for right, _ in rows]), np.array([score for _, score in rows], dtype=float)
    )
    assert found == pytest.approx(expected if total else np.nan, nan_ok=True)


def said(**scores: list[float]) -> dict[str, Activations]:
    return {
        video: Activations(
            {"cas": np.zeros((1, len(row)))}, {}, np.array(row), np.array([0.0, 1.0])
        )
        for video, row in scores.items()
    }


NAMES = ("Diving", "CliffDiving", "never")
TRUTH = truth_of(
    [("a", "CliffDiving", 0, 1), ("a", "Diving", 0, 1), ("b", "Diving", 0, 1), ("c", "x", 0, 1)]
)


def test_classes_that_no_video_shows_are_left_out() -> None:
    found = video_classification(
        TRUTH, said(a=[0.1, 0.9, 0.5], b=[0.7, 0.2, 0.4], c=[0.3, 0.1, 0.9]), NAMES
    )
    # Diving ranks b, c, a: 1 / 2 * 1 + 1 / 2 * 2 / 3
    assert found.ap == {"Diving": pytest.approx(5 / 6), "CliffDiving": 1.0}
    assert found.mean_ap == pytest.approx(11 / 12) and found.videos == 3


def test_a_cliff_dive_counts_as_a_dive_where_wanted() -> None:
    found = video_classification(
        TRUTH,
        said(a=[0.1, 0.9, 0.5], b=[0.7, 0.2, 0.4], c=[0.3, 0.1, 0.9]),
        NAMES,
        diving_rule=True,
    )
    assert found.ap == {"Diving": 1.0, "CliffDiving": 1.0}


def test_the_diving_rule_changes_nothing_where_there_is_no_diving() -> None:
    truth = truth_of([("a", "x", 0, 1), ("b", "y", 0, 1)])
    activations = said(a=[0.1, 0.2], b=[0.3, 0.1])
    plain = video_classification(truth, activations, ("x", "y"))
    assert video_classification(truth, activations, ("x", "y"), diving_rule=True).ap == plain.ap


def test_other_videos_than_the_truths_are_an_error() -> None:
    with pytest.raises(DataError, match="no video in common"):
        video_classification(TRUTH, said(z=[0.0, 0.0, 0.0]), NAMES)
