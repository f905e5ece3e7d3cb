"""What sets each published recipe apart, worked by hand; a step for each snippet of a second."""

from dataclasses import replace
from math import exp
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.localization.examples import GATES
from wsal_bench.localization import ProposalRecipe, localize, propose
from wsal_bench.localization.recipe import ACM, ClassRule, names, preset, recipe
from wsal_bench.types import Activations, Proposals


def video(*scores: float, seconds: float = 1.0, **sequences: list[float]) -> Activations:
    """A video whose classes have these video scores and all the same sequences.

    An underscore in a sequence's name stands for a hyphen.
    """
    length = len(next(iter(sequences.values())))
    columns = {
        name.replace("_", "-"): np.repeat(np.asarray(values)[:, None], len(scores), axis=1)
        for name, values in sequences.items()
    }
    gates: dict[str, NDArray[np.float64]] = {}
    for name in GATES:
        if name in columns:
            gates[name] = columns.pop(name)[:, 0]
    columns = columns or {"unused": np.zeros((length, len(scores)))}
    return Activations(columns, gates, np.asarray(scores), np.arange(length + 1) * seconds)


def coarse(name: str, **changes: Any) -> ProposalRecipe:
    """A preset with one step for each snippet."""
    return replace(recipe(name), scale=1, **changes)


def rows(found: Proposals) -> list[Any]:
    columns = (found.start.tolist(), found.end.tolist(), found.score.tolist())
    return [(start, end, pytest.approx(score)) for start, end, score in zip(*columns, strict=True)]


def test_every_published_recipe_is_here() -> None:
    asked = "acm acm-anet basnet um cola hamnet co2 delu asm wtalc stpn fac rskp case common"
    assert set(names()) == {*asked.split(), "asm-anet", "wtalc-anet"}


@pytest.mark.parametrize("name", names())
def test_a_recipe_names_its_source_and_what_it_needs(name: str) -> None:
    found = preset(name)
    assert found.name == name
    assert found.source == "ours" if name == "common" else "/" in found.source
    unread = {"wtalc", "wtalc-anet"}  # they pool their logits by themselves
    scores = set() if name in unread else {"video_scores"}
    assert set(found.needs) == {*found.recipe.sequences} | scores


def test_a_preset_must_describe_what_it_cuts() -> None:
    with pytest.raises(ValueError, match=r"'acm' looks at \['attention', 'cas', 'video_scores'\]"):
        replace(preset("acm"), needs={"cas": "scores"})


def test_asm_is_acm_with_more_thresholds_and_a_lower_nms() -> None:
    asm = recipe("asm")
    assert len(asm.lists[1].thresholds) == 33
    assert asm.nms.threshold == 0.45
    assert replace(asm, name="acm", lists=ACM.lists, nms=ACM.nms) == ACM


@pytest.mark.parametrize("name", ["acm-anet", "asm-anet"])
def test_on_activitynet_the_gates_part_of_the_mix_is_zero_below_its_threshold(name: str) -> None:
    both = coarse(name)
    first, second = both.lists
    low = video(0.4, cas=[0.01, 0.5, 0.5, 0.0], attention=[0.2] * 4)
    # 0.7 * 0.5 + 0.3 * 0.2, minus snippet 0, whose CAS is below 0.02: 0.3 * 0.2
    found = propose(low, replace(both, lists=(replace(first, thresholds=(0.02,)),)))
    assert rows(found) == [(1.0, 3.0, pytest.approx(0.41 - 0.06))]
    high = video(0.4, cas=[0.01, 0.5, 0.5, 0.0], attention=[0.01, 0.2, 0.2, 0.0])
    # now it is the attention that is: 0.7 * 0.01; and a quarter of the class score
    found = propose(high, replace(both, lists=(replace(second, thresholds=(0.02,)),)))
    assert rows(found) == [(1.0, 3.0, pytest.approx(0.41 - 0.007 + 0.25 * 0.4))]


