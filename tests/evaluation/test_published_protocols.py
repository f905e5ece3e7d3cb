"""Every named protocol against what the published evaluators answered."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.evaluation.test_scoring import detections_of, truth_of
from wsal_bench.errors import UsageError
from wsal_bench.evaluation import Protocol, evaluate, protocol, with_tious
from wsal_bench.evaluation.formats import detections_from_json, truth_from_json, with_ambiguous
from wsal_bench.evaluation.grids import (
    ARANGE_NINE,
    COMMON_TIOUS,
    LINSPACE_FIVE,
    LINSPACE_TEN,
    LITERAL_NINE,
)
from wsal_bench.evaluation.presets import MISANNOTATED
from wsal_bench.evaluation.protocols import names
from wsal_bench.statistics import compare_rows
from wsal_bench.types import Detections, GroundTruth

REPOSITORY = Path(__file__).parents[2]
DETECTIONS = {
    "pmil_smil": "pmil_smil/detection_result_base_test.json",
    "stpn": "stpn/results.json",
}
GOLDEN = sorted((REPOSITORY / "tests" / "golden" / "eval").glob("*.json"))
THUMOS = REPOSITORY.parent / "shared" / "data" / "thumos14"

# the golden files' name of an evaluator -> the protocol that stands for it
EVALUATORS = {
    "actionformer": "thumos14/actionformer-2022",
    "opentad": "thumos14/opentad",
    "mmaction2": "thumos14/mmaction2",
    "detad": "thumos14/detad",
    "wtalc": "thumos14/wtalc-2018",
    "th14": "thumos14/official",
    "th14@v1": "thumos14/official@v1",
}


# their argsort is unstable, so that tied scores come in an order that depends on the processor
UNSTABLE = ("actionformer", "opentad", "detad")
NO_ANSWER = ("10_many_ties", "wtalc")  # the same, and there is no stable answer of W-TALC's


def golden_rules(name: str, case: Mapping[str, Any]) -> Protocol:
    """The protocol without what the golden runs left out."""
    rules = replace(protocol(EVALUATORS[name]), needs_videos=(), ambiguous="none")
    return with_tious(rules, case["tiou_thresholds"])


@pytest.mark.parametrize("evaluator", EVALUATORS)
@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_each_published_evaluator_is_matched(path: Path, evaluator: str, tmp_path: Path) -> None:
    case = json.loads(path.read_text())
    answers = case["expected"]["others"][evaluator.partition("@")[0]]
    if isinstance(answers, str):
        pytest.skip(f"the published code fails here: {answers}")
    if (path.stem, evaluator) == NO_ANSWER:
        pytest.skip("the published code's unstable sort orders the ties of this case")
    for name in ("ground_truth", "predictions"):
        (tmp_path / name).write_text(json.dumps(case[name]))
    truth = truth_from_json(tmp_path / "ground_truth", case["subset"], strict=False)
    detections = detections_from_json(tmp_path / "predictions", strict=False)
    scores = evaluate(truth, detections, golden_rules(evaluator, case))
    ours = dict(zip(scores.class_names, scores.ap.T.tolist(), strict=True))
    if case["expected"]["machine_dependent"] and evaluator in UNSTABLE:
        # an unstable sort ordered the ties: only the stable answer is anyone's
        answers = case["expected"]["official_stable"]
    for label, expected in answers.items():
        wanted = [0.0 if value == "whole mAP=0" else value for value in expected]
        np.testing.assert_allclose(ours[label], wanted, rtol=0, atol=1e-12)


def real(method: str, truth_file: str) -> tuple[GroundTruth, Detections]:
    truth = truth_from_json(THUMOS / f"{truth_file}.json", "test")
    unsure = THUMOS / "Thumos14reduced-Annotations" / "Ambiguous_test.txt"
    path = THUMOS / "detections" / DETECTIONS[method]
    return with_ambiguous(truth, unsure), detections_from_json(path, truth.class_names)


@pytest.mark.skipif(not THUMOS.is_dir(), reason=f"no published detections at {THUMOS}")
@pytest.mark.parametrize(
    ("name", "truth_file", "smil", "stpn"),
    [
        ("thumos14/official", "gt412", 11.25, 19.60),
        ("thumos14/official@v1", "gt410", 11.35, 19.92),
    ],
)
def test_the_kit_counts_the_videos_of_its_own_truth(
    name: str, truth_file: str, smil: float, stpn: float
) -> None:
    for method, expected in (("pmil_smil", smil), ("stpn", stpn)):
        scores = evaluate(*real(method, truth_file), protocol(name))
        assert 100 * scores.mean_ap[4] == pytest.approx(expected, abs=0.005)


# (5.3 - 1.6) + (4 - 0.5) - 2.4 is a little below 4.8, 5.3 - 0.5 is not
KIT_TRUTH = [(MISANNOTATED[0], "A", 0.5, 4.0), (MISANNOTATED[1], "A", 0.0, 10.0)]


def test_the_kits_union_goes_from_the_earlier_start_to_the_later_end() -> None:
    truth = replace(truth_of(KIT_TRUTH), ambiguous=np.array([[0.0, 20.0, 30.0]]))
    found = detections_of([(MISANNOTATED[0], "A", 1.6, 5.3, 0.9)])
    half = {
        name: with_tious(protocol(name), [0.5])
        for name in ("thumos14/official", "thumos14/official@v1")
    }
    assert evaluate(truth, found, half["thumos14/official"]).ap.tolist() == [[0.0]]
    # of two truths one is hit, at rank 1: recall 0.5, six of the eleven points
    assert evaluate(truth, found, half["thumos14/official@v1"]).ap[0, 0] == pytest.approx(6 / 11)


def test_the_kits_truth_is_that_of_both_misannotated_videos() -> None:
    truth = replace(truth_of(KIT_TRUTH), ambiguous=np.array([[0.0, 20.0, 30.0]]))
    found = detections_of([(MISANNOTATED[1], "A", 0.0, 10.0, 0.9)])
    assert evaluate(truth, found, protocol("thumos14/official")).ap[0, 0] == pytest.approx(6 / 11)
    without = truth.only([MISANNOTATED[0]])
    with pytest.raises(UsageError, match="it lacks video_test_0001496"):
        evaluate(without, found, protocol("thumos14/official"))
    # version 1 took any truth, and called what it found elsewhere false
    assert evaluate(without, found, protocol("thumos14/official@v1")).ap[0, 0] == 0.0


# tIoU 0.1, 0.3, 0.5, 0.7 and the average 0.1:0.7 of P-MIL's detections, in percent
MEASURED = {
    "thumos14/common": (69.7, 54.6, 34.1, 12.5, 43.27),
    "thumos14/um-2021": (69.7, 54.6, 34.1, 12.5, 43.27),
    "thumos14/basnet-2020": (69.7, 54.6, 34.1, 12.5, 43.27),
    "thumos14/ftcl-2022": (68.9, 54.0, 33.6, 12.2, 42.74),
    "thumos14/acmnet-2021": (68.9, 54.0, 33.6, 12.2, 42.74),
    "thumos14/pmil-2023": (68.1, 53.6, 37.2, 12.0, 43.51),
}


@pytest.mark.skipif(not THUMOS.is_dir(), reason=f"no published detections at {THUMOS}")
@pytest.mark.parametrize("name", MEASURED)
def test_the_published_spread_of_one_set_of_detections_is_reproduced(name: str) -> None:
    scores = evaluate(*real("pmil_smil", "gt412"), protocol(name))
    average = 100 * scores.averages["0.1:0.7"]
    np.testing.assert_allclose(
        [*(100 * scores.mean_ap[[0, 2, 4, 6]]), average], MEASURED[name], rtol=0, atol=0.1
    )


@pytest.mark.skipif(not THUMOS.is_dir(), reason=f"no published detections at {THUMOS}")
@pytest.mark.parametrize("truth_file", ["gt410", "gt412"])
def test_common_is_the_same_on_both_truth_files(truth_file: str) -> None:
    scores = evaluate(*real("pmil_smil", truth_file), protocol("thumos14/common"))
    expected = (69.70, 63.73, 54.63, 44.89, 34.10, 23.39, 12.47)
    np.testing.assert_allclose(100 * scores.mean_ap, expected, rtol=0, atol=0.006)
    assert scores.counts.truths == 3311


@pytest.mark.skipif(not THUMOS.is_dir(), reason=f"no published detections at {THUMOS}")
def test_the_readme_of_stpn_is_reproduced() -> None:
    truth = truth_from_json(THUMOS / "gt410.json", "test")
    (path,) = (THUMOS / "detections" / "stpn").glob("*.json")
    scores = evaluate(truth, detections_from_json(path), protocol("thumos14/um-2021"))
    readme = (52.1, 44.2, 34.7, 26.1, 17.7, 10.1, 4.9)
    np.testing.assert_allclose(100 * scores.mean_ap, readme, rtol=0, atol=0.1)


def test_grids_hold_the_doubles_that_numpy_gives() -> None:
    assert ARANGE_NINE == tuple(np.arange(0.1, 1, 0.1)) == tuple(np.linspace(0.1, 0.9, 9))
    assert ARANGE_NINE[:7] == tuple(np.arange(0.1, 0.75, 0.1))
    assert COMMON_TIOUS == tuple(np.linspace(0.1, 0.7, 7)) == LITERAL_NINE[:7]
    assert tuple(np.linspace(0.3, 0.7, 5)) == LINSPACE_FIVE
    assert tuple(np.linspace(0.5, 0.95, 10)) == LINSPACE_TEN


# 270 and 1496 with a truth each; the detection in 1496 is a snippet late on the grid of 0.64 s
GRID = [(MISANNOTATED[0], "A", 0.0, 6.4), (MISANNOTATED[1], "A", 0.0, 6.4)]
FOUND = [(MISANNOTATED[0], "A", 0.0, 6.4, 0.9), (MISANNOTATED[1], "A", 0.64, 6.4, 0.8)]


@pytest.mark.parametrize("name", ["thumos14/co2-2021", "thumos14/fac-2021", "thumos14/pmil-2023"])
def test_the_snippet_grid_finds_a_tiou_of_exactly_nine_tenths(name: str) -> None:
    truth = replace(truth_of(GRID), ambiguous=np.array([[0.0, 20.0, 30.0]]))
    rules = with_tious(protocol(name), [0.9])
    assert evaluate(truth, detections_of(FOUND), rules).ap.tolist() == [[1.0]]
    # a detection on an ambiguous stretch is left out, one in a video of its own is none of ours
    more = [*FOUND, (MISANNOTATED[0], "A", 21.0, 25.0, 1.0)]
    assert evaluate(truth, detections_of(more), rules).ap.tolist() == [[1.0]]


def test_facnet_takes_the_earlier_truth_and_nothing_where_a_class_is_silent() -> None:
    rows = [(MISANNOTATED[0], "A", 0.0, 6.4), (MISANNOTATED[0], "A", 6.4, 12.8)]
    rows += [(MISANNOTATED[1], "B", 0.0, 6.4)]
    truth = replace(truth_of(rows), ambiguous=np.array([[0.0, 20.0, 30.0]]))
    rules = with_tious(protocol("thumos14/fac-2021"), [0.5])
    both = (MISANNOTATED[0], "A", 0.0, 12.8, 0.9)  # covers both truths of A by half
    second = (MISANNOTATED[0], "A", 6.4, 12.8, 0.8)
    silent = evaluate(truth, detections_of([both, second]), rules)
    assert silent.ap.tolist() == [[0.0, 0.0]]
    other = (MISANNOTATED[1], "B", 0.0, 6.4, 0.7)
    assert evaluate(truth, detections_of([both, second, other]), rules).ap.tolist() == [[1.0, 1.0]]


@pytest.mark.parametrize("dataset", ["activitynet12", "activitynet13"])
def test_activitynet_is_scored_from_a_half_to_nineteen_twentieths(dataset: str) -> None:
    truth = truth_of([("v", "A", 0.0, 10.0)])
    found = detections_of([("v", "A", 0.0, 9.0, 0.9)])  # tIoU 0.9
    literal = evaluate(truth, found, protocol(f"{dataset}/common"))
    assert literal.ap[:, 0].tolist() == [1.0] * 9 + [0.0]
    assert literal.headline == pytest.approx(0.9)
    assert literal.protocol.headline == "0.5:0.05:0.95"
    official = evaluate(truth, found, protocol(f"{dataset}/official"))
    assert official.ap[:, 0].tolist() == [1.0] * 9 + [0.0]
    # 14 of 16 snippets: 10 s are 15.625 and round to 16, 9 s are 14.0625
    grid = evaluate(truth, found, protocol(f"{dataset}/co2-2021"))
    assert grid.ap[:, 0].tolist() == [1.0] * 8 + [0.0] * 2


def test_the_ninth_threshold_of_linspace_is_below_nine_tenths() -> None:
    assert LINSPACE_TEN[8] < 0.9
    truth = truth_of([("v", "A", 0.0, 1.0)])
    end = 0.8999999999999999
    found = detections_of([("v", "A", 0.0, end, 0.9)])
    assert evaluate(truth, found, protocol("activitynet13/official")).ap[8, 0] == 1.0
    assert evaluate(truth, found, protocol("activitynet13/common")).ap[8, 0] == 0.0


def test_every_named_protocol_has_a_test_here_or_is_common() -> None:
    text = Path(__file__).read_text()
    for name in names():
        dataset, _, rules = name.partition("/")
        assert rules == "common" or name in text or dataset.startswith("activitynet"), name


@pytest.mark.skipif(not THUMOS.is_dir(), reason=f"no published detections at {THUMOS}")
def test_the_page_quotes_the_standard_errors_of_both_sets() -> None:
    page = " ".join((REPOSITORY / "docs" / "protocols.md").read_text().split())
    errors = []
    for name, file in (("thumos14/common", "gt410"), ("thumos14/official", "gt412")):
        for method in ("pmil_smil", "stpn"):
            scores = evaluate(*real(method, file), protocol(name))
            error = compare_rows({method: {(0, 0): scores}}, "")[method].error
            assert error is not None
            errors.append(f"{100 * error.standard_error:.1f}")
    assert f"is {errors[0]} points for S-MIL's set and {errors[1]} for STPN's" in page
    assert f"at each threshold, {errors[2]} and {errors[3]} (mAP@AVG(0.1:0.5))" in page
