"""Which protocols can be diagnosed; the diagnosis then starts from their own scores."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.evaluation.diagnosis_cases import Row, ScoredRow, detections_of, truth_of
from wsal_bench.errors import UsageError
from wsal_bench.evaluation import evaluate, names, protocol
from wsal_bench.evaluation.diagnosis import diagnose, obstacle
from wsal_bench.evaluation.diagnosis.case import lay_out
from wsal_bench.evaluation.formats import detections_from_json, truth_from_json

THUMOS = Path(__file__).parents[2].parent / "shared" / "data" / "thumos14"
DIAGNOSED = [name for name in names() if not obstacle(protocol(name))]
REFUSED = [name for name in names() if obstacle(protocol(name))]


def rows(seed: int) -> tuple[list[Row], list[ScoredRow]]:
    """Borders on a coarse grid: equal tIoU, duplicates and truths without length are common."""
    rng = np.random.default_rng(seed)
    found = []
    for number, shortest in ((40, 0), (120, 1)):
        start = rng.integers(0, 40, number) * 0.64
        end = start + rng.integers(shortest, 8, number) * 0.64
        video, label = rng.integers(0, 4, number), rng.integers(0, 3, number)
        columns = zip(video, label, start.tolist(), end.tolist(), strict=True)
        found.append([(f"v{v}", "ABC"[c], s, e) for v, c, s, e in columns])
    scores = rng.permutation(len(found[1])) / 1000
    return found[0], [(*row, float(score)) for row, score in zip(found[1], scores, strict=True)]


def test_some_protocols_can_be_diagnosed_and_some_cannot() -> None:
    assert {"thumos14/common", "activitynet13/common"} <= set(DIAGNOSED)
    assert {"thumos14/official", "thumos14/wtalc-2018"} <= set(REFUSED)


@pytest.mark.parametrize("name", DIAGNOSED)
def test_the_diagnosis_starts_from_the_score_of_the_protocol(name: str) -> None:
    rules = replace(protocol(name), needs_videos=())
    for seed in range(3):
        truth_rows, found = rows(seed)
        truth = replace(truth_of(truth_rows), ambiguous=np.array([[0, 5.0, 6.0]]))
        detections = detections_of(found)
        scores = evaluate(truth, detections, rules)
        diagnosis = diagnose(truth, detections, scores)
        assert np.abs(diagnosis.plain.ap - scores.ap).max() <= 1e-12
        assert (diagnosis.missed.found <= scores.counts.truths).all()


@pytest.mark.parametrize("name", REFUSED)
def test_rules_whose_hits_do_not_tell_their_truth_are_refused(name: str) -> None:
    truth, detections = truth_of([("v", "A", 0, 10)]), detections_of([("v", "A", 0, 10, 0.9)])
    scores = evaluate(truth, detections, protocol("x/common"))
    with pytest.raises(UsageError, match=f"the diagnosis needs .*, {name} has"):
        lay_out(truth, detections, replace(scores, protocol=protocol(name)))


@pytest.mark.parametrize("side", ["later-first", "earlier-first"])
def test_of_truths_with_equal_overlap_the_one_that_the_protocol_names_is_taken(side: str) -> None:
    rules = replace(protocol("x/common"), truth_ties=side)
    truth, detections = (
        truth_of([("v", "A", 0, 10), ("v", "A", 10, 20)]),
        detections_of([("v", "A", 5, 15, 0.9)]),
    )
    case = lay_out(truth, detections, evaluate(truth, detections, rules))
    assert case.owner[0].tolist() == [1 if side == "later-first" else 0]


def test_excluded_videos_are_not_in_the_diagnosis() -> None:
    rules = replace(protocol("x/common"), excluded_videos=("bad",))
    truth = truth_of([("bad", "A", 0, 10), ("v", "A", 0, 10)])
    detections = detections_of([("bad", "A", 50, 60, 0.9), ("v", "A", 0, 10, 0.8)])
    found = diagnose(truth, detections, evaluate(truth, detections, rules))
    assert found.missed.truths == 1 and found.errors.slices[0].sum() == 1
    assert found.plain.ap[:, 0].tolist() == [1.0] * 7


@pytest.mark.skipif(not THUMOS.exists(), reason="needs shared/data/thumos14")
def test_real_detections_keep_their_score_and_every_row_has_a_kind() -> None:
    truth = truth_from_json(THUMOS / "gt412.json", "test")
    path = THUMOS / "detections" / "pmil_smil" / "detection_result_base_test.json"
    detections = detections_from_json(path, truth.class_names)
    scores = evaluate(truth, detections, protocol("thumos14/common"))
    found = diagnose(truth, detections, scores)
    assert np.abs(found.plain.ap - scores.ap).max() <= 1e-12
    profile = found.errors
    scored = len(detections) - scores.counts.ignored
    assert (profile.slices.sum(axis=(1, 2)) + profile.beyond.sum(axis=1) == scored).all()
    hits = profile.slices[:, :, 0].sum(axis=1) + profile.beyond[:, 0]
    assert hits.tolist() == found.missed.found.tolist()
    for kind, without in profile.map_without.items():
        assert (without >= profile.map - 1e-12).all(), kind
    assert found.bucket_set == "thumos14"
    # every cliff dive is also annotated as a dive
    assert profile.twins.min() > 500