@pytest.mark.parametrize("score", [0.25, 0.9])
def test_basnet_adds_the_same_bonus_whatever_the_class_score(score: float) -> None:
    # a run of one step; a quarter of a step before it is the step before it, which is 0
    found = localize(video(0.0, score, cas=[0, 0, 2, 0]), coarse("basnet"))
    assert found.label.tolist() == [1]
    assert rows(found) == [(2.0, 3.0, pytest.approx(1.0 + 0.2))]


def test_basnet_takes_no_class_below_a_quarter_and_no_lone_class_of_index_0() -> None:
    cas = [0.0, 1.0, 1.0, 0.0]
    assert len(localize(video(0.2, 0.24, cas=cas), recipe("basnet"))) == 0
    assert len(localize(video(0.9, 0.1, cas=cas), recipe("basnet"))) == 0
    both = localize(video(0.9, 0.25, cas=cas), recipe("basnet"))
    assert set(both.label.tolist()) == {0, 1}


def test_basnet_stretches_without_clamping_and_counts_a_negative_minimum_as_0() -> None:
    # -1, 0, 1, 2 become -0.5, 0, 0.5, 1: at the threshold 0 a step must be above it
    found = propose(video(0.0, 0.5, cas=[-1, 0, 1, 2]), coarse("basnet"))
    assert set(found.start.tolist()) == {2.0}
    # all lie above 0.225, and what is below 0 counts as 0: 0.75 - 0 + 0.2
    assert rows(found)[0] == (2.0, 4.0, pytest.approx(0.95))


def test_um_scores_runs_of_the_magnitude_on_all_of_the_cas() -> None:
    first, second = coarse("um").lists
    seen = video(0.5, cas=[0, 0, 0.1, 1, 1, 0, 0, 0], magnitude=[0, 0, 0, 1, 1, 0, 0, 0])
    of_cas = coarse("um", lists=(replace(first, thresholds=(0.15,)),), inflation=0.5)
    of_magnitude = coarse("um", lists=(replace(second, thresholds=(0.4,)),), inflation=0.5)
    assert rows(localize(seen, of_cas)) == [(3.0, 5.0, pytest.approx(1.0 + 0.2 * 0.5))]
    # around are 0.1 and 0
    assert rows(localize(seen, of_magnitude)) == [(3.0, 5.0, pytest.approx(0.95 + 0.2 * 0.5))]


def test_um_falls_back_to_the_best_class() -> None:
    seen = video(0.1, 0.15, cas=[0, 1, 1, 0], magnitude=[0, 1, 1, 0])
    assert set(localize(seen, recipe("um")).label.tolist()) == {1}


def test_cola_stretches_its_gate_too() -> None:
    curve = [0.0, 0.25, 1.0, 1.0, 0.25, 0.0, 0.0]
    small = video(0.5, cas=curve, actionness=[value / 64 for value in curve])
    large = video(0.5, cas=[4 * value for value in curve], actionness=curve)
    assert len(localize(small, recipe("cola"))) > 0
    assert rows(localize(small, recipe("cola"))) == rows(localize(large, recipe("cola")))


def test_hamnet_scores_attended_logits_and_lowers_what_overlaps() -> None:
    # the same run at the six thresholds below 0.6; 2 * 0.6 - 0 + 0.2 * 0.5 each
    found = localize(video(0.5, logits=[5, 2, 7], attention=[0, 0.6, 0]), recipe("hamnet"))
    assert rows(found) == [(1.0, 2.0, 1.3 * exp(-times / 0.3)) for times in range(6)]


def test_hamnet_cuts_strictly_above_and_drops_a_lone_first_step() -> None:
    at = video(0.5, logits=[1, 1, 1], attention=[0, 0.1, 0])
    assert len(localize(at, recipe("hamnet"))) == 0
    alone = video(0.5, logits=[1, 1, 1], attention=[0.9, 0, 0])
    assert len(localize(alone, recipe("hamnet"))) == 0
    two = video(0.5, logits=[1, 1, 1], attention=[0.15, 0, 0.15])
    assert localize(two, recipe("hamnet")).start.tolist() == [0.0, 2.0]


def test_hamnet_has_no_fallback_and_co2_has() -> None:
    seen = video(0.1, 0.19, logits=[0, 1, 0], attention=[0, 0.15, 0])
    assert len(localize(seen, recipe("hamnet"))) == 0
    assert localize(seen, recipe("co2")).label.tolist() == [1]


