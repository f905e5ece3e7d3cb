import pickle
from dataclasses import replace

import pytest

from wsal_bench.errors import UsageError
from wsal_bench.evaluation import Protocol, common, names, protocol, with_tious
from wsal_bench.evaluation.protocols import RULES, range_name


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
