"""What a record vouches for: digests of a run's activations, segments and scores."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from wsal_bench.errors import DataError
from wsal_bench.files import read_bytes

_VOUCHED = ("activations*.npz", "recipes/*/detections*.npz", "recipes/*/scores/[!.]*.json")

Digests = Mapping[str, str]
"""SHA-256 of files, by their path below the run's directory."""


def digests_of(directory: Path) -> dict[str, str]:
    """Digests of all that is there of a run.

    Raises:
        DataError: a file cannot be read.
    """
    return {name_of(path, directory): digest(read_bytes(path)) for path in vouched(directory)}


def vouched(directory: Path) -> list[Path]:
    """The files of a run that its record vouches for, in order."""
    return sorted(path for pattern in _VOUCHED for path in directory.glob(pattern))


def name_of(path: Path, directory: Path) -> str:
    """What a record calls a file of its run."""
    return path.relative_to(directory).as_posix()


def digest(content: bytes) -> str:
    """Of a file's content."""
    return sha256(content).hexdigest()


def checked(path: Path, directory: Path, known: Digests | None) -> bytes:
    """The content of a file, if it is what its run's record vouches for.

    Args:
        path: the file.
        directory: the run's.
        known: what the record says; None: it is of a version that said nothing.

    Raises:
        DataError: it is not there, or another one was written.
        UnreadableError: it cannot be read.
    """
    content = read_bytes(path)
    if known is not None:
        wanted = known.get(name_of(path, directory))
        if wanted is None:
            raise DataError("the run's record does not vouch for this file", path=path)
        if digest(content) != wanted:
            raise DataError("is not what the run wrote: its digest is another one", path=path)
    return content
