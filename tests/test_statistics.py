from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wsal_bench.evaluation import Scores, common, evaluate
from wsal_bench.evaluation.resampling import resampled_average_precision
from wsal_bench.statistics import Pairing, nested_bootstrap, nested_mean_std, paired_bootstrap
from wsal_bench.types import Detections, GroundTruth

RULES = common("x")


def random_truth(rng: np.random.Generator, num_videos: int = 6, size: int = 20) -> GroundTruth:
    start = rng.uniform(0, 50, size)
    return GroundTruth(
        video=rng.integers(0, num_videos, size),
        start=start,
        end=start + rng.uniform(1, 10, size),
        label=rng.integers(0, 3, size),
        video_ids=tuple(f"v{i}" for i in range(num_videos)),
        class_names=("A", "B", "C"),
    )


def noisy_detections(
    rng: np.random.Generator, truth: GroundTruth, noise: float, size: int = 80
) -> Detections:
    """Copies of true segments, moved about; one more video than the truth has."""
    source = rng.integers(0, len(truth), size)
    start = truth.start[source] + rng.normal(0, noise, size)
    return Detections(
        video=np.where(rng.random(size) < 0.1, len(truth.video_ids), truth.video[source]),
        start=start,
        end=start + np.maximum(truth.end - truth.start, 0.5)[source],
        label=truth.label[source],
        score=rng.permutation(size) / size,
        video_ids=(*truth.video_ids, "elsewhere"),
        class_names=truth.class_names,
    )


def repeated(truth: GroundTruth, detections: Detections, times: list[int]) -> Scores:
    """The scores of a data set in which video i is really there `times[i]` times."""
    copies = [(i, copy) for i, count in enumerate(times) for copy in range(count)]
    true = [
        (row, new) for new, (i, _) in enumerate(copies) for row in np.flatnonzero(truth.video == i)
    ]
    outside = len(times)
    rows = [
        (row, new)
        for row in range(len(detections))
        for new, (i, _) in enumerate([*copies, (outside, 0)])
        if detections.video[row] == i
    ]
    t, tv = np.array(true).T
    d, dv = np.array(rows).T
    names = tuple(f"{i}-{copy}" for i, copy in copies)
    return evaluate(
        replace(
            truth,
            video=tv,
            start=truth.start[t],
            end=truth.end[t],
            label=truth.label[t],
            video_ids=names,
            groups=(),
        ),
        replace(
            detections,
            video=dv,
            start=detections.start[d],
            end=detections.end[d],
            label=detections.label[d],
            score=detections.score[d],
            video_ids=(*names, "elsewhere"),
        ),
        RULES,
    )


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000))
def test_weight_one_gives_the_average_precision(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth = random_truth(rng)
    scores = evaluate(truth, noisy_detections(rng, truth, 2.0), RULES)
    ap = resampled_average_precision(scores, truth, np.arange(6), np.ones((1, 6)))
    np.testing.assert_allclose(ap[0], scores.ap, rtol=0, atol=1e-12)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.lists(st.integers(0, 3), min_size=6, max_size=6))
def test_a_weight_is_as_good_as_a_copy(seed: int, times: list[int]) -> None:
    rng = np.random.default_rng(seed)
    truth = random_truth(rng)
    times[truth.video[0]] += 1  # some truth is left
    detections = noisy_detections(rng, truth, 2.0)
    scores = evaluate(truth, detections, RULES)
    ap = resampled_average_precision(scores, truth, np.arange(6), np.array([times], float))
    expected = repeated(truth, detections, times)
    for label, name in enumerate(scores.class_names):
        if name in expected.class_names:
            column = expected.ap[:, expected.class_names.index(name)]
            np.testing.assert_allclose(ap[0, :, label], column, rtol=0, atol=1e-12)
        else:
            assert np.isnan(ap[0, :, label]).all()


def test_a_weight_of_a_group_reaches_all_its_videos() -> None:
    rng = np.random.default_rng(0)
    truth = random_truth(rng)
    scores = evaluate(truth, noisy_detections(rng, truth, 2.0), RULES)
    grouped = resampled_average_precision(
        scores, truth, np.array([0, 0, 1, 1, 1, 0]), np.array([[2.0, 1.0]])
    )
    single = resampled_average_precision(
        scores, truth, np.arange(6), np.array([[2.0, 2, 1, 1, 1, 2]])
    )
    np.testing.assert_allclose(grouped, single, rtol=0, atol=1e-12)


def compared(noise: float, seed: int = 0) -> tuple[GroundTruth, list[Scores], list[Scores]]:
    """Two training seeds of a fair method and of one whose segments are `noise` seconds off."""
    rng = np.random.default_rng(seed)
    truth = random_truth(rng, num_videos=20, size=100)
    a = [evaluate(truth, noisy_detections(rng, truth, 1.0, 300), RULES) for _ in range(2)]
    b = [evaluate(truth, noisy_detections(rng, truth, noise, 300), RULES) for _ in range(2)]
    return truth, a, b


