"""Scores, gradients and expected alignments of small grids are those over all paths, listed."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.kernels.cases import (
    HARD,
    KERNELS,
    SMOOTH,
    Kernel,
    each,
    each_backend,
    value_and_gradients,
)
from tests.kernels.enumeration import Expected, enumerator, expected
from wsal_bench.kernels import alignment

SHAPES = [(rows, columns) for rows in range(1, 5) for columns in range(1, 5)]


def grids_of(kernel: Kernel, shape: tuple[int, int]) -> list[Tensor]:
    return kernel.grids(2, *shape, seed=10 * shape[0] + shape[1])


@lru_cache
def listed(name: str, shape: tuple[int, int]) -> list[Expected]:
    kernel = next(kernel for kernel in KERNELS if kernel.name == name)
    grids = [grid.detach().numpy() for grid in grids_of(kernel, shape)]
    return [expected(kernel, [grid[pair] for grid in grids]) for pair in range(2)]


def stacked(found: list[Expected], field: str) -> Tensor:
    return torch.from_numpy(np.stack([getattr(one, field) for one in found]))


@pytest.mark.parametrize(
    "name, shape, paths",
    [
        ("dtw", (3, 3), 13),  # Delannoy numbers: 1, 3, 13, 63
        ("dtw", (4, 4), 63),
        ("global", (2, 2), 13),  # of one more row and column
        ("local", (1, 1), 2),  # nothing, or the one match
        ("fsd", (1, 1), 3),
    ],
)
def test_as_many_paths_are_listed_as_there_are(
    name: str, shape: tuple[int, int], paths: int
) -> None:
    kernel = next(kernel for kernel in SMOOTH if kernel.name == name)
    grids = [np.zeros(shape)] * kernel.num_inputs
    assert len(enumerator(kernel, grids).walks()) == paths


@each_backend
@each(SMOOTH)
def test_smooth_scores_and_gradients_are_those_over_all_paths(kernel: Kernel, backend: str) -> None:
    for shape in SHAPES:
        found = listed(kernel.name, shape)
        value, *gradients = value_and_gradients(kernel, grids_of(kernel, shape), backend=backend)
        torch.testing.assert_close(value, stacked(found, "score"), rtol=0, atol=1e-11)
        upstream = torch.tensor([-1.0, 2.0], dtype=torch.float64)[:, None, None]
        fields = ("match", "insert", "delete")
        for gradient, field in zip(gradients, fields, strict=False):
            wanted = stacked(found, field) * upstream
            torch.testing.assert_close(gradient, wanted, rtol=0, atol=1e-11)


@each_backend
@each(HARD)
def test_hard_scores_and_gradients_are_those_of_the_best_path(kernel: Kernel, backend: str) -> None:
    for shape in SHAPES:
        found = listed(kernel.name, shape)
        value, gradient, *_ = value_and_gradients(kernel, grids_of(kernel, shape), backend=backend)
        torch.testing.assert_close(value, stacked(found, "score"), rtol=0, atol=1e-12)
        upstream = torch.tensor([-1.0, 2.0], dtype=torch.float64)[:, None, None]
        torch.testing.assert_close(gradient, stacked(found, "match") * upstream, rtol=0, atol=0)


@each_backend
@each(SMOOTH)
def test_expected_alignments_are_those_over_all_paths(kernel: Kernel, backend: str) -> None:
    for shape in SHAPES:
        found = listed(kernel.name, shape)
        grids = [grid.detach() for grid in grids_of(kernel, shape)]
        with torch.no_grad():
            behind = alignment(kernel.function, *grids, **kernel.options, backend=backend)
        for field in ("match", "insert", "delete"):
            ours = getattr(behind, field)
            torch.testing.assert_close(ours, stacked(found, field), rtol=0, atol=1e-11)
            assert not ours.requires_grad
            assert ours.min() >= 0 and ours.max() <= 1 + 1e-12
