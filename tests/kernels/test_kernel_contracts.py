"""What every kernel and backend promises alike: dtypes, layouts, autocast, no surprises."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import pytest
import torch
from torch import Tensor

from tests.kernels.cases import FAST, HERE, KERNELS
from wsal_bench.kernels import cosine, cosine_similarity, fsd_score
from wsal_bench.kernels._recurrence.backends import chosen


@dataclass(frozen=True)
class Case:
    """One kernel with one backend, as a function of tensors of one shape [2, 3, 5]."""

    name: str
    num_inputs: int
    call: Callable[..., Tensor]

    def __call__(self, *inputs: Tensor) -> Tensor:
        return self.call(*inputs)

    @property
    def has_gaps(self) -> bool:
        return self.name.startswith(("global", "local"))

    def inputs(self, dtype: torch.dtype = torch.float32, device: str = "cpu") -> list[Tensor]:
        generator = torch.Generator().manual_seed(3)
        return [
            torch.rand(2, 3, 5, generator=generator).to(device, dtype).requires_grad_()
            for _ in range(self.num_inputs)
        ]


def cases(backends: list[str], similarities: list[str]) -> list[Case]:
    return [
        Case(f"{kernel.name}-{backend}", kernel.num_inputs, partial(kernel, backend=backend))
        for kernel in KERNELS
        for backend in backends
    ] + [
        Case(f"cosine-{backend}", 2, partial(cosine_similarity, backend=backend))
        for backend in similarities
    ]


CASES = cases([*HERE, "auto"], [*cosine.BACKENDS, "auto"])
each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
each_case_of_many = pytest.mark.parametrize(
    "case", [case for case in CASES if case.num_inputs > 1], ids=lambda case: case.name
)


def value_and_gradients(case: Case, inputs: list[Tensor]) -> tuple[Tensor, ...]:
    value = case(*inputs)
    return value.detach(), *torch.autograd.grad(value.sum(), inputs)


@each_case
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_computed_in_float32(case: Case, dtype: torch.dtype) -> None:
    halves = case.inputs(dtype)
    singles = [x.detach().float().requires_grad_() for x in halves]
    value, *gradients = value_and_gradients(case, halves)
    expected, *expected_gradients = value_and_gradients(case, singles)
    assert value.dtype == torch.float32
    torch.testing.assert_close(value, expected, rtol=0, atol=0)
    for got, wanted in zip(gradients, expected_gradients, strict=True):
        torch.testing.assert_close(got, wanted.to(dtype), rtol=0, atol=0)


@each_case
def test_float64_stays_float64(case: Case) -> None:
    assert {x.dtype for x in value_and_gradients(case, case.inputs(torch.float64))} == {
        torch.float64
    }


@each_case_of_many
def test_half_precision_and_float32_mix_and_get_gradients_in_their_own(case: Case) -> None:
    first, *others = case.inputs()
    half = first.detach().bfloat16().requires_grad_()
    value, *gradients = value_and_gradients(case, [half, *others])
    assert value.dtype == torch.float32
    assert [x.dtype for x in gradients] == [torch.bfloat16, *(torch.float32 for _ in others)]


@each_case
@pytest.mark.parametrize("second_order", [False, True])
def test_autocast_changes_nothing(case: Case, second_order: bool) -> None:
    inputs = case.inputs()
    expected = case(*inputs)
    expected_gradients = torch.autograd.grad(
        expected.square().sum(), inputs, create_graph=second_order
    )
    with torch.autocast("cpu", dtype=torch.bfloat16):
        value = case(*inputs)
        gradients = torch.autograd.grad(value.square().sum(), inputs, create_graph=second_order)
        assert torch.is_autocast_enabled("cpu")
    torch.testing.assert_close((value, *gradients), (expected, *expected_gradients), rtol=0, atol=0)


@each_case
def test_inputs_are_not_written_to(case: Case) -> None:
    inputs = case.inputs()
    before = [x.detach().clone() for x in inputs]
    upstream = torch.ones_like(case(*inputs))
    torch.autograd.grad(case(*inputs), inputs, upstream)
    torch.autograd.grad(case(*inputs), inputs, upstream, create_graph=True)
    torch.testing.assert_close([x.detach() for x in inputs], before, rtol=0, atol=0)
    assert torch.equal(upstream, torch.ones_like(upstream))


@each_case
def test_memory_layout_does_not_matter(case: Case) -> None:
    inputs = case.inputs()
    scattered = []
    for x in inputs:
        room = torch.full((3, 7, 12), torch.nan)
        view = room.permute(1, 0, 2)[1:5:2, :, 1:11:2]  # [2, 3, 5]
        scattered.append(view.copy_(x.detach()).requires_grad_())
        assert not view.is_contiguous()
    torch.testing.assert_close(
        value_and_gradients(case, scattered), value_and_gradients(case, inputs)
    )


@each_case
def test_an_expanded_upstream_gradient_and_input_work(case: Case) -> None:
    inputs = [x.detach()[:1].expand(2, 3, 5).requires_grad_() for x in case.inputs()]
    value, *gradients = value_and_gradients(case, inputs)
    assert torch.equal(value[0], value[1])
    assert all(torch.equal(x[0], x[1]) for x in gradients)


@each_case_of_many
def test_only_some_inputs_may_want_a_gradient(case: Case) -> None:
    inputs = case.inputs()
    _, *expected = value_and_gradients(case, inputs)
    for place, wanted in enumerate(expected):
        some = [x if k == place else x.detach() for k, x in enumerate(inputs)]
        for create_graph in (False, True):
            (got,) = torch.autograd.grad(
                case(*some).sum(), inputs[place], create_graph=create_graph
            )
            torch.testing.assert_close(got.detach(), wanted)


@each_case
def test_without_gradients_the_value_is_the_same_and_has_no_graph(case: Case) -> None:
    inputs = case.inputs()
    expected = case(*inputs).detach()
    with torch.no_grad():
        in_no_grad = case(*inputs)
    with torch.inference_mode():
        in_inference = case(*inputs)
    detached = case(*(x.detach() for x in inputs))
    for value in (in_no_grad, in_inference, detached):
        assert not value.requires_grad
        assert torch.equal(value, expected)


@each_case
def test_a_result_does_not_keep_the_table_alive(case: Case) -> None:
    with torch.no_grad():
        value = case(*case.inputs())
    assert value.untyped_storage().nbytes() == value.numel() * value.element_size()


@pytest.mark.parametrize(
    "case",
    [case for case in CASES if not case.name.endswith("-cpu")],
    ids=lambda case: case.name,
)
def test_nothing_reads_a_value_back_to_the_host(case: Case) -> None:
    inputs = [
        torch.empty(2, 3, 5, device="meta", requires_grad=True) for _ in range(case.num_inputs)
    ]
    # A tensor on the meta device has no values: asking for one raises.
    for create_graph in (False, True):
        value = case(*inputs)
        gradients = torch.autograd.grad(value.sum(), inputs, create_graph=create_graph)
        assert [x.shape for x in gradients] == [x.shape for x in inputs]


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.name)
@pytest.mark.parametrize("backend", ["reference", "torch"])
def test_lengths_are_not_read_back_either(kernel: Callable[..., Tensor], backend: str) -> None:
    case = next(case for case in CASES if case.name == f"{kernel.name}-{backend}")  # type: ignore[attr-defined]
    inputs = [
        torch.empty(2, 3, 5, device="meta", requires_grad=True) for _ in range(case.num_inputs)
    ]
    lengths = torch.empty(2, 2, dtype=torch.int64, device="meta")
    value = kernel(*inputs, lengths=lengths, backend=backend)
    torch.autograd.grad(value.sum(), inputs)


@each_case
def test_pairs_do_not_see_one_another(case: Case) -> None:
    inputs = case.inputs()
    alone = value_and_gradients(case, [x.detach()[1:].requires_grad_() for x in inputs])
    together = value_and_gradients(case, inputs)
    torch.testing.assert_close(alone, tuple(x[1:] for x in together))


@pytest.mark.parametrize("shape", [(2, 0, 3), (2, 3, 0), (2, 0, 0), (0, 2, 3)])
@pytest.mark.parametrize(
    "case", [c for c in CASES if not c.name.startswith("cosine")], ids=lambda case: case.name
)
def test_a_grid_without_cells_scores_nothing_with_zero_gradient(
    case: Case, shape: tuple[int, ...]
) -> None:
    inputs = [torch.zeros(shape, requires_grad=True) for _ in range(case.num_inputs)]
    value, *gradients = value_and_gradients(case, inputs)
    nothing = torch.inf if case.name.startswith("dtw") else 0
    assert value.tolist() == [nothing] * shape[0]
    assert [x.shape for x in gradients] == [shape] * case.num_inputs


def test_auto_is_chosen_by_device_and_dtype_and_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    chosen.cache_clear()
    grids = torch.zeros(1, 2, 2), torch.zeros(1, 2, 2)
    with caplog.at_level(logging.INFO, logger="wsal_bench.kernels"):
        for _ in range(2):
            fsd_score(*grids)
            fsd_score(*(grid.double() for grid in grids))
            fsd_score(*(grid.to("meta") for grid in grids))
    records = [record for record in caplog.records if record.name == "wsal_bench.kernels"]
    assert [record.getMessage() for record in records] == [
        "alignment kernels: cpu for float32 on cpu",
        "alignment kernels: cpu for float64 on cpu",
        "alignment kernels: torch for float32 on meta",
    ]


@pytest.mark.gpu
@pytest.mark.parametrize(
    "case", cases(["reference", "torch", "cuda", "auto"], [*cosine.BACKENDS]), ids=lambda c: c.name
)
def test_on_a_gpu_nothing_waits_and_the_numbers_are_the_same(case: Case) -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    kernel = case.name.rsplit("-", 1)[0]
    here = next(other for other in CASES if other.name == f"{kernel}-reference")
    expected = value_and_gradients(here, here.inputs(torch.float64))
    inputs = case.inputs(torch.float64, "cuda")
    torch.cuda.set_sync_debug_mode("error")
    try:
        ours = value_and_gradients(case, inputs)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    torch.testing.assert_close(tuple(x.cpu() for x in ours), expected, rtol=0, atol=1e-12)


def test_every_backend_that_works_here_is_under_test() -> None:
    assert set(FAST) >= {"torch", "cpu"}
