"""The facts of a truth, on numbers that can be checked by hand and on THUMOS14's."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsal_bench.data.looking import truths_of
from wsal_bench.data.statistics import (
    Spread,
    covered_seconds,
    identifiability,
    split_facts,
)
from wsal_bench.types import GroundTruth

SHARED = Path(__file__).parents[2].parent / "shared" / "data" / "thumos14"


def truth(*rows: tuple[int, float, float, int], durations: tuple[float, ...] = ()) -> GroundTruth:
    """Rows of (video, start, end, label); three videos, classes a, b, c."""
    video, start, end, label = (np.array(column) for column in zip(*rows, strict=True))
    return GroundTruth(
        video=video,
        start=start.astype(np.float64),
        end=end.astype(np.float64),
        label=label,
        video_ids=("x", "y", "z"),
        class_names=("a", "b", "c"),
        durations=np.array(durations),
    )


SMALL = truth(
    (0, 0.0, 4.0, 0), (0, 2.0, 5.0, 1), (0, 8.0, 9.0, 0), (1, 1.0, 3.0, 1),
    durations=(10.0, 4.0, 6.0),
)  # fmt: skip


def test_seconds_that_two_segments_cover_count_once() -> None:
    assert covered_seconds(SMALL).tolist() == [6.0, 2.0, 0.0]


def test_the_counts_of_a_small_truth() -> None:
    facts = split_facts(SMALL)
    assert (facts.videos, facts.empty_videos, facts.instances) == (3, 1, 4)
    assert facts.labels_per_video == {0: 1, 1: 1, 2: 1}
    assert facts.pooled_foreground == pytest.approx(8 / 20)
    assert facts.foreground is not None
    assert facts.foreground.mean == pytest.approx((0.6 + 0.5 + 0.0) / 3)
    assert facts.lengths is not None
    assert (facts.lengths.least, facts.lengths.median, facts.lengths.greatest) == (1.0, 2.5, 4.0)
    assert facts.instances_per_video is not None
    assert facts.instances_per_video.mean == 2.0  # videos without a segment do not count


def test_company_of_classes() -> None:
    a, b, c = split_facts(SMALL).classes
    assert (a.videos, a.instances, a.alone, a.companion, a.together) == (1, 2, 0.0, "b", 1.0)
    assert (b.videos, b.instances, b.alone, b.companion, b.together) == (2, 2, 0.5, "a", 0.5)
    assert (c.videos, c.companion, c.length) == (0, "", None)
    together = split_facts(SMALL).co_occurrence
    assert together[0].tolist() == [1.0, 1.0, 0.0]
    assert together[1].tolist() == [0.5, 1.0, 0.0]
    assert np.isnan(together[2]).all()


def test_what_labels_cannot_tell_is_said() -> None:
    assert identifiability(split_facts(SMALL)) == [
        "b is in all of the 1 videos of a: labels do not say which of the two a segment is",
        "no video shows c",
    ]


def test_without_durations_there_is_no_foreground() -> None:
    facts = split_facts(truth((0, 0.0, 1.0, 0)))
    assert (facts.durations, facts.foreground, facts.pooled_foreground) == (None, None, None)


def test_segments_beyond_the_end_of_the_video_cover_nothing() -> None:
    beyond = truth((0, 8.0, 30.0, 0), (1, 20.0, 25.0, 0), durations=(10.0, 10.0, 10.0))
    assert covered_seconds(beyond).tolist() == [2.0, 0.0, 0.0]


def test_nothing_has_no_spread() -> None:
    assert Spread.of(np.empty(0)) is None


@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 20), st.integers(1, 8), st.integers(0, 2)),
        min_size=1,
        max_size=12,
    )
)
def test_covered_seconds_are_those_of_a_grid(rows: list[tuple[int, int, int, int]]) -> None:
    made = truth(*((v, float(s), float(s + n), label) for v, s, n, label in rows))
    grid = np.zeros((3, 30), dtype=bool)
    for video, start, length, _ in rows:
        grid[video, start : start + length] = True
    assert covered_seconds(made).tolist() == grid.sum(1).tolist()


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs THUMOS14's truth in shared/data/thumos14")
@pytest.mark.parametrize("file", ["gt410.json", "gt412.json"])
def test_the_counts_of_thumos14_are_those_that_were_counted_before(file: str) -> None:
    counted = json.loads((SHARED / "THUMOS14_stats.json").read_text())
    for split, name in (("train", "val"), ("test", "test")):
        facts, known = split_facts(truths_of(str(SHARED / file))[split]), counted[name]
        check = known[f"check_{file[:5]}"]
        assert (facts.videos, facts.instances) == (check["videos"], check["instances"])
        if facts.instances != known["instances_txt"]:
            continue  # two videos fewer: the spreads below are over all of them
        for found, spread in (
            (facts.lengths, known["instance_len"]),
            (facts.instances_per_video, known["instances_per_video"]),
        ):
            assert found is not None
            assert found.mean == pytest.approx(spread["mean"], abs=1e-3)
            assert found.std == pytest.approx(spread["std"], abs=1e-3)
            assert found.p95 == pytest.approx(spread["p95"], abs=1e-3)
        labels = {str(k): v for k, v in facts.labels_per_video.items()}
        assert labels == known["classes_per_video"]
        classes = {one.name: one for one in facts.classes}
        for label, of_class in known["per_class"].items():
            assert classes[label].videos == of_class["videos"]
            assert classes[label].instances == of_class["instances"]
        assert classes["CliffDiving"].together == 1.0
