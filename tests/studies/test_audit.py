"""The parts of a difference, by hand and by their symmetries."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.examples import examples
from tests.statistics.made_up import noisy_detections, random_truth
from wsal_bench.errors import UsageError
from wsal_bench.evaluation import Protocol, common, protocol, with_tious
from wsal_bench.report import audited as page
from wsal_bench.report.audit_verdict import verdict as verdict_of
from wsal_bench.studies.audit import Crossed, common_measure, with_headline
from wsal_bench.studies.audit_runs import audit
from wsal_bench.studies.targets import Target

RULES = common("x")
GRID = replace(RULES, name="x/grid", time_unit="snippets")
SHARE = st.floats(0, 1)


@given(SHARE, SHARE, SHARE, SHARE)
def test_the_parts_add_up_and_turn_their_sign(a: float, b: float, c: float, d: float) -> None:
    crossed, turned = Crossed(a, b, c, d), Crossed(d, c, b, a)
    assert crossed.condition + crossed.things == pytest.approx(crossed.total, abs=1e-12)
    assert turned.condition == pytest.approx(-crossed.condition, abs=1e-12)
    assert turned.things == pytest.approx(-crossed.things, abs=1e-12)


def test_the_parts_of_a_difference_by_hand() -> None:
    crossed = Crossed(a_first=0.40, a_second=0.36, b_first=0.35, b_second=0.33)
    assert crossed.total == pytest.approx(0.07)
    assert crossed.condition == pytest.approx((0.04 + 0.02) / 2)
    assert crossed.things == pytest.approx((0.05 + 0.03) / 2)


def targets() -> list[Target]:
    rng = np.random.default_rng(3)
    truth = random_truth(rng, num_videos=12, size=60)
    return [
        Target(name, noisy_detections(rng, truth, noise, 150), (truth,), "x")
        for name, noise in (("fair", 1.0), ("poor", 3.0))
    ]


def test_what_is_compared_with_itself_differs_by_nothing() -> None:
    fair, _ = targets()
    found = audit(fair, fair, RULES, RULES)
    content = page.content(found)
    assert (content["difference"], content["protocol"]["value"]) == (0.0, 0.0)
    assert content["detections"]["value"] == 0.0
    (effect,) = found.effects
    assert effect.interval is not None
    assert (effect.interval.low, effect.interval.high, effect.interval.p_value) == (0.0, 0.0, 1.0)
    assert "fair and fair do not differ" in page.to_markdown(found)


def test_one_set_under_two_protocols_differs_by_the_protocol_alone() -> None:
    fair, _ = targets()
    found = audit(fair, fair, RULES, GRID)
    assert found.protocols.total != 0
    assert found.protocols.condition == pytest.approx(found.protocols.total, abs=1e-12)
    assert found.protocols.things == pytest.approx(0, abs=1e-12)


def test_exchanging_the_two_turns_every_sign() -> None:
    fair, poor = targets()
    found, turned = audit(fair, poor, RULES, GRID), audit(poor, fair, GRID, RULES)
    assert found.protocols.total > 0.05
    for name in ("total", "condition", "things"):
        one, other = getattr(found.protocols, name), getattr(turned.protocols, name)
        assert one == pytest.approx(-other, abs=1e-12)
    assert found.protocols.interaction == pytest.approx(turned.protocols.interaction, abs=1e-12)
    by_name = {effect.under: effect.interval for effect in turned.effects}
    assert [effect.under for effect in found.effects] == ["x/common", "x/grid"]
    for effect in found.effects:
        other = by_name[effect.under]
        assert effect.interval is not None and other is not None
        assert effect.interval.low == pytest.approx(-other.high, abs=1e-12)


def test_files_say_nothing_of_recipe_selection_and_seeds() -> None:
    fair, poor = targets()
    found = audit(fair, poor, RULES, RULES)
    content = page.content(found)
    assert content["recipe"]["value"] is None and "no activations" in content["recipe"]["problem"]
    assert content["selection"]["value"] is None and "epoch" in content["selection"]["problem"]
    seeds = content["seeds"]
    assert (seeds["a"], seeds["b"], seeds["difference_std"], seeds["paired"]) == (None,) * 3 + (0,)
    verdict = verdict_of(found)
    assert (
        "outside the noise" in verdict
        and "Both are files: the luck of their seeds is not known." in verdict
    )
    assert "protocols make" not in verdict  # both under one


def test_other_test_videos_cannot_be_audited() -> None:
    fair, poor = targets()
    other = random_truth(np.random.default_rng(9), num_videos=12, size=60)
    with pytest.raises(UsageError, match="different videos or truths"):
        audit(fair, replace(poor, truths=(other,)), RULES, RULES)


@pytest.mark.parametrize(
    ("first", "second", "measure"),
    [
        ("thumos14/common", "thumos14/ftcl-2022", "0.1:0.7"),
        ("thumos14/common", "thumos14/wtalc-2018", "0.1:0.5"),
        ("thumos14/common", "thumos14/detad", "0.3:0.7"),
        ("thumos14/wtalc-2018", "thumos14/detad", "0.5"),
        ("activitynet12/common", "thumos14/detad", "0.5"),
    ],
)
def test_two_protocols_are_compared_by_what_both_report(
    first: str, second: str, measure: str
) -> None:
    rules = protocol(first), protocol(second)
    assert common_measure(*rules) == common_measure(*rules[::-1]) == measure
    for one in rules:
        assert with_headline(one, measure).headline == measure


def test_two_versions_of_one_protocol_are_not_taken_for_one() -> None:
    fair, poor = targets()
    with pytest.raises(UsageError, match="version 1 and version 2 have one name"):
        audit(fair, poor, RULES, replace(RULES, version=2))


def test_protocols_without_a_common_measure_are_refused() -> None:
    with pytest.raises(UsageError, match="neither an average nor tIoU"):
        common_measure(RULES, with_tious(RULES, [0.25]))


@examples(5)
@given(st.sampled_from([RULES, GRID]))
def test_an_audit_is_the_same_each_time(rules: Protocol) -> None:
    fair, poor = targets()
    first, again = (page.content(audit(fair, poor, rules, RULES)) for _ in range(2))
    assert first == again
