"""Errors, intervals that hold at once, power and equality, against numbers worked by other ways."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats  # type: ignore[import-untyped]

from tests.examples import examples
from tests.statistics.made_up import compared
from tests.statistics.worlds import World, best_of, draw, marked
from wsal_bench.statistics import compare_rows
from wsal_bench.statistics.errors import Sample, design_of, errors_of, spread_of
from wsal_bench.statistics.intervals import Level, interval_of
from wsal_bench.statistics.power import Plan, Variances, detectable, power_of, variances_of
from wsal_bench.statistics.simultaneous import Smallest, against, all_pairs, smallest_p
from wsal_bench.types import FloatArray

WORLD = World((6,) * 8, 1, 6)


def sample(values: FloatArray, effects: FloatArray | None = None) -> Sample:
    """Rows on one data seed; without effects the videos add nothing."""
    groups = 5 if effects is None else effects.shape[-1]
    if effects is None:
        effects = np.zeros((*values.shape, groups))
    return Sample(values, effects, np.full(groups, 1 / groups))


def test_seeds_alone_give_students_interval() -> None:
    values = np.array([[0.50, 0.54, 0.52, 0.56]])
    found = interval_of([sample(values)])
    low, high = stats.t.interval(0.95, 3, values.mean(), stats.sem(values[0]))
    assert (found.low, found.high) == pytest.approx((low, high))
    assert found.freedom == pytest.approx(3)
    assert found.video_error == 0.0


def test_groups_alone_give_students_interval_with_the_factor_for_few() -> None:
    own = np.array([0.1, 0.4, 0.35, 0.8, 0.6])  # a headline that is the mean over groups
    without = (own.sum() - own) / 4
    effects = np.sqrt(4 / 5) * (without - without.mean())
    found = interval_of([sample(np.array([[own.mean()]]), effects[None, None])])
    low, high = stats.t.interval(0.95, 4, own.mean(), stats.sem(own))
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-9)
    assert found.seed_error is None


def test_noise_of_seeds_and_videos_together_counts_once() -> None:
    """Seeds differ by what their videos' luck explains: the variance is that of the videos."""
    rng = np.random.default_rng(0)
    both = rng.normal(0, 0.1, (1, 6, 40)) / 40
    values = 0.5 + both.sum(axis=2)
    spread, design = spread_of([sample(values, both)]), design_of([sample(values, both)])
    errors = errors_of(spread, design, np.array([0]), None)
    assert errors.variance[0] <= spread.videos[0, 0] + max(
        0.0, spread.seeds[0, 0] - spread.both[0, 0]
    )
    assert errors.variance[0] < spread.videos[0, 0] + spread.seeds[0, 0]


def test_over_data_seeds_the_error_is_that_of_the_printed_mean() -> None:
    values = ([[0.50, 0.52]], [[0.60, 0.64]], [[0.55, 0.53]])
    found = interval_of([sample(np.array(one)) for one in values])
    means = [np.mean(one) for one in values]
    assert found.standard_error == pytest.approx(stats.sem(means))
    assert found.freedom == 2


def test_a_method_against_itself_has_no_error_and_no_mark() -> None:
    runs, _ = compared(2.0)
    rows = {name: {(0, seed): run for seed, run in enumerate(runs)} for name in ("a", "b")}
    one = compare_rows(rows, "a")["b"].comparison
    assert one is not None
    assert (one.interval.low, one.interval.high, one.adjusted_p) == (0.0, 0.0, 1.0)
    assert one.inside_noise and one.equal_within == 0.0 and one.detectable == 0.0


@examples(10)
@given(st.integers(0, 1000))
def test_marks_intervals_and_p_values_agree(seed: int) -> None:
    rows = ("equal0", "equal1", "worse1", "worse3")
    runs = draw(WORLD, rows, np.random.default_rng(seed))
    found = compare_rows({row: runs[row] for row in rows}, best_of(runs, rows), num_resamples=400)
    for one in found.values():
        if one.comparison is not None:
            interval, p = one.comparison.interval, one.comparison.adjusted_p
            assert (interval.low <= 0 <= interval.high) == one.comparison.inside_noise
            assert one.comparison.inside_noise == (p > 0.05) or abs(p - 0.05) < 5e-3
            assert one.comparison.inner.low >= interval.low  # 90 % within 95 %
            assert one.comparison.inner.high <= interval.high


