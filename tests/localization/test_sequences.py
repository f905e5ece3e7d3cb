"""How sequences over snippets are prepared, and that compiled interpolation has numpy's bits."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from wsal_bench.errors import UsageError
from wsal_bench.localization import GateList, localize
from wsal_bench.localization._cutting import upsample_rows
from wsal_bench.localization.interpolation import upsample
from wsal_bench.localization.recipe import COMMON, recipe
from wsal_bench.localization.sequences import snippets, thresholds_of
from wsal_bench.types import Activations


def one_class(values: list[float], **changes: Any) -> Any:
    """A score sequence of one class as a recipe prepares it."""
    video = Activations(
        {"cas": np.asarray(values)[:, None]}, {}, np.ones(1), np.arange(len(values) + 1.0)
    )
    changed = replace(COMMON, **{"normalisation": "none", **changes})
    return snippets("cas", video, changed, np.asarray([0]))[0].tolist()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("length", [1, 2, 3, 40])
def test_compiled_interpolation_has_the_bits_of_numpys(dtype: type, length: int) -> None:
    generator = np.random.default_rng(length)
    curves: NDArray[Any] = generator.standard_normal((length, 2)).astype(dtype)
    # at 75 and 91 steps a snippet some i / scale round to beyond a sample
    for scale in (1, 2, 3, 7, 20, 24, 49, 75, 91):
        steps = np.empty((2, length * scale))
        upsample_rows(np.ascontiguousarray(curves.T), scale, steps)
        assert (steps == upsample(curves, scale)).all()


def test_published_stretches_count_a_negative_minimum_as_0() -> None:
    assert one_class([-1, 0, 1, 2], normalisation="relu-min-max") == [-0.5, 0, 0.5, 1]
    assert one_class([-1, 0, 1, 2], normalisation="clamped-min-max") == [0, 0, 0.5, 1]
    assert one_class([1, 2, 3], normalisation="relu-min-max") == [0, 0.5, 1]
    # no range above 0: divided by 1
    assert one_class([-3, -1], normalisation="relu-min-max") == [-3, -1]
    assert one_class([2, 2], normalisation="clamped-min-max") == [0, 0]


def test_smoothing_fits_a_straight_line_to_each_window() -> None:
    straight = [1.0, 1.5, 2.0, 2.5, 3.0, 3.5]
    assert one_class(straight, smoothing=3) == pytest.approx(straight)
    # an even window loses one: means of three, and the first line's ends
    assert one_class([0, 3, 0, 3, 0], smoothing=4) == pytest.approx([1, 1, 2, 1, 1])
    assert one_class([5, 0, 1], smoothing=3) == [5, 0, 1]  # three snippets stay as they are


def test_smoothing_is_scipys_savitzky_golay_filter() -> None:
    signal = pytest.importorskip("scipy.signal", reason="scipy is not installed")
    values = np.random.default_rng(0).standard_normal(40)
    for window in (5, 39):
        smooth = one_class(values.tolist(), smoothing=window)
        assert smooth == pytest.approx(signal.savgol_filter(values, window, 1).tolist())


def test_a_relative_threshold_is_counted_down_from_the_largest() -> None:
    gate = np.asarray([-1.0, 3.0, 1.0])
    entry = GateList("cas", (0.0, 0.5, 1.0), relative=True)
    assert thresholds_of(entry, gate).tolist() == [3.0, 1.0, -1.0]
    assert thresholds_of(replace(entry, relative=False), gate).tolist() == [0.0, 0.5, 1.0]


def test_all_sequences_that_are_missing_are_named() -> None:
    video = Activations({"cas": np.ones((3, 2))}, {}, np.ones(2), np.arange(4.0))
    message = "recipe 'stpn' cuts 'score-flow', 'score-rgb', 'signal-flow', 'signal-rgb', which"
    with pytest.raises(UsageError, match=message):
        localize(video, recipe("stpn"))
    with pytest.raises(UsageError, match=r"cuts 'attention', 'logits', which .*there are: cas"):
        localize(video, recipe("co2"))


def test_other_types_than_floats_are_cut_as_float64() -> None:
    whole = Activations({"cas": np.asarray([[0], [1], [0]])}, {}, np.ones(1), np.arange(4.0))
    half = replace(whole, scores={"cas": np.asarray([[0], [1], [0]], dtype=np.float16)})
    exact = replace(whole, scores={"cas": np.asarray([[0.0], [1.0], [0.0]])})
    for other in (whole, half):
        assert localize(other, COMMON).score.tolist() == localize(exact, COMMON).score.tolist()
