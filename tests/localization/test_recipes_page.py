import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.localization.recipes_page import PAGE, with_generated
from wsal_bench.evaluation.formats import detections_to_json
from wsal_bench.localization import Blend, ClassRule, GateList, Nms, ProposalRecipe
from wsal_bench.localization.description import in_words, short
from wsal_bench.types import Detections

MINE = ProposalRecipe(
    name="mine",
    classes=ClassRule(0.2, strict=False),
    lists=(
        GateList("cas", (0.1, 0.2), zero_below=True, class_bonus=0.2),
        GateList("attention", (0.5,), blend=Blend("attention", "product"), outer_weight=0.6),
    ),
    nms=Nms(0.5, kind="partial-soft", sigma=0.35, plus=1.0, unit="snippets"),
    smoothing=5,
    max_per_video=9,
)


def test_the_page_shows_the_recipes_as_they_are() -> None:
    # python -m tests.localization.recipes_page makes it anew
    page = PAGE.read_text(encoding="utf-8")
    assert with_generated(page) == page


def test_the_code_on_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = np.zeros(1, dtype=np.int64)
    found = Detections(one, one + 0.5, one + 2.5, one, one + 0.9, ("video",), ("action",))
    (tmp_path / "examples").mkdir()
    detections_to_json(found, tmp_path / "examples" / "detections.json")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for code in re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL):
        exec(code, names)
    assert names["mine"].name == "mine"
    assert names["stricter"].nms.threshold == 0.4
    assert len(names["fewer"]) == 1


def test_a_recipe_is_told_in_words() -> None:
    assert short(MINE) == "2 gate lists, 3 thresholds, partial-soft NMS 0.5 +1 snippet"
    assert in_words(MINE) == (
        "classes: video score >= 0.2, else the best one",
        "score sequences: as they are",
        "smoothing: a moving straight line over 5 snippets",
        "each snippet becomes 20 steps by linear interpolation, the last ones by extrapolation",
        "gate list 1: cas >= 0.1, 0.2; score: inner mean minus outer mean of cas, with cas 0 below "
        "the threshold, plus 0.2 times the class score",
        "gate list 2: attention >= 0.5; score: inner mean minus 0.6 outer mean of cas x attention",
        "outer part: 0.2 of the run's length on each side",
        "shortest run: 2 steps",
        "per class: NMS: what overlaps a better one with tIoU >= 0.5 comes after the others, its "
        "score multiplied by exp(-tIoU^2 / 0.35); lengths and intersections are 1 snippet longer",
        "kept per video: the best 9 of all classes",
        "ends beyond the video are cut",
    )


def test_a_pooled_class_score_is_told_in_words() -> None:
    pooled = replace(MINE, classes=ClassRule(0.0, fallback=False, pooled_ratio=4))
    assert in_words(pooled)[0] == (
        "classes: mean of the T // 4 largest snippets of the score > 0, else none"
    )


def test_recipes_that_differ_in_a_rule_differ_in_words() -> None:
    strict = replace(MINE, classes=ClassRule(0.2, binarised=True, skips_lone_first=True))
    assert in_words(strict)[0] == (
        "classes: video score > 0.2, else the best one; none where the class of index 0 is the "
        "only one; a class that is taken counts 1 in the bonus"
    )
