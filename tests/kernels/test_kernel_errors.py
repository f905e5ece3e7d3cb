"""Bad input: one clear error, before anything is computed."""

from __future__ import annotations

import math

import pytest
import torch

from tests.kernels.cases import KERNELS, Kernel, each, each_backend, each_kernel
from wsal_bench.kernels import cosine_similarity, fsd_score, soft_dtw

several = each([kernel for kernel in KERNELS if kernel.num_inputs > 1])


@each_kernel
def test_a_tensor_without_a_batch_is_refused_with_its_shape(kernel: Kernel) -> None:
    grids = [grid.detach() for grid in kernel.grids(2, 3, 4)]
    with pytest.raises(ValueError, match=rf"{kernel.names[0]} has shape \[3, 4\], expected \[B, N"):
        kernel(*(grid[0] for grid in grids))


@each_kernel
def test_whole_numbers_are_refused(kernel: Kernel) -> None:
    grids = [torch.ones(2, 3, 4, dtype=torch.int64)] * kernel.num_inputs
    with pytest.raises(ValueError, match=r"has dtype torch\.int64, expected a floating-point one"):
        kernel(*grids)


@each_kernel
def test_complex_numbers_are_refused(kernel: Kernel) -> None:
    grids = [torch.ones(2, 3, 4, dtype=torch.complex64)] * kernel.num_inputs
    with pytest.raises(ValueError, match=r"has dtype torch\.complex64, expected a floating"):
        kernel(*grids)


@each_kernel
def test_arrays_are_refused(kernel: Kernel) -> None:
    grids = [grid.detach().numpy() for grid in kernel.grids(2, 3, 4)]
    with pytest.raises(TypeError, match=r"is a ndarray, expected a torch\.Tensor"):
        kernel.function(*grids, **kernel.options)


@several
def test_inputs_on_two_devices_are_refused(kernel: Kernel) -> None:
    first, *others = (grid.detach() for grid in kernel.grids(2, 3, 4))
    with pytest.raises(ValueError, match=r"is on meta but \w+ is on cpu; they have to be"):
        kernel(first, *(grid.to("meta") for grid in others))


@several
def test_float32_and_float64_are_not_mixed(kernel: Kernel) -> None:
    first, second, *rest = (grid.detach() for grid in kernel.grids(2, 3, 4))
    name = kernel.names[1]
    with pytest.raises(
        ValueError, match=rf"{name} has dtype torch.float32 but \w+ has torch.float64; convert"
    ):
        kernel(first, second.float(), *rest)


@several
def test_grids_of_different_shapes_are_refused_with_both(kernel: Kernel) -> None:
    match, insert, delete = (grid.detach() for grid in kernel.grids(2, 3, 4))
    first, second, third = kernel.names
    with pytest.raises(
        ValueError, match=rf"{third} has shape \[2, 3, 3\] but {first} has \[2, 3, 4\]"
    ):
        kernel(match, insert, delete[:, :, :3])
    with pytest.raises(ValueError, match=rf"{second} has shape \[1, 3, 4\] but {first} has"):
        kernel(match, insert[:1])


@each_kernel
@pytest.mark.parametrize("gamma", [-0.1, math.nan, math.inf])
def test_gamma_has_to_be_finite_and_not_negative(kernel: Kernel, gamma: float) -> None:
    grids = kernel.grids(1, 2, 2)
    with pytest.raises(ValueError, match=f"gamma is {gamma}, expected a finite number from 0 up"):
        kernel(*grids, gamma=gamma)


@each_kernel
def test_a_gamma_that_is_a_tensor_is_refused(kernel: Kernel) -> None:
    with pytest.raises(TypeError, match="gamma is a tensor, expected a number"):
        kernel(*kernel.grids(1, 2, 2), gamma=torch.tensor(1.0))


@each_backend
@each_kernel
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_not_finite_is_refused_with_argument_and_pair(
    kernel: Kernel, backend: str, value: float
) -> None:
    for dtype in (torch.float32, torch.float64):
        for place, name in enumerate(kernel.names):
            if place and value == -math.inf:
                continue  # forbids the move
            for pair in (0, 4, 20):
                grids = [grid.detach() for grid in kernel.grids(21, 3, 4, dtype=dtype)]
                grids[place][pair, 1, 2] = value
                with pytest.raises(ValueError, match=rf"{name} holds NaN or .* in pair {pair};"):
                    kernel(*grids, backend=backend)
                with pytest.raises(ValueError, match=rf"{name} holds NaN or .* in pair {pair};"):
                    kernel(*(grid.requires_grad_() for grid in grids), backend=backend, check=True)
                kernel(*grids, backend=backend, check=False)  # says nothing, and does not crash


