"""Sampled snippets against those that the published loaders draw, index by index.

With WSAL_BENCH_GOLDEN=DIR the files are those in DIR/samplers.
"""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import ArrayLike

from tests.golden_files import OURS, golden_cases
from wsal_bench.training.positions import (
    all_indices,
    crop_indices,
    jitter_indices,
    uniform_indices,
)
from wsal_bench.types import IntArray

KNOWN = {"wtalc", "bas-net", "um", "cola", "ham-net"}
Sample = Callable[[int, int, np.random.Generator], IntArray]


def uniform(num: int, wanted: int, generator: np.random.Generator, *, repeat: bool) -> IntArray:
    return uniform_indices(num, wanted, repeat=repeat)


# what a file calls a sampler -> ours; some uniform ones repeat the snippets of short videos
SAMPLERS: dict[str, Sample] = {
    "jitter": jitter_indices,
    "crop or pad": crop_indices,
    "all": all_indices,
    "uniform": partial(uniform, repeat=False),
    "uniform of bas-net": partial(uniform, repeat=True),
    "uniform of ham-net": partial(uniform, repeat=True),  # which it has and does not use
}


class Recorded:
    """Stands in for a generator: gives the published draws, if it is asked for just these."""

    def __init__(self, draws: list[list[int]]) -> None:
        self.left = list(draws)

    def integers(self, low: ArrayLike, high: ArrayLike, endpoint: bool = False) -> Any:
        lows, highs = np.broadcast_arrays(low, np.asarray(high) + endpoint)
        asked = np.stack([lows.ravel(), highs.ravel()], axis=1).tolist()
        mine, self.left = self.left[: len(asked)], self.left[len(asked) :]
        assert asked == [draw[:2] for draw in mine]
        return np.asarray([draw[2] for draw in mine], np.int64).reshape(lows.shape)


def sampled(row: dict[str, Any], method: str) -> list[int | None]:
    name = row["sampler"].partition(" (")[0]  # "uniform (not used)"
    sample = SAMPLERS.get(f"{name} of {method}", SAMPLERS[name])
    recorded = Recorded(row.get("draws", []))
    taken = sample(row["stored"], row["sampled"], cast(np.random.Generator, recorded)).tolist()
    assert recorded.left == []
    padding = len(row["indices"]) - len(taken)
    return [*taken, *[None] * padding]


@pytest.mark.parametrize("path", golden_cases("samplers", "*.json", KNOWN))
def test_the_same_snippets_are_taken(path: Path) -> None:
    document = json.loads(path.read_text())
    rows = [*document["train"], *document["test"]]
    off = [row for row in rows if sampled(row, path.stem) != row["indices"]]
    assert rows and off == []


@pytest.mark.parametrize("stem", sorted(KNOWN))
def test_every_sampler_has_its_file(stem: str) -> None:
    assert (OURS / "samplers" / f"{stem}.json").is_file()


def test_a_draw_from_elsewhere_would_be_found() -> None:
    with pytest.raises(AssertionError):
        jitter_indices(20, 8, cast(np.random.Generator, Recorded([[0, 2, 0]] * 8)))


@pytest.mark.parametrize("name", ["jitter", "crop or pad", "all"])
def test_positions_exist_and_never_fall(name: str) -> None:
    generator = np.random.default_rng(0)
    for num in (1, 2, 7, 20, 51):
        for wanted in (1, 2, 7, 20, 51):
            taken = SAMPLERS[name](num, wanted, generator)
            length = {"jitter": wanted, "crop or pad": min(num, wanted), "all": num}[name]
            assert len(taken) == length
            assert 0 <= taken.min() <= taken.max() < num and (np.diff(taken) >= 0).all()


def test_a_crop_never_is_the_last_stretch_and_jitter_reaches_the_end() -> None:
    generator = np.random.default_rng(0)
    assert {int(crop_indices(7, 5, generator)[0]) for _ in range(50)} == {0, 1}
    assert {int(jitter_indices(7, 5, generator)[-1]) for _ in range(50)} == {5, 6}
