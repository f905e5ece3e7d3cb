"""The `acm` recipe against golden vectors and a plain transcription of the published pipeline."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.localization.published_pipeline import Published, interpolate, published_pipeline
from wsal_bench.localization import localize, propose
from wsal_bench.localization.recipe import recipe
from wsal_bench.timegrid import TimeGrid
from wsal_bench.types import Activations, Proposals

GOLDEN = Path(__file__).parents[1] / "golden" / "acm_postprocess.json"
CASES: list[dict[str, Any]] = json.loads(GOLDEN.read_text())


def activations(
    cas: NDArray[Any], attention: NDArray[Any], video_scores: NDArray[Any], num_snippets: int
) -> Activations:
    times = TimeGrid(fps=25, stride=16).edges(num_snippets, len(cas))
    return Activations({"cas": cas}, {"attention": attention}, video_scores, times)


def rows_by_class(proposals: Proposals) -> dict[int, list[list[float]]]:
    rows = np.stack([proposals.score, proposals.start, proposals.end], axis=1)
    return {label: rows[proposals.label == label].tolist() for label in np.unique(proposals.label)}


def smooth(generator: np.random.Generator, length: int) -> NDArray[np.float32]:
    """A random curve that wanders over [0, 1], like a trained network's."""
    curve = np.convolve(generator.standard_normal(length + 4), np.ones(5), mode="valid")
    return (1 / (1 + np.exp(-curve))).astype(np.float32)


@pytest.mark.parametrize("case", CASES, ids=range(len(CASES)))
def test_float64_inputs_give_the_golden_proposals_and_the_golden_final_ones(
    case: dict[str, Any],
) -> None:
    given = activations(
        np.asarray(case["cas"]),
        np.asarray(case["attention"]),
        np.asarray(case["video_scores"]),
        case["vid_len"],
    )
    for stage, found in (
        ("proposals_before_nms", propose(given, recipe("acm"))),
        ("final", localize(given, recipe("acm"))),
    ):
        expected = {int(label): rows for label, rows in case[stage].items()}
        assert rows_by_class(found).keys() == {label for label, rows in expected.items() if rows}
        for label, rows in rows_by_class(found).items():
            np.testing.assert_allclose(rows, expected[label], rtol=0, atol=1e-12)


@pytest.mark.parametrize("seed", range(25))
def test_float32_inputs_give_the_bits_of_the_published_pipeline(seed: int) -> None:
    generator = np.random.default_rng(seed)
    length = int(generator.integers(2, 60))
    num_snippets = length + int(generator.integers(0, 3)) * int(generator.integers(0, 400))
    cas = np.stack([smooth(generator, length) for _ in range(3)], axis=1)
    attention = smooth(generator, length)
    video_scores = generator.random(3).astype(np.float32) ** 2
    expected = published_pipeline(cas, attention, video_scores, num_snippets)
    given = activations(cas, attention, video_scores, num_snippets)
    assert rows_by_class(propose(given, recipe("acm"))) == with_rows(expected.before_nms)
    assert rows_by_class(localize(given, recipe("acm"))) == ending_inside(expected, given)


def with_rows(by_class: dict[int, list[list[float]]]) -> dict[int, list[list[float]]]:
    return {label: rows for label, rows in by_class.items() if rows}


def ending_inside(expected: Published, given: Activations) -> dict[int, list[list[float]]]:
    """The final rows, where the last step's end may round to a bit beyond the video's."""
    last = float(given.times[-1])
    return {
        label: [[score, start, min(end, last)] for score, start, end in rows]
        for label, rows in with_rows(expected.final).items()
    }


@pytest.mark.parametrize("length", [700, 750])
def test_long_runs_are_summed_in_pairs_as_numpy_does(length: int) -> None:
    # means over thousands of steps: a plain running sum would differ in the last bits
    generator = np.random.default_rng(length)
    cas = (0.6 + 0.3 * generator.random((length, 1))).astype(np.float32)
    attention = (0.7 + 0.2 * generator.random(length)).astype(np.float32)
    attention[[3, -4]] = 0
    scores = np.ones(1, np.float32)
    expected = published_pipeline(cas, attention, scores, 1000)
    found = propose(activations(cas, attention, scores, 1000), recipe("acm"))
    assert rows_by_class(found) == expected.before_nms


def test_float32_and_float64_inputs_differ_in_the_slopes_last_bits() -> None:
    generator = np.random.default_rng(0)
    cas, attention = smooth(generator, 40)[:, None], smooth(generator, 40)
    single = propose(activations(cas, attention, np.ones(1), 40), recipe("acm"))
    double = propose(activations(cas.astype(float), attention, np.ones(1), 40), recipe("acm"))
    np.testing.assert_allclose(single.score, double.score, atol=1e-6)
    assert (single.score != double.score).any()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_transcription_interpolates_with_the_bits_of_scipy(dtype: type) -> None:
    interpolation = pytest.importorskip("scipy.interpolate", reason="scipy is not installed")
    values: NDArray[Any] = np.random.default_rng(1).standard_normal((50, 1)).astype(dtype)
    line = interpolation.interp1d(np.arange(50), values, axis=0, fill_value="extrapolate")
    assert (line(np.arange(0, 50, 1 / 20))[:, 0] == interpolate(values[:, 0])).all()
