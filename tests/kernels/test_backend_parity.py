"""Every backend gives what the reference gives, whatever the shapes, lengths, values and layout."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from tests.examples import examples
from tests.kernels.cases import (
    FAST,
    HARD,
    SMOOTH,
    Kernel,
    each,
    each_fast_backend,
    value_and_gradients,
)

LAYOUTS = ("contiguous", "transposed", "spread", "expanded", "offset")


@dataclass(frozen=True)
class Drawn:
    """A drawn problem: grids in some layout, some of which want gradients, and lengths."""

    grids: list[Tensor]
    wanted: list[bool]
    lengths: Tensor | None

    def leaves(self, dtype: torch.dtype | None = None) -> list[Tensor]:
        grids = self.grids if dtype is None else [grid.to(dtype) for grid in self.grids]
        # `detach` keeps the layout
        return [
            grid.detach().requires_grad_(want)
            for grid, want in zip(grids, self.wanted, strict=True)
        ]


def laid_out(grid: Tensor, layout: str) -> Tensor:
    """The same values in other strides, with NaN between them."""
    batch, rows, columns = grid.shape
    if layout == "transposed":
        return grid.permute(2, 0, 1).contiguous().permute(1, 2, 0)
    if layout == "spread":
        room = grid.new_full((2 * batch, rows, 3 * columns), torch.nan)
        return room[::2, :, ::3].copy_(grid)
    if layout == "offset":
        room = grid.new_full((batch, rows + 3, columns + 2), torch.nan)
        return room[:, 2 : 2 + rows, 1 : 1 + columns].copy_(grid)
    return grid[:1].expand_as(grid) if layout == "expanded" else grid


@st.composite
def problems(draw: st.DrawFn, kernel: Kernel, *, step: float | None = None) -> Drawn:
    batch = draw(st.sampled_from([1, 2, 3, 7, 17, 33]))
    rows, columns = draw(st.integers(1, 9)), draw(st.integers(1, 9))
    if "band" in kernel.name:
        columns = max(1, min(columns, rows + 3))
        rows = min(rows, columns + 3)
    dtype = draw(st.sampled_from([torch.float32, torch.float64]))
    grids = kernel.grids(
        batch, rows, columns, dtype=dtype, seed=draw(st.integers(0, 2**31)), step=step
    )
    layout = draw(st.sampled_from(LAYOUTS))
    wanted = draw(st.lists(st.booleans(), min_size=len(grids), max_size=len(grids)).filter(any))
    lengths = None
    if draw(st.booleans()):
        pairs = [[draw(st.integers(0, rows)), draw(st.integers(0, columns))] for _ in range(batch)]
        if "band" in kernel.name:
            pairs = [[i, max(min(j, i + 3), i - 3)] for i, j in pairs]
        lengths = torch.tensor(pairs)
    return Drawn([laid_out(grid.detach(), layout) for grid in grids], wanted, lengths)


def solved(
    kernel: Kernel, leaves: list[Tensor], lengths: Tensor | None, backend: str, **options: float
) -> list[Tensor]:
    value = kernel(*leaves, lengths=lengths, backend=backend, **options)
    upstream = torch.linspace(-1, 2, len(value), dtype=value.dtype)
    wanted = [leaf for leaf in leaves if leaf.requires_grad]
    return [value.detach(), *torch.autograd.grad(value, wanted, upstream)]


@each_fast_backend
@each(SMOOTH)
@examples(8)
@given(data=st.data(), gamma=st.sampled_from([0.01, 0.1, 1.0, 20.0]))
def test_smooth_scores_and_gradients_agree(
    kernel: Kernel, backend: str, data: st.DataObject, gamma: float
) -> None:
    drawn = data.draw(problems(kernel))
    wide = solved(kernel, drawn.leaves(torch.float64), drawn.lengths, "reference", gamma=gamma)
    ours = solved(kernel, drawn.leaves(), drawn.lengths, backend, gamma=gamma)
    # threshold and gates were rounded to the dtype before both, so only rounding on the way differs
    rounding = 50 * torch.finfo(drawn.grids[0].dtype).eps
    assert ours[0].dtype == drawn.grids[0].dtype
    torch.testing.assert_close(ours[0].double(), wide[0], rtol=0, atol=rounding * (10 + gamma))
    for got, expected in zip(ours[1:], wide[1:], strict=True):
        torch.testing.assert_close(
            got.double(), expected, rtol=0, atol=rounding * (10 + 10 / gamma)
        )


@each_fast_backend
@each(HARD)
@examples(8)
@given(data=st.data())
def test_hard_scores_and_gradients_are_equal_to_the_last_bit_where_ties_abound(
    kernel: Kernel, backend: str, data: st.DataObject
) -> None:
    drawn = data.draw(problems(kernel, step=0.25))
    expected = solved(kernel, drawn.leaves(), drawn.lengths, "reference")
    ours = solved(kernel, drawn.leaves(), drawn.lengths, backend)
    torch.testing.assert_close(ours, expected, rtol=0, atol=0)


@each_fast_backend
def test_lcs_is_equal_to_the_last_bit_for_similarities_of_two_digits(backend: str) -> None:
    kernel = next(kernel for kernel in HARD if kernel.name == "lcs-greedy")
    for dtype in (torch.float32, torch.float64):
        grids = kernel.grids(40, 20, 21, step=0.02, dtype=dtype)
        expected = value_and_gradients(kernel, grids, backend="reference", threshold=0.9)
        ours = value_and_gradients(kernel, grids, backend=backend, threshold=0.9)
        torch.testing.assert_close(ours, expected, rtol=0, atol=0)


@each_fast_backend
@each(SMOOTH)
def test_long_float32_sequences_keep_their_precision(kernel: Kernel, backend: str) -> None:
    grids = kernel.grids(2, 120, 118, dtype=torch.float32)
    wide = [grid.detach().double().requires_grad_() for grid in grids]
    # of `torch` in float64, as the reference would take minutes; they are equal by the tests above
    _, *expected = value_and_gradients(kernel, wide, gamma=0.1, backend="torch")
    _, *gradients = value_and_gradients(kernel, grids, gamma=0.1, backend=backend)
    # `torch` adds up scores, `cpu` and `cuda` numbers with an exponent each
    atol = 3e-3 if backend == "torch" else 1e-5
    for got, wanted in zip(gradients, expected, strict=True):
        torch.testing.assert_close(got.double(), wanted, rtol=0, atol=atol)


@each_fast_backend
@each(SMOOTH)
def test_a_tiny_gamma_is_the_hard_maximum_and_a_small_one_comes_close(
    kernel: Kernel, backend: str
) -> None:
    grids = kernel.grids(3, 5, 6)
    hard = value_and_gradients(kernel, grids, gamma=0.0, backend=backend)
    tiny = value_and_gradients(kernel, grids, gamma=9e-7, backend=backend)
    torch.testing.assert_close(tiny, hard, rtol=0, atol=0)
    small = value_and_gradients(kernel, grids, gamma=1e-4, backend=backend)
    torch.testing.assert_close(small[0], hard[0], rtol=0, atol=3e-3)
    torch.testing.assert_close(small[1], hard[1], rtol=0, atol=1e-3)
    smallest = value_and_gradients(kernel, grids, gamma=1e-6, backend=backend)
    torch.testing.assert_close(smallest[0], hard[0], rtol=0, atol=3e-5)
    assert all(x.isfinite().all() for x in smallest)


@each_fast_backend
@each(SMOOTH)
@pytest.mark.parametrize("scale", [1e3, 1e-3])
def test_large_and_small_scores_are_no_trouble(kernel: Kernel, backend: str, scale: float) -> None:
    if "lcs" in kernel.name and scale < 1:
        pytest.skip("nothing would exceed the threshold")
    grids = [(grid.detach() * scale).requires_grad_() for grid in kernel.grids(3, 6, 5)]
    ours = value_and_gradients(kernel, grids, backend=backend)
    expected = value_and_gradients(kernel, grids, backend="reference")
    torch.testing.assert_close(ours[0], expected[0], rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(ours[1:], expected[1:], rtol=0, atol=1e-8)


def test_there_is_a_backend_to_compare() -> None:
    assert "torch" in FAST
