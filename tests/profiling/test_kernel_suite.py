"""What `profile kernels` measures, and that it measures nothing that is wrong."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from wsal_bench.errors import GateError, UnavailableError, UsageError
from wsal_bench.profiling import suite as suite_room
from wsal_bench.profiling.measuring import measure
from wsal_bench.profiling.subjects import SUBJECTS, Subject
from wsal_bench.profiling.suite import Request, Row, Suite

pytestmark = pytest.mark.usefixtures("small_heap")


def rows(**asked: Any) -> list[Row]:
    request = Request(**{"batches": (2,), "lengths": (4,), "dim": 3, "repeats": 2, **asked})
    return list(Suite(request, lambda line: None).rows())


def test_each_kernel_is_measured_forward_and_with_its_backward() -> None:
    found = rows(backends=("torch", "fused", "reference"))
    assert {row.kernel for row in found} == set(SUBJECTS)
    assert {row.passes for row in found} == {"forward", "forward+backward"}
    assert len(found) == len(SUBJECTS) * 2 * 2
    assert {row.reference_ratio for row in found if row.backend == "reference"} == {1.0}


def test_a_row_keeps_its_samples_and_follows_from_them() -> None:
    row = rows(kernels=("fsd_score",), backends=("torch",), repeats=5)[0]
    assert len(row.seconds) == 5
    assert row.seconds_min == min(row.seconds)
    assert row.seconds_median == sorted(row.seconds)[2]
    assert row.cells_per_second == 2 * 4 * 4 / row.seconds_median


@pytest.mark.parametrize("name", SUBJECTS)
def test_beyond_the_reach_of_the_reference_there_is_no_ratio_and_the_row_says_so(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suite_room, "REFERENCE_CELLS", 9)
    found = rows(kernels=(name,), backends=("torch", "fused", "reference"))
    assert {row.reference_ratio for row in found} == {None}
    assert {row.reference for row in found} == {"not measured: more than 9 cells a pair"}
    assert "reference" not in {row.backend for row in found}


class OffByALittle(Subject):
    """A kernel of which one backend is wrong: in its scores, or in its gradients alone."""

    wrong = "scores"

    def call(self, backend: str, *inputs: Tensor) -> Tensor:
        found = super().call(backend, *inputs)
        if backend != "torch":
            return found
        if self.wrong == "scores":
            return found * 1.01
        if self.wrong == "nan":
            return found * torch.nan
        return found.detach() + 1.01 * (found - found.detach())


@pytest.mark.parametrize("wrong", ["scores", "gradient", "nan"])
@pytest.mark.parametrize("length", [4, 40])
def test_a_wrong_kernel_is_not_timed(
    wrong: str, length: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = OffByALittle(SUBJECTS["fsd_score"].function, 2, {"gamma": 0.1})
    monkeypatch.setattr(OffByALittle, "wrong", wrong)
    monkeypatch.setattr(suite_room, "SUBJECTS", {"fsd_score": broken})
    monkeypatch.setattr(suite_room, "measure", lambda *_: pytest.fail("was timed"))
    says = "gradient of input 1" if wrong == "gradient" else "scores"
    with pytest.raises(GateError, match=f"fsd_score B=2 L={length}.*{says} of torch"):
        rows(kernels=("fsd_score",), backends=("torch",), lengths=(length,), dtypes=("float64",))


def test_unknown_names_get_the_nearest_one() -> None:
    with pytest.raises(UsageError, match="did you mean 'fsd_score'"):
        rows(kernels=("fsd_scor",))
    with pytest.raises(UsageError, match="did you mean 'torch'"):
        rows(backends=("torhc",))


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without CUDA")
def test_a_backend_that_was_asked_for_and_is_not_here_is_an_error_and_else_a_note() -> None:
    with pytest.raises(UnavailableError, match="needs --device cuda"):
        rows(backends=("cuda",))
    with pytest.raises(UnavailableError, match="no CUDA device"):
        rows(device="cuda")
    notes = Suite(Request(), lambda line: None).notes
    assert any(line.startswith("cuda was not measured") for line in notes)
    assert any(line.startswith("pytorch-softdtw was not measured") for line in notes)


def test_a_backend_without_any_of_the_kernels_is_an_error() -> None:
    with pytest.raises(UsageError, match="no kernel of fsd_score has a backend of fused"):
        rows(kernels=("fsd_score",), backends=("fused",))


def test_candidates_are_called_in_turn_after_their_warm_up() -> None:
    called: list[str] = []
    calls = {name: lambda name=name: called.append(name) for name in "ab"}
    found = measure(calls, {"a": 2, "b": 1}, torch.device("cpu"))
    assert [len(found[name].seconds) for name in "ab"] == [2, 1]
    assert called[:2] == ["a", "b"]
    last = found["a"].calls  # the second sample of a, which b does not have
    assert called[-last:] == ["a"] * last
