"""The published numbers, written down a second time, and what they do, worked by hand.

What the code of a method of this suite cuts is held in `test_published_pipelines`; the recipes of
the others are held here: a step for each snippet of a second.
"""

from dataclasses import dataclass, field, replace
from math import exp
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.localization.examples import GATES
from wsal_bench.localization import Nms, ProposalRecipe, localize, propose
from wsal_bench.localization.recipe import ACM, names, preset, recipe
from wsal_bench.types import Activations, Proposals


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
    "bas-net": Numbers(0.25, [BAS], 0.25, [0.2], 24, 1, Nms(0.7, plus=1), "relu-min-max"),
    "um": Numbers(
        0.2, [BAS, steps(0.4, 0.6, 0.025)], 0.25, [0.2, 0.2], 24, 2, Nms(0.6, plus=1),
        "clamped-min-max",
    ),
    "cola": Numbers(
        0.2, [BAS, steps(0.1, 0.9, 0.025)], 0.25, [0.2, 0.2], 24, 2, Nms(0.6, plus=1),
        "clamped-min-max",
    ),
    "acm-net": Numbers(
        0.25, [[0.15, 0.2], steps(0.15, 0.95, 0.05)], 0.2, [0, 0], 20, 2, Nms(0.55, plus=1)
    ),
    "asm-loc": Numbers(
        0.25, [[0.15, 0.2], steps(0.1, 0.9, 0.025)], 0.2, [0, 0], 20, 2, Nms(0.45, plus=1)
    ),
    "acm-net-anet": ANET,
    "asm-loc-anet": ANET,
    "ham-net": Numbers(0.2, [TENTHS], 0.25, [0.2], 1, 1, Nms(plus=1, kind="soft", sigma=0.3)),
    "co2-net": Numbers(0.2, [TENTHS], 0.25, [0.2], 1, 1, SOFT_SNIPPETS),
    "delu": Numbers(0.2, [steps(0.1, 0.9, 0.8 / 19)], 0.25, [0.2], 1, 1, SOFT_SNIPPETS),
    "fac-net": Numbers(
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
    "w-talc": Numbers(0, [[0.5]], 0, [0.7], 1, 2, Nms(kind="none")),
    "w-talc-anet": Numbers(0, [[0.7]], 0, [0.7], 1, 2, Nms(kind="none")),
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


@pytest.mark.parametrize("name", names())
def test_a_recipe_names_its_source_and_what_it_needs(name: str) -> None:
    found = preset(name)
    assert found.name == name
    assert found.source == "ours" if name == "common" else "/" in found.source
    assert set(found.needs) == set(found.recipe.needs)
    assert ("video_scores" in found.needs) is not name.startswith("w-talc")


def test_a_preset_must_describe_what_it_cuts() -> None:
    with pytest.raises(ValueError, match=r"'acm' looks at \['attention', 'cas', 'video_scores'\]"):
        replace(preset("acm-net"), needs={"cas": "scores"})


def test_asm_is_acm_with_more_thresholds_and_a_lower_nms() -> None:
    asm = recipe("asm-loc")
    assert len(asm.lists[1].thresholds) == 33
    assert asm.nms.threshold == 0.45
    assert replace(asm, name="acm", lists=ACM.lists, nms=ACM.nms) == ACM


@pytest.mark.parametrize("name", ["acm-net-anet", "asm-loc-anet"])
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


def test_hamnet_has_no_fallback_and_co2_has() -> None:
    seen = video(0.1, 0.19, logits=[0, 1, 0], attention=[0, 0.15, 0])
    assert len(localize(seen, recipe("ham-net"))) == 0
    assert localize(seen, recipe("co2-net")).label.tolist() == [1]


def test_hamnet_adds_a_second_and_co2_a_snippet() -> None:
    # a snippet of 0.64 s lies between: with a second added they share 0.36 s, with one none
    seen = video(0.5, seconds=0.64, logits=[0, 3, 0, 2, 0], attention=[0, 0.15, 0, 0.15, 0])
    plain = [3 * 0.15 + 0.1, 2 * 0.15 + 0.1]
    assert localize(seen, recipe("co2-net")).score.tolist() == pytest.approx(plain)
    tiou = 0.36 / (1.64 + 1.64 - 0.36)
    lowered = [plain[0], plain[1] * exp(-(tiou**2) / 0.3)]
    assert localize(seen, recipe("ham-net")).score.tolist() == pytest.approx(lowered)


def test_delu_is_co2_with_twenty_thresholds() -> None:
    delu, co2 = recipe("delu"), recipe("co2-net")
    assert delu.lists[0].thresholds == tuple(np.linspace(0.1, 0.9, 20).tolist())
    assert replace(delu, name="co2", lists=co2.lists) == co2


def test_wtalc_on_activitynet_cuts_smoothed_logits_lower() -> None:
    # a window as long as the video: its straight line, 0.6 x + 1.8 at x = -2 ... 2
    seen = video(1.0, logits=[1, 0, 3, 2, 3])
    line = [0.6, 1.2, 1.8, 2.4, 3.0]
    anet = recipe("w-talc-anet")
    assert len(localize(seen, anet)) == 0  # fewer than eight snippets have no class score
    by_video_score = replace(anet, classes=replace(anet.classes, pooled_ratio=0))
    # 3 - 0.7 * 2.4 = 1.32: from snippet 2 on
    assert rows(localize(seen, by_video_score)) == [(2.0, 5.0, pytest.approx(line[-1] + 0.7))]


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
    found = localize(video(0.1, cas_rgb=[0.0] * 8, cas_flow=flow), recipe("fac-net"))
    assert rows(found) == [(1.0, 5.0, pytest.approx(0.3 - 0.6 * 0.02))]


def test_fac_fuses_streams_that_overlap_much_but_not_wholly() -> None:
    shifted = [0.0, *FLOW[:-1]]
    # snippets 1 to 5 and 2 to 6, one added: 4 of 5 shared, which the fusion's 0.9 lets through
    found = localize(video(0.1, cas_rgb=shifted, cas_flow=FLOW), recipe("fac-net"))
    assert rows(found) == [(1.0, 5.0, pytest.approx(0.3)), (2.0, 6.0, pytest.approx(0.03))]
    same = localize(video(0.1, cas_rgb=FLOW, cas_flow=FLOW), recipe("fac-net"))
    assert rows(same) == [(1.0, 5.0, pytest.approx(0.3))]


def test_fac_and_rskp_may_end_a_snippet_beyond_the_video() -> None:
    ending = [0.0, 0.0, 0.0, 0.5, 0.4, 0.3]
    for name in ("fac-net", "rskp"):
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
