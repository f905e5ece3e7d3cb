import itertools

import numpy as np
import pytest
from scipy import stats  # type: ignore[import-untyped]

from wsal_bench.statistics import nested_mean_std, sign_flip_test
from wsal_bench.statistics.seeds import paired_t


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


def seeds(*differences: float) -> dict[tuple[int, int], float]:
    return {(0, seed): value for seed, value in enumerate(differences)}


def test_six_differences_of_one_sign_have_the_smallest_p_value_there_is() -> None:
    test = sign_flip_test(seeds(1, 2, 3, 4, 5, 6))
    assert test is not None
    assert (test.p_value, test.num_pairs, test.over) == (2 / 64, 6, "seed")


def test_fewer_than_six_pairs_are_no_test() -> None:
    assert sign_flip_test(seeds(1, 2, 3, 4, 5)) is None


def test_the_p_value_counts_the_flips_that_are_as_extreme() -> None:
    values = [0.5, -0.2, 0.4, 0.1, 0.3, -0.1, 0.2]
    sums = [
        abs(sum(s * v for s, v in zip(signs, values, strict=True)))
        for signs in itertools.product((1, -1), repeat=7)
    ]
    test = sign_flip_test(seeds(*values))
    assert test is not None
    assert test.p_value == sum(s >= 1.2 - 1e-9 for s in sums) / 128


def test_no_difference_at_all_is_chance() -> None:
    test = sign_flip_test(seeds(*[0.0] * 6))
    assert test is not None and test.p_value == 1.0


def test_training_seeds_of_one_data_seed_count_once() -> None:
    values = {(data, seed): 1.0 for data in range(3) for seed in range(6)}
    assert sign_flip_test(values) is None  # three data seeds
    values = {(data, seed): 1.0 for data in range(6) for seed in range(2)}
    test = sign_flip_test(values)
    assert test is not None and (test.num_pairs, test.over) == (6, "data_seed")


def test_twenty_seeds_are_flipped_at_random_and_always_alike() -> None:
    values = seeds(*np.random.default_rng(1).normal(0.4, 1, 20).tolist())
    test = sign_flip_test(values)
    assert test is not None and test == sign_flip_test(values)
    # all 2^20 flips, counted once: 0.0549
    assert test.p_value == pytest.approx(exact_share([*values.values()]), abs=0.004)


def exact_share(values: list[float]) -> float:
    sums = np.zeros(1)
    for value in values:
        sums = np.concatenate([sums + value, sums - value])
    return float(np.mean(np.abs(sums) >= abs(sum(values)) - 1e-9))


@pytest.mark.parametrize("n", range(2, 14))
def test_the_paired_t_is_that_of_scipy(n: int) -> None:
    values = np.random.default_rng(n).normal(0.5, 1, n)
    assert paired_t(values.tolist()) == pytest.approx(
        stats.ttest_1samp(values, 0).pvalue, abs=1e-12
    )


def test_equal_differences_leave_the_paired_t_no_doubt() -> None:
    assert paired_t([0.0, 0.0, 0.0]) == 1.0
    assert paired_t([0.5, 0.5, 0.5]) == 0.0
