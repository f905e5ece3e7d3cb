"""FSD: small sums by hand."""

from __future__ import annotations

import math

import pytest
import torch

from tests.kernels.cases import each_backend
from wsal_bench.kernels import fsd_score


@each_backend
def test_one_cell_is_its_match_plus_the_smooth_maximum_of_three_ways_in(backend: str) -> None:
    score = fsd_score(torch.tensor([[[0.5]]]), torch.tensor([[[0.0]]]), gamma=0.1, backend=backend)
    assert score.item() == pytest.approx(0.5 + 0.1 * math.log(3))


@each_backend
@pytest.mark.parametrize("gamma", [0.0, 1e-4])
def test_at_a_small_gamma_the_score_is_that_of_the_best_path(gamma: float, backend: str) -> None:
    # Five matches down the diagonal, every other move costs 1: the diagonal is best.
    ones = torch.ones(1, 5, 5, dtype=torch.float64)
    best = fsd_score(ones, -ones, gamma=gamma, backend=backend)
    assert best.item() == pytest.approx(5, abs=1e-3)
    # A reward of 1 on every insertion and deletion: 9 cells are visited, 9 moves are rewarded.
    best = fsd_score(ones, ones, gamma=gamma, backend=backend)
    assert best.item() == pytest.approx(18, abs=1e-2)


@each_backend
def test_insertions_come_from_the_row_above_and_deletions_from_the_column_before(
    backend: str,
) -> None:
    match, forbidden = torch.zeros(1, 1, 2), torch.full((1, 1, 2), -torch.inf)
    reward = torch.tensor([[[0.0, 3.0]]])
    inserted = fsd_score(match, reward, forbidden, gamma=1e-3, backend=backend)
    assert inserted.item() == pytest.approx(3, abs=1e-2)  # border above, then one insertion
    match[0, 0, 0] = 1.0
    inserted = fsd_score(match, reward, forbidden, gamma=1e-3, backend=backend)
    assert inserted.item() == pytest.approx(3, abs=1e-2)  # the first match is not on that path
    deleted = fsd_score(match, forbidden, reward, gamma=1e-3, backend=backend)
    assert deleted.item() == pytest.approx(4, abs=1e-2)  # here it is


@each_backend
def test_a_tie_takes_up_before_left_before_the_diagonal(backend: str) -> None:
    match = torch.zeros(1, 2, 2)
    insert, delete = (
        torch.zeros(1, 2, 2, requires_grad=True),
        torch.zeros(1, 2, 2, requires_grad=True),
    )
    score = fsd_score(match, insert, delete, gamma=0, backend=backend)
    up, left = torch.autograd.grad(score.sum(), (insert, delete))
    assert up.tolist() == [[[0, 1], [0, 1]]]
    assert left.count_nonzero() == 0
    score = fsd_score(match, insert - 1, delete, gamma=0, backend=backend)
    up, left = torch.autograd.grad(score.sum(), (insert, delete))
    assert up.count_nonzero() == 0
    assert left.tolist() == [[[0, 0], [1, 1]]]


@each_backend
def test_a_tiny_gamma_gives_a_finite_hard_score(backend: str) -> None:
    match, gate = torch.ones(1, 3, 3, requires_grad=True), -torch.ones(1, 3, 3)
    score = fsd_score(match, gate, gamma=1e-30, backend=backend)
    assert score.item() == 3
    torch.testing.assert_close(torch.autograd.grad(score.sum(), match)[0], torch.eye(3)[None])
