"""The `cuda` backend without a device: its logic by Triton's interpreter, its code compiled."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
INTERPRETED = "tests/kernels/interpreted_cuda.py"

needs_triton = pytest.mark.skipif(
    find_spec("triton") is None, reason="triton is not installed (pip install triton)"
)


def run(*command: str, **environment: str) -> str:
    """What a Python process in the root of the checkout prints; it has to succeed."""
    ran = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-4000:] + ran.stderr[-4000:]
    return ran.stdout


def interpreted(*options: str) -> None:
    """Runs tests of `interpreted_cuda.py`; some have to pass and none may fail."""
    # `not slow` or the like, given to this run, is not meant for the inner one
    plain = {"TRITON_INTERPRET": "1", "PYTEST_ADDOPTS": ""}
    printed = run("-m", "pytest", "-q", "-p", "no:cacheprovider", *options, **plain)
    assert " passed" in printed and "failed" not in printed


@needs_triton
def test_interpreted_on_a_cpu_some_kernels_give_what_the_reference_gives() -> None:
    """A smooth one, swept and flowed back in strips, and a hard one, walked back."""
    names = ("fsd-strips", "lcs-greedy-float32")
    interpreted(*(f"{INTERPRETED}::test_parity_in_strips_and_lengths[{name}]" for name in names))


@needs_triton
@pytest.mark.slow
@pytest.mark.parametrize("group", ["parity", "gradients", "values"])
def test_interpreted_on_a_cpu_it_gives_what_the_reference_gives(group: str) -> None:
    interpreted(INTERPRETED, "-k", f"test_{group}")


@needs_triton
@pytest.mark.slow
@pytest.mark.parametrize("architecture", ["80", "90"])
def test_it_compiles_for_a_gpu_that_is_not_here(architecture: str, tmp_path: Path) -> None:
    printed = run("-m", "tests.kernels.compiled_cuda", architecture, TRITON_CACHE_DIR=str(tmp_path))
    kernels = [line.split()[0] for line in printed.splitlines()]
    assert {name: kernels.count(name) > 0 for name in ("sweep", "flow", "walk")} == {
        "sweep": True,
        "flow": True,
        "walk": True,
    }
    assert all(int(line.split()[1]) > 1000 for line in printed.splitlines())


def test_triton_is_not_imported_until_a_cuda_tensor_asks_for_it() -> None:
    code = (
        "import sys, torch\n"
        "from wsal_bench.kernels import fsd_score\n"
        "grid = torch.zeros(1, 2, 2)\n"
        "fsd_score(grid, grid, backend='torch')\n"
        "print('wsal_bench.kernels._recurrence.cuda' in sys.modules)\n"
    )
    assert run("-c", code).strip() == "False"
