from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.examples import examples
from tests.localization.plain_reference import plain_nms, plain_propose
from wsal_bench.errors import UsageError
from wsal_bench.localization import ClassRule, GateList, Nms, ProposalRecipe, localize, propose
from wsal_bench.localization.proposals import select_classes
from wsal_bench.localization.recipe import ACM, COMMON
from wsal_bench.timegrid import TimeGrid
from wsal_bench.types import Activations, Proposals

ONE_CUT = ProposalRecipe(
    name="one-cut",
    classes=ClassRule(),
    lists=(GateList("cas", (0.5,)),),
    nms=Nms(threshold=0.5),
    scale=1,
    inflation=1.0,
    min_steps=1,
)


def one_class(*cas: float, times: list[float] | None = None) -> Activations:
    """A video of one class whose snippets last a second."""
    borders = np.arange(len(cas) + 1.0) if times is None else np.asarray(times)
    return Activations({"cas": np.asarray(cas)[:, None]}, {}, np.ones(1), borders)


def rows(proposals: Proposals) -> list[Any]:
    """(label, start, end, score) of each; Any, so that they compare with `approx`."""
    columns = (proposals.label, proposals.start, proposals.end, proposals.score)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def random_activations(generator: np.random.Generator) -> Activations:
    length, classes = int(generator.integers(1, 25)), int(generator.integers(1, 4))
    steps = generator.uniform(0.2, 2, length) if generator.random() < 0.5 else np.full(length, 0.64)
    start = float(generator.choice([0.0, -3.0, 100.0]))
    return Activations(
        scores={
            "cas": generator.normal(0.4, 0.4, (length, classes)),
            "other": generator.normal(0, 3, (length, classes)),
        },
        gates={
            "attention": generator.random(length),
            "by class": generator.random((length, classes)),
        },
        video_scores=generator.random(classes),
        times=np.concatenate([[start], start + np.cumsum(steps)]),
    )


def random_recipe(generator: np.random.Generator) -> ProposalRecipe:
    def pick(*values: object) -> object:
        return values[generator.integers(len(values))]

    lists = [
        GateList(
            gate=str(gate := pick("cas", "other", "attention", "by class")),
            thresholds=tuple(generator.uniform(-0.2, 1, int(generator.integers(1, 5)))),
            score=str(score := pick("cas", "other")),
            zero_below=bool(gate == score and pick(True, False)),
            strict=bool(pick(True, False)),
            class_bonus=float(generator.choice([0.0, 0.25])),
        )
        for _ in range(generator.integers(1, 4))
    ]
    return ProposalRecipe(
        name="random",
        classes=ClassRule(0.5, strict=bool(pick(True, False)), fallback=bool(pick(True, False))),
        lists=tuple(lists),
        nms=Nms(float(generator.uniform(0.1, 1)), plus=float(generator.choice([0.0, 1.0]))),
        normalisation="min-max" if pick(True, False) else "none",
        scale=int(generator.choice([1, 3, 20, 24])),
        inflation=float(generator.uniform(0, 1.5)),
        min_steps=int(generator.integers(1, 4)),
    )


@given(seed=st.integers(0, 10**6))
@examples(20)
def test_any_recipe_gives_what_the_plain_reference_gives(seed: int) -> None:
    generator = np.random.default_rng(seed)
    activations, recipe = random_activations(generator), random_recipe(generator)
    expected = plain_propose(activations, recipe)
    found = rows(propose(activations, recipe))
    assert found == [pytest.approx(row, abs=1e-9) for row in expected]
    thinned = plain_nms(found, recipe.nms.threshold, recipe.nms.plus)
    assert rows(localize(activations, recipe)) == [pytest.approx(row, abs=1e-9) for row in thinned]


@given(
    cas=st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=12),
    recipe=st.sampled_from([ACM, COMMON]),
    offset=st.sampled_from([0.0, 7.3, -1e4]),
)
@examples(20)
def test_proposals_are_finite_ordered_and_inside_the_video(
    cas: list[float], recipe: ProposalRecipe, offset: float
) -> None:
    scores = np.asarray(cas, dtype=np.float32)
    times = offset + np.arange(len(cas) + 1) * 0.64
    activations = Activations({"cas": scores[:, None]}, {"attention": scores}, np.ones(1), times)
    found = localize(activations, recipe)
    assert np.isfinite(found.score).all()
    assert (found.start < found.end).all()
    assert (found.start >= times[0]).all() and (found.end <= times[-1]).all()
    assert (np.diff(found.score) <= 0).all()


