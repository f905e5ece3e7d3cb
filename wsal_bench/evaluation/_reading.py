"""Values of a JSON file, checked one by one, each complaint with the file, the place, the value."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wsal_bench.errors import DataError, UsageError, did_you_mean
from wsal_bench.files import check_file


@dataclass(frozen=True)
class Segment:
    """A stretch of time in seconds."""

    start: float
    end: float


@dataclass
class Remarks:
    """What a reader met that is unusual and no mistake.

    Args:
        strings: numbers that are written as strings.
    """

    strings: int = 0


@dataclass(frozen=True)
class Place:
    """Where in a file a value stands: what a complaint about it begins with.

    Args:
        path: the file.
        video: the video's name.
        remarks: collects what is unusual.
    """

    path: Path
    video: str
    remarks: Remarks = field(default_factory=Remarks)

    def error(self, message: str, hint: str = "") -> DataError:
        """A complaint about this place."""
        return DataError(f"video {self.video!r}: {message}", hint=hint, path=self.path)

    def number(self, value: object, what: str) -> float:
        """A finite number, also one written as a string."""
        if isinstance(value, (int, float, str)) and not isinstance(value, bool):
            try:
                number = float(value)
            except (ValueError, OverflowError):
                number = math.nan
            if math.isfinite(number):
                self.remarks.strings += isinstance(value, str)
                return number
        raise self.error(f"{what} {value!r} is not a finite number")

    def segment(self, row: dict[str, Any]) -> Segment:
        """The two numbers under "segment"."""
        value = row.get("segment")
        if not isinstance(value, list) or len(value) != 2:
            raise self.error(
                f"segment {value!r} is not two numbers", "it must be [start, end] in seconds"
            )
        return Segment(self.number(value[0], "start"), self.number(value[1], "end"))

    def label(self, row: dict[str, Any]) -> str:
        """The class name under "label"."""
        value = row.get("label")
        if not isinstance(value, str):
            raise self.error(f"label {value!r} is not a class name")
        return value

    def rows(self, value: object) -> list[dict[str, Any]]:
        """A list of objects."""
        if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
            raise self.error("its segments are not a list of objects")
        return value


def read_bytes(path: Path, kind: str) -> bytes:
    """The content of a file.

    Raises:
        DataError: it cannot be read.
    """
    check_file(path)
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"{kind} cannot be read ({error.strerror})", path=path) from error


def read_table(content: bytes, path: Path, key: str, kind: str) -> dict[str, Any]:
    """The object under `key` of a JSON file.

    Args:
        content: what is in the file.
        path: the file.
        key: "database" or "results".
        kind: what such a file is, for the complaint.

    Raises:
        DataError: it is not JSON, repeats a key, or has no such object.
    """

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            names = [name for name, _ in pairs]
            name = next(name for name in names if names.count(name) > 1)
            raise DataError(
                f"{kind} has {name!r} twice in one object",
                hint="only the last one would count: join or remove them",
                path=path,
            )
        return found

    try:
        document = json.loads(content, object_pairs_hook=unique)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{kind} is not JSON ({error})", path=path) from error
    table = document.get(key) if isinstance(document, dict) else None
    if not isinstance(table, dict):
        raise DataError(
            f"{kind} has no object {key!r} of videos",
            hint='it must look like {"' + key + '": {video: ...}}',
            path=path,
        )
    return table


class Labels:
    """Class names and their indices: given, or met in order."""

    def __init__(self, given: Sequence[str] | None) -> None:
        self._index = {name: index for index, name in enumerate(given or ())}
        self._closed = given is not None

    def index(self, place: Place, name: str) -> int:
        """The index of a class; a new one gets the next where no names were given."""
        if self._closed and name not in self._index:
            raise place.error(f"unknown class {name!r}", did_you_mean(name, self._index))
        return self._index.setdefault(name, len(self._index))

    def indices(self, names: Iterable[str]) -> list[int] | None:
        """The indices of many classes; None where one is unknown."""
        if self._closed:
            try:
                return [self._index[name] for name in names]
            except KeyError:
                return None
        return [self._index.setdefault(name, len(self._index)) for name in names]

    @property
    def names(self) -> tuple[str, ...]:
        """The classes in order of their index."""
        return tuple(self._index)


def choose_subset(path: Path, subset: str | None, sizes: Mapping[str, int]) -> str:
    """The subset to score: the named one, else the only one with a true segment.

    Args:
        path: the file.
        subset: None, or the one that is wanted.
        sizes: true segments of each subset.

    Raises:
        UsageError: several have truth and none is named, or there is no such subset.
        DataError: none has truth.
    """
    if subset is not None:
        if subset not in sizes:
            raise UsageError(f"no subset {subset!r}", hint=did_you_mean(subset, sizes), path=path)
        return subset
    with_truth = [name for name, size in sizes.items() if size]
    if not with_truth:
        raise DataError("no subset has a true segment", path=path)
    if len(with_truth) > 1:
        raise UsageError(
            "several subsets have truth", hint=f"name one of: {', '.join(with_truth)}", path=path
        )
    return with_truth[0]
