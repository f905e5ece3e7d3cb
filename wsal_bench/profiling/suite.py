"""`profile kernels`: every kernel, backend and size that was asked for, checked, then timed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from importlib.util import find_spec
from itertools import product
from statistics import median, quantiles
from typing import Any

import torch
from torch import Tensor

from wsal_bench.environment import environment
from wsal_bench.errors import UnavailableError, UsageError, did_you_mean
from wsal_bench.kernels import BACKENDS
from wsal_bench.profiling.correctness import assert_right, expected, outcome
from wsal_bench.profiling.measuring import Measured, measure
from wsal_bench.profiling.subjects import REFERENCE, SUBJECTS, TSLEARN, Subject

REFERENCE_CELLS = 1024
"""The definition is measured up to this many cells of a pair (L = 32); beyond, it takes minutes."""

REFERENCE_REPEATS = 3
"""The most samples of the definition, which is slow and of which more would say little."""

FORWARD, BOTH = "forward", "forward+backward"

_DTYPES = {"float32": torch.float32, "float64": torch.float64}


@dataclass(frozen=True)
class Request:
    """What is to be measured; empty names stand for all that work here."""

    kernels: tuple[str, ...] = ()
    backends: tuple[str, ...] = ()
    batches: tuple[int, ...] = (16,)
    lengths: tuple[int, ...] = (5, 10, 30, 64, 256)
    dim: int = 512
    device: str = "cpu"
    dtypes: tuple[str, ...] = ("float32",)
    repeats: int = 7


@dataclass(frozen=True)
class Row:
    """One kernel, backend, size and pass; the fields of `wsal-bench/profile/1`.

    `reference_ratio` is the fastest sample of the definition over that of this row: how many times
    faster. A busy machine slows medians by chance, so they would not be comparable. None where the
    definition was not measured, which `reference` says.
    """

    kernel: str
    backend: str
    device: str
    dtype: str
    batch: int
    length: int
    dim: int | None
    passes: str
    seconds_median: float
    seconds_min: float
    seconds_iqr: float
    seconds: tuple[float, ...]
    calls_per_sample: int
    warmup_seconds: float
    peak_bytes: int | None
    cells_per_second: float
    reference_ratio: float | None
    reference: str
    largest_difference: float
    compared_with: str

    def to_json(self) -> dict[str, Any]:
        """As in the document, where the field is called `pass`."""
        fields = asdict(self)
        return {**fields, "pass": fields.pop("passes")}


@dataclass(frozen=True)
class Point:
    """A kernel at a size."""

    kernel: str
    batch: int
    length: int
    dtype: str

    def __str__(self) -> str:
        return f"{self.kernel} B={self.batch} L={self.length} {self.dtype}"


class Suite:
    """The measurements of a request.

    Args:
        request: what is to be measured.
        progress: is told what is being done.

    Attributes:
        notes: what could not be measured, and why; complete after `rows`.

    Raises:
        UsageError: an unknown name.
        UnavailableError: a backend or a device that was asked for is not here.
    """

    def __init__(self, request: Request, progress: Callable[[str], None]) -> None:
        self.request, self.progress = request, progress
        self.notes: list[str] = []
        self.device = torch.device(request.device)
        if self.device.type == "cuda" and not torch.cuda.is_available():
            raise UnavailableError("there is no CUDA device here", hint="--device cpu works")
        self.kernels = _chosen(request.kernels, tuple(SUBJECTS), "kernel")
        known = dict.fromkeys([*BACKENDS, "fused", TSLEARN])
        self.backends = _chosen(request.backends, tuple(known), "backend")
        self.absent = {name: why for name in self.backends if (why := self._absence(name))}
        for name, why in self.absent.items():
            if request.backends:
                raise UnavailableError(f"backend {name!r}: {why}")
            self.notes.append(f"{name} was not measured: {why}")
        if not request.backends:
            self.notes.append("pytorch-softdtw was not measured: it has no package to install")

    def rows(self) -> Iterator[Row]:
        """Measures point after point.

        Raises:
            GateError: a kernel is wrong.
            UsageError: none of the backends asked for has any of the kernels.
        """
        asked = self.request
        met = False
        grid = product(self.kernels, asked.dtypes, asked.batches, asked.lengths)
        for name, dtype, batch, length in grid:
            backends = self._backends(SUBJECTS[name])
            if backends:
                met = True
                yield from self._point(Point(name, batch, length, dtype), backends)
        if not met:
            raise UsageError(
                f"no kernel of {', '.join(self.kernels)} has a backend of "
                f"{', '.join(self.backends)} on {self.device.type}"
            )

    def environment(self) -> dict[str, Any]:
        """Versions, machine, device; versions of the peers."""
        return environment(str(self.device))

    def _absence(self, backend: str) -> str | None:
        """Why a backend cannot be measured here."""
        if backend == TSLEARN and not find_spec(TSLEARN):
            return "it is not installed (pip install 'wsal-bench[peers]')"
        if backend == "cpu" and not find_spec(BACKENDS["cpu"]):
            return "this version does not have it"
        if backend in ("cpu", "cuda", TSLEARN):
            kind = "cpu" if backend == TSLEARN else backend
            if self.device.type != kind:
                return f"it needs --device {kind}"
        if backend == "cuda" and not find_spec("triton"):
            return "it needs triton (pip install triton)"
        return None

    def _backends(self, subject: Subject) -> list[str]:
        known = (*subject.backends, *subject.peers)
        return [name for name in self.backends if name in known and name not in self.absent]

    def _point(self, point: Point, backends: Sequence[str]) -> Iterator[Row]:
        subject, dtype = SUBJECTS[point.kernel], _DTYPES[point.dtype]
        inputs = subject.inputs(point.batch, point.length, self.request.dim, dtype)
        inputs = [tensor.to(self.device) for tensor in inputs]
        small = point.length**2 <= REFERENCE_CELLS
        self.progress(f"{point}: checking")
        differences = {name: self._check(point, name, inputs, small) for name in backends}
        names = [*backends] if small else [name for name in backends if name != REFERENCE]
        if small and REFERENCE not in names:
            names.append(REFERENCE)  # for the ratio
        repeats = dict.fromkeys(names, self.request.repeats)
        if small:
            repeats[REFERENCE] = min(self.request.repeats, REFERENCE_REPEATS)
        for passes in (FORWARD, BOTH):
            self.progress(f"{point}: {passes}")
            calls = {name: _call(subject, name, inputs, passes) for name in names}
            measured = measure(calls, repeats, self.device) if calls else {}
            base = measured.get(REFERENCE)
            for name in names:
                if name in backends:
                    found = measured[name]
                    yield self._row(point, name, passes, found, base, differences[name])

    def _check(self, point: Point, backend: str, inputs: list[Tensor], small: bool) -> float:
        """The largest difference from the definition, and at sizes beyond it from `torch`."""
        subject, dtype = SUBJECTS[point.kernel], inputs[0].dtype
        if not small and backend == REFERENCE:
            return 0.0
        side = point.length if small else int(REFERENCE_CELLS**0.5)
        cropped = [_cropped(tensor, side, subject) for tensor in inputs]
        right = expected(subject, REFERENCE, cropped)
        found = outcome(subject, backend, cropped)
        where = f"{point}" if small else f"{point}, its first {side} rows and columns"
        worst = assert_right(where, backend, found, REFERENCE, right, dtype)
        if not small:
            found = outcome(subject, backend, inputs)
            oracle = _oracle(subject)
            right = expected(subject, oracle, inputs)
            worst = max(worst, assert_right(str(point), backend, found, oracle, right, dtype))
        return worst

    def _row(
        self,
        point: Point,
        backend: str,
        passes: str,
        found: Measured,
        base: Measured | None,
        difference: float,
    ) -> Row:
        middle = median(found.seconds)
        quarters = quantiles(found.seconds, method="inclusive") if len(found.seconds) > 1 else []
        subject = SUBJECTS[point.kernel]
        beyond = f"not measured: more than {REFERENCE_CELLS} cells a pair"
        return Row(
            kernel=point.kernel,
            backend=backend,
            device=str(self.device),
            dtype=point.dtype,
            batch=point.batch,
            length=point.length,
            dim=self.request.dim if subject.features else None,
            passes=passes,
            seconds_median=middle,
            seconds_min=min(found.seconds),
            seconds_iqr=quarters[2] - quarters[0] if quarters else 0.0,
            seconds=found.seconds,
            calls_per_sample=found.calls,
            warmup_seconds=found.warmup_seconds,
            peak_bytes=found.peak_bytes,
            cells_per_second=point.batch * point.length**2 / middle,
            reference_ratio=min(base.seconds) / min(found.seconds) if base else None,
            reference="measured" if base else beyond,
            largest_difference=difference,
            compared_with=REFERENCE if base else _oracle(subject),
        )


def _oracle(subject: Subject) -> str:
    """What is right where the definition is too slow: checked against it on a smaller piece."""
    return "torch" if "torch" in subject.backends else "fused"


def _chosen(asked: tuple[str, ...], known: tuple[str, ...], kind: str) -> tuple[str, ...]:
    for name in asked:
        if name not in known:
            raise UsageError(f"no {kind} {name!r}", hint=did_you_mean(name, known))
    return tuple(dict.fromkeys(asked or known))


def _cropped(tensor: Tensor, side: int, subject: Subject) -> Tensor:
    return tensor[:, :side] if subject.features else tensor[:, :side, :side]


def _call(
    subject: Subject, backend: str, inputs: list[Tensor], passes: str
) -> Callable[[], object]:
    if passes == FORWARD:
        return partial(_forward, subject, backend, inputs)
    leaves = [tensor.detach().clone().requires_grad_() for tensor in inputs]
    return partial(_forward_and_backward, subject, backend, leaves)


def _forward(subject: Subject, backend: str, inputs: list[Tensor]) -> Tensor:
    with torch.no_grad():
        return subject.call(backend, *inputs)


def _forward_and_backward(
    subject: Subject, backend: str, leaves: list[Tensor]
) -> tuple[Tensor, ...]:
    scores = subject.call(backend, *leaves)
    return torch.autograd.grad(scores.sum(), leaves)