@given(
    cas=st.lists(st.integers(-8, 8), min_size=1, max_size=15),
    factor=st.floats(0.01, 100),
    shift=st.floats(-100, 100),
)
@examples(20)
def test_a_positive_affine_change_of_the_scores_moves_nothing_under_the_common_recipe(
    cas: list[int], factor: float, shift: float
) -> None:
    # whole eighths: the curves often meet a threshold exactly, where the last bits would decide
    plain = localize(one_class(*(value / 8 for value in cas)), COMMON)
    changed = localize(one_class(*(factor * value / 8 + shift for value in cas)), COMMON)
    assert rows(changed) == rows(plain)


def test_an_affine_change_in_float32_moves_no_border_under_the_common_recipe() -> None:
    logits = np.random.default_rng(0).standard_normal(60).astype(np.float32)
    changed = np.float32(3.7) * logits + np.float32(11)
    assert changed.dtype == np.float32
    found, moved = (localize(one_class(*cas), COMMON) for cas in (logits, changed))
    assert (moved.start == found.start).all() and (moved.end == found.end).all()
    np.testing.assert_allclose(moved.score, found.score, atol=1e-5)


def test_the_published_recipe_does_move_under_an_affine_change() -> None:
    recipe = replace(ACM, lists=ACM.lists[:1])
    curve = np.asarray([0.0, 0.1, 0.3, 0.2, 0.0])
    assert rows(localize(one_class(*curve), recipe)) != rows(
        localize(one_class(*2 * curve), recipe)
    )


def test_a_run_is_scored_by_its_mean_minus_that_of_what_surrounds_it() -> None:
    # run of 2 snippets, 2 on each side: (0.6 + 0.8) / 2 - (0.1 + 0.3 + 0.2 + 0.0) / 4
    found = localize(one_class(0.9, 0.1, 0.3, 0.6, 0.8, 0.2, 0.0, 0.4), ONE_CUT)
    assert rows(found) == [
        (0, 0.0, 1.0, pytest.approx(0.8)),
        (0, 3.0, 5.0, pytest.approx(0.7 - 0.15)),
    ]


def test_outer_bounds_are_truncated_to_whole_steps() -> None:
    # 3 * 0.5 = 1.5 steps: from int(3 - 1.5) = 1 to int(5 + 1.5) = 6
    recipe = replace(ONE_CUT, inflation=0.5)
    found = propose(one_class(0, 0.4, 0.2, 1, 1, 1, 0.3, 0), recipe)
    assert rows(found) == [(0, 3.0, 6.0, pytest.approx(1 - (0.4 + 0.2 + 0.3) / 3))]


def test_zeroing_counts_the_surroundings_only_where_they_are_above_the_threshold() -> None:
    video = one_class(0.4, 0.8, 0.4)
    zeroed = replace(ONE_CUT, lists=(GateList("cas", (0.5,), zero_below=True),))
    assert propose(video, zeroed).score.tolist() == [0.8]
    assert propose(video, ONE_CUT).score.tolist() == [pytest.approx(0.4)]
    # what equals the threshold is not below it: 0.8 - (0.5 + 0.0) / 2
    wide = replace(zeroed, inflation=2.0)
    assert propose(one_class(0.5, 0.2, 0.8), wide).score[1] == pytest.approx(0.55)


def test_a_run_that_touches_the_end_ends_with_the_video() -> None:
    found = localize(one_class(0, 0, 1, 1), ONE_CUT)
    assert rows(found) == [(0, 2.0, 4.0, 1.0)]


def test_an_end_that_rounds_to_beyond_the_video_is_moved_back() -> None:
    times = TimeGrid(fps=25, stride=16).edges(10, 7)
    curve = one_class(0, *[1.0] * (len(times) - 2), times=times.tolist())
    assert propose(curve, COMMON).end.max() > times[-1]
    assert localize(curve, COMMON).end.max() == times[-1]


def test_the_last_slope_continues_beyond_the_last_snippet() -> None:
    # 1.0, 0.8, 0.6 and, half a snippet after the last one begins, 0.4
    recipe = replace(ONE_CUT, lists=(GateList("cas", (0.45,)),), scale=2)
    assert rows(propose(one_class(1.0, 0.6), recipe)) == [(0, 0.0, 1.5, pytest.approx(0.8 - 0.4))]


def test_runs_that_are_too_short_are_dropped() -> None:
    video = one_class(1, 0, 1, 1, 0)
    assert propose(video, replace(ONE_CUT, min_steps=2)).start.tolist() == [2.0]
    assert len(propose(video, replace(ONE_CUT, min_steps=3))) == 0


def test_a_strict_gate_leaves_out_the_threshold_itself() -> None:
    video = one_class(0.5, 0.5, 1.0)
    strict = replace(ONE_CUT, lists=(GateList("cas", (0.5,), strict=True),))
    assert propose(video, ONE_CUT).start.tolist() == [0.0]
    assert propose(video, strict).start.tolist() == [2.0]


