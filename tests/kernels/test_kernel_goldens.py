"""The kernels agree with the authors' published FTCL code, run in float64."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.kernels.cases import each_backend
from wsal_bench.kernels import cosine, cosine_similarity, fsd_score, lcs_score

GOLDEN = Path(__file__).parents[1] / "golden" / "ftcl_kernels.npz"
CASES = range(8)


def load(case: int) -> dict[str, Tensor]:
    prefix = f"case{case}_"
    with np.load(GOLDEN) as file:
        return {
            name.removeprefix(prefix): torch.from_numpy(file[name])
            for name in file.files
            if name.startswith(prefix)
        }


def features(golden: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
    return golden["a"].clone().requires_grad_(), golden["b"].clone().requires_grad_()


def check(name: str, score: Tensor, golden: dict[str, Tensor], a: Tensor, b: Tensor) -> None:
    torch.testing.assert_close(score, golden[name], rtol=0, atol=1e-9)
    grad_a, grad_b = torch.autograd.grad((score * golden["w"]).sum(), (a, b))
    torch.testing.assert_close(grad_a, golden[f"{name}_grad_a"], rtol=0, atol=1e-9)
    torch.testing.assert_close(grad_b, golden[f"{name}_grad_b"], rtol=0, atol=1e-9)


def test_every_golden_case_is_looked_at() -> None:
    with np.load(GOLDEN) as file:
        assert int(file["n_cases"]) == len(CASES)


@pytest.mark.parametrize("similarity", cosine.BACKENDS)
@each_backend
@pytest.mark.parametrize("case", CASES)
def test_fsd_is_that_of_the_published_code(case: int, backend: str, similarity: str) -> None:
    golden = load(case)
    a, b = features(golden)
    half = a.shape[2] // 2
    match = cosine_similarity(a[..., :half], b[..., :half], backend=similarity)
    gate = cosine_similarity(a[..., half:], b[..., half:], backend=similarity)
    score = fsd_score(match, gate, gamma=float(golden["gamma"]), backend=backend)
    check("fsd", score, golden, a, b)


@pytest.mark.parametrize("similarity", cosine.BACKENDS)
@each_backend
@pytest.mark.parametrize("case", CASES)
def test_lcs_is_that_of_the_published_code(case: int, backend: str, similarity: str) -> None:
    golden = load(case)
    a, b = features(golden)
    score = lcs_score(
        cosine_similarity(a, b, backend=similarity),
        threshold=float(golden["lcs_threshold"]),
        backend=backend,
    )
    check("lcs", score, golden, a, b)
