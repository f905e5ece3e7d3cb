"""Expected alignments and best paths."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from tests.kernels.cases import HARD, KERNELS, SMOOTH, Kernel, each, each_backend
from wsal_bench.kernels import (
    Path,
    alignment,
    cosine_similarity,
    fsd_score,
    lcs_score,
    needleman_wunsch,
    path,
    smith_waterman,
    soft_dtw,
)


def worth(kernel: Kernel, grids: list[Tensor], found: Path, pair: int) -> float:
    """What a path collects, from its moves alone."""
    match, *moves = (grid[pair] for grid in grids)
    insert, delete = moves or (torch.zeros_like(match), torch.zeros_like(match))
    family, total = kernel.name.split("-")[0], 0.0
    steps = zip(found.rows.tolist(), found.columns.tolist(), found.moves, strict=True)
    for row, column, move in steps:
        if move == "diagonal" or family in ("fsd", "dtw"):
            total += float(match[row, column])
        if move == "up":
            total += float(insert[row, max(column, 0)])
        if move == "left":
            total += float(delete[max(row, 0), column])
    return total


@each(HARD)
def test_a_path_is_worth_its_score(kernel: Kernel) -> None:
    grids = [grid.detach() for grid in kernel.grids(12, 5, 6)]
    lengths = torch.tensor([[5, 6], [4, 4], [3, 6], [1, 2]] * 3)
    options = {name: value for name, value in kernel.options.items() if name != "gamma"}
    found = path(kernel.function, *grids, lengths=lengths, **options)
    scores = kernel(*grids, lengths=lengths)
    assert len(found) == 12
    for pair, score in enumerate(scores.tolist()):
        assert worth(kernel, grids, found[pair], pair) == pytest.approx(score, abs=1e-12)


@each(HARD)
def test_a_path_is_where_the_hard_alignment_is(kernel: Kernel) -> None:
    grids = [grid.detach() for grid in kernel.grids(6, 5, 6, step=0.5)]
    behind = alignment(kernel.function, *grids, **kernel.options)
    every = kernel.name.startswith(("fsd", "dtw"))
    for pair, found in enumerate(path(kernel.function, *grids, **kernel.options)):
        marks = torch.zeros(3, 5, 6, dtype=torch.float64)
        for row, column, move in zip(
            found.rows.tolist(), found.columns.tolist(), found.moves, strict=True
        ):
            plane = ("diagonal", "up", "left").index(move)
            marks[plane, max(row, 0), max(column, 0)] = 1
            if every:
                marks[0, row, column] = 1
        expected = torch.stack([behind.match[pair], behind.insert[pair], behind.delete[pair]])
        assert torch.equal(marks, expected)


@each(KERNELS)
def test_the_moves_of_a_path_lead_from_cell_to_cell(kernel: Kernel) -> None:
    grids = [grid.detach() for grid in kernel.grids(6, 5, 6)]
    for found in path(kernel.function, *grids, **kernel.options):
        places = list(zip(found.rows.tolist(), found.columns.tolist(), strict=True))
        steps = {"diagonal": (1, 1), "up": (1, 0), "left": (0, 1)}
        for before, after, move in zip(places, places[1:], found.moves[1:], strict=False):
            assert (after[0] - before[0], after[1] - before[1]) == steps[move]
        if places and not kernel.name.startswith("local"):
            assert places[-1] == (4, 5)


def test_a_leading_gap_of_a_global_alignment_runs_along_the_border() -> None:
    match = torch.tensor([[[-9.0], [-9.0], [5.0]]])
    (found,) = path(needleman_wunsch, match, -1.0)
    assert found.rows.tolist() == [0, 1, 2]
    assert found.columns.tolist() == [-1, -1, 0]
    assert found.moves == ("up", "up", "diagonal")


def test_there_is_no_path_where_nothing_is_in_common_or_nothing_is_there() -> None:
    (found,) = path(smith_waterman, -torch.ones(1, 2, 2), -1.0)
    assert found.moves == () and found.rows.shape == found.columns.shape == (0,)
    assert path(soft_dtw, torch.zeros(0, 2, 2)) == []
    assert path(soft_dtw, torch.zeros(1, 0, 2))[0].moves == ()
    assert path(soft_dtw, torch.zeros(1, 2, 2), lengths=torch.tensor([[0, 2]]))[0].moves == ()
    assert path(needleman_wunsch, torch.zeros(1, 2, 3), -torch.inf)[0].moves == ()


@each_backend
@each(SMOOTH)
def test_an_alignment_is_the_gradient_of_the_score(kernel: Kernel, backend: str) -> None:
    grids = kernel.grids(3, 4, 5)
    lengths = torch.tensor([[4, 5], [2, 3], [0, 1]])
    options = {**kernel.options, "lengths": lengths, "backend": backend}
    behind = alignment(kernel.function, *grids, **options)
    gradients = torch.autograd.grad(kernel(*grids, lengths=lengths, backend=backend).sum(), grids)
    for ours, gradient in zip(
        (behind.match, behind.insert, behind.delete), gradients, strict=False
    ):
        torch.testing.assert_close(ours, gradient, rtol=0, atol=1e-13)


@each(SMOOTH)
def test_an_alignment_needs_no_gradients_and_leaves_none(kernel: Kernel) -> None:
    grids = kernel.grids(2, 3, 4)
    expected = alignment(kernel.function, *grids, **kernel.options)
    with torch.inference_mode():
        fresh = [grid.detach().clone() for grid in grids]
        lengths = torch.tensor([[3, 4], [3, 4]])
        ours = alignment(kernel.function, *fresh, lengths=lengths, **kernel.options)
    torch.testing.assert_close(ours.match, expected.match, rtol=0, atol=1e-14)
    assert all(grid.grad is None for grid in grids)


def test_a_row_of_a_warping_is_visited_at_least_once() -> None:
    generator = torch.Generator().manual_seed(0)
    cost = torch.rand(2, 4, 6, generator=generator, dtype=torch.float64)
    behind = alignment(soft_dtw, cost, gamma=0.5)
    assert (behind.match.sum(2) >= 1 - 1e-12).all()
    assert (behind.match.sum(1) >= 1 - 1e-12).all()
    torch.testing.assert_close(behind.match[:, -1, -1], torch.ones(2, dtype=torch.float64))


def test_a_global_alignment_uses_up_every_row_and_column() -> None:
    generator = torch.Generator().manual_seed(0)
    match = torch.rand(2, 4, 6, generator=generator, dtype=torch.float64)
    behind = alignment(needleman_wunsch, match, -0.5, gamma=0.5)
    ones = torch.ones(2, 10, dtype=torch.float64)
    rows = behind.match.sum(2) + behind.insert.sum(2)
    columns = behind.match.sum(1) + behind.delete.sum(1)
    torch.testing.assert_close(torch.cat((rows, columns), dim=1), ones)


def test_an_alignment_of_half_precision_is_float32() -> None:
    match = torch.zeros(1, 2, 2, dtype=torch.bfloat16)
    behind = alignment(fsd_score, match, match)
    assert behind.match.dtype == behind.insert.dtype == torch.float32


@pytest.mark.parametrize("function", [alignment, path])
def test_something_that_is_no_score_is_refused(function: object) -> None:
    assert callable(function)
    with pytest.raises(TypeError, match="cosine_similarity has no alignment; kernels that have"):
        function(cosine_similarity, torch.zeros(1, 2, 2), torch.zeros(1, 2, 2))


@pytest.mark.parametrize("function", [alignment, path])
def test_bad_input_is_refused_as_by_the_kernel(function: object) -> None:
    assert callable(function)
    with pytest.raises(ValueError, match="similarity holds NaN or infinite values in pair 0"):
        function(lcs_score, torch.full((1, 2, 2), torch.nan), threshold=0.5)
    with pytest.raises(ValueError, match="lengths of pair 0 are"):
        function(soft_dtw, torch.zeros(1, 2, 2), lengths=torch.tensor([[3, 1]]))
    with pytest.raises(ValueError, match="bandwidth 0 is too small"):
        function(soft_dtw, torch.zeros(1, 2, 3), bandwidth=0)