@each_backend
@each_kernel
def test_a_weight_of_minus_infinity_is_no_error(kernel: Kernel, backend: str) -> None:
    match, *others = (grid.detach() for grid in kernel.grids(3, 3, 4))
    for grid in others:
        grid[:, 1, 1] = -torch.inf
    assert not kernel(match, *others, backend=backend).isnan().any()


@each_backend
@each_kernel
@pytest.mark.parametrize("pair", [[4, 4], [3, 5], [-1, 2], [2, -1]])
def test_lengths_out_of_range_are_refused(kernel: Kernel, backend: str, pair: list[int]) -> None:
    lengths = torch.tensor([[3, 4], pair])
    message = rf"lengths of pair 1 are \[{pair[0]}, {pair[1]}\], expected 0 to 3 and 0 to 4"
    for check in (None, True, False):
        with pytest.raises(ValueError, match=message):
            kernel(*kernel.grids(2, 3, 4), lengths=lengths, backend=backend, check=check)


@each_kernel
def test_lengths_of_another_form_are_refused(kernel: Kernel) -> None:
    grids = kernel.grids(2, 3, 4)
    with pytest.raises(TypeError, match=r"lengths is a list, expected a torch\.Tensor"):
        kernel(*grids, lengths=[[3, 4], [3, 4]])
    with pytest.raises(ValueError, match=r"lengths has shape \[2\], expected \[B, 2\] = \[2, 2\]"):
        kernel(*grids, lengths=torch.tensor([3, 4]))
    with pytest.raises(
        ValueError, match=r"lengths has dtype torch.float32, expected whole numbers"
    ):
        kernel(*grids, lengths=torch.ones(2, 2))
    with pytest.raises(ValueError, match=r"lengths is on meta but what it belongs to is on cpu"):
        kernel(*grids, lengths=torch.ones(2, 2, dtype=torch.int64, device="meta"))


@each_kernel
def test_an_unknown_backend_is_refused_with_the_nearest_one(kernel: Kernel) -> None:
    with pytest.raises(ValueError, match=r"no backend 'toch'; did you mean 'torch'\? there are"):
        kernel(*kernel.grids(1, 2, 2), backend="toch")
    with pytest.raises(ValueError, match=r"no backend 'gpu'; "):
        kernel(*kernel.grids(1, 2, 2), backend="gpu")


def test_an_unknown_backend_of_the_cosine_is_refused() -> None:
    with pytest.raises(ValueError, match="no backend 'fusex'; did you mean 'fused'"):
        cosine_similarity(torch.zeros(1, 2, 2), torch.zeros(1, 2, 2), backend="fusex")


@each_kernel
@pytest.mark.skipif(torch.cuda.is_available(), reason="says so only where there is no CUDA device")
def test_cuda_without_cuda_is_refused(kernel: Kernel) -> None:
    message = "backend 'cuda' needs tensors on cuda, these are on cpu; there is no CUDA device here"
    with pytest.raises(ValueError, match=message):
        kernel(*kernel.grids(1, 2, 2), backend="cuda")


def test_the_cpu_backend_refuses_tensors_of_another_device() -> None:
    with pytest.raises(ValueError, match="backend 'cpu' needs tensors on cpu, these are on meta"):
        soft_dtw(torch.zeros(1, 2, 2, device="meta"), backend="cpu")


@each_kernel
def test_a_bad_backend_is_refused_also_where_there_is_nothing_to_do(kernel: Kernel) -> None:
    with pytest.raises(ValueError, match="no backend 'nope'"):
        kernel(*kernel.grids(0, 2, 2), backend="nope")


def test_the_unused_half_of_a_shared_gate_is_named_once() -> None:
    gate = torch.zeros(1, 2, 2)
    gate[0, 0, 0] = torch.nan
    with pytest.raises(ValueError, match="gate_insert holds NaN or infinite values in pair 0"):
        fsd_score(torch.zeros(1, 2, 2), gate)
