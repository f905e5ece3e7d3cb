"""Where a number was made: versions, device, machine, commit. Goes into every record."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from wsal_bench import __version__


def environment(device: str = "cpu") -> dict[str, Any]:
    """Versions and hardware as plain values; never imports torch where nobody has.

    Args:
        device: the torch device that is used.
    """
    torch = sys.modules.get("torch")
    return {
        "wsal_bench": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "torch": None if torch is None else str(torch.__version__),
        "platform": platform.platform(),
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "cpu_target": cpu_target(),
        "threads": None if torch is None else int(torch.get_num_threads()),
        "device": device,
        "device_name": _device_name(device),
        "commit": _git("rev-parse", "HEAD"),
        "dirty": _is_dirty(),
    }


def _device_name(device: str) -> str:
    if not device.startswith("cuda"):
        return _cpu_model()
    import torch

    return str(torch.cuda.get_device_name(torch.device(device)))


@cache
def cpu_target() -> str:
    """What numba compiles for: the CPU's name and a digest of its features, as `znver3-1f0c9a2b`.

    Compiled arithmetic differs in the last bits between targets: what is fused, and how sums are
    split, is the instruction set's.
    """
    # the part of numba that asks the machine; numba itself takes a third of a second
    from llvmlite import binding  # type: ignore[import-untyped]

    override = os.environ.get("NUMBA_CPU_NAME"), os.environ.get("NUMBA_CPU_FEATURES")
    try:
        features = binding.get_host_cpu_features().flatten()
    except RuntimeError:  # LLVM does not know this machine
        features = ""
    name = override[0] or binding.get_host_cpu_name()
    told = ("" if override[0] else features) if override[1] is None else override[1]
    return f"{name}-{sha256(told.encode()).hexdigest()[:8]}"


@cache
def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


@cache
def _is_dirty() -> bool | None:
    """Whether tracked files differ from the commit; None outside a checkout."""
    changed = _git("status", "--porcelain", "--untracked-files=no")
    return None if changed is None else bool(changed)


@cache
def _git(*arguments: str) -> str | None:
    """What git says of the checkout that this package lies in; None where there is none."""
    root = Path(__file__).resolve().parents[1]
    if not (root / ".git").exists():
        return None
    try:
        answer = subprocess.run(
            ["git", "-C", str(root), *arguments],
            capture_output=True,
            text=True,
            check=True,
            timeout=20,
        )
    except (OSError, subprocess.SubprocessError):  # no git on this machine
        return None
    return answer.stdout.strip()
