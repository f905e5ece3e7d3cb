"""The published numbers, written down a second time, from the papers' code."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from wsal_bench.localization import Nms
from wsal_bench.localization.recipe import names, recipe


@dataclass(frozen=True)
class Numbers:
    classes: float
    cuts: list[list[float]]
    inflation: float
    bonus: list[float]
    steps: int
    shortest: int
    nms: Nms
    normalisation: str = "none"
    outer: list[float] = field(default_factory=lambda: [1.0])


def steps(first: float, last: float, step: float) -> list[float]:
    return [first + i * step for i in range(round((last - first) / step) + 1)]


TENTHS = steps(0.1, 0.9, 0.8 / 9)
LOW = [0.005, 0.01, 0.015, 0.02]
BAS = steps(0, 0.225, 0.025)
ANET = Numbers(0.1, [LOW, LOW], 0.15, [0, 0.25], 20, 2, Nms(0.9, plus=1))
SOFT_SNIPPETS = Nms(plus=1, kind="soft", sigma=0.3, unit="snippets")
SHARE = {"plus": 1.0, "kind": "containment", "unit": "snippets", "drops_equal": False}
PUBLISHED = {
    "stpn": Numbers(0.1, [[0.05], [0.05]], 0, [0, 0], 24, 1, Nms(0.5, drops_equal=False)),
    "basnet": Numbers(0.25, [BAS], 0.25, [0.2], 24, 1, Nms(0.7, plus=1), "relu-min-max"),
    "um": Numbers(
        0.2, [BAS, steps(0.4, 0.6, 0.025)], 0.25, [0.2, 0.2], 24, 2, Nms(0.6, plus=1),
        "clamped-min-max",
    ),
    "cola": Numbers(
        0.2, [BAS, steps(0.1, 0.9, 0.025)], 0.25, [0.2, 0.2], 24, 2, Nms(0.6, plus=1),
        "clamped-min-max",
    ),
    "acm": Numbers(
        0.25, [[0.15, 0.2], steps(0.15, 0.95, 0.05)], 0.2, [0, 0], 20, 2, Nms(0.55, plus=1)
    ),
    "asm": Numbers(
        0.25, [[0.15, 0.2], steps(0.1, 0.9, 0.025)], 0.2, [0, 0], 20, 2, Nms(0.45, plus=1)
    ),
    "acm-anet": ANET,
    "asm-anet": ANET,
    "hamnet": Numbers(0.2, [TENTHS], 0.25, [0.2], 1, 1, Nms(plus=1, kind="soft", sigma=0.3)),
    "co2": Numbers(0.2, [TENTHS], 0.25, [0.2], 1, 1, SOFT_SNIPPETS),
    "delu": Numbers(0.2, [steps(0.1, 0.9, 0.8 / 19)], 0.25, [0.2], 1, 1, SOFT_SNIPPETS),
    "fac": Numbers(
        0.1, [steps(0.03, 0.05, 0.005)] * 2, 0.25, [0, 0], 1, 3, Nms(0.2, **SHARE),  # type: ignore[arg-type]
        outer=[0.6, 0.6],
    ),
    "rskp": Numbers(
        0.1, [steps(0.001, 0.039, 0.002)], 0.25, [0], 1, 2, Nms(0.5, **SHARE)  # type: ignore[arg-type]
    ),
    "case": Numbers(
        0.25, [steps(0.1, 0.9, 0.1)], 0.15, [0.2], 24, 1,
        Nms(0.4, plus=1, kind="partial-soft", sigma=0.35),
    ),
    "wtalc": Numbers(0, [[0.5]], 0, [0.7], 1, 2, Nms(kind="none")),
    "wtalc-anet": Numbers(0, [[0.7]], 0, [0.7], 1, 2, Nms(kind="none")),
}  # fmt: skip


def test_each_published_recipe_is_written_down_here() -> None:
    assert {*PUBLISHED, "common"} == set(names())


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_recipe_has_the_published_numbers(name: str) -> None:
    found, numbers = recipe(name), PUBLISHED[name]
    assert found.classes.threshold == numbers.classes
    assert [len(entry.thresholds) for entry in found.lists] == list(map(len, numbers.cuts))
    for entry, cuts in zip(found.lists, numbers.cuts, strict=True):
        np.testing.assert_allclose(entry.thresholds, cuts, atol=1e-12)
    assert found.inflation == numbers.inflation
    assert [entry.class_bonus for entry in found.lists] == numbers.bonus
    assert (found.scale, found.min_steps) == (numbers.steps, numbers.shortest)
    assert (found.nms, found.normalisation) == (numbers.nms, numbers.normalisation)
    outer = {entry.outer_weight for entry in found.lists}
    assert outer == set(numbers.outer)
