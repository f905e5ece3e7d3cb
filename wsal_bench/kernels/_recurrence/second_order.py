"""Gradients that can be differentiated again, for kernels with a backward of their own.

An analytic backward reads intermediate results that autograd did not record, so differentiating
it would silently give wrong numbers. When a graph of the gradient is asked for (`create_graph`,
which is when autograd runs a backward in grad mode), the kernel takes the gradient of a plainly
written twin instead: slower, but right to any order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor


def differentiable_gradients(
    function: Callable[..., Tensor],
    inputs: Sequence[Tensor],
    needed: Sequence[bool],
    upstream: Tensor,
) -> tuple[Tensor | None, ...]:
    """The gradient of each input of `function` that is needed, recorded by autograd.

    Args:
        function: made of differentiable torch operations.
        inputs: its arguments.
        needed: for each input whether its gradient is wanted; the others get None.
        upstream: the gradient with respect to the function's result.
    """
    with torch.enable_grad():
        # One tensor may be passed twice; as two views each place gets its own gradient.
        arguments = [tensor.view_as(tensor) for tensor in inputs]
        wanted = [argument for argument, need in zip(arguments, needed, strict=True) if need]
        gradients = iter(
            torch.autograd.grad(function(*arguments), wanted, upstream, create_graph=True)
        )
    return tuple(next(gradients) if need else None for need in needed)
