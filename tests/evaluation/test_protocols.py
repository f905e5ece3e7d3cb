import pickle
import subprocess
import sys
from dataclasses import asdict, replace

import pytest

from wsal_bench.errors import UsageError
from wsal_bench.evaluation import Protocol, common, names, protocol, with_tious
from wsal_bench.evaluation.protocols import RULES, earlier, of_dataset, range_name, spelled_out


def test_the_common_protocol_has_literal_thresholds_and_three_averages() -> None:
    rules = common("anything")
    assert rules.name == "anything/common"
    assert rules.tious == (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
    assert rules.averages == {
        "0.1:0.5": (0.1, 0.2, 0.3, 0.4, 0.5),
        "0.1:0.7": (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7),
        "0.3:0.7": (0.3, 0.4, 0.5, 0.6, 0.7),
    }
    assert rules.headline == "0.1:0.7"


def test_every_data_set_has_a_common_protocol_and_every_name_finds_its_own() -> None:
    assert protocol("my-own/common") == common("my-own")
    assert "thumos14/common" in names()
    for name in names():
        assert protocol(name).name == name


def test_a_name_with_its_version_is_what_it_was() -> None:
    assert protocol("thumos14/official@v2") == protocol("thumos14/official")
    assert protocol("mine/common@v1") == common("mine")
    old, new = protocol("hapt/common@v1"), protocol("hapt/common")
    assert (old.name, old.version, old.headline) == ("hapt/common@v1", 1, "0.1:0.7")
    assert (new.name, new.version, new.headline) == ("hapt/common", 2, "0.3:0.7")
    assert new == common("hapt") and new.averages == old.averages
    assert earlier("hapt/common") == ("hapt/common@v1",)
    assert earlier("thumos14/detad") == earlier("mine/common") == ()


def test_a_version_that_never_was_names_those_that_were() -> None:
    with pytest.raises(UsageError, match=r"version 2 is current.*thumos14/official@v1"):
        protocol("thumos14/official@v3")


def test_a_protocol_as_it_was_stored_before_has_its_union() -> None:
    stored = asdict(common("x"))
    del stored["union"]
    assert Protocol(**stored) == common("x")


@pytest.mark.parametrize("name", ["thumos14/comon", "common", "/common", ""])
def test_an_unknown_protocol_names_the_known_ones(name: str) -> None:
    with pytest.raises(UsageError, match="thumos14/common"):
        protocol(name)


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_that_the_evaluator_does_not_have_is_refused(rule: str) -> None:
    with pytest.raises(UsageError, match=f"no {rule} 'invented'"):
        Protocol(**{**vars(common("x")), rule: "invented"})


@pytest.mark.parametrize(
    "tious", [(), (0.5, 0.3), (0.3, 0.3), (0.0, 0.5), (0.5, 1.1), (float("nan"),)]
)
def test_thresholds_must_increase_between_zero_and_one(tious: tuple[float, ...]) -> None:
    with pytest.raises(UsageError, match="tIoU thresholds"):
        with_tious(common("x"), tious)


def test_more_thresholds_than_bits_are_refused() -> None:
    with_tious(common("x"), [(i + 1) / 64 for i in range(63)])
    with pytest.raises(UsageError, match="64 tIoU thresholds"):
        with_tious(common("x"), [(i + 1) / 64 for i in range(64)])


def test_an_average_must_be_over_thresholds_of_the_protocol() -> None:
    with pytest.raises(UsageError, match="average 'half'"):
        replace(common("x"), averages={"half": (0.55,)}, headline="half")
    with pytest.raises(UsageError, match=r"no average '0\.1:0\.9'"):
        replace(common("x"), headline="0.1:0.9")


def test_other_thresholds_keep_the_averages_that_are_still_whole() -> None:
    changed = with_tious(common("x"), (0.3, 0.4, 0.5, 0.6, 0.7, 0.8))
    assert changed.name == "x/common@0.3:0.8"
    assert set(changed.averages) == {"0.3:0.7", "0.3:0.8"}
    assert changed.headline == "0.3:0.8"
    assert with_tious(common("x"), common("x").tious) == common("x")


def test_a_range_is_named_after_its_step_unless_it_is_a_tenth() -> None:
    assert range_name((0.5,)) == "0.5"
    assert range_name((0.1, 0.2)) == "0.1:0.2"
    assert range_name((0.1, 0.7)) == "0.1,0.7"
    assert range_name((0.5, 0.55, 0.6)) == "0.5:0.05:0.6"
    assert range_name((0.1, 0.2, 0.30000000000000004)) == "0.1:0.3"


def test_a_protocol_is_a_value() -> None:
    rules = common("x")
    assert pickle.loads(pickle.dumps(rules)) == rules
    assert hash(rules) == hash(common("x"))
    assert isinstance(rules, Protocol)


def test_a_data_set_lists_its_protocols_with_common_first() -> None:
    found = [rules.name for rules in of_dataset("thumos14")]
    assert found[0] == "thumos14/common"
    assert {"thumos14/ftcl-2022", "thumos14/official", "thumos14/wtalc-2018"} < set(found)
    assert all(name.startswith("thumos14/") for name in found)
    assert of_dataset("my-own") == (common("my-own"),)


@pytest.mark.parametrize("name", names())
def test_every_named_protocol_says_where_it_comes_from_and_spells_its_rules_out(name: str) -> None:
    rules = protocol(name)
    assert rules.version >= 1
    assert rules.description
    assert all(source.rpartition(" ")[2].strip(")") for source in rules.sources)
    assert rules.sources
    words = spelled_out(rules)
    assert set(RULES) < set(words)
    assert ("needs_videos" in words) == bool(rules.needs_videos)
    for video in rules.excluded_videos:
        assert video in words["excluded_rule"]


def test_a_stored_protocol_of_an_earlier_version_still_loads() -> None:
    old = {
        name: value
        for name, value in asdict(common("x")).items()
        if name
        in (
            *("name", "version", "description", "tious", "averages", "headline", "truth_variant"),
            *("ap_rule", "matching", "comparison", "time_unit", "ambiguous", "ties"),
            *("videos_outside", "unknown_labels"),
        )
    }
    assert replace(Protocol(**old), sources=common("x").sources) == common("x")


def test_evaluating_loads_neither_torch_nor_pandas() -> None:
    code = (
        "import sys, numpy as np\n"
        "from wsal_bench.evaluation import evaluate, common\n"
        "from wsal_bench.types import Detections, GroundTruth\n"
        "i, x = np.array([0]), np.array([0.0])\n"
        "truth = GroundTruth(i, x, x + 1, i, ('v',), ('A',))\n"
        "found = Detections(i, x, x + 1, i, x, ('v',), ('A',))\n"
        "assert evaluate(truth, found, common('x')).headline == 1.0\n"
        "assert not {'torch', 'pandas', 'sklearn'} & set(sys.modules), 'too much loaded'\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
