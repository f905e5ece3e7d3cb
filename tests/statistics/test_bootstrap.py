from dataclasses import replace

import numpy as np
import pytest

from tests.statistics.made_up import RULES, compared, noisy_detections, random_truth
from wsal_bench.evaluation import Scores, evaluate
from wsal_bench.statistics import Pairing, nested_bootstrap, paired_bootstrap, sampling_error
from wsal_bench.statistics.bootstrap import interval_of, resample


def test_a_method_does_not_differ_from_itself() -> None:
    a, _ = compared(1.0)
    interval = paired_bootstrap(a, a, 300, generator=np.random.default_rng(1))
    assert (interval.low, interval.high, interval.difference) == (0.0, 0.0, 0.0)


def test_a_clearly_better_method_has_an_interval_above_zero() -> None:
    a, b = compared(6.0)
    interval = paired_bootstrap(a, b, generator=np.random.default_rng(1))
    assert 0 < interval.low < interval.difference < interval.high
    expected = np.mean([x.headline for x in a]) - np.mean([x.headline for x in b])
    assert interval.difference == pytest.approx(expected, abs=1e-12)
    assert (interval.level, interval.num_resamples) == (0.95, 1000)


def test_turning_the_comparison_round_turns_the_interval_round() -> None:
    a, b = compared(3.0)
    there = paired_bootstrap(a, b, 300, generator=np.random.default_rng(1))
    back = paired_bootstrap(b, a, 300, generator=np.random.default_rng(1))
    assert back.low == pytest.approx(-there.high)
    assert back.high == pytest.approx(-there.low)


def test_whole_groups_are_drawn() -> None:
    a, b = compared(3.0)
    one, other = ([in_one_group(run) for run in runs] for runs in (a, b))
    interval = paired_bootstrap(one, other, 20, generator=np.random.default_rng(1))
    assert interval.video_error == pytest.approx(0.0, abs=1e-12)


def in_one_group(run: Scores) -> Scores:
    assert run.support is not None
    return replace(run, support=replace(run.support, groups=("everyone",) * 20))


def test_videos_that_the_protocol_leaves_out_are_never_drawn() -> None:
    rng = np.random.default_rng(0)
    truth = random_truth(rng)
    found = noisy_detections(rng, truth, 2.0)
    more = replace(truth, video_ids=(*truth.video_ids, "bad"), groups=())
    errors = [
        sampling_error(evaluate(part, found, rules), 50, generator=np.random.default_rng(1))
        for part, rules in ((truth, RULES), (more, replace(RULES, excluded_videos=("bad",))))
    ]
    assert errors[0] == errors[1]
    assert errors[0].num_groups == 6


def test_a_draw_without_any_truth_is_drawn_again() -> None:
    rng = np.random.default_rng(0)
    truth = random_truth(rng, num_videos=1)
    truth = replace(truth, video_ids=("v0", "silent"), groups=())
    run = evaluate(truth, noisy_detections(rng, truth, 1.0), RULES)
    interval = paired_bootstrap([run], [run], 50, generator=rng)
    assert (interval.low, interval.high) == (0.0, 0.0)


def test_several_data_seeds_average_the_difference_and_narrow_its_sampling_error() -> None:
    pairings = [Pairing(*compared(3.0, seed)) for seed in range(4)]
    single = [nested_bootstrap([p], 400, generator=np.random.default_rng(1)) for p in pairings]
    together = nested_bootstrap(pairings, 400, generator=np.random.default_rng(1))
    assert together.difference == pytest.approx(np.mean([part.difference for part in single]))
    assert together.video_error < min(part.video_error for part in single)
    assert together.seed_error == pytest.approx(
        np.std([part.difference for part in single], ddof=1) / 2
    )


