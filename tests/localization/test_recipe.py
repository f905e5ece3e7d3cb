import json
from dataclasses import FrozenInstanceError, replace
from typing import Any

import numpy as np
import pytest

from wsal_bench.errors import UsageError
from wsal_bench.localization import ClassRule, GateList, Nms
from wsal_bench.localization.recipe import ACM, COMMON, names, recipe

# fmt: off
TENTH_TO_NINE_TENTHS = [
    0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9,
]
# fmt: on


def test_the_common_recipe_is_the_documented_one() -> None:
    document = recipe("common").to_json()
    assert document == {
        "name": "common",
        "classes": {"threshold": 0.25, "strict": True, "fallback": True},
        "lists": [
            {
                "gate": "cas",
                "thresholds": TENTH_TO_NINE_TENTHS,
                "score": "cas",
                "zero_below": False,
                "strict": False,
                "class_bonus": 0.0,
            }
        ],
        "nms": {"threshold": 0.55, "plus": 0.0, "kind": "hard"},
        "normalisation": "min-max",
        "scale": 20,
        "inflation": 0.2,
        "min_steps": 2,
        "fusion": "concatenate",
    }


def test_the_published_recipe_keeps_the_doubles_of_its_thresholds() -> None:
    cas, attention = recipe("acm").lists
    assert cas.thresholds == (0.15, 0.2)
    assert len(attention.thresholds) == 17
    assert attention.thresholds[3] == 0.30000000000000004
    assert attention.thresholds[5] == 0.40000000000000013
    assert (cas.zero_below, attention.zero_below) == (True, False)
    assert recipe("acm").nms == Nms(threshold=0.55, plus=1.0)


def test_an_unknown_recipe_is_answered_with_the_nearest() -> None:
    assert names() == ("acm", "common")
    with pytest.raises(UsageError, match="no recipe 'comon'; did you mean 'common'"):
        recipe("comon")


@pytest.mark.parametrize("preset", [ACM, COMMON])
def test_a_recipe_is_plain_json_and_a_hashable_value(preset: Any) -> None:
    assert json.loads(json.dumps(preset.to_json(), allow_nan=False)) == preset.to_json()
    assert {preset: 1}[replace(preset)] == 1
    with pytest.raises(FrozenInstanceError):
        preset.scale = 3


def test_equal_recipes_give_equal_documents() -> None:
    whole = replace(COMMON, inflation=1, nms=Nms(threshold=1, plus=1), classes=ClassRule(0))
    same = replace(COMMON, inflation=1.0, nms=Nms(1.0, 1.0), classes=ClassRule(0.0))
    assert whole == same
    assert json.dumps(whole.to_json()) == json.dumps(same.to_json())


def test_thresholds_from_an_array_become_plain_floats() -> None:
    entry = GateList("cas", np.asarray([0.5, 1], dtype=np.float32))  # type: ignore[arg-type]
    assert entry == GateList("cas", (0.5, 1.0))
    assert all(type(value) is float for value in entry.thresholds)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scale": 0}, "scale must be a whole number >= 1, not 0"),
        ({"scale": 2.5}, "scale must be a whole number"),
        ({"min_steps": 0}, "min_steps must be a whole number >= 1"),
        ({"inflation": -0.1}, "inflation must be finite and >= 0, not -0.1"),
        ({"normalisation": "z-score"}, "normalisation must be one of .*, not 'z-score'"),
        ({"fusion": "vote"}, "fusion must be 'concatenate' or 'streams', not 'vote'"),
        ({"lists": ()}, "at least one gate list"),
        ({"name": ""}, "needs a name"),
    ],
)
def test_a_recipe_that_is_not_implemented_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(COMMON, **change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "linear"}, "kind must be one of .*, not 'linear'"),
        ({"threshold": 0.0}, r"in \(0, 1\], not 0.0"),
        ({"threshold": float("nan")}, r"in \(0, 1\], not nan"),
        ({"plus": 0.5}, "plus must be 0 or 1, not 0.5"),
    ],
)
def test_an_nms_that_is_not_implemented_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(Nms(threshold=0.5), **change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"thresholds": ()}, "'cas' needs finite thresholds"),
        ({"thresholds": (0.1, float("nan"))}, "needs finite thresholds"),
        ({"class_bonus": float("inf")}, "class bonus must be finite, not inf"),
        ({"score": "other", "zero_below": True}, "the gate 'cas', not 'other'"),
    ],
)
def test_a_gate_list_that_has_no_meaning_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(GateList("cas", (0.5,)), **change)


def test_a_class_threshold_is_a_number() -> None:
    with pytest.raises(ValueError, match="class threshold must be finite"):
        ClassRule(float("nan"))
