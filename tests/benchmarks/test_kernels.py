"""How fast the kernels are, next to loops in the published style, in one run on one thread.

Ratios are asserted, with wide margins; times are only printed (`-s`) or recorded
(`--benchmark-enable`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture
from torch import Tensor

from tests.benchmarks.figures import tell
from wsal_bench.kernels import cosine_similarity, fsd_score, lcs_score

BATCH = 16  # pairs
FSD_LENGTH, LCS_LENGTH, FEATURES = 5, 30, 128
GAMMA, THRESHOLD = 0.1, 0.92


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def random_grid(length: int, *, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(BATCH, length, length, generator=generator).requires_grad_()


def random_features(*, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(BATCH, LCS_LENGTH, FEATURES, generator=generator).requires_grad_()


def fsd_in_the_published_style(match: Tensor, gate: Tensor) -> Tensor:
    """Pair by pair, cell by cell; each cell makes a new table, as autograd forbids writing it."""
    return torch.stack([_fsd_of_pair(*pair) for pair in zip(match, gate, strict=True)])


def _fsd_of_pair(match: Tensor, gate: Tensor) -> Tensor:
    rows, columns = match.shape
    table = match.new_zeros(rows + 1, columns + 1)
    for i in range(1, rows + 1):
        for j in range(1, columns + 1):
            here = gate[i - 1, j - 1]
            moves = torch.stack(
                [table[i - 1, j - 1], here + table[i - 1, j], here + table[i, j - 1]]
            )
            value = match[i - 1, j - 1] + GAMMA * torch.logsumexp(moves / GAMMA, dim=0)
            is_cell = torch.zeros_like(table)
            is_cell[i, j] = 1
            table = table * (1 - is_cell) + value * is_cell
    return table[rows, columns]


def lcs_in_the_published_style(similarity: Tensor) -> Tensor:
    """Pair by pair, cell by cell, written into a table; the host is asked which way to go."""
    return torch.stack([_lcs_of_pair(pair) for pair in similarity])


def _lcs_of_pair(similarity: Tensor) -> Tensor:
    rows, columns = similarity.shape
    table = similarity.new_zeros(rows + 1, columns + 1)
    for i in range(1, rows + 1):
        for j in range(1, columns + 1):
            here = similarity[i - 1, j - 1]
            if here > THRESHOLD:
                table[i, j] = table[i - 1, j - 1] + here
            else:
                table[i, j] = max(table[i - 1, j], table[i, j - 1])
    return table[rows, columns]


def normalise_then_multiply(a: Tensor, b: Tensor) -> Tensor:
    return torch.nn.functional.normalize(a, dim=2) @ torch.nn.functional.normalize(b, dim=2).mT


def forward_and_backward(
    function: Callable[..., Tensor], *inputs: Tensor
) -> Callable[[], tuple[Tensor, ...]]:
    return lambda: torch.autograd.grad(function(*inputs).sum(), inputs)


def shortest_ms(run: Callable[[], object], *, rounds: int, calls: int = 1) -> float:
    """CPU time of one call in the best round: what the rest of the machine disturbs least."""
    run()
    times = []
    for _ in range(rounds):
        start = time.process_time()
        for _ in range(calls):
            run()
        times.append((time.process_time() - start) / calls)
    return 1e3 * min(times)


def ratio(
    name: str, slow: Callable[[], object], fast: Callable[[], object], *, slow_calls: int = 1
) -> float:
    slow_ms = shortest_ms(slow, rounds=3, calls=slow_calls)
    fast_ms = shortest_ms(fast, rounds=5, calls=50)
    tell(f"{name}: {slow_ms:.3g} ms -> {fast_ms:.3g} ms, {slow_ms / fast_ms:.3g} x")
    return slow_ms / fast_ms


@pytest.mark.slow
def test_fsd_is_much_faster_than_published_style_loops() -> None:
    inputs = random_grid(FSD_LENGTH, seed=0), random_grid(FSD_LENGTH, seed=1)
    slow = forward_and_backward(fsd_in_the_published_style, *inputs)
    fast = forward_and_backward(fsd_score, *inputs)
    torch.testing.assert_close(fast(), slow(), rtol=0, atol=1e-4)
    assert ratio(f"FSD, L = {FSD_LENGTH}", slow, fast) >= 80


@pytest.mark.slow
def test_lcs_is_much_faster_than_published_style_loops() -> None:
    grid = random_grid(LCS_LENGTH, seed=0)
    slow = forward_and_backward(lcs_in_the_published_style, grid)
    fast = forward_and_backward(lambda x: lcs_score(x, threshold=THRESHOLD), grid)
    torch.testing.assert_close(fast(), slow(), rtol=0, atol=0)
    assert ratio(f"LCS, L = {LCS_LENGTH}", slow, fast) >= 150


@pytest.mark.slow
def test_the_cosine_similarity_is_faster_than_normalising_first() -> None:
    inputs = random_features(seed=0), random_features(seed=1)
    slow = forward_and_backward(normalise_then_multiply, *inputs)
    fast = forward_and_backward(cosine_similarity, *inputs)
    torch.testing.assert_close(fast(), slow(), rtol=0, atol=1e-5)
    assert ratio(f"cosine, D = {FEATURES}", slow, fast, slow_calls=50) >= 1.2


def test_time_of_fsd(benchmark: BenchmarkFixture) -> None:
    inputs = random_grid(FSD_LENGTH, seed=0), random_grid(FSD_LENGTH, seed=1)
    benchmark(forward_and_backward(fsd_score, *inputs))


def test_time_of_lcs(benchmark: BenchmarkFixture) -> None:
    grid = random_grid(LCS_LENGTH, seed=0)
    benchmark(forward_and_backward(lambda x: lcs_score(x, threshold=THRESHOLD), grid))


def test_time_of_cosine(benchmark: BenchmarkFixture) -> None:
    inputs = random_features(seed=0), random_features(seed=1)
    benchmark(forward_and_backward(cosine_similarity, *inputs))