def test_the_level_of_independent_comparisons_is_sidaks() -> None:
    rng = np.random.default_rng(0)
    groups, rows = 200, 4
    effects = rng.normal(0, 1, (rows, 1, groups)) / groups
    samples = [sample(np.zeros((rows, 1)), effects)]
    spread, design = spread_of(samples), design_of(samples)
    smallest = smallest_p(spread, design, against(0, rows), 8000)
    # Dunnett's for three comparisons that share a reference: between Sidak's and no correction
    assert 0.0169 < smallest.level() < 0.025
    pairs = smallest_p(spread, design, all_pairs(rows), 8000)
    tukey = float(2 * stats.norm.sf(stats.studentized_range.ppf(0.95, rows, 1e6) / np.sqrt(2)))
    assert pairs.level() == pytest.approx(tukey, rel=0.1)


def test_families_are_all_pairs_or_all_against_one() -> None:
    pairs = all_pairs(4)
    assert list(zip(pairs.first, pairs.second, strict=True)) == [*combinations(range(4), 2)]
    assert against(2, 4).first.tolist() == [0, 1, 3]
    assert Smallest(3, np.empty(0)).adjusted(0.01) == pytest.approx(1 - 0.99**3)


def test_a_difference_of_the_detectable_size_is_found_four_times_in_five() -> None:
    rng = np.random.default_rng(0)
    size = detectable(1 / np.sqrt(10), 9, 0.05)
    draws = rng.normal(size, 1, (20_000, 10))
    found = stats.ttest_1samp(draws, 0, axis=1).pvalue < 0.05
    assert found.mean() == pytest.approx(0.8, abs=0.01)


def test_power_grows_with_groups_and_seeds_and_falls_with_rows() -> None:
    variances = Variances(group=0.1, both=0.05, seed=0.2)
    plain = power_of(Plan(9, 6, 1, 4), variances)
    by_group = Variances(group=0.3, both=0.05, seed=0.01)
    few, many = (power_of(Plan(groups, 6, 1, 4), by_group) for groups in (9, 30))
    assert many.detectable < few.detectable
    assert power_of(Plan(9, 12, 1, 4), variances).detectable < plain.detectable
    assert power_of(Plan(9, 6, 1, 8), variances).detectable > plain.detectable
    assert power_of(Plan(9, 6, 1, 4, chosen=False), variances).detectable < plain.detectable
    with pytest.raises(ValueError, match="no error bars"):
        power_of(Plan(1, 6, 1, 4), variances)


def test_variances_that_were_put_in_are_found_again() -> None:
    rng = np.random.default_rng(1)
    groups, seeds, true = 200, 40, Variances(group=0.2, both=0.3, seed=0.05)
    own = rng.normal(0, true.group / np.sqrt(2), (2, 1, groups))
    both = rng.normal(0, true.both / np.sqrt(2), (2, seeds, groups))
    luck = rng.normal(0, true.seed / np.sqrt(2), (2, seeds, 1))
    effects = (own + both) / groups
    values = effects.sum(axis=2) + luck[..., 0]
    apart = effects - effects.mean(axis=2, keepdims=True)
    (found,) = variances_of([sample(values, apart)])
    assert found.group == pytest.approx(true.group, rel=0.2)
    assert found.both == pytest.approx(true.both, rel=0.2)
    assert found.seed == pytest.approx(true.seed, rel=0.4)


def test_a_level_says_how_wide() -> None:
    values = np.array([[0.5, 0.6, 0.7]])
    wide, narrow = (interval_of([sample(values)], Level(1 - a, a)) for a in (0.01, 0.2))
    assert wide.low < narrow.low < narrow.high < wide.high


def test_false_marks_and_coverage_in_a_small_world() -> None:
    """A short form of scripts/coverage: eight rows of which none differs, and two that do."""
    rows = tuple(f"equal{k}" for k in range(8))
    world = World((6,) * 12, 1, 3)
    false, held = [], []
    for number in range(24):
        runs = draw(world, (*rows, "worse3"), np.random.default_rng([7, number]))
        best = best_of(runs, rows)
        found = compare_rows({row: runs[row] for row in rows}, best, num_resamples=300)
        false.append(bool(marked(found)))
        two = {row: runs[row] for row in ("equal0", "worse3")}
        held.append(bool(marked(compare_rows(two, "equal0", num_resamples=300))))
    assert sum(false) <= 4  # 5 % expected: 5 or more of 24 in one of 150 right worlds
    assert sum(held) >= 12  # and a true difference is found
