import numpy as np
import pytest

from tests.evaluation.diagnosis_cases import truth_of
from wsal_bench.errors import DataError
from wsal_bench.evaluation.diagnosis.snippets import covered_snippets, snippet_precision
from wsal_bench.types import Activations, FloatArray

TIMES = np.array([0.0, 1.0, 2.0, 3.0, 4.0])


def covered(*segments: tuple[float, float], times: FloatArray = TIMES) -> list[bool]:
    columns = np.array(segments, dtype=float).reshape(-1, 2)
    found: list[bool] = covered_snippets(times, columns[:, 0], columns[:, 1]).tolist()
    return found


def test_half_a_snippet_is_enough_and_less_is_not() -> None:
    assert covered((0.5, 2.4)) == [True, True, False, False]
    assert covered((0.51, 2.5)) == [False, True, True, False]


def test_segments_share_a_snippet_without_counting_twice() -> None:
    assert covered((0.0, 0.3), (0.6, 0.8)) == [True, False, False, False]
    assert covered((0.0, 0.3), (0.1, 0.4)) == [False] * 4
    assert covered((0.0, 4.0), (1.0, 2.0)) == [True] * 4


def test_a_border_that_is_half_in_theory_is_half() -> None:
    times = np.arange(5) * (16 / 25)
    assert covered((0.32, 0.96), times=times) == [True, True, False, False]


def test_uneven_snippets_are_covered_by_their_own_length() -> None:
    assert covered((0.0, 2.0), times=np.array([0.0, 1.0, 5.0])) == [True, False]


def test_without_segments_nothing_is_covered() -> None:
    assert covered() == [False] * 4


def activations(cas: list[list[float]], attention: list[float]) -> Activations:
    return Activations(
        {"cas": np.array(cas)}, {"attention": np.array(attention)}, np.zeros(2), TIMES
    )


TRUTH = truth_of([("u", "A", 1, 2), ("v", "B", 0, 2)])
SAID = {
    # A's second snippet is right and comes second in u; the third of v stands above both
    "u": activations([[0.8, 0], [0.7, 0], [0, 0], [0.1, 0]], [0.9, 0.8, 0.0, 0.1]),
    "v": activations([[0, 0.5], [0, 0.4], [0.9, 0.3], [0.2, 0]], [0.7, 0.6, 0.2, 0.3]),
}


def test_all_snippets_of_a_class_are_ranked_together() -> None:
    cas, attention = snippet_precision(TRUTH, SAID, ("A", "B"))
    assert (cas.name, attention.name) == ("cas", "attention")
    assert cas.ap == {"A": pytest.approx(1 / 3), "B": 1.0}
    assert cas.prevalence == {"A": 1 / 8, "B": 2 / 8}
    assert attention.ap == {"any action": pytest.approx((1 / 2 + 2 / 3 + 3 / 4) / 3)}
    assert attention.prevalence == {"any action": 3 / 8}


def test_inside_the_videos_that_show_the_class_others_do_not_disturb() -> None:
    cas, attention = snippet_precision(TRUTH, SAID, ("A", "B"))
    assert cas.ap_inside == {"A": 1 / 2, "B": 1.0}
    assert cas.prevalence_inside == {"A": 1 / 4, "B": 2 / 4}
    assert attention.ap_inside == attention.ap  # both videos show something


def test_a_constant_sequence_scores_as_chance() -> None:
    flat = {name: activations([[0.5, 0.5]] * 4, [0.5] * 4) for name in SAID}
    for part in snippet_precision(TRUTH, flat, ("A", "B")):
        assert part.ap == part.prevalence and part.ap_inside == part.prevalence_inside


def test_a_class_whose_instances_fill_no_snippet_has_no_score() -> None:
    short = truth_of([("u", "A", 1, 1.2), ("v", "B", 0, 2)])
    cas, _ = snippet_precision(short, SAID, ("A", "B"))
    assert set(cas.ap) == {"B"}


def test_the_order_of_classes_and_videos_in_the_truth_plays_no_part() -> None:
    turned = truth_of([("v", "B", 0, 2), ("u", "A", 1, 2)])
    first, second = (snippet_precision(truth, SAID, ("A", "B")) for truth in (TRUTH, turned))
    assert [part.to_json() for part in first] == [part.to_json() for part in second]


def test_other_videos_than_the_truths_are_an_error() -> None:
    with pytest.raises(DataError, match="no video in common"):
        snippet_precision(TRUTH, {"z": SAID["u"]}, ("A", "B"))
