"""The published evaluators' answers, and the definition in plain loops."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wsal_bench.evaluation import Protocol, common, evaluate, protocol, with_tious
from wsal_bench.evaluation import reference as plain
from wsal_bench.evaluation.formats import detections_from_json, truth_from_json
from wsal_bench.types import Detections, GroundTruth

REPOSITORY = Path(__file__).parents[2]
GOLDEN = sorted((REPOSITORY / "tests" / "golden" / "eval").glob("*.json"))
THUMOS = REPOSITORY.parent / "shared" / "data" / "thumos14"


def test_the_golden_files_are_there() -> None:
    assert len(GOLDEN) == 11


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_golden_case_agrees_with_the_stable_official_evaluator(path: Path, tmp_path: Path) -> None:
    case: dict[str, Any] = json.loads(path.read_text())
    for name in ("ground_truth", "predictions"):
        (tmp_path / name).write_text(json.dumps(case[name]))
    truth = truth_from_json(tmp_path / "ground_truth", case["subset"], strict=False)
    detections = detections_from_json(
        tmp_path / "predictions", truth.class_names, truth.video_ids, strict=False
    )
    rules = with_tious(common("golden"), case["tiou_thresholds"])
    scores = evaluate(truth, detections, rules)

    expected = case["expected"]["official_stable"]
    assert set(scores.class_names) == set(expected)
    for name, ap in zip(scores.class_names, scores.ap.T, strict=True):
        np.testing.assert_allclose(ap, expected[name], rtol=0, atol=1e-12)
    mean = case["expected"]["official_stable_mean"]
    np.testing.assert_allclose(scores.mean_ap, mean["mAP"], rtol=0, atol=1e-12)
    assert scores.mean_ap.mean() == pytest.approx(mean["average_mAP"], abs=1e-12)
    assert_equal_to_the_definition(truth, detections, rules)


REAL = [
    ("gt410", "stpn", "false-positive", (52.10, 44.22, 34.72, 26.07, 17.70, 10.09, 4.99)),
    ("gt412", "stpn", "false-positive", (51.42, 43.63, 34.19, 25.62, 17.34, 9.84, 4.84)),
    ("gt410", "pmil_smil", "false-positive", (69.10, 63.12, 54.24, 44.59, 33.94, 23.28, 12.47)),
    ("gt410", "pmil_smil", "dropped", (69.70, 63.73, 54.63, 44.89, 34.10, 23.39, 12.47)),
    ("gt412", "pmil_smil", "false-positive", (68.34, 62.40, 53.60, 44.03, 33.48, 22.92, 12.23)),
]


@pytest.mark.skipif(not THUMOS.is_dir(), reason=f"no published detections at {THUMOS}")
@pytest.mark.parametrize(("truth_file", "method", "outside", "expected"), REAL)
def test_published_detections_score_what_was_published(
    truth_file: str, method: str, outside: str, expected: tuple[float, ...]
) -> None:
    truth = truth_from_json(THUMOS / f"{truth_file}.json", "test")
    (path,) = (THUMOS / "detections" / method).glob("*.json")
    rules = replace(protocol("thumos14/um-2021"), videos_outside=outside)
    detections = detections_from_json(path, truth.class_names, truth.video_ids)
    scores = evaluate(truth, detections, rules)
    np.testing.assert_allclose(100 * scores.mean_ap, expected, rtol=0, atol=0.01)


TIMES = st.integers(0, 12).map(lambda tick: tick / 2)  # touching, equal and empty segments abound


@st.composite
def cases(draw: st.DrawFn) -> tuple[GroundTruth, Detections]:
    videos = tuple(f"v{i}" for i in range(draw(st.integers(1, 3))))
    classes = tuple("ABCDEFGH"[: draw(st.sampled_from([1, 1, 2, 8]))])  # crowded ones and many
    segment = st.tuples(
        st.integers(0, len(videos) - 1), TIMES, TIMES, st.integers(0, len(classes) - 1)
    )
    true = draw(st.lists(segment, min_size=1, max_size=12))
    found = draw(st.lists(st.tuples(segment, st.integers(0, 4)), max_size=25))
    repeated = found + found[: draw(st.integers(0, len(found)))]
    rows = [(*part, score / 4) for part, score in repeated]
    column = np.array(rows, dtype=float).reshape(-1, 5).T
    truth = np.array(true, dtype=float).T
    return (
        GroundTruth(
            video=truth[0].astype(int),
            start=np.minimum(truth[1], truth[2]),
            end=np.maximum(truth[1], truth[2]),
            label=truth[3].astype(int),
            video_ids=videos,
            class_names=classes,
        ),
        Detections(
            video=column[0].astype(int),
            start=column[1],
            end=column[2],  # maybe before the start: the ActivityNet code takes it as it is
            label=column[3].astype(int),
            score=column[4],
            video_ids=("elsewhere", *videos[1:]) if draw(st.booleans()) else videos,
            class_names=classes[::-1],
        ),
    )


def assert_equal_to_the_definition(
    truth: GroundTruth, detections: Detections, rules: Protocol
) -> None:
    scores = evaluate(truth, detections, rules)
    expected = plain.average_precisions(truth, detections, rules)
    assert scores.class_names == tuple(expected)
    np.testing.assert_allclose(scores.ap.T, list(expected.values()), rtol=0, atol=1e-12)
    assert scores.matches is not None
    for label, name in enumerate(scores.class_names):
        rows = plain.ranked(truth, detections, name, rules)
        assert np.flatnonzero(scores.matches.label == label).tolist() == sorted(rows)
        assert scores.matches.rank[rows].tolist() == list(range(len(rows)))
        for bit, hits in enumerate(plain.matches(truth, detections, name, rules)):
            ours = (scores.matches.hits[rows] >> bit & 1).astype(bool).tolist()
            assert ours == [hit is not None for hit in hits]


@settings(deadline=None, max_examples=200)
@given(cases(), st.sampled_from(["false-positive", "dropped"]))
def test_evaluate_is_the_definition(case: tuple[GroundTruth, Detections], outside: str) -> None:
    assert_equal_to_the_definition(*case, replace(common("x"), videos_outside=outside))
