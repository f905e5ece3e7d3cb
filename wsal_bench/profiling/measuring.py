"""Seconds and memory of a call: warm-up apart, calls of several candidates in turn."""

from __future__ import annotations

import ctypes
import gc
import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import torch

SHORTEST = 1e-3
"""A shorter call is repeated within one sample until the sample takes about this long."""

MOST_CALLS = 100
"""As often as a call is repeated within one sample at most."""


@dataclass(frozen=True)
class Measured:
    """What was measured of one call.

    Args:
        seconds: of a call, one value for each sample, in the order of measuring.
        warmup_seconds: of the first call, in which compilation and first imports happen.
        calls: in each sample.
        peak_bytes: above what was in use before the call; None where it cannot be seen.
    """

    seconds: tuple[float, ...]
    warmup_seconds: float
    calls: int
    peak_bytes: int | None


def measure(
    candidates: Mapping[str, Callable[[], object]],
    repeats: Mapping[str, int],
    device: torch.device,
) -> dict[str, Measured]:
    """Measures calls in turn, so that a busy moment of the machine meets them all.

    Args:
        candidates: calls by name.
        repeats: samples of each.
        device: that they run on; waited for before a clock is read.
    """
    warmup = {name: _sample(call, 1, device) for name, call in candidates.items()}
    peaks = {name: _peak_bytes(call, device) for name, call in candidates.items()}
    calls = {}
    for name, call in candidates.items():
        once = max(_sample(call, 1, device), 1e-9) if warmup[name] < 1 else warmup[name]
        calls[name] = min(max(math.ceil(SHORTEST / once), 1), MOST_CALLS)
    samples: dict[str, list[float]] = {name: [] for name in candidates}
    collecting = gc.isenabled()
    gc.disable()  # its pauses belong to no candidate
    try:
        for turn in range(max(repeats.values())):
            for name, call in candidates.items():
                if turn < repeats[name]:
                    samples[name].append(_sample(call, calls[name], device))
    finally:
        if collecting:
            gc.enable()
    return {
        name: Measured(tuple(samples[name]), warmup[name], calls[name], peaks[name])
        for name in candidates
    }


def _sample(call: Callable[[], object], calls: int, device: torch.device) -> float:
    """Seconds of one call, over several."""
    _wait(device)
    began = perf_counter()
    for _ in range(calls):
        call()
    _wait(device)
    return (perf_counter() - began) / calls


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _peak_bytes(call: Callable[[], object], device: torch.device) -> int | None:
    """The most memory in use during a call, above what was in use before.

    On a CPU the growth of the process's resident memory, after what was freed before went back to
    the system. It comes in steps of pages and is counted late, so that of a small call cannot be
    seen: None, never 0.
    """
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        call()
        _wait(device)
        return torch.cuda.max_memory_allocated(device) - before
    reset = Path("/proc/self/clear_refs")
    if not os.access(reset, os.W_OK):
        return None
    gc.collect()
    _give_back_freed_memory()
    reset.write_text("5", encoding="ascii")  # the peak begins anew
    in_use = _status_bytes("VmRSS:")
    call()
    grown = _status_bytes("VmHWM:") - in_use
    return grown if grown > 0 else None


def _give_back_freed_memory() -> None:
    """Freed memory that is used again would hide what a call takes."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # of glibc alone
    if trim is not None:
        trim(0)


def _status_bytes(field: str) -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))
