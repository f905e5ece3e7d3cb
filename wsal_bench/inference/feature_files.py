"""Features of videos nobody labelled: one file each, npy, npz, h5 or pt."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from wsal_bench.data.arrays import READERS, read_array
from wsal_bench.data.features import check_finite, check_form
from wsal_bench.errors import DataError, UsageError, WsalError

_SHOWN = 10  # problems that a report lists


@dataclass(frozen=True)
class FeaturePath:
    """A file of one video's features.

    Args:
        video_id: the file's name without its ending.
        path: the file.
    """

    video_id: str
    path: Path

    def read(self) -> NDArray[Any]:
        """The features [T, D] as they lie in the file; checked for form, not for their numbers.

        Raises:
            DataError: the file cannot be read, or holds something else.
        """
        features = read_array(self.path)
        check_form(features.shape, features.dtype, self.path)
        return features

    def check(self, feature_dim: int) -> None:
        """Reads all of it once.

        Args:
            feature_dim: columns that it must have.

        Raises:
            DataError: the file cannot be read, is of another width, or holds NaN or infinity.
        """
        features = self.read()
        rows, columns = features.shape
        if columns != feature_dim:
            turned = "; they lie the other way round" if rows == feature_dim else ""
            raise DataError(
                f"features have shape [{rows}, {columns}], the checkpoint takes [snippets, "
                f"{feature_dim}]{turned}",
                hint="they must be made as those of the training were",
                path=self.path,
            )
        check_finite(features, self.path)


def find_features(places: Sequence[Path]) -> list[FeaturePath]:
    """The files that are meant: those named, and those in the folders that are named.

    Args:
        places: files and folders; a folder gives its files in order of their names.

    Raises:
        DataError: a place that is not there, or a folder without any feature file.
        UsageError: a file of another kind; two files of one video.
    """
    found: dict[str, FeaturePath] = {}
    for path in (file for place in places for file in _files(place)):
        one = FeaturePath(path.stem, path)
        first = found.setdefault(one.video_id, one)
        if first is not one and first.path.resolve() != path.resolve():
            raise UsageError(
                f"two files of one video {one.video_id!r}: {first.path} and {path}",
                hint="a video is called as its file; rename one",
            )
    return list(found.values())


def check_all(
    files: Sequence[FeaturePath], feature_dim: int, report: Callable[[int, int], None]
) -> None:
    """Reads every file once, so that all that is wrong is said before anything is computed.

    Args:
        files: which.
        feature_dim: columns that each must have.
        report: is told (files done, files in all).

    Raises:
        DataError: one problem, or a list of the first ten.
    """
    problems: list[WsalError] = []
    for number, file in enumerate(files, 1):
        try:
            file.check(feature_dim)
        except DataError as error:
            problems.append(error)
        report(number, len(files))
    if len(problems) == 1:
        raise problems[0]
    if problems:
        lines = "".join(f"\n  {problem}" for problem in problems[:_SHOWN])
        more = f"\n  and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
        raise DataError(
            f"{len(problems)} of {len(files)} feature files cannot be used:{lines}{more}"
        )


def _files(place: Path) -> Iterator[Path]:
    if place.is_dir():
        inside = sorted(path for path in place.iterdir() if path.suffix in READERS)
        if not inside:
            below = sorted(
                path.name
                for path in place.iterdir()
                if path.is_dir() and any(one.suffix in READERS for one in path.iterdir())
            )
            hint = f"name one of its folders: {', '.join(below)}" if below else ""
            raise DataError(
                f"no feature file in this folder (looked for {', '.join(READERS)})",
                hint=hint,
                path=place,
            )
        yield from inside
        return
    if not place.exists():
        raise DataError("no such file or folder of features", path=place)
    if place.suffix not in READERS:
        raise UsageError(
            f"{place} is no feature file by its ending", hint=f"there are {', '.join(READERS)}"
        )
    yield place
