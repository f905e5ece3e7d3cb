"""What scripts say in the pages: numbers come from files, and a choice from its rule."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import yaml

from scripts import prose
from scripts.epochs import Outcome, Point, cells_of, jackknifed, point, smallest_within, summary

ROOT = Path(__file__).parents[1]
CURVE = ROOT / "scripts" / "tuning" / "hapt-epochs-ftcl.json"


@pytest.mark.parametrize("page", prose.BLOCKS)
def test_the_numbers_of_a_page_are_those_of_the_files(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    assert prose.renewed(page, text) == text, "run: python -m scripts.prose"


def test_a_page_whose_number_was_typed_is_noticed() -> None:
    text = (ROOT / "docs/hapt.md").read_text(encoding="utf-8")
    typed = text.replace("58.1 ± 1.6", "58.2 ± 1.6")
    assert typed != text and prose.renewed("docs/hapt.md", typed) == text
    with pytest.raises(ValueError, match="has the blocks"):
        prose.renewed("docs/hapt.md", text.replace("epochs: made by", "epochs: typed by"))


def test_the_error_of_a_mean_over_groups_is_the_textbooks() -> None:
    values = {"a": 1.0, "b": 2.0, "c": 4.0, "d": 9.0}
    total = sum(values.values())
    without = {name: (total - value) / 3 for name, value in values.items()}
    variance, mean = jackknifed([(total / 4, without)])
    assert mean == 4.0
    assert math.isclose(variance, float(np.var([*values.values()], ddof=1)) / 4)


def test_folds_and_seeds_both_add_to_the_error() -> None:
    alike = {"a": 0.5, "b": 0.5}
    still = point([[(0.5, alike), (0.5, alike)], [(0.7, alike), (0.7, alike)]])
    assert (still.mean, still.error) == (60.0, 0.0)
    moved = point([[(0.4, alike), (0.6, alike)], [(0.6, alike), (0.8, alike)]])
    assert moved.mean == 60.0
    assert math.isclose(moved.error, 100 * 0.1, abs_tol=0.01)  # 0.5 and 0.7 by seed, over 2 seeds


def test_a_difference_is_taken_group_by_group() -> None:
    outcomes = [
        Outcome(epochs, 0, 0, value, 0.0, {"a": value, "b": value + 0.1}, {"a": 0.0, "b": 0.0}, 1.0)
        for epochs, value in ((1, 0.5), (2, 0.7))
    ]
    ((value, without),) = cells_of(outcomes, 2, "weak", minus=1)[0]
    assert math.isclose(value, 0.2)
    assert all(math.isclose(one, 0.2) for one in without.values())


@pytest.mark.parametrize(
    ("means", "chosen"),
    [({1: 90.0, 2: 95.0, 4: 95.4}, 2), ({1: 94.5, 2: 95.0, 4: 95.4}, 1), ({1: 90.0, 8: 95.0}, 8)],
)
def test_the_rule_takes_the_fewest_within_one_standard_error(
    means: dict[int, float], chosen: int
) -> None:
    curve = {number: Point(mean, 1.0, mean - 2, mean + 2) for number, mean in means.items()}
    assert smallest_within(curve) == chosen


def test_the_preset_has_what_the_rule_takes_of_the_committed_outcomes() -> None:
    document = json.loads(CURVE.read_text())
    outcomes = [Outcome(**item) for item in document.pop("outcomes")]
    assert json.loads(json.dumps(summary(outcomes))) == document
    presets = yaml.safe_load((ROOT / "methods/wsal_methods/presets/ftcl.yaml").read_text())
    assert presets["hapt"]["epochs"] == document["chosen"]
