"""Checkpoints of one training: whole or not there, checked when they are read.

Files in `<directory>/checkpoints`:
    p0-e00012.pt           phase 0, 12 epochs done; everything that training needs to go on
    p0-e00012-s00007.pt    the same and 7 batches of the next epoch, where training was stopped
    last.pt                the final weights alone, for inference and for children

Each is a `torch.save` file followed by one line `sha256:<digest>`, which `torch.load` ignores.
Equal weights give an equal `last.pt`, byte for byte.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor
from torch.serialization import default_restore_location

from wsal_bench import files
from wsal_bench.errors import DataError, UnreadableError

FOLDER: Final = "checkpoints"
LAST: Final = "last.pt"
KEPT: Final = 2  # if the newest is damaged, the one before it still is good

_NAME = re.compile(r"p(\d+)-e(\d+)(?:-s(\d+))?\.pt")
_SEAL = b"sha256:%s\n"
_SEAL_BYTES = len(_SEAL % (b"0" * 64))
_ARRAY = "__npy__"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, order=True)
class Position:
    """A point of training.

    Args:
        phase: index of the phase.
        epoch: epochs of the phase that are done.
        step: batches of the next epoch that are done.
    """

    phase: int = 0
    epoch: int = 0
    step: int = 0

    @property
    def file_name(self) -> str:
        """Name of the checkpoint that was taken here."""
        step = f"-s{self.step:05d}" if self.step else ""
        return f"p{self.phase}-e{self.epoch:05d}{step}.pt"


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A point of training and all that was known there, as plain values and tensors."""

    position: Position
    content: Mapping[str, Any]


class CheckpointFolder:
    """The checkpoints of one run directory; only one process writes there.

    What a killed process left half-written, anywhere in the run directory, is removed.

    Args:
        directory: the run directory.
        keep: how many checkpoints stay besides the final weights.
    """

    def __init__(self, directory: Path, *, keep: int = KEPT) -> None:
        self.path = directory / FOLDER
        self._keep = keep
        self._damaged: set[Path] = set()
        files.make_folder(self.path)
        files.remove_leftovers(directory)

    def newest(self, device: torch.device) -> Checkpoint | None:
        """The newest good checkpoint; damaged ones are said in a warning and passed over.

        Args:
            device: where tensors go that were not on the CPU.
        """
        for position, path in sorted(self._positions().items(), reverse=True):
            try:
                return Checkpoint(position, _read(path, device))
            except UnreadableError:  # it may be good: a later call reads it
                raise
            except DataError as error:
                _log.warning("%s; it is passed over", error)
                self._damaged.add(path)
        if self._damaged:
            _log.warning("%s: no good checkpoint is left; training starts again", self.path)
        return None

    def save(self, checkpoint: Checkpoint) -> None:
        """Writes a checkpoint, then removes those that are older than the kept ones or damaged.

        Raises:
            DataError: it cannot be written; the checkpoints before it are still there.
        """
        path = self.path / checkpoint.position.file_name
        _write(path, dict(checkpoint.content))
        self._damaged.discard(path)
        good = [
            (position, other)
            for position, other in self._positions().items()
            if other not in self._damaged
        ]
        kept = {other for _, other in sorted(good)[-self._keep :]}
        for other in self._positions().values():
            if other not in kept:
                files.remove(other)
        self._damaged.clear()

    def save_last(self, weights: Mapping[str, Any]) -> None:
        """Writes the final weights.

        Raises:
            DataError: they cannot be written.
        """
        _write(self.path / LAST, {name: _alone(value) for name, value in weights.items()})

    def _positions(self) -> dict[Position, Path]:
        matches = {path: _NAME.fullmatch(path.name) for path in self.path.iterdir()}
        return {
            Position(*(int(number or 0) for number in match.groups())): path
            for path, match in matches.items()
            if match
        }


def last_weights(directory: Path) -> dict[str, Tensor]:
    """The final weights of a finished training, on the CPU.

    Args:
        directory: the run directory.

    Raises:
        DataError: there are none, or they are damaged.
    """
    return _read(directory / FOLDER / LAST, torch.device("cpu"))


