"""The losses of a training: gathered without waiting for the device, checked, kept per epoch."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from math import fsum
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor

from wsal_bench import files
from wsal_bench.errors import DataError, NonFiniteLossError

FILE: Final = "history.jsonl"
CHECK_EVERY: Final = 25  # steps between two looks at the losses, each of which waits for the device


@dataclass(frozen=True)
class EpochRecord:
    """One line of `history.jsonl`.

    Args:
        phase: index of the phase.
        epoch: index of the epoch within the phase.
        steps: batches of the epoch.
        seconds: spent in it, wall clock; without pauses between a stop and a resume.
        losses: mean of each loss term over the batches that had it.
    """

    phase: int
    epoch: int
    steps: int
    seconds: float
    losses: dict[str, float]


def to_lines(records: Iterable[EpochRecord]) -> str:
    """Records as JSON lines."""
    return "".join(json.dumps(asdict(record)) + "\n" for record in records)


def from_lines(text: str) -> list[EpochRecord]:
    """What `to_lines` was given."""
    return [EpochRecord(**json.loads(line)) for line in text.splitlines()]


def rewrite(directory: Path, records: Iterable[EpochRecord]) -> None:
    """Makes `history.jsonl` hold these records and no other.

    Raises:
        DataError: the file cannot be written.
    """
    files.write_text(directory / FILE, to_lines(records))


def append(directory: Path, record: EpochRecord) -> None:
    """Adds a line to `history.jsonl`; a checkpoint puts right what a kill leaves half-written.

    Raises:
        DataError: the file cannot be written.
    """
    path = directory / FILE
    try:
        with path.open("a", encoding="utf-8", newline="\n") as file:
            file.write(to_lines([record]))
    except OSError as error:
        raise DataError(f"cannot be written ({error.strerror or error})", path=path) from error


@dataclass(eq=False)
class LossLog:
    """Loss terms of one epoch, on the device until somebody looks.

    Args:
        phase: index of the phase, for messages.
        epoch: index of the epoch, for messages.
        values: by term, the values that were looked at so far.
        steps: batches that were added so far.
        check_every: batches after which the log looks by itself.
    """

    phase: int
    epoch: int
    values: dict[str, list[float]] = field(default_factory=dict)
    steps: int = 0
    check_every: int = CHECK_EVERY
    _names: tuple[str, ...] = ()
    _waiting: list[Tensor] = field(default_factory=list)

    def add(self, names: tuple[str, ...], terms: Tensor) -> None:
        """Notes the terms [len(names)] of one batch.

        Raises:
            NonFiniteLossError: it was time to look, and a term is NaN or infinite.
        """
        if names != self._names:
            self.look()
            self._names = names
        self._waiting.append(terms.detach())
        self.steps += 1
        if len(self._waiting) >= self.check_every:
            self.look()

    def look(self) -> None:
        """Fetches what waits on the device and tests it.

        Raises:
            NonFiniteLossError: a term is NaN or infinite.
        """
        if not self._waiting:
            return
        fetched = torch.stack(self._waiting).double().cpu().numpy()  # [waiting, terms]
        bad = np.argwhere(~np.isfinite(fetched))
        if len(bad):
            row, column = (int(number) for number in bad[0])
            step = self.steps - len(self._waiting) + row
            raise NonFiniteLossError(
                f"loss term {self._names[column]!r} is {fetched[row, column]} in phase "
                f"{self.phase}, epoch {self.epoch}, step {step} (all counted from 0)",
                hint="a smaller learning rate, or an epsilon in the loss, may be missing",
            )
        for name, column_values in zip(self._names, fetched.T.tolist(), strict=True):
            self.values.setdefault(name, []).extend(column_values)
        self._waiting.clear()

    def means(self) -> dict[str, float]:
        """Mean of each term, the same however often somebody looked.

        Raises:
            NonFiniteLossError: a term is NaN or infinite.
        """
        self.look()
        return {name: fsum(column) / len(column) for name, column in self.values.items()}


def stack_terms(terms: Mapping[str, Tensor]) -> Tensor:
    """Loss terms as one tensor [terms], at least float32; gradients flow through.

    Raises:
        TypeError: it is no mapping, or a term is no tensor.
        ValueError: there is no term, or one has dimensions.
    """
    if not isinstance(terms, Mapping):
        raise TypeError(f"loss must be a dictionary of terms, not {type(terms).__name__}")
    if not terms:
        raise ValueError("loss has no term")
    for name, term in terms.items():
        if not isinstance(term, Tensor):
            raise TypeError(f"loss term {name!r} must be a tensor, not {type(term).__name__}")
        if term.ndim:
            raise ValueError(
                f"loss term {name!r} must have no dimension, not shape {tuple(term.shape)}"
            )
    stacked = torch.stack(tuple(terms.values()))
    return stacked.float() if stacked.dtype in (torch.bfloat16, torch.float16) else stacked
