"""Compiles every kernel of the `cuda` backend for an architecture, which needs no GPU.

    python -m tests.kernels.compiled_cuda 90

Every launch that the kernels make is compiled instead, for float32 and float64, with one strip of
rows and with several. Prints the names and the sizes of the machine code in bytes.
"""

from __future__ import annotations

import sys
from types import MappingProxyType
from typing import Any

import torch
import triton  # type: ignore[import-not-found,import-untyped,unused-ignore]
from triton.backends.compiler import (  # type: ignore[import-not-found,import-untyped,unused-ignore]
    GPUTarget,
)
from triton.compiler import (  # type: ignore[import-not-found,import-untyped,unused-ignore]
    ASTSource,
)

from tests.kernels.cases import KERNELS
from wsal_bench.kernels._recurrence import backends, cuda, cuda_kernels

POINTERS = {
    torch.float32: "*fp32",
    torch.float64: "*fp64",
    torch.int64: "*i64",
    torch.int32: "*i32",
    torch.int8: "*i8",
}


class Compiled:
    """Stands for a kernel; a launch compiles it."""

    def __init__(self, kernel: Any, architecture: int) -> None:
        self.kernel, self.target = kernel, GPUTarget("cuda", architecture, 32)

    def __getitem__(self, grid: tuple[int, ...]) -> Any:
        return self.compile

    def compile(
        self, *arguments: Any, num_warps: int, enable_fp_fusion: bool, **constants: Any
    ) -> None:
        signature = dict.fromkeys(constants, "constexpr")
        for name, value in zip(self.kernel.arg_names, arguments, strict=False):
            if isinstance(value, torch.Tensor):
                signature[name] = POINTERS[value.dtype]
            elif value is None:
                signature[name], constants[name] = "constexpr", None
            else:
                signature[name] = "i32" if -(2**31) <= value < 2**31 else "i64"
        made = triton.compile(
            ASTSource(self.kernel, signature, constants),
            target=self.target,
            options={"num_warps": num_warps, "enable_fp_fusion": enable_fp_fusion},
        )
        print(self.kernel.__name__, len(made.asm["cubin"]))  # noqa: T201


def main(architecture: int) -> None:
    """Compiles all kernels."""
    cuda_kernels.sweep = Compiled(cuda_kernels.sweep, architecture)
    cuda_kernels.flow = Compiled(cuda_kernels.flow, architecture)
    cuda_kernels.walk = Compiled(cuda_kernels.walk, architecture)
    backends.BACKENDS = MappingProxyType({**backends.BACKENDS, "compiled": cuda.__name__})
    lengths = torch.tensor([[1, 1], [2, 2]])
    for lanes, rows in ((1024, 40), (32, 40), (1024, 1)):
        cuda.MOST_LANES = lanes
        for kernel in KERNELS:
            for dtype in (torch.float32, torch.float64):
                grids = kernel.grids(2, rows, max(1, rows - 1), dtype=dtype)
                given = lengths if lanes < rows else None
                kernel(*grids, lengths=given, backend="compiled", check=False).sum().backward()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    main(int(sys.argv[1]))