def test_hamnet_adds_a_second_and_co2_a_snippet() -> None:
    # a snippet of 0.64 s lies between: with a second added they share 0.36 s, with one none
    seen = video(0.5, seconds=0.64, logits=[0, 3, 0, 2, 0], attention=[0, 0.15, 0, 0.15, 0])
    plain = [3 * 0.15 + 0.1, 2 * 0.15 + 0.1]
    assert localize(seen, recipe("co2")).score.tolist() == pytest.approx(plain)
    tiou = 0.36 / (1.64 + 1.64 - 0.36)
    lowered = [plain[0], plain[1] * exp(-(tiou**2) / 0.3)]
    assert localize(seen, recipe("hamnet")).score.tolist() == pytest.approx(lowered)


def test_delu_is_co2_with_twenty_thresholds() -> None:
    delu, co2 = recipe("delu"), recipe("co2")
    assert delu.lists[0].thresholds == tuple(np.linspace(0.1, 0.9, 20).tolist())
    assert replace(delu, name="co2", lists=co2.lists) == co2


def test_wtalc_cuts_at_the_middle_of_the_range_and_scores_the_largest() -> None:
    # the middle of -1 and 5 is 2, which is not above itself; the largest of 8 is the class's score
    seen = video(-9.0, logits=[2, 3, 5, 2, 4, -1, 3, 3])
    assert rows(localize(seen, recipe("wtalc"))) == [
        (1.0, 3.0, pytest.approx(5 + 0.7 * 5)),
        (6.0, 8.0, pytest.approx(3 + 0.7 * 5)),
    ]


def test_wtalc_chooses_classes_by_their_logits() -> None:
    low = [[-1.0, -1, -2, -2, -3, -3, -1, -1], [-1.0, -1, 0, 0, -3, -3, -1, -1]]
    for logits in low:  # no largest one is above 0
        assert len(localize(video(1.0, logits=logits), recipe("wtalc"))) == 0
    mixed = video(1.0, logits=[4.0, 4, -6, -6] * 4)  # the two largest of 16
    assert rows(localize(mixed, recipe("wtalc")))[0][2] == pytest.approx(4 + 0.7 * 4)
    short = video(1.0, logits=[5.0, 5, 5, 0, 0, 0, 0])  # 7 // 8 are none
    assert len(localize(short, recipe("wtalc"))) == 0


def test_a_pooled_class_rule_has_no_fallback() -> None:
    for wrong in ({"pooled_ratio": -1, "fallback": False}, {"pooled_ratio": 8}):
        with pytest.raises(ValueError, match="pooled_ratio must be 0, or above it without"):
            ClassRule(0.0, **wrong)  # type: ignore[arg-type]


def test_wtalc_on_activitynet_cuts_smoothed_logits_lower() -> None:
    # a window as long as the video: its straight line, 0.6 x + 1.8 at x = -2 ... 2
    seen = video(1.0, logits=[1, 0, 3, 2, 3])
    line = [0.6, 1.2, 1.8, 2.4, 3.0]
    # 3 - 0.7 * 2.4 = 1.32: from snippet 2 on
    # the class's score is the largest of the logits as they were
    pooled = replace(recipe("wtalc-anet"), classes=replace(recipe("wtalc").classes, pooled_ratio=5))
    assert rows(localize(seen, pooled)) == [(2.0, 5.0, pytest.approx(line[-1] + 0.7 * 3))]


def test_stpn_scores_the_mean_and_thins_out_between_its_streams() -> None:
    seen = video(
        0.0, 0.5,
        signal_rgb=[0, 1, 1, 0], score_rgb=[9, 2, 4, 9], signal_flow=[0, 1, 0, 0],
        score_flow=[0, 1, 0, 0],
    )  # fmt: skip
    # a tIoU of exactly 0.5 stays
    assert rows(localize(seen, coarse("stpn"))) == [(1.0, 3.0, 3.0), (1.0, 2.0, 1.0)]
    gates = {**seen.scores, "signal-flow": seen.scores["signal-rgb"]}
    twice = localize(replace(seen, scores=gates), coarse("stpn"))
    assert rows(twice) == [(1.0, 3.0, 3.0)]


