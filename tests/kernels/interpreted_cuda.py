"""The `cuda` backend's logic on a CPU, through Triton's interpreter.

Not collected by itself: `test_cuda_backend.py` runs it in a process of its own, as Triton reads
TRITON_INTERPRET when it is imported. The interpreter is slow, so everything is small.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from types import MappingProxyType

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tests.kernels.cases import HARD, KERNELS, SMOOTH, Kernel, each, value_and_gradients
from tests.kernels.test_backend_parity import problems, solved
from wsal_bench.kernels import alignment, fsd_score
from wsal_bench.kernels._recurrence import backends

OURS = "interpreted"  # `cuda` itself refuses what is on a CPU
LENGTHS = torch.tensor([[5, 3], [0, 4], [7, 8], [2, 0]])
each_way = pytest.mark.parametrize(
    ("dtype", "lanes", "lengths"),
    [(torch.float32, 1024, None), (torch.float64, 2, LENGTHS)],
    ids=["float32", "strips"],
)


@pytest.fixture(autouse=True, scope="module")
def registered() -> Iterator[None]:
    assert os.environ["TRITON_INTERPRET"] == "1"
    before = backends.BACKENDS
    backends.BACKENDS = MappingProxyType({**before, OURS: before["cuda"]})
    yield
    backends.BACKENDS = before


def close(ours: tuple[Tensor, ...], expected: tuple[Tensor, ...], dtype: torch.dtype) -> None:
    rounding = 100 * torch.finfo(dtype).eps
    assert ours[0].dtype == dtype
    for got, wanted in zip(ours, expected, strict=True):
        torch.testing.assert_close(got.double(), wanted.double(), rtol=rounding, atol=rounding)


@each_way
@each(KERNELS)
def test_parity_in_strips_and_lengths(
    kernel: Kernel,
    dtype: torch.dtype,
    lanes: int,
    lengths: Tensor | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """More rows than lanes are done in strips; a length may end in any of them."""
    from wsal_bench.kernels._recurrence import cuda

    monkeypatch.setattr(cuda, "MOST_LANES", lanes)
    grids = kernel.grids(len(LENGTHS), 7, 8, dtype=dtype)
    wide = [grid.detach().double().requires_grad_() for grid in grids]
    expected = value_and_gradients(kernel, wide, lengths=lengths, backend="reference")
    ours = value_and_gradients(kernel, grids, lengths=lengths, backend=OURS)
    close(ours, expected, dtype)
    # the same scores where no gradient is wanted
    free = kernel(*(grid.detach() for grid in grids), lengths=lengths, backend=OURS)
    torch.testing.assert_close(free, ours[0], rtol=0, atol=0)


@each(SMOOTH)
@settings(deadline=None, max_examples=3)
@given(data=st.data(), gamma=st.sampled_from([0.01, 0.1, 1.0, 20.0]))
def test_parity_over_layouts_and_gammas(kernel: Kernel, data: st.DataObject, gamma: float) -> None:
    drawn = data.draw(problems(kernel).filter(lambda drawn: len(drawn.grids[0]) <= 3))
    wide = solved(kernel, drawn.leaves(torch.float64), drawn.lengths, "reference", gamma=gamma)
    ours = solved(kernel, drawn.leaves(), drawn.lengths, OURS, gamma=gamma)
    rounding = 50 * torch.finfo(drawn.grids[0].dtype).eps
    torch.testing.assert_close(ours[0].double(), wide[0], rtol=0, atol=rounding * (10 + gamma))
    for got, expected in zip(ours[1:], wide[1:], strict=True):
        torch.testing.assert_close(
            got.double(), expected, rtol=0, atol=rounding * (10 + 10 / gamma)
        )


@each(HARD)
@settings(deadline=None, max_examples=3)
@given(data=st.data())
def test_parity_to_the_last_bit_where_ties_abound(kernel: Kernel, data: st.DataObject) -> None:
    drawn = data.draw(problems(kernel, step=0.25).filter(lambda drawn: len(drawn.grids[0]) <= 3))
    expected = solved(kernel, drawn.leaves(), drawn.lengths, "reference")
    ours = solved(kernel, drawn.leaves(), drawn.lengths, OURS)
    torch.testing.assert_close(ours, expected, rtol=0, atol=0)


def test_gradients_one_gate_for_both_moves() -> None:
    kernel = Kernel("fsd", fsd_score, 2, {"gamma": 0.3})
    grids = kernel.grids(2, 5, 6)
    ours = value_and_gradients(kernel, grids, backend=OURS)
    close(ours, value_and_gradients(kernel, grids, backend="reference"), torch.float64)


@each(KERNELS)
def test_gradients_of_gradients(kernel: Kernel) -> None:
    """Of a smooth score by the twin, of a hard one as the path does not depend on the weights."""
    upstream = torch.tensor([0.5, -2.0], dtype=torch.float64, requires_grad=True)
    found = []
    for backend in (OURS, "reference"):
        grids = kernel.grids(2, 3, 4)
        score = kernel(*grids, backend=backend)
        first = torch.autograd.grad(score, grids, upstream, create_graph=True)
        total = torch.cat([x.flatten() for x in first]).square().sum()
        wanted = [*grids, upstream] if kernel.gamma else [upstream]
        found.append(torch.autograd.grad(total, wanted))
    ours, expected = found
    close(ours, expected, torch.float64)


@each(KERNELS)
def test_gradients_twice_from_one_graph_and_only_where_wanted(kernel: Kernel) -> None:
    grids = kernel.grids(2, 3, 4)
    expected = torch.autograd.grad(kernel(*grids, backend="reference").sum(), grids)
    for place, wanted in enumerate(expected):
        leaves = [grid.detach().requires_grad_(k == place) for k, grid in enumerate(grids)]
        score = kernel(*leaves, backend=OURS).sum()
        (first,) = torch.autograd.grad(score, leaves[place], retain_graph=True)
        (second,) = torch.autograd.grad(score, leaves[place])
        torch.testing.assert_close(first, second, rtol=0, atol=0)
        torch.testing.assert_close(first, wanted)


@each(KERNELS)
def test_values_beyond_the_lengths_are_not_read(kernel: Kernel) -> None:
    lengths = torch.tensor([[2, 3], [4, 4]])
    grids = kernel.grids(2, 4, 5)
    expected = value_and_gradients(kernel, grids, lengths=lengths, backend=OURS)
    spoilt = [grid.detach().clone() for grid in grids]
    for grid in spoilt:
        grid[0, 2:], grid[0, :, 3:], grid[1, :, 4:] = torch.nan, torch.nan, torch.inf
    spoilt = [grid.requires_grad_() for grid in spoilt]
    ours = value_and_gradients(kernel, spoilt, lengths=lengths, backend=OURS)
    torch.testing.assert_close(ours, expected, rtol=0, atol=0)
    assert all((gradient[0, 2:] == 0).all() for gradient in ours[1:])


@each(SMOOTH)
def test_values_that_make_no_sense_make_nan_and_not_a_number(kernel: Kernel) -> None:
    if "lcs" in kernel.name:
        pytest.skip("a similarity of NaN is not above the threshold")
    for value in (torch.nan, torch.inf):
        grids = [grid.detach().clone() for grid in kernel.grids(2, 3, 4)]
        for grid in grids:
            grid[1, 1, 1] = -value if "dtw" in kernel.name else value
        leaves = [grid.requires_grad_() for grid in grids]
        score, *gradients = value_and_gradients(kernel, leaves, backend=OURS, check=False)
        assert score.isnan().tolist() == [False, True]
        assert all(gradient[1].isnan().any() for gradient in gradients)
        assert all(gradient[0].isfinite().all() for gradient in gradients)
        with pytest.raises(ValueError, match=f"{kernel.names[0]} holds NaN or infinite .* pair 1"):
            kernel(*leaves, backend=OURS, check=True)


def test_values_of_minus_infinity_forbid_a_move() -> None:
    kernel = next(kernel for kernel in SMOOTH if kernel.name == "fsd")
    match, insert, delete = (grid.detach().clone() for grid in kernel.grids(2, 4, 4))
    insert[0], delete[0, 1] = -torch.inf, -torch.inf
    grids = [grid.requires_grad_() for grid in (match, insert, delete)]
    ours = value_and_gradients(kernel, grids, backend=OURS)
    close(ours, value_and_gradients(kernel, grids, backend="reference"), torch.float64)
    assert (ours[2][0] == 0).all()


@each(SMOOTH)
@pytest.mark.parametrize("scale", [1e4, 1e-4])
def test_values_large_and_small(kernel: Kernel, scale: float) -> None:
    grids = [(grid.detach() * scale).requires_grad_() for grid in kernel.grids(2, 5, 4)]
    ours = value_and_gradients(kernel, grids, backend=OURS, gamma=1e-3)
    expected = value_and_gradients(kernel, grids, backend="torch", gamma=1e-3)
    torch.testing.assert_close(ours[0], expected[0], rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(ours[1:], expected[1:], rtol=0, atol=1e-7)


def test_values_at_the_smallest_gamma_are_those_of_the_hard_maximum() -> None:
    for kernel in SMOOTH:
        grids = kernel.grids(2, 4, 5, dtype=torch.float32)
        ours = value_and_gradients(kernel, grids, backend=OURS, gamma=1e-6)
        hard = value_and_gradients(kernel, grids, backend="reference", gamma=0.0)
        torch.testing.assert_close(ours, hard, rtol=0, atol=3e-5)


def test_values_of_long_float32_sequences_are_precise() -> None:
    """Linear space: rounding does not grow with the score, as it does where scores are added."""
    for kernel in SMOOTH:
        grids = kernel.grids(1, 20, 20, dtype=torch.float32)
        wide = [grid.detach().double().requires_grad_() for grid in grids]
        _, *expected = value_and_gradients(kernel, wide, backend="torch", gamma=0.003)
        _, *gradients = value_and_gradients(kernel, grids, backend=OURS, gamma=0.003)
        for got, wanted in zip(gradients, expected, strict=True):
            torch.testing.assert_close(got.double(), wanted, rtol=0, atol=2e-5)


def test_gradients_are_the_expected_alignment() -> None:
    kernel = next(kernel for kernel in SMOOTH if kernel.name == "global")
    grids = kernel.grids(2, 3, 4)
    ours = alignment(kernel.function, *grids, gamma=0.3, backend=OURS)
    expected = alignment(kernel.function, *grids, gamma=0.3, backend="reference")
    torch.testing.assert_close(ours.match, expected.match)
    torch.testing.assert_close(ours.insert, expected.insert)
    torch.testing.assert_close(ours.delete, expected.delete)