def test_the_interval_is_made_of_both_errors_about_the_observed_difference() -> None:
    # Welch and Satterthwaite: 1 / (0.01² / (0.01² + 0.02²))^2 = 25 degrees of freedom
    observed = {(0, 0): 0.02, (0, 1): 0.04}  # mean 0.03, standard error 0.01
    resampled = np.array([0.1, 0.1 + 0.02 * np.sqrt(2)])  # standard deviation 0.02; biased
    interval = interval_of(observed, resampled, level=0.95)
    assert interval.seed_error == pytest.approx(0.01)
    assert interval.video_error == pytest.approx(0.02)
    total = np.hypot(0.01, 0.02)
    assert (interval.low, interval.high) == pytest.approx(
        (0.03 - 2.059539 * total, 0.03 + 2.059539 * total), abs=1e-6
    )
    assert interval.p_value == pytest.approx(0.191773, abs=1e-6)  # t = 1.3416, two-sided


def test_two_seeds_that_differ_a_lot_make_a_wide_interval() -> None:
    observed = {(0, 0): 0.02, (0, 1): 0.04}
    interval = interval_of(observed, np.array([0.03, 0.03 + 1e-9]))  # the videos add nothing
    assert interval.high - 0.03 == pytest.approx(12.7062 * 0.01, abs=1e-5)  # one degree of freedom


def test_one_seed_leaves_the_seeds_part_out() -> None:
    interval = interval_of({(0, 0): 0.03}, np.array([0.02, 0.04]))
    assert interval.seed_error is None
    assert interval.high - 0.03 == pytest.approx(1.96 * interval.video_error, rel=2e-3)


def test_a_standard_error_is_the_spread_of_resamples_and_their_bias_is_told() -> None:
    a, _ = compared(3.0)
    error = sampling_error(a[0], 400, generator=np.random.default_rng(1))
    headlines = resample([a[0]], 400, np.random.default_rng(1))[0]
    assert error.value == a[0].headline
    assert error.standard_error == pytest.approx(headlines.std(ddof=1))
    assert error.bias == pytest.approx(headlines.mean() - a[0].headline)
    assert (error.num_groups, error.num_resamples) == (20, 400)


@pytest.mark.slow
def test_intervals_hold_the_true_difference_about_as_often_as_they_say() -> None:
    """Two methods of one true quality difference, on fresh videos each time.

    The true difference is that of a test set thirty times as large.
    """
    rng = np.random.default_rng(0)

    def pair(num_videos: int) -> tuple[Scores, Scores]:
        truth = random_truth(rng, num_videos=num_videos, size=3 * num_videos)
        first, second = (
            evaluate(truth, noisy_detections(rng, truth, noise, 9 * num_videos), RULES)
            for noise in (1.5, 2.0)
        )
        return first, second

    differences, held, naive = [], [], []
    large = [first.headline - second.headline for first, second in (pair(1200) for _ in range(4))]
    target = float(np.mean(large))
    for _ in range(150):
        first, second = pair(40)
        interval = paired_bootstrap([first], [second], 120, generator=rng)
        differences.append(interval.difference)
        held.append(interval.low <= target <= interval.high)
        naive.append(interval.low <= 0 <= interval.high)
    assert 0.88 <= np.mean(held) <= 1.0  # 95 % asked for; 150 trials: two standard errors are 0.036
    assert np.mean(naive) < 0.9  # the test has power: 0 is not the true difference


def test_what_cannot_be_compared_is_refused() -> None:
    a, b = compared(3.0)
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="pair up by seed, not 2 with 1"):
        paired_bootstrap(a, b[:1], generator=rng)
    with pytest.raises(ValueError, match="not 0 with 0"):
        paired_bootstrap([], [], generator=rng)
    other = [replace(run, protocol=replace(RULES, version=2)) for run in b]
    with pytest.raises(ValueError, match="different protocols"):
        paired_bootstrap(a, other, generator=rng)
    bare = ([replace(run, matches=None) for run in b], [replace(run, support=None) for run in b])
    for runs in bare:
        with pytest.raises(ValueError, match="without matches"):
            paired_bootstrap(a, runs, generator=rng)
    with pytest.raises(ValueError, match="another truth"):
        paired_bootstrap(a, compared(3.0, seed=1)[1], generator=rng)
    with pytest.raises(ValueError, match="no interval"):
        paired_bootstrap(a, b, 1, generator=rng)
