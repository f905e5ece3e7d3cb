"""Needleman-Wunsch and Smith-Waterman: textbook examples, gaps in every form."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from tests.kernels.cases import each_backend
from wsal_bench.kernels import needleman_wunsch, path, smith_waterman


def letters(first: str, second: str, equal: float, different: float) -> Tensor:
    return torch.tensor([[[equal if x == y else different for y in second] for x in first]])


@each_backend
def test_the_textbook_example_of_needleman_and_wunsch(backend: str) -> None:
    match = letters("GCATGCG", "GATTACA", 1.0, -1.0)
    assert needleman_wunsch(match, -1.0, gamma=0, backend=backend).item() == 0


@each_backend
def test_the_textbook_example_of_smith_and_waterman(backend: str) -> None:
    match = letters("TGTTACGG", "GGTTGACTA", 3.0, -3.0)
    assert smith_waterman(match, -2.0, gamma=0, backend=backend).item() == 13  # GTT-AC, GTTGAC
    (best,) = path(smith_waterman, match, -2.0)
    assert best.rows.tolist() == [1, 2, 3, 3, 4, 5]
    assert best.columns.tolist() == [1, 2, 3, 4, 5, 6]
    assert best.moves == ("diagonal", "diagonal", "diagonal", "left", "diagonal", "diagonal")


@each_backend
def test_gaps_alone_are_summed_when_matches_are_worse(backend: str) -> None:
    match = torch.full((1, 2, 3), -100.0)
    insert, delete = torch.tensor([[-1.0, -2.0]]), torch.tensor([[-0.25, -0.5, -1.0]])
    score = needleman_wunsch(match, insert, delete, gamma=0, backend=backend)
    assert score.item() == -4.75


@each_backend
def test_a_leading_gap_pays_the_weights_of_the_first_column_or_row(backend: str) -> None:
    match = torch.full((1, 2, 1), -100.0)
    match[0, 1, 0] = 5.0  # the second row matches the only column: the first is a leading gap
    insert = torch.tensor([[[-1.0], [-7.0]]], requires_grad=True)
    score = needleman_wunsch(match, insert, -9.0, gamma=0, backend=backend)
    assert score.item() == 4
    assert torch.autograd.grad(score.sum(), insert)[0].tolist() == [[[1], [0]]]
    score = needleman_wunsch(match.mT, -9.0, insert.mT, gamma=0, backend=backend)
    assert score.item() == 4
    assert torch.autograd.grad(score.sum(), insert)[0].tolist() == [[[1], [0]]]


@each_backend
@pytest.mark.parametrize("kernel", [needleman_wunsch, smith_waterman])
def test_gaps_are_a_number_a_tensor_per_position_or_per_cell(kernel: object, backend: str) -> None:
    generator = torch.Generator().manual_seed(0)
    match = torch.randn(2, 3, 4, generator=generator)
    forms = (
        (-0.5, -0.25),
        (torch.tensor(-0.5), torch.tensor(-0.25)),
        (torch.full((2, 3), -0.5), torch.full((2, 4), -0.25)),
        (torch.full((2, 3, 4), -0.5), torch.full((2, 3, 4), -0.25)),
        (-0.5, torch.full((2, 4), -0.25)),
    )
    assert callable(kernel)
    scores = [kernel(match, *gaps, gamma=0.2, backend=backend) for gaps in forms]
    for score in scores[1:]:
        torch.testing.assert_close(score, scores[0], rtol=0, atol=0)
    one = kernel(match, -0.5, gamma=0.2, backend=backend)
    torch.testing.assert_close(one, kernel(match, -0.5, -0.5, gamma=0.2, backend=backend))


@each_backend
@pytest.mark.parametrize("kernel", [needleman_wunsch, smith_waterman])
def test_a_gap_gets_its_gradient_in_its_own_shape(kernel: object, backend: str) -> None:
    generator = torch.Generator().manual_seed(0)
    match = torch.randn(2, 3, 4, generator=generator, dtype=torch.float64)
    gaps = (
        torch.tensor(-0.5, dtype=torch.float64, requires_grad=True),
        torch.full((2, 4), -0.25, dtype=torch.float64, requires_grad=True),
    )
    assert callable(kernel)
    assert torch.autograd.gradcheck(
        lambda x, y: kernel(match, x, y, gamma=0.3, backend=backend), gaps
    )


@each_backend
def test_nothing_in_common_scores_zero_with_a_zero_gradient(backend: str) -> None:
    match = torch.full((1, 3, 4), -1.0, requires_grad=True)
    score = smith_waterman(match, -1.0, gamma=0, backend=backend)
    assert score.item() == 0
    assert torch.autograd.grad(score.sum(), match)[0].count_nonzero() == 0


@each_backend
def test_a_smooth_local_score_counts_every_alignment_once(backend: str) -> None:
    # The empty one; four of one match; (1, 1) with (2, 2); gaps are forbidden.
    match = torch.zeros(1, 2, 2)
    score = smith_waterman(match, -torch.inf, gamma=1.0, backend=backend)
    assert score.item() == pytest.approx(math.log(6))


@each_backend
def test_no_possible_alignment_scores_minus_infinity_with_a_zero_gradient(backend: str) -> None:
    match = torch.zeros(1, 2, 3, requires_grad=True)
    for gamma in (0.0, 0.5):
        score = needleman_wunsch(match, -torch.inf, gamma=gamma, backend=backend)
        assert score.item() == -math.inf
        assert torch.autograd.grad(score.sum(), match)[0].count_nonzero() == 0


@pytest.mark.parametrize("kernel", [needleman_wunsch, smith_waterman])
def test_gaps_that_do_not_fit_are_refused(kernel: object) -> None:
    match = torch.zeros(2, 3, 4)
    assert callable(kernel)
    with pytest.raises(ValueError, match=r"gap_insert has shape \[2, 4\], .* \[B, N\] = \[2, 3\]"):
        kernel(match, torch.zeros(2, 4), gamma=1.0)
    with pytest.raises(ValueError, match=r"gap_delete has shape \[2, 3\], .* \[B, M\] = \[2, 4\]"):
        kernel(match, -1.0, torch.zeros(2, 3), gamma=1.0)
    with pytest.raises(
        TypeError, match=r"gap_insert is a str, expected a number or a torch.Tensor"
    ):
        kernel(match, "-1", gamma=1.0)
    with pytest.raises(ValueError, match=r"gap_insert holds NaN or infinite values in pair 0"):
        kernel(match, math.nan, gamma=1.0)
