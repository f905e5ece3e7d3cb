"""The published evaluators' answers, and the definition in plain loops."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.evaluation.against_reference import assert_equal_to_the_definition
from wsal_bench.evaluation import common, evaluate, protocol, with_tious
from wsal_bench.evaluation.formats import detections_from_json, truth_from_json

REPOSITORY = Path(__file__).parents[2]
DETECTIONS = {
    "pmil_smil": "pmil_smil/detection_result_base_test.json",
    "stpn": "stpn/results.json",
}
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
    path = THUMOS / "detections" / DETECTIONS[method]
    rules = replace(protocol("thumos14/um-2021"), videos_outside=outside, excluded_videos=())
    detections = detections_from_json(path, truth.class_names, truth.video_ids)
    scores = evaluate(truth, detections, rules)
    np.testing.assert_allclose(100 * scores.mean_ap, expected, rtol=0, atol=0.01)
