import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.examples import examples
from tests.localization.plain_reference import plain_tiou
from wsal_bench.localization.nms import falling_order, suppress
from wsal_bench.localization.rules import Nms

SEGMENT = st.tuples(st.integers(0, 20), st.integers(1, 10), st.integers(0, 5))


def keep(*segments: tuple[float, float, float], threshold: float, plus: float = 0.0) -> list[int]:
    """Which of the segments (start, end, score) survive."""
    start, end, score = np.asarray(segments, dtype=np.float64).reshape(-1, 3).T
    group = np.zeros(len(score), dtype=np.int64)
    return [int(i) for i in suppress(start, end, score, group, Nms(threshold, plus=plus)).rows]


def test_the_better_of_two_that_overlap_is_kept() -> None:
    # tIoU of [0, 4] and [1, 5] is 3 / 5
    segments = ((0, 4, 0.1), (1, 5, 0.2), (9, 10, 0.15))
    assert keep(*segments, threshold=0.55) == [1, 2]
    assert keep(*segments, threshold=0.65) == [1, 2, 0]


def test_a_tiou_equal_to_the_threshold_goes() -> None:
    assert keep((0, 2, 2), (1, 2, 1), threshold=0.5) == [0]


def test_what_is_already_gone_suppresses_nothing() -> None:
    # the second falls to the first; the third overlaps the second alone
    assert keep((0, 4, 3), (2, 6, 2), (4, 8, 1), threshold=0.3) == [0, 2]


def test_a_second_added_makes_neighbours_overlap() -> None:
    # 0.95 / (1.2 + 1.2 - 0.95) = 0.655
    pair = ((0, 0.2, 1), (0.25, 0.45, 2))
    assert keep(*pair, threshold=0.55) == [1, 0]
    assert keep(*pair, threshold=0.55, plus=1.0) == [1]
    assert keep(*pair, threshold=0.66, plus=1.0) == [1, 0]


def test_no_segment_gives_none() -> None:
    assert keep(threshold=0.5) == []


def test_equal_scores_come_later_first() -> None:
    assert falling_order(np.asarray([1.0, 2.0, 1.0, 2.0] * 20)).tolist()[:3] == [79, 77, 75]


@given(
    segments=st.lists(SEGMENT, max_size=15),
    threshold=st.floats(0.05, 1),
    plus=st.sampled_from([0.0, 1.0]),
)
@examples(20)
def test_kept_ones_are_apart_and_each_other_one_overlaps_a_better_kept_one(
    segments: list[tuple[int, int, int]], threshold: float, plus: float
) -> None:
    rows = [(0, float(start), float(start + length), float(s)) for start, length, s in segments]
    kept = keep(*(row[1:] for row in rows), threshold=threshold, plus=plus)
    assert sorted((rows[i][3] for i in kept), reverse=True) == [rows[i][3] for i in kept]
    for i in range(len(rows)):
        rivals = [j for j in kept if j != i and plain_tiou(rows[i], rows[j], plus) >= threshold]
        if i in kept:
            assert not rivals
        else:
            assert any(rows[j][3] >= rows[i][3] for j in rivals)
