"""How much memory a kernel needs beyond its input."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PEAK = """
import torch
from wsal_bench.kernels import soft_dtw

def read(field):
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith(field))

def run(cost):
    return torch.autograd.grad(soft_dtw(cost, gamma=0.1, backend="cpu").sum(), cost)

torch.set_num_threads(1)
run(torch.rand(64, 8, 8, requires_grad=True))  # compiles
cost = torch.rand(64, 512, 512, requires_grad=True)
with open("/proc/self/clear_refs", "w") as file:
    file.write("5")  # the peak begins anew
before = read("VmRSS")
run(cost)
print((read("VmHWM") - before) / cost.numel())
"""


@pytest.mark.measured
@pytest.mark.skipif(not os.access("/proc/self/clear_refs", os.W_OK), reason="needs Linux's /proc")
def test_soft_dtw_forward_and_backward_need_12_bytes_per_cell_above_the_input() -> None:
    """Two weights of 4 bytes for each cell between the passes, and the gradient."""
    ran = subprocess.run([sys.executable, "-c", PEAK], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    bytes_per_cell = float(ran.stdout)
    assert 4 < bytes_per_cell < 12.5  # half a byte for what does not grow with the grid