def test_a_method_does_not_differ_from_itself() -> None:
    truth, a, _ = compared(1.0)
    interval = paired_bootstrap(truth, a, a, 300, generator=np.random.default_rng(1))
    assert (interval.low, interval.high, interval.difference) == (0.0, 0.0, 0.0)


def test_a_clearly_better_method_has_an_interval_above_zero() -> None:
    truth, a, b = compared(6.0)
    interval = paired_bootstrap(truth, a, b, generator=np.random.default_rng(1))
    assert 0 < interval.low < interval.difference < interval.high
    expected = np.mean([x.headline for x in a]) - np.mean([x.headline for x in b])
    assert interval.difference == pytest.approx(expected, abs=1e-12)
    assert (interval.level, interval.num_resamples) == (0.95, 1000)


def test_turning_the_comparison_round_turns_the_interval_round() -> None:
    truth, a, b = compared(3.0)
    there = paired_bootstrap(truth, a, b, 300, generator=np.random.default_rng(1))
    back = paired_bootstrap(truth, b, a, 300, generator=np.random.default_rng(1))
    assert back.low == pytest.approx(-there.high)
    assert back.high == pytest.approx(-there.low)


def test_whole_groups_are_drawn() -> None:
    truth, a, b = compared(3.0)
    one_group = replace(truth, groups=("everyone",) * 20)
    interval = paired_bootstrap(one_group, a, b, 20, generator=np.random.default_rng(1))
    assert interval.low == pytest.approx(interval.difference, abs=1e-12)
    assert interval.high == pytest.approx(interval.difference, abs=1e-12)


def test_a_draw_without_any_truth_is_drawn_again() -> None:
    rng = np.random.default_rng(0)
    truth = random_truth(rng, num_videos=1)
    truth = replace(truth, video_ids=("v0", "silent"), groups=())
    run = evaluate(truth, noisy_detections(rng, truth, 1.0), RULES)
    interval = paired_bootstrap(truth, [run], [run], 50, generator=rng)
    assert (interval.low, interval.high) == (0.0, 0.0)


def test_several_data_seeds_narrow_the_interval_and_average_the_difference() -> None:
    pairings = [Pairing(*compared(3.0, seed)) for seed in range(4)]
    single = [nested_bootstrap([p], 400, generator=np.random.default_rng(1)) for p in pairings]
    together = nested_bootstrap(pairings, 400, generator=np.random.default_rng(1))
    assert together.difference == pytest.approx(np.mean([part.difference for part in single]))
    assert together.high - together.low < min(part.high - part.low for part in single)


def test_what_cannot_be_compared_is_refused() -> None:
    truth, a, b = compared(3.0)
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="pair up by seed, not 2 with 1"):
        paired_bootstrap(truth, a, b[:1], generator=rng)
    with pytest.raises(ValueError, match="not 0 with 0"):
        paired_bootstrap(truth, [], [], generator=rng)
    other = [replace(run, protocol=replace(RULES, version=2)) for run in b]
    with pytest.raises(ValueError, match="different protocols"):
        paired_bootstrap(truth, a, other, generator=rng)
    with pytest.raises(ValueError, match="without matches"):
        paired_bootstrap(truth, a, [replace(run, matches=None) for run in b], generator=rng)
    with pytest.raises(ValueError, match="another truth"):
        paired_bootstrap(random_truth(rng), a, b, generator=rng)
    with pytest.raises(ValueError, match="no interval"):
        paired_bootstrap(truth, a, b, 0, generator=rng)


def test_the_mean_is_nested_and_not_pooled() -> None:
    summary = nested_mean_std({(0, 0): 1.0, (0, 1): 3.0, (0, 2): 5.0, (1, 0): 7.0})
    assert summary.mean == 5.0  # of 3 and 7, not of the four
    assert summary.std == pytest.approx(np.sqrt(8))
    assert (summary.std_over, summary.num_data_seeds, summary.num_seeds) == ("data_seed", 2, 1)


def test_one_data_seed_spreads_over_training_seeds() -> None:
    summary = nested_mean_std({(3, 0): 1.0, (3, 1): 3.0})
    assert summary.mean == 2.0
    assert summary.std == pytest.approx(np.sqrt(2))
    assert (summary.std_over, summary.num_data_seeds, summary.num_seeds) == ("seed", 1, 2)


def test_a_single_value_has_no_spread() -> None:
    summary = nested_mean_std({(0, 0): 0.5})
    assert (summary.mean, summary.std, summary.std_over) == (0.5, None, None)


def test_the_order_of_the_seeds_moves_nothing() -> None:
    values = {(d, s): float(np.sin(3 * d + s)) for d in range(3) for s in range(4)}
    assert nested_mean_std(values) == nested_mean_std(dict(reversed(values.items())))


@pytest.mark.parametrize("values", [{}, {(0, 0): float("nan")}])
def test_nothing_and_nan_have_no_mean(values: dict[tuple[int, int], float]) -> None:
    with pytest.raises(ValueError, match=r"no value|not finite"):
        nested_mean_std(values)
