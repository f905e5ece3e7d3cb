"""Audits whose answers can be worked out by hand, with what they may be quoted as saying."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from tests.evaluation.test_scoring import detections_of, truth_of
from wsal_bench.evaluation import common, protocol
from wsal_bench.evaluation.formats import truth_from_json, with_ambiguous
from wsal_bench.report import audited as page
from wsal_bench.report import numbers
from wsal_bench.report.audit_verdict import points, verdict
from wsal_bench.studies.audit import Audit
from wsal_bench.studies.audit_runs import audit, audit_sides
from wsal_bench.studies.audit_sides import Place, Side, Sides
from wsal_bench.studies.targets import Target, open_file
from wsal_bench.types import Detections

REPOSITORY = Path(__file__).parents[2]
THUMOS = REPOSITORY.parent / "shared" / "data" / "thumos14"
RULES = common("x")
KIT = replace(
    RULES,
    name="x/kit",
    matching="truth-driven",
    ties="true-positives-first",
    ap_rule="voc-11-points",
    empty_union="miss",
    union="span",
)
TRUTH = truth_of([(f"v{index}", "A", 0.0, 10.0) for index in range(10)])


def hits(count: int) -> Detections:
    """Finds `count` of the ten truths and nothing else: mAP is count / 10 at every tIoU."""
    return detections_of([(f"v{index}", "A", 0.0, 10.0, 0.9) for index in range(count)])


def dense() -> Detections:
    """Under common a good segment of every video hits; the kit prefers the better one behind it."""
    rows = [
        (f"v{index}", "A", 0.0, end, score)
        for index in range(10)
        for end, score in ((8.0, 0.9), (10.0, 0.8))
    ]
    return detections_of(rows)


def side(name: str, found: Mapping[int, Detections], named: int | None = None) -> Side:
    """A run by its training seeds; `named` None: a file."""
    seeds: dict[Place, Target] = {
        (0, seed): Target(f"{name}@{seed}" if named is not None else name, one, (TRUTH,), "x")
        for seed, one in found.items()
    }
    place = (0, next(iter(found)) if named is None else named)
    return Side(seeds[place], place, seeds, seeds if named is not None else {})


def run(name: str, counts: Mapping[int, int], named: int = 0) -> Side:
    return side(name, {seed: hits(count) for seed, count in counts.items()}, named)


def file(name: str, found: Detections) -> Side:
    return side(name, {-1: found})


def same_protocol(a: Side, b: Side, *, one_method: bool = False) -> Audit:
    return audit_sides(Sides(a, b, one_method), RULES, RULES)


def alone(one: Side, seed: int) -> Side:
    """One seed of a run whose siblings are known."""
    place = (0, seed)
    return Side(one.siblings[place], place, {place: one.siblings[place]}, one.siblings)


def test_case_1_the_same_run_does_not_differ() -> None:
    mil = run("x/mil", {0: 5, 1: 7})
    found = same_protocol(alone(mil, 0), alone(mil, 0), one_method=True)
    assert verdict(found) == (
        "x/mil@0 and x/mil@0 do not differ: mAP@AVG(0.1:0.7) 50.0 against 50.0, "
        "both under x/common."
    )


def test_case_2_two_seeds_of_one_method_say_nothing_about_methods() -> None:
    mil = run("x/mil", {0: 5, 1: 7, 2: 9})
    found = same_protocol(alone(mil, 2), alone(mil, 0), one_method=True)
    # the deviation of 0.5, 0.7, 0.9 is 0.2, of a difference of two 0.2 * sqrt(2) = 0.283
    assert verdict(found) == (
        "x/mil@2 and x/mil@0 are one method with other seeds: their difference of +40.0 points of "
        "mAP@AVG(0.1:0.7) (90.0 against 50.0, both under x/common) says nothing about methods. "
        "Over the 3 seeds in the store it scores 70.0 ± 20.0 under x/common, so two single seeds "
        "differ by ± 28.3 (one standard deviation)."
    )


def test_case_3_the_best_of_its_seeds_is_called_so_and_the_means_are_compared() -> None:
    mil, ftcl = run("x/mil", {0: 5, 1: 7, 2: 9}, named=2), run("x/ftcl", {0: 4, 1: 6, 2: 8}, 1)
    found = same_protocol(mil, ftcl)
    assert found.protocols.total == pytest.approx(0.7 - 0.6)  # not the named 0.9 - 0.6
    text = verdict(found)
    assert text.startswith(
        "x/mil, 3 seeds and x/ftcl, 3 seeds differ by +10.0 points of mAP@AVG(0.1:0.7) "
        "(70.0 against 60.0, both under x/common): as a whole +10.0 ["
    )
    assert text.endswith(
        " x/mil@2 is the best of 3 seeds: quoted alone, its 90.0 under x/common lies +20.0 from "
        "their mean of 70.0, which is what is compared here."
    )
    assert "x/ftcl@1 is" not in text  # the middle one
    worst = verdict(same_protocol(mil, replace(ftcl, place=(0, 0), target=ftcl.seeds[0, 0])))
    assert "x/ftcl@0 is the worst of 3 seeds: quoted alone, its 40.0" in worst


def test_case_4_two_opposite_effects_are_not_averaged_into_a_sentence() -> None:
    # common: 1.0 against 0.8; the kit: ten misses before ten hits, 0.5, against 9 / 11
    found = audit_sides(Sides(file("dense", dense()), file("thin", hits(8)), False), KIT, RULES)
    crossed = found.protocols
    assert (crossed.a_first, crossed.a_second) == pytest.approx((0.5, 1.0))
    assert (crossed.b_first, crossed.b_second) == pytest.approx((9 / 11, 0.8))
    assert crossed.total == pytest.approx(-0.3)
    assert crossed.things == pytest.approx((0.5 - 9 / 11 + 0.2) / 2)
    assert crossed.interaction == pytest.approx(0.5 - 9 / 11 - 0.2)
    assert not crossed.is_additive
    text = verdict(found)
    assert text.startswith(
        "dense and thin differ by -30.0 points of mAP@AVG(0.1:0.7) (50.0 against 80.0, x/kit and "
        "x/common): this cannot be split into a part of the protocols and a part of the "
        "detections, as each depends on the other (interaction -51.8): under x/kit the detections "
        "differ by -31.8 ["
    )
    assert "; under x/common the detections differ by +20.0 [" in text
    assert "going from x/common to x/kit moves A by -50.0 and B by +1.8" in text
    assert "-5.9" not in text  # the mean of -31.8 and +20.0 is nobody's
    table = page.to_markdown(found)
    assert "| interaction" in table and "-51.8" in table and "no mean describes both" in table
    for effect in page.content(found)["detections"]["under"]:
        assert effect["interval"] is not None, effect["protocol"]


def test_case_5_one_set_under_two_protocols_differs_by_the_protocols_alone() -> None:
    found = audit_sides(Sides(file("dense", dense()), file("again", dense()), False), RULES, KIT)
    assert verdict(found).startswith(
        "dense and again differ by +50.0 points of mAP@AVG(0.1:0.7) (100.0 against 50.0, x/common "
        "and x/kit): all of it is the protocols', the detections do not differ under either."
    )
    assert found.protocols.condition == pytest.approx(0.5)


def test_case_6_shared_seeds_are_paired_and_others_are_not() -> None:
    mil = run("x/mil", {0: 5, 1: 7, 2: 9})
    paired = same_protocol(mil, run("x/ftcl", {0: 4, 1: 6, 2: 8}))
    apart = same_protocol(mil, run("x/ftcl", {3: 4, 4: 6, 5: 8}, 3))
    for found, expected in ((paired, 0.0), (apart, math.sqrt(2 * 0.04 / 3))):
        (effect,) = found.effects
        assert effect.interval is not None
        assert effect.value == pytest.approx(0.1)
        assert effect.interval.difference == pytest.approx(0.1)
        assert effect.interval.seed_error == pytest.approx(expected, abs=1e-9)
    assert (paired.seeds.paired, apart.seeds.paired) == (3, 0)
    assert "3 against 3 seeds, 3 of them paired" in page.to_markdown(paired)
    assert "3 against 3 seeds, 0 of them paired" in page.to_markdown(apart)
    assert "inside the noise of the videos and seeds" in verdict(apart)


def test_a_part_that_both_protocols_agree_on_is_named_with_both() -> None:
    found = audit_sides(Sides(file("a", hits(9)), file("b", hits(5)), False), KIT, RULES)
    # the kit: 0.9 is ten of eleven points, 0.5 six
    assert found.protocols.is_additive
    text = verdict(found)
    condition, things = (10 / 11 - 0.9 + 6 / 11 - 0.5) / 2, (4 / 11 + 0.4) / 2
    assert f"the protocols make {100 * condition:+.1f} of it" in text
    assert f"the detections themselves {100 * things:+.1f} (interaction -3.6); under x/kit" in text


def test_one_seed_against_several_is_taken_to_scatter_like_them() -> None:
    found = same_protocol(run("x/mil", {0: 5, 1: 7, 2: 9}), run("x/ftcl", {0: 4}))
    (effect,) = found.effects
    assert effect.interval is not None
    assert effect.interval.seed_error == pytest.approx(math.sqrt(0.04 / 3 + 0.04))
    assert (
        "x/ftcl@0 is the only seed in the store: the luck of its seed is taken to be like the "
        "other's." in verdict(found)
    )


def test_some_shared_seeds_are_paired_and_the_others_count_too() -> None:
    a, b = run("x/mil", {0: 5, 1: 7, 2: 9}), run("x/ftcl", {1: 4, 2: 6, 3: 8}, 1)
    (effect,) = same_protocol(a, b).effects
    assert effect.interval is not None
    # both deviations are 0.2, the two shared pairs are correlated by 1: 2 of them in 3 x 3
    expected = math.sqrt(0.04 / 3 + 0.04 / 3 - 2 * 0.04 * 2 / 9)
    assert effect.interval.seed_error == pytest.approx(expected)
    assert effect.value == pytest.approx(0.7 - 0.6)


@pytest.mark.skipif(not THUMOS.is_dir(), reason=f"no published detections at {THUMOS}")
def test_the_page_of_protocols_quotes_the_audit_of_two_published_sets() -> None:
    text = (REPOSITORY / "docs" / "protocols.md").read_text()
    unsure = THUMOS / "Thumos14reduced-Annotations" / "Ambiguous_test.txt"
    truth = with_ambiguous(truth_from_json(THUMOS / "gt412.json", "test"), unsure)
    folder = THUMOS / "detections"
    smil, stpn = (
        open_file(folder / path, [truth])
        for path in ("pmil_smil/detection_result_base_test.json", "stpn/results.json")
    )
    found = audit(smil, stpn, protocol("thumos14/official"), protocol("thumos14/common"))
    crossed = found.protocols
    official, shared = (numbers.interval(effect.interval) for effect in found.effects)
    for line in (
        f"| part of {points(crossed.total)} points of mAP@AVG(0.1:0.5) | points |",
        f"| protocol, main effect | {points(crossed.condition)} |",
        f"| detections, main effect | {points(crossed.things)} |",
        f"| detections under `thumos14/official` | {official} |",
        f"| detections under `thumos14/common` | {shared} |",
        f"| interaction | {points(crossed.interaction)} |",
    ):
        assert line in text, line
    assert not crossed.is_additive and points(crossed.things) not in verdict(found)
