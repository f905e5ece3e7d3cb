import json
from dataclasses import FrozenInstanceError, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wsal_bench.errors import DataError, UsageError
from wsal_bench.localization import Blend, ClassRule, GateList, Nms
from wsal_bench.localization.preset import STORED
from wsal_bench.localization.recipe import COMMON, names, preset, recipe, spelled, stored
from wsal_bench.running.recipe_file import recipe_from_json

TWO_STREAMS = (GateList("cas", (0.5,), stream="a"), GateList("cas", (0.5,), stream="b"))

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
    with pytest.raises(UsageError, match="no recipe 'comon'; did you mean 'common'"):
        recipe("comon")


def test_a_later_field_that_a_recipe_does_not_use_is_not_in_its_document() -> None:
    # digests of the documents that the first stored runs hold
    digests = {
        name: sha256(json.dumps(recipe(name).to_json()).encode()).hexdigest()[:16]
        for name in ("acm-net", "bas-net", "co2-net", "ham-net", "common")
    }
    assert digests == {
        "acm-net": "a6662d19b27f9c84",
        "bas-net": "6a18ad0ff49f2ec4",
        "co2-net": "6f6b7a8f44075e67",
        "ham-net": "4c8376f2ced6fa0c",
        "common": "095197ea71c67ef7",
    }


def test_a_recipe_is_spelled_as_its_method_and_its_document_as_ever() -> None:
    assert {"acm-net", "bas-net", "ham-net", "w-talc", "um", "cola"} <= set(names())
    assert not set(STORED.values()) & set(names())
    for new, old in STORED.items():
        assert recipe(old) is recipe(new)
        assert recipe(new).name == recipe(new).to_json()["name"] == old
        assert (preset(old).name, spelled(old), stored(new)) == (new, new, old)
    for name in ("own", "um", "a-recipe-of-ones-own"):
        assert spelled(name) == stored(name) == name


@pytest.mark.parametrize("name", names())
def test_a_document_gives_its_recipe_back(name: str) -> None:
    document = json.loads(json.dumps(recipe(name).to_json(), allow_nan=False))
    assert recipe_from_json(document, Path("recipe.json")) == recipe(name)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scale": 0}, "scale must be a whole number >= 1, not 0"),
        ({"zoom": 2}, "unexpected keyword argument 'zoom'"),
        ({"fuse": {"threshold": 2}}, "must be in"),
        ({"fuse": 3}, "holds no recipe"),
        ({"lists": [3]}, "holds no recipe"),
        ({"lists": [{"gate": "cas", "thresholds": [0.5], "blend": {"nam": "x"}}]}, "'nam'"),
    ],
)
def test_a_document_that_is_no_recipe_names_its_file(change: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message) as error:
        recipe_from_json({**COMMON.to_json(), **change}, Path("some/recipe.json"))
    assert error.value.path == "some/recipe.json"


@pytest.mark.parametrize("preset", [recipe(name) for name in names()], ids=names())
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
        ({"fusion": "streams"}, "needs `fuse`"),
        ({"fuse": Nms(0.5)}, "needs `fuse`, and no other fusion has it"),
        ({"fusion": "streams", "fuse": Nms(0.5)}, "does not go with lists of the streams"),
        ({"lists": TWO_STREAMS}, "'concatenate' one"),
        ({"smoothing": -1}, "smoothing must be a whole number >= 0, not -1"),
        ({"max_per_video": 0}, "max_per_video must be a whole number >= 1, not 0"),
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
        ({"sigma": 0.0}, "sigma must be finite and above 0, not 0.0"),
        ({"unit": "frames"}, "unit must be 'seconds' or 'snippets', not 'frames'"),
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
        ({"zero_below": True, "blend": Blend("x", "product")}, "the gate 'cas'"),
        ({"weight": float("nan")}, "weight must be finite, not nan"),
        ({"outer_weight": float("inf")}, "outer weight must be finite, not inf"),
        ({"run_score": "median"}, "run_score must be one of .*, not 'median'"),
    ],
)
def test_a_gate_list_that_has_no_meaning_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(GateList("cas", (0.5,)), **change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "power"}, "must be 'sum' or 'product', not 'power'"),
        ({"own_weight": float("nan")}, "weights must be finite"),
        ({"kind": "product", "other_weight": 0.5}, "a product has no weights"),
    ],
)
def test_a_blend_that_has_no_meaning_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(Blend("attention"), **change)


def test_a_class_rule_without_meaning_is_refused() -> None:
    with pytest.raises(ValueError, match="class threshold must be finite"):
        ClassRule(float("nan"))
    for wrong in (ClassRule(fallback=False), ClassRule(pooled_ratio=0)):
        ratio = -1 if not wrong.fallback else 8
        with pytest.raises(ValueError, match="pooled_ratio must be 0, or above it without"):
            replace(wrong, pooled_ratio=ratio)
