from dataclasses import replace

import numpy as np
import pytest

from tests.statistics.made_up import RULES, compared, noisy_detections, random_truth
from wsal_bench.evaluation import Scores, evaluate
from wsal_bench.statistics import Pairing, nested_bootstrap, paired_bootstrap
from wsal_bench.statistics.bootstrap import resample


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
    with pytest.raises(ValueError, match="one of 1 groups of videos"):
        paired_bootstrap(one, other, 20, generator=np.random.default_rng(1))


def in_one_group(run: Scores) -> Scores:
    assert run.support is not None
    return replace(run, support=replace(run.support, groups=("everyone",) * 20))


def test_videos_that_the_protocol_leaves_out_are_never_drawn() -> None:
    rng = np.random.default_rng(0)
    truth = random_truth(rng)
    found = noisy_detections(rng, truth, 2.0)
    more = replace(truth, video_ids=(*truth.video_ids, "bad"), groups=())
    first, second = (
        resample([evaluate(part, found, rules)], 50, np.random.default_rng(1))
        for part, rules in ((truth, RULES), (more, replace(RULES, excluded_videos=("bad",))))
    )
    assert (first == second).all()


def test_a_truth_in_one_group_says_nothing_of_others() -> None:
    rng = np.random.default_rng(0)
    truth = random_truth(rng, num_videos=1)
    truth = replace(truth, video_ids=("v0", "silent"), groups=())
    run = evaluate(truth, noisy_detections(rng, truth, 1.0), RULES)
    with pytest.raises(ValueError, match="all true segments lie in one of 2 groups"):
        paired_bootstrap([run], [run], 50, generator=rng)


def test_several_data_seeds_average_the_difference_and_narrow_its_sampling_error() -> None:
    pairings = [Pairing(*compared(3.0, seed)) for seed in range(4)]
    single = [nested_bootstrap([p], 400, generator=np.random.default_rng(1)) for p in pairings]
    together = nested_bootstrap(pairings, 400, generator=np.random.default_rng(1))
    assert together.difference == pytest.approx(np.mean([part.difference for part in single]))
    assert together.video_error < min(part.video_error for part in single)
    assert together.seed_error == pytest.approx(
        np.std([part.difference for part in single], ddof=1) / 2
    )


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
