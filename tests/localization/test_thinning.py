"""A further NMS of stored detections, and the best few of each video."""

from math import exp
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.examples import examples
from wsal_bench.localization.nms import thin, top_k
from wsal_bench.localization.rules import NMS_KINDS, Nms
from wsal_bench.types import Detections

Row = tuple[int, float, float, int, float]  # video, start, end, label, score


def table(*rows: Row) -> Detections:
    """Detections of videos a, b, c and classes x, y."""
    columns: list[Any] = [*map(np.asarray, zip(*rows, strict=True))] or [np.empty(0, int)] * 5
    video, start, end, label, score = columns
    return Detections(
        video, start.astype(float), end.astype(float), label, score.astype(float),
        ("a", "b", "c"), ("x", "y"),
    )  # fmt: skip


def rows(detections: Detections) -> list[Any]:
    columns = (detections.video, detections.start, detections.end, detections.label)
    return list(zip(*(map(float, c) for c in (*columns, detections.score)), strict=True))


TABLE = table(
    (0, 0, 4, 0, 0.5),
    (1, 0, 4, 0, 0.4),  # another video
    (0, 0, 4, 1, 0.3),  # another class
    (0, 1, 4, 0, 0.9),  # tIoU 3/4 with the first
    (0, 9, 10, 0, 0.1),
)


def test_only_segments_of_one_video_and_class_suppress_each_other() -> None:
    left = thin(TABLE, Nms(0.7))
    assert rows(left) == rows(TABLE)[1:]
    assert (left.video_ids, left.class_names) == (TABLE.video_ids, TABLE.class_names)
    assert rows(thin(TABLE, Nms(0.8))) == rows(TABLE)
    assert rows(thin(TABLE, Nms(kind="none"))) == rows(TABLE)


def test_soft_nms_lowers_scores_and_keeps_rows_and_order() -> None:
    left = thin(TABLE, Nms(kind="soft", sigma=0.3))
    assert [row[:4] for row in rows(left)] == [row[:4] for row in rows(TABLE)]
    assert left.score.tolist() == [0.5 * exp(-(0.75 * 0.75) / 0.3), 0.4, 0.3, 0.9, 0.1]


def test_soft_nms_lowers_a_score_once_for_each_better_one() -> None:
    # tIoU of the last with the first two is 1/2 and 1/4; theirs is 1/3
    three = table((0, 0, 2, 0, 0.9), (0, 1, 3, 0, 0.8), (0, 0, 1, 0, 0.1))
    left = thin(three, Nms(kind="soft", sigma=1.0))
    second = 0.8 * exp(-((1 / 3) ** 2))
    assert left.score.tolist() == pytest.approx([0.9, second, 0.1 * exp(-(0.5**2))])


def test_what_partial_soft_nms_drops_comes_back_lower() -> None:
    left = thin(TABLE, Nms(0.7, kind="partial-soft", sigma=0.35))
    assert left.score.tolist() == [0.5 * exp(-(0.75 * 0.75) / 0.35), 0.4, 0.3, 0.9, 0.1]
    assert rows(thin(TABLE, Nms(0.8, kind="partial-soft"))) == rows(TABLE)


def test_containment_looks_at_the_worse_ones_length() -> None:
    inside = table((0, 0, 10, 0, 0.9), (0, 4, 5, 0, 0.8))
    assert rows(thin(inside, Nms(0.5, kind="containment"))) == rows(inside)[:1]
    around = table((0, 0, 10, 0, 0.8), (0, 4, 5, 0, 0.9))
    assert rows(thin(around, Nms(0.5, kind="containment"))) == rows(around)


@pytest.mark.parametrize(("kind", "other"), [("hard", (0, 1)), ("containment", (1, 3))])
def test_an_overlap_equal_to_the_threshold_may_stay(kind: Any, other: tuple[int, int]) -> None:
    pair = table((0, 0, 2, 0, 0.9), (0, *other, 0, 0.8))
    assert len(thin(pair, Nms(0.5, kind=kind))) == 1
    assert len(thin(pair, Nms(0.5, kind=kind, drops_equal=False))) == 2


def test_a_snippet_is_added_where_the_nms_counts_in_snippets() -> None:
    # snippets of half a second: [0, 2] and [2, 4]; with one added 1 / (3 + 3 - 1)
    pair = table((0, 0, 1, 0, 0.9), (0, 1, 2, 0, 0.8))
    snippets = Nms(0.2, plus=1, unit="snippets")
    assert len(thin(pair, snippets, snippet_seconds=0.5)) == 1
    assert len(thin(pair, Nms(0.2001, plus=1, unit="snippets"), snippet_seconds=0.5)) == 2
    for length in (None, 0.0, float("nan")):
        with pytest.raises(ValueError, match="needs their length in seconds"):
            thin(pair, snippets, snippet_seconds=length)


@pytest.mark.parametrize("kind", NMS_KINDS)
def test_no_detection_gives_none(kind: Any) -> None:
    assert len(thin(table(), Nms(0.5, kind=kind))) == 0


def test_the_best_of_each_video_are_kept_in_their_order() -> None:
    assert rows(top_k(TABLE, 2)) == [rows(TABLE)[i] for i in (0, 1, 3)]
    assert rows(top_k(TABLE, 99)) == rows(TABLE)
    assert len(top_k(table(), 3)) == 0
    with pytest.raises(ValueError, match="at least 1, not 0"):
        top_k(TABLE, 0)


def test_of_equal_scores_the_later_is_the_better() -> None:
    same = table(*((0, i, i + 1, 0, 0.5) for i in range(40)))
    assert top_k(same, 2).start.tolist() == [38, 39]


@given(
    made=st.lists(
        st.tuples(
            st.integers(0, 2), st.integers(0, 9), st.integers(1, 5), st.integers(0, 1),
            st.integers(-3, 3),
        ),
        max_size=25,
    ),
    kind=st.sampled_from(NMS_KINDS),
    plus=st.sampled_from([0.0, 1.0]),
    drops_equal=st.booleans(),
)  # fmt: skip
@examples(20)
def test_thinning_a_table_is_thinning_each_video_and_class_alone(
    made: list[tuple[int, int, int, int, int]], kind: Any, plus: float, drops_equal: bool
) -> None:
    whole = table(*((v, s, s + n, c, x / 3) for v, s, n, c, x in made))
    nms = Nms(0.5, plus=plus, kind=kind, drops_equal=drops_equal)
    apart = []
    for video in range(3):
        for label in range(2):
            part = [row for row in rows(whole) if (row[0], row[3]) == (video, label)]
            apart += rows(
                thin(table(*((int(r[0]), r[1], r[2], int(r[3]), r[4]) for r in part)), nms)
            )
    assert sorted(rows(thin(whole, nms))) == sorted(apart)