FLOW = [0.0, 0.5, 0.4, 0.3, 0.0, 0.0, 0.0, 0.0]


def test_fac_takes_a_snippet_more_and_weighs_the_outer_part() -> None:
    # inner: snippets 1 to 4; outer: snippet 0 alone, since int(4 + 0.75) = 4
    flow = [0.02, *FLOW[1:]]
    found = localize(video(0.1, cas_rgb=[0.0] * 8, cas_flow=flow), recipe("fac"))
    assert rows(found) == [(1.0, 5.0, pytest.approx(0.3 - 0.6 * 0.02))]


def test_fac_fuses_streams_that_overlap_much_but_not_wholly() -> None:
    shifted = [0.0, *FLOW[:-1]]
    # snippets 1 to 5 and 2 to 6, one added: 4 of 5 shared, which the fusion's 0.9 lets through
    found = localize(video(0.1, cas_rgb=shifted, cas_flow=FLOW), recipe("fac"))
    assert rows(found) == [(1.0, 5.0, pytest.approx(0.3)), (2.0, 6.0, pytest.approx(0.03))]
    same = localize(video(0.1, cas_rgb=FLOW, cas_flow=FLOW), recipe("fac"))
    assert rows(same) == [(1.0, 5.0, pytest.approx(0.3))]


def test_fac_and_rskp_may_end_a_snippet_beyond_the_video() -> None:
    ending = [0.0, 0.0, 0.0, 0.5, 0.4, 0.3]
    for name in ("fac", "rskp"):
        found = localize(video(0.1, cas=ending, cas_rgb=ending, cas_flow=ending), recipe(name))
        assert found.end.max() == 7.0
        cut = localize(
            video(0.1, cas=ending, cas_rgb=ending, cas_flow=ending),
            replace(recipe(name), clip=True),
        )
        assert cut.end.max() == 6.0


def test_rskp_keeps_a_long_segment_that_holds_a_better_short_one() -> None:
    curve = [0, *[0.0105] * 2, 0.038, 0.038, *[0.0105] * 4, 0, 0, 0]
    found = localize(video(0.1, cas=curve), recipe("rskp"))
    # short: snippets 3 to 5 minus snippet 2; long: snippets 1 to 9 minus 0 and 10
    assert rows(found) == [
        (3.0, 6.0, pytest.approx(0.0865 / 3 - 0.0105)),
        (1.0, 10.0, pytest.approx(0.139 / 9)),
    ]


def test_case_brings_back_what_its_nms_drops() -> None:
    curve = [0, 0.45, 0.45, 0.95, 0.45, 0.45, 0, 0]
    found = localize(video(0.5, seconds=0.64, selection=curve), coarse("case"))
    # four times snippets 1 to 5, five times snippet 3; 1.64 / 4.2 = 0.39 of each other
    wide, narrow = 0.55 + 0.2 * 0.5, 0.95 - 0.45 + 0.2 * 0.5
    lowered = exp(-1 / 0.35)
    assert found.score.tolist() == pytest.approx(
        [wide, narrow, *[wide * lowered] * 3, *[narrow * lowered] * 4]
    )
    assert found.start.tolist() == pytest.approx([0.64, 1.92, *[0.64] * 3, *[1.92] * 4])


def test_the_best_of_all_classes_are_kept_where_a_recipe_says_so() -> None:
    cas = np.asarray([[0, 0], [0.6, 0.9], [0, 0], [0.7, 0.3], [0, 0]])
    seen = Activations({"cas": cas}, {}, np.ones(2), np.arange(6.0))
    cut = ProposalRecipe(
        "few", recipe("common").classes, (replace(recipe("common").lists[0], thresholds=(0.2,)),),
        replace(recipe("common").nms), scale=1, min_steps=1, inflation=0.0, max_per_video=2,
    )  # fmt: skip
    found = localize(seen, cut)
    assert list(zip(found.label.tolist(), found.score.tolist(), strict=True)) == [
        (0, 0.7), (1, 0.9),
    ]  # fmt: skip
