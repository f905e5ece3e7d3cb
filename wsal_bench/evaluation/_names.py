"""Class names and subsets of a file, told apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from wsal_bench.errors import DataError, UsageError, did_you_mean
from wsal_bench.evaluation._reading import Place


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
