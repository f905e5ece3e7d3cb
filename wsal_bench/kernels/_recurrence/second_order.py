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

from wsal_bench.kernels._recurrence.rules import Rules


def recurrence_gradients(
    rules: Rules,
    inputs: Sequence[Tensor | None],
    needed: Sequence[bool],
    upstream: Tensor,
    *,
    gamma: float,
    lengths: Tensor | None,
) -> tuple[Tensor | None, ...]:
    """The gradient of a recurrence's score, recorded by autograd.

    What the backward of every backend returns where `torch.is_grad_enabled()` is true in it; the
    work is then the `torch` backend's.

    Args:
        rules: those of the kernel.
        inputs: match, insert and delete; the last two may be None.
        needed: for each of the three whether its gradient is wanted; the others get None.
        upstream: [B] gradient with respect to the scores.
        gamma: as in forward.
        lengths: as in forward.
    """
    from wsal_bench.kernels._recurrence.recorded import score

    def of_given(*given: Tensor) -> Tensor:
        rest = iter(given)
        match, insert, delete = (None if x is None else next(rest) for x in inputs)
        assert match is not None
        return score(rules, match, insert, delete, gamma=gamma, lengths=lengths)

    present = [place for place, tensor in enumerate(inputs) if tensor is not None]
    gradients = differentiable_gradients(
        of_given,
        [tensor for tensor in inputs if tensor is not None],
        [needed[place] for place in present],
        upstream,
    )
    found = dict(zip(present, gradients, strict=True))
    return tuple(found.get(place) for place in range(len(inputs)))


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