def test_a_gate_that_is_never_above_its_threshold_gives_no_proposal() -> None:
    video = Activations(
        {"cas": np.zeros((4, 2))}, {"attention": np.zeros(4)}, np.ones(2), np.arange(5.0)
    )
    assert len(localize(video, ACM)) == 0


@pytest.mark.parametrize("recipe", [ACM, COMMON])
def test_a_video_of_one_snippet_is_one_proposal(recipe: ProposalRecipe) -> None:
    video = Activations(
        {"cas": np.asarray([[0.9]], np.float32)},
        {"attention": np.asarray([0.9], np.float32)},
        np.ones(1),
        np.asarray([0.0, 0.64]),
    )
    found = localize(video, recipe)
    assert (found.start.tolist(), found.end.tolist()) == ([0.0], [0.64])
    assert found.score.tolist() == [pytest.approx(0.9 if recipe is ACM else 1.0)]


@pytest.mark.parametrize("value", [-3.0, 0.0, 0.1, 1e-300, 7.0])
def test_a_constant_sequence_is_one_proposal_as_long_as_the_video(value: float) -> None:
    assert rows(localize(one_class(*[value] * 9), COMMON)) == [(0, 0.0, 9.0, 1.0)]


def test_the_published_nms_lets_segments_suppress_each_other_that_do_not_touch() -> None:
    # [0, 0.2] and [0.25, 0.45]: lengths 1.2 each and an intersection of 0.95 with the added second
    video = one_class(1, 1, 1, 1, 0, 1, 1, 1, 1, times=(np.arange(10) * 0.05).tolist())
    with_plus = replace(ONE_CUT, nms=Nms(threshold=0.55, plus=1.0), inflation=0.0)
    without = replace(with_plus, nms=Nms(threshold=0.55))
    assert len(propose(video, with_plus)) == 2
    assert len(localize(video, with_plus)) == 1
    assert len(localize(video, without)) == 2


def test_classes_do_not_suppress_each_other_and_come_in_rising_order() -> None:
    cas = np.asarray([[0.6, 0.1, 0.9], [0.6, 0.1, 0.9]])
    video = Activations({"cas": cas}, {}, np.asarray([0.3, 0.9, 0.8]), np.arange(3.0))
    assert rows(localize(video, ONE_CUT)) == [(0, 0.0, 2.0, 0.6), (2, 0.0, 2.0, 0.9)]


def test_the_class_score_is_added_as_often_as_the_recipe_says() -> None:
    video = replace(one_class(0, 1, 0), video_scores=np.asarray([0.8]))
    bonus = replace(ONE_CUT, lists=(GateList("cas", (0.5,), class_bonus=0.25),))
    assert propose(video, bonus).score.tolist() == [pytest.approx(1.0 + 0.25 * 0.8)]


def test_snippets_of_unequal_length_put_borders_in_proportion() -> None:
    recipe = replace(ONE_CUT, scale=4)
    video = one_class(0, 1, 1, times=[10.0, 11.0, 13.0, 17.0])
    # the curve passes 0.5 half way through the first snippet
    assert rows(propose(video, recipe))[0][1:3] == (10.5, 17.0)


@pytest.mark.parametrize(
    ("rule", "taken"),
    [
        (ClassRule(0.25), [1]),
        (ClassRule(0.25, strict=False), [1, 2]),
        (ClassRule(0.9), [1]),
        (ClassRule(0.9, fallback=False), []),
    ],
)
def test_class_rules_take_what_is_above_or_the_best(rule: ClassRule, taken: list[int]) -> None:
    scores: NDArray[np.float32] = np.asarray([0.1, 0.5, 0.25], dtype=np.float32)
    assert select_classes(scores, rule).tolist() == taken


def test_without_a_class_there_is_no_proposal() -> None:
    video = replace(one_class(1, 1), video_scores=np.zeros(1))
    assert len(localize(video, replace(ONE_CUT, classes=ClassRule(fallback=False)))) == 0


def test_a_sequence_that_a_method_does_not_give_is_named_with_those_that_it_gives() -> None:
    message = "recipe 'acm' cuts 'attention', which the activations do not have; there are: cas"
    with pytest.raises(UsageError, match=message):
        localize(one_class(1, 0), ACM)


def test_localize_leaves_its_input_as_it_was() -> None:
    video = random_activations(np.random.default_rng(0))
    before = {name: value.copy() for name, value in (*video.scores.items(), *video.gates.items())}
    localize(video, ACM)
    localize(video, COMMON)
    after = {**video.scores, **video.gates}
    assert all((after[name] == value).all() for name, value in before.items())
