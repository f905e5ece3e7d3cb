"""The archive of HAPT: raw recordings and their labels.

RawData/acc_expXX_userYY.txt    acceleration in g, three numbers a line, 50 lines a second
RawData/gyro_expXX_userYY.txt   angular velocity in rad/s, the same
RawData/labels.txt              lines `experiment user activity start end`: samples, from 1, both in
activity_labels.txt             lines `number name`
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wsal_bench.api import DataError, Split
from wsal_bench.data.source import stamp
from wsal_datasets._window_features import Signal

SHORTEST_SIGNAL: Final = 100  # samples
TEST_PEOPLE: Final = frozenset({2, 4, 9, 10, 12, 13, 18, 20, 24})
NAMES: Final = (
    "WALKING",
    "WALKING_UPSTAIRS",
    "WALKING_DOWNSTAIRS",
    "SITTING",
    "STANDING",
    "LAYING",
    "STAND_TO_SIT",
    "SIT_TO_STAND",
    "SIT_TO_LIE",
    "LIE_TO_SIT",
    "STAND_TO_LIE",
    "LIE_TO_STAND",
)
_KNOWN: Final = re.compile(r"(labels|activity_labels|(acc|gyro)_exp\d+_user\d+)\.txt")
Read = Callable[[], bytes]


@dataclass(frozen=True)
class Instance:
    """A line of labels.txt: samples from 0, end not included; activity from 0."""

    start: int
    end: int
    activity: int


@dataclass(frozen=True)
class Recording:
    """One experiment of one person."""

    experiment: int
    person: int
    instances: tuple[Instance, ...]

    @property
    def name(self) -> str:
        """As its files are called."""
        return f"exp{self.experiment:02d}_user{self.person:02d}"

    @property
    def split(self) -> Split:
        """By person."""
        return "test" if self.person in TEST_PEOPLE else "train"


class Archive:
    """The zip file, or the folder that it was unpacked to.

    Args:
        path: of it.

    Raises:
        DataError: it cannot be read, or is not this archive.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.exists():
            raise DataError("no such file or folder", path=path)
        try:
            self._files = self._by_name(self._open())
        except (OSError, zipfile.BadZipFile) as error:
            raise DataError(f"is no zip archive and no folder ({error})", path=path) from error
        if not {"labels.txt", "activity_labels.txt"} <= set(self._files):
            raise DataError(
                "is not the HAPT archive: it lacks labels.txt or activity_labels.txt",
                hint="looked for RawData/labels.txt, RawData/acc_expXX_userYY.txt, "
                "RawData/gyro_expXX_userYY.txt and activity_labels.txt",
                path=path,
            )

    def _by_name(self, found: Sequence[tuple[str, Read]]) -> dict[str, Read]:
        """Readers by name.

        Raises:
            DataError: two files of one name.
        """
        files: dict[str, Read] = {}
        for name, read in found:
            if name in files:
                raise DataError(f"has two files called {name}", path=self.path)
            files[name] = read
        return files

    def _open(self) -> list[tuple[str, Read]]:
        """Name without folders -> its content; only files that we know."""
        if self.path.is_dir():
            return [(file.name, file.read_bytes) for file in self._unpacked()]
        with zipfile.ZipFile(self.path) as archive:
            names = [
                name
                for name in archive.namelist()
                if _KNOWN.fullmatch(PurePosixPath(name).name) and not name.startswith("__MACOSX")
            ]

        def reader(name: str) -> Read:
            def read() -> bytes:
                with zipfile.ZipFile(self.path) as archive:
                    return archive.read(name)

            return read

        return [(PurePosixPath(name).name, reader(name)) for name in names]

    @cached_property
    def stamp(self) -> str:
        """Changes when the archive, or a file of the folder, does."""
        if not self.path.is_dir():
            return stamp(self.path)
        states = "\n".join(f"{file} {stamp(file)}" for file in self._unpacked())
        return sha256(states.encode()).hexdigest()

    def _unpacked(self) -> list[Path]:
        return sorted(file for file in self.path.rglob("*.txt") if _KNOWN.fullmatch(file.name))

    @cached_property
    def recordings(self) -> tuple[Recording, ...]:
        """By number of the experiment.

        Raises:
            DataError: a line that makes no sense, another list of activities, or a recording
                without one of its files.
        """
        self._check_names()
        numbers = self.table("labels.txt", 5)
        rows = numbers.astype(np.int64)
        if not np.array_equal(rows, numbers):
            raise DataError("labels.txt: holds numbers that are not whole", path=self.path)
        found: dict[tuple[int, int], list[Instance]] = {}
        for number, row in enumerate(rows, start=1):
            experiment, person, activity, start, end = (int(value) for value in row)
            if not (1 <= activity <= len(NAMES) and 1 <= start <= end):
                raise DataError(
                    f"labels.txt, line {number}: {row.tolist()} is not experiment, person, "
                    f"activity 1-{len(NAMES)}, first and last sample",
                    path=self.path,
                )
            found.setdefault((experiment, person), []).append(
                Instance(start - 1, end, activity - 1)
            )
        recordings = tuple(Recording(*key, tuple(found[key])) for key in sorted(found))
        for recording in recordings:
            for kind in ("acc", "gyro"):
                if f"{kind}_{recording.name}.txt" not in self._files:
                    raise DataError(f"lacks {kind}_{recording.name}.txt", path=self.path)
        return recordings

    def signal(self, recording: Recording) -> Signal:
        """What the sensors measured.

        Raises:
            DataError: a line that is not three numbers, or labels beyond the signal.
        """
        acceleration = self.table(f"acc_{recording.name}.txt", 3)
        rotation = self.table(f"gyro_{recording.name}.txt", 3)
        if len(acceleration) != len(rotation):
            raise DataError(
                f"{recording.name} has {len(acceleration)} samples of acceleration and "
                f"{len(rotation)} of rotation",
                path=self.path,
            )
        if len(acceleration) < SHORTEST_SIGNAL:
            raise DataError(
                f"{recording.name} has {len(acceleration)} samples, fewer than the filter needs "
                f"({SHORTEST_SIGNAL})",
                path=self.path,
            )
        last = max(instance.end for instance in recording.instances)
        if last > len(acceleration):
            raise DataError(
                f"{recording.name} is labelled up to sample {last}, but has {len(acceleration)}",
                path=self.path,
            )
        return Signal(acceleration, rotation)

    def table(self, name: str, columns: int) -> NDArray[np.float64]:
        """[N, columns] numbers of a file, all finite.

        Raises:
            DataError: it does not hold them.
        """
        try:
            rows = np.loadtxt(self._text(name).splitlines(), ndmin=2)
        except ValueError as error:
            raise DataError(f"{name}: is no table of numbers ({error})", path=self.path) from error
        if rows.ndim != 2 or rows.shape[1] != columns or not len(rows):
            raise DataError(f"{name}: has shape {rows.shape}, not [N, {columns}]", path=self.path)
        if not np.isfinite(rows).all():
            raise DataError(f"{name}: holds numbers that are not finite", path=self.path)
        return rows

    def _text(self, name: str) -> str:
        """The content of a file.

        Raises:
            DataError: it cannot be read: damaged, encrypted, packed in an unknown way, no text.
        """
        try:
            return self._files[name]().decode()
        except (
            OSError,
            RuntimeError,  # zipfile: encrypted
            NotImplementedError,  # zipfile: an unknown way of packing
            UnicodeDecodeError,
            zipfile.BadZipFile,
            zlib.error,
        ) as error:
            raise DataError(f"{name}: cannot be read ({error})", path=self.path) from error

    def _check_names(self) -> None:
        lines = self._text("activity_labels.txt").split()
        if tuple(lines[1::2]) != NAMES:
            raise DataError(
                f"activity_labels.txt names {lines[1::2]}, not {list(NAMES)}", path=self.path
            )
