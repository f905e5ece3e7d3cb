"""What a timeline shows, and its picture."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsal_bench.evaluation.one_video import Judged
from wsal_bench.report.timeline import Timeline, by_score, content, rows_of, shown_classes
from wsal_bench.report.timeline_picture import draw, write_timeline
from wsal_bench.types import Activations, Proposals

NAMES = ("a", "b", "c", "d", "e", "f")


def timeline(num_snippets: int = 20, *, attention: bool = True) -> Timeline:
    """Truth of b (found by the second segment) and f (missed); c and a are the likeliest."""
    generator = np.random.default_rng(0)
    said = Activations(
        {"other": np.zeros((num_snippets, 6)), "cas": generator.random((num_snippets, 6))},
        {"attention": generator.random(num_snippets)} if attention else {},
        np.array([0.6, 0.3, 0.9, 0.1, 0.2, 0.0]),
        np.arange(num_snippets + 1) * 0.5,
    )
    segments = Proposals(
        np.array([0.0, 2.0, 1.0]), np.array([4.0, 3.0, 2.0]), np.array([2, 1, 0]),
        np.array([0.9, 0.8, 0.7]),
    )  # fmt: skip
    judged = Judged(
        ("false", "true", "uncounted"), np.array([2.0, 5.0]), np.array([3.0, 6.0]),
        np.array([1, 5]), np.array([1, -1]),
    )  # fmt: skip
    return Timeline("v", num_snippets * 0.5, NAMES, segments, judged, 0.5, said, "mil on x")


def test_lanes_are_the_classes_with_truth_then_the_likeliest() -> None:
    one = timeline()
    assert shown_classes(one) == (1, 5, 2, 0)
    assert shown_classes(one, max_classes=3) == (1, 5, 2)
    assert shown_classes(one, max_classes=1) == (1, 5)  # truth is never left out
    assert shown_classes(one, number=1) == (1, 5, 2)  # a has no segment among the best one
    assert shown_classes(replace(one, judged=None)) == (2, 0, 1)
    assert shown_classes(replace(one, activations=None)) == (1, 5, 2, 0)


def test_the_likeliest_class_has_a_lane_even_without_segments() -> None:
    one = replace(timeline(), segments=Proposals.empty(), judged=None)
    assert shown_classes(one) == (2,)


def test_usual_names_come_first_and_gates_per_class_are_no_line() -> None:
    one = timeline()
    said = one.activations
    assert said is not None and one.cas is said.scores["cas"]
    assert one.attention is said.gates["attention"]
    other = Activations({"x": said.scores["cas"]}, {"g": said.scores["cas"]}, said.video_scores,
                        said.times)  # fmt: skip
    changed = replace(one, activations=other)
    assert changed.cas is other.scores["x"] and changed.attention is None


def test_outcomes_must_be_those_of_the_segments() -> None:
    with pytest.raises(ValueError, match="3 outcomes, 0 segments"):
        replace(timeline(), segments=Proposals.empty())


def test_the_content_lists_segments_and_truth() -> None:
    data = content(timeline(), 2)
    assert [row["label"] for row in data["segments"]] == ["c", "b"]
    assert [row["outcome"] for row in data["segments"]] == ["false", "true"]
    assert data["num_segments"] == 3 and data["video_scores"]["c"] == 0.9
    assert data["truth"] == [
        {"label": "b", "start": 2.0, "end": 3.0, "found": True},
        {"label": "f", "start": 5.0, "end": 6.0, "found": False},
    ]
    bare = content(replace(timeline(), judged=None, activations=None))
    assert bare["truth"] is None and bare["video_scores"] is None
    assert [row["outcome"] for row in bare["segments"]] == [None] * 3


def test_best_first_and_equal_scores_keep_their_order() -> None:
    rows = Proposals(
        np.array([0.0, 1.0, 2.0]), np.array([5.0, 6.0, 7.0]), np.array([0, 1, 2]),
        np.array([0.5, 0.9, 0.5]),
    )  # fmt: skip
    assert by_score(rows).start.tolist() == [1, 0, 2]


def test_bars_that_touch_stand_in_different_rows() -> None:
    start, end = np.array([0.0, 5.0, 4.0, 9.9]), np.array([5.0, 9.0, 6.0, 11.0])
    assert rows_of(start, end, 0.0) == (0, 0, 1, 0)
    assert rows_of(start, end, 1.0) == (0, 1, 2, 0)


@given(st.lists(st.tuples(st.floats(0, 9), st.floats(0.01, 3)), max_size=15))
def test_no_two_bars_of_a_row_overlap(spans: list[tuple[float, float]]) -> None:
    start = np.array([one for one, _ in spans])
    end = np.array([one + length for one, length in spans])
    rows = rows_of(start, end, 0.0)
    for one in range(len(rows)):
        for other in range(one):
            if rows[one] == rows[other]:
                assert end[one] <= start[other] or end[other] <= start[one]


def texts(one: Timeline, number: int = 20) -> list[str]:
    figure = draw(one, number)
    (legend,) = figure.legends
    shown = [text.get_text() for text in (*figure.texts, *legend.get_texts())]
    for axes in figure.axes:
        assert axes.get_xlim() == (0.0, one.duration)
        shown += [text.get_text() for text in axes.texts]
    return shown


def test_the_picture_names_what_it_shows() -> None:
    shown = texts(timeline(), 2)
    for text in ("v", "mil on x; best 2 of 3 segments", "b", "f", "c", "video score 0.90",
                 "attention", "CAS", "truth, found", "truth, missed", "false positive",
                 "true positive (tIoU 0.5)", "0.90"):  # fmt: skip
        assert text in shown
    assert "not counted" not in shown and "segment" not in shown


def test_a_truth_found_by_a_segment_that_is_not_shown_is_no_missed_one() -> None:
    shown = texts(timeline(), 1)
    assert "truth, found by one not shown" in shown and "truth, found" not in shown


def test_without_truth_or_activations_less_is_drawn() -> None:
    shown = texts(replace(timeline(), judged=None))
    assert "segment" in shown and not any("truth" in text for text in shown)
    shown = texts(replace(timeline(), activations=None))
    assert "CAS" not in shown and "attention" not in shown and "truth, found" in shown
    assert "attention" not in texts(timeline(attention=False))


def test_many_overlapping_segments_do_not_make_an_endless_lane() -> None:
    count = 30
    segments = Proposals(
        np.zeros(count), np.linspace(1, 9, count), np.zeros(count, int), np.linspace(1, 0.1, count)
    )
    one = replace(timeline(), segments=segments, judged=None)
    assert any("24 more segments overlap these" in text for text in texts(one, count))


def test_a_lane_without_segments_is_lower_and_long_names_are_cut() -> None:
    one = timeline()
    few = draw(one, 1).get_size_inches()[1]  # b has no segment among the best one
    assert few < draw(one, 2).get_size_inches()[1]
    name = "a" * 30 + "b" * 30
    shown = texts(replace(one, video_id=name))
    assert "a" * 18 + "..." + "b" * 18 in shown and name not in shown


@pytest.mark.parametrize("num_snippets", [1, 218, 1000])
def test_equal_timelines_give_equal_files(num_snippets: int, tmp_path: Path) -> None:
    one = replace(timeline(num_snippets), video_id="../v/1")
    first = write_timeline(one, tmp_path / "x")
    again = write_timeline(one, tmp_path / "y")
    assert [path.name for path in first] == ["_v_1.svg", "_v_1.png"]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in again]


def test_the_legend_lies_below_the_time_axis() -> None:
    figure = draw(timeline())
    figure.canvas.draw()
    (legend,) = figure.legends
    lowest = min(axes.get_tightbbox().y0 for axes in figure.axes)  # type: ignore[union-attr]
    box = legend.get_window_extent()
    assert box.y1 <= lowest and box.y0 >= 0 and box.x0 >= 0
    assert box.x1 <= figure.bbox.width
