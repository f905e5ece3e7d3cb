"""Runs of active snippets, by hand; that CoLA's sets are the published ones is tested elsewhere."""

import numpy as np
import pytest
import torch

from wsal_bench.nn import above_median, dilate, erode


def runs(text: str) -> torch.Tensor:
    return torch.tensor([[float(sign) for sign in text]])


def shown(active: torch.Tensor) -> str:
    return "".join(str(int(value)) for value in active[0])


@pytest.mark.parametrize(
    ("width", "grown", "shrunk"),
    [
        (1, "000011111110000", "000011111110000"),
        (3, "000111111111000", "000001111100000"),
        (6, "011111111111100", "000000011000000"),
    ],
)
def test_an_even_width_reaches_further_to_the_left(width: int, grown: str, shrunk: str) -> None:
    active = runs("000011111110000")
    assert shown(dilate(active, width)) == grown
    assert shown(erode(active, width)) == shrunk


def test_runs_at_the_ends_of_a_video_shrink_there_too() -> None:
    assert shown(erode(runs("1111111"), 3)) == "0111110"
    assert shown(erode(runs("1111111"), 6)) == "0001100"
    assert shown(erode(runs("1"), 6)) == "0"
    assert shown(dilate(runs("10"), 6)) == "11"


@pytest.mark.parametrize("length", [1, 2, 7, 8])
def test_above_the_median_is_strict_and_numpys(length: int) -> None:
    values = np.random.default_rng(length).integers(0, 4, (5, length)).astype(np.float64)
    expected = values > np.median(values, axis=1, keepdims=True)
    found = above_median(torch.from_numpy(values))
    np.testing.assert_array_equal(found, expected)