@dataclass(frozen=True, eq=False)
class Weights:
    """The weights in a checkpoint file of either kind.

    Args:
        weights: by name, on the CPU; averaged ones where training keeps an average.
        identity: what training they are of, as JSON; None in `last.pt`, which does not say it.
    """

    weights: Mapping[str, Tensor]
    identity: str | None


def read_weights(path: Path) -> Weights:
    """The weights in a checkpoint file: `last.pt`, or one of training.

    Raises:
        DataError: the file is missing, damaged, not of this program, or could run code when read.
    """
    content = _read(path, torch.device("cpu"))
    identity = None
    if "learner" in content and "identity" in content:
        learner = content["learner"]
        identity, content = str(content["identity"]), learner.get("average", learner["network"])
    wrong = [name for name, value in content.items() if not isinstance(value, Tensor)]
    if wrong:
        raise DataError(f"holds no weights: {wrong[0]!r} is no tensor", path=path)
    return Weights(content, identity)


def pack(value: Any, *, name: str = "state") -> Any:
    """A value as tensors and plain Python, a copy of its own; `unpack` reverses it.

    Tuples become lists, numpy numbers become Python's.

    Args:
        value: tensor, array, number, string, None, or lists and dictionaries of them.
        name: what to call it in messages.

    Raises:
        TypeError: something else is in it; the message says where.
    """
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, Tensor):
        return value.detach().clone()
    if isinstance(value, np.generic):
        return pack(value.item(), name=name)
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        buffer = BytesIO()
        np.save(buffer, value, allow_pickle=False)
        return {_ARRAY: buffer.getvalue()}
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {key: pack(part, name=f"{name}[{key!r}]") for key, part in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray)):
        return [pack(part, name=f"{name}[{i}]") for i, part in enumerate(value)]
    raise TypeError(
        f"{name} is a {type(value).__name__}, which a checkpoint cannot hold; it can hold tensors, "
        "arrays of numbers or strings, numbers, strings, None, and lists or dictionaries of them"
    )


def unpack(value: Any) -> Any:
    """What `pack` was given."""
    if isinstance(value, dict):
        if _ARRAY in value:
            return np.load(BytesIO(value[_ARRAY]), allow_pickle=False)
        return {key: unpack(part) for key, part in value.items()}
    if isinstance(value, list):
        return [unpack(part) for part in value]
    return value


def _alone(value: Any) -> Any:
    """A tensor with memory of its own on the CPU, so that the file holds it and nothing else."""
    if not isinstance(value, Tensor):
        return value
    return value.detach().cpu().clone(memory_format=torch.contiguous_format)


def _write(path: Path, content: Mapping[str, Any]) -> None:
    buffer = BytesIO()
    torch.save(content, buffer)
    with files.replacing(path) as file, buffer.getbuffer() as payload:
        file.write(payload)
        file.write(_SEAL % hashlib.sha256(payload).hexdigest().encode())


def _read(path: Path, device: torch.device) -> dict[str, Any]:
    def place(storage: Any, location: str) -> Any:
        wanted = "cpu" if location == "cpu" else str(device)
        return default_restore_location(storage, wanted)  # type: ignore[no-untyped-call]

    sealed = memoryview(files.read_bytes(path))
    payload = sealed[:-_SEAL_BYTES]
    if sealed[-_SEAL_BYTES:] != _SEAL % hashlib.sha256(payload).hexdigest().encode():
        raise DataError(
            "half-written or damaged, or no checkpoint of this program: its digest does not fit",
            path=path,
        )
    try:
        content: dict[str, Any] = torch.load(
            BytesIO(payload), map_location=place, weights_only=True
        )
    except UnpicklingError as error:
        raise DataError(
            "no safe checkpoint: it holds more than tensors and plain values, which could run code "
            "when it is read",
            path=path,
        ) from error
    except RuntimeError as error:
        raise DataError(f"not a checkpoint of this version ({error})", path=path) from error
    if not isinstance(content, dict):
        raise DataError(f"not a checkpoint: it holds a {type(content).__name__}", path=path)
    return content
