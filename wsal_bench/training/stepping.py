"""What a step of the optimisers does: what the hooks of a method say of it, and curves for them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

from wsal_bench.training.hooks import Progress, Trainable


@dataclass(frozen=True)
class StepRule:
    """One step of the optimisers.

    Args:
        factor: of the learning rates, >= 0; None: they stay as they are.
        clip_norm: largest norm of the gradients together, > 0; None: they stay as they are.
        ema_decay: share of the averaged weights that stays, in [0, 1]; 0: no average is kept.
        turn: indices of the optimisers that step.
    """

    factor: float | None
    clip_norm: float | None
    ema_decay: float
    turn: tuple[int, ...]


def step_rule(method: Trainable, progress: Progress, num_optimizers: int) -> StepRule:
    """What the hooks of a method say of one step.

    Raises:
        TypeError: a hook is no function, or gave something of another kind; a tensor is refused
            too, because reading it would make an accelerator wait.
        ValueError: a hook gave a number that it must not give.
    """
    factor = _number(method, "learning_rate_factor", progress, optional=True)
    if factor is not None:
        _require(0 <= factor < math.inf, "learning_rate_factor", factor, "0 or more, and finite")
    clip = _number(method, "clip_norm", progress, optional=True)
    if clip is not None:
        _require(clip > 0, "clip_norm", clip, "above 0, or None")
    decay = _number(method, "ema_decay", progress) or 0.0
    _require(0 <= decay <= 1, "ema_decay", decay, "in 0..1")
    turn = _asked(method, "turn", progress)
    known = range(num_optimizers)
    if turn is None:
        turn = known
    elif not isinstance(turn, Sequence):
        raise TypeError(f"turn must give indices of optimisers such as [0], or None, not {turn!r}")
    wanted = f"different indices of the {num_optimizers} optimisers, counted from 0"
    right = len({*turn}) == len(turn) and all(index in known for index in turn)
    _require(right, "turn", list(turn), wanted)
    return StepRule(factor, clip, decay, tuple(turn))


def cosine_decay(fraction: float) -> float:
    """Half a cosine: 1 at fraction 0, 0.5 at one half, 0 at 1."""
    return (1 + math.cos(math.pi * fraction)) / 2


def ramp(fraction: float, start: float, end: float) -> float:
    """0 up to `start`, then a straight line, 1 from `end` on; a step where both are equal.

    Raises:
        ValueError: `end` is before `start`.
    """
    if end < start:
        raise ValueError(f"a ramp must not end ({end}) before it starts ({start})")
    if fraction >= end:
        return 1.0
    return (fraction - start) / (end - start) if fraction > start else 0.0


def epochs_of(steps: int, *, batch_size: int, videos: int = 200) -> int:
    """Epochs that are nearest to a published number of steps.

    Args:
        steps: of the optimiser.
        batch_size: of the published training; the last batch of an epoch may be smaller.
        videos: that were trained on; the 200 of THUMOS14.

    Returns:
        At least 1.
    """
    return max(round(steps / math.ceil(videos / batch_size)), 1)


def _asked(method: Trainable, name: str, progress: Progress) -> Any:
    hook = getattr(method, name)
    if not callable(hook):
        raise TypeError(
            f"{name} must be a function of progress: `def {name}(self, progress): return {hook}`"
        )
    return hook(progress)


def _number(
    method: Trainable, name: str, progress: Progress, *, optional: bool = False
) -> float | None:
    value = _asked(method, name, progress)
    if value is None and optional:
        return None
    if not isinstance(value, Real):
        raise TypeError(f"{name} must give a number, not {type(value).__name__}")
    return float(value)


def _require(right: bool, name: str, value: Any, wanted: str) -> None:
    if not right:  # also where the value is NaN
        raise ValueError(f"{name} must give what is {wanted}; it gave {value}")
