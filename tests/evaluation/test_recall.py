from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.evaluation.diagnosis_cases import ScoredRow, detections_of, overlap, truth_of
from tests.examples import examples
from wsal_bench.errors import DataError
from wsal_bench.evaluation.diagnosis.recall import THUMOS_TIOUS, average_recall
from wsal_bench.types import Detections, GroundTruth

TRUTH = truth_of([("u", "A", 0, 10), ("u", "B", 20, 30), ("v", "A", 0, 10)])
WITH_EMPTY = replace(TRUTH, video_ids=("u", "v", "empty"), groups=("u", "v", "empty"))


def test_thresholds_of_thumos_end_at_one() -> None:
    assert THUMOS_TIOUS[0] == 0.5 and THUMOS_TIOUS[-1] == 1.0 and len(THUMOS_TIOUS) == 11


def test_recall_looks_at_no_label_and_grows_with_the_list() -> None:
    # two proposals a video: the first of u finds one truth under a wrong label, the second the
    # other; the first of v finds nothing, the second its truth
    rows = [
        ("u", "B", 0, 10, 0.9),
        ("u", "A", 20, 30, 0.8),
        ("v", "A", 50, 60, 0.9),
        ("v", "A", 0, 10, 0.8),
    ]
    found = average_recall(TRUTH, detections_of(rows), (0.5, 0.9), max_proposals=2)
    assert found.per_video == 2
    assert found.proposals[[0, 49, 99]].tolist() == pytest.approx([0.02, 1, 2])
    assert found.recall[0, [48, 49, 98, 99]].tolist() == pytest.approx([0, 1 / 3, 1 / 3, 1])
    # 0 for half of the width, then a third, 1 at the very end: trapezoids of width 1 / 100
    expected = (1 / 3 / 2 + 49 / 3 + (1 / 3 + 1) / 2) / 100
    assert found.area == pytest.approx(expected)
    assert found.at(1) == pytest.approx(1 / 3) and found.at(100) == 1.0


def test_one_proposal_may_find_several_truths() -> None:
    truth = truth_of([("u", "A", 0, 10), ("u", "B", 0, 9)])
    found = average_recall(truth, detections_of([("u", "A", 0, 10, 0.9)]), (0.5,), 1)
    assert found.average[-1] == 1.0


def test_a_video_without_proposals_keeps_its_truths() -> None:
    found = average_recall(TRUTH, detections_of([("u", "A", 0, 10, 0.9)]), (0.5,), 1)
    assert found.average[-1] == pytest.approx(1 / 3)
    assert found.per_video == 0.5


def test_no_proposal_recalls_nothing() -> None:
    found = average_recall(TRUTH, detections_of([]), (0.5,))
    assert found.area == 0.0 and found.at(100) == 0.0


def test_no_truth_is_an_error() -> None:
    with pytest.raises(DataError, match="no true segment"):
        average_recall(truth_of([]), detections_of([]), (0.5,))


def plain_recall(
    truth: GroundTruth, detections: Detections, tiou: float, most: float
) -> list[float]:
    """The rule in words: a share of every list, then one, two, ... hundredths of that."""
    videos = sorted({truth.video_ids[v] for v in truth.video})
    lists: dict[str, list[tuple[float, float, float]]] = {name: [] for name in videos}
    for row in range(len(detections)):
        name = detections.video_ids[detections.video[row]]
        if name in lists:
            lists[name].append((detections.score[row], detections.start[row], detections.end[row]))
    total = sum(map(len, lists.values()))
    share = most * len(videos) / max(total, 1)
    kept = {
        name: sorted(rows, reverse=True)[: min(int(len(rows) * share), len(rows))]
        for name, rows in lists.items()
    }
    seen = sum(map(len, kept.values()))
    curve = []
    for point in range(1, 101):
        part = point / 100.0 * (most * len(videos) / max(seen, 1))
        found = 0
        for row in range(len(truth)):
            proposals = kept[truth.video_ids[truth.video[row]]]
            looked_at = proposals[: min(int(len(proposals) * part), len(proposals))]
            segment = (truth.start[row], truth.end[row])
            found += any(overlap((s, e), segment) >= tiou for _, s, e in looked_at)
        curve.append(found / len(truth))
    return curve


@st.composite
def proposals(draw: st.DrawFn) -> list[ScoredRow]:
    rows = draw(
        st.lists(
            st.tuples(
                st.sampled_from(["u", "v", "empty", "outside"]),
                st.integers(0, 25),
                st.integers(1, 12),
            )
        )
    )
    return [(v, "A", float(s), float(s + n), k / 1000) for k, (v, s, n) in enumerate(rows)]


@given(proposals(), st.sampled_from([1.0, 2.5, 100.0]))
@examples(20)
def test_the_curve_is_that_of_the_definition(rows: list[ScoredRow], most: float) -> None:
    detections = detections_of(rows)
    found = average_recall(WITH_EMPTY, detections, (0.3, 0.6), most)
    for k, tiou in enumerate((0.3, 0.6)):
        assert found.recall[k] == pytest.approx(
            np.array(plain_recall(WITH_EMPTY, detections, tiou, most)), abs=1e-12
        )
