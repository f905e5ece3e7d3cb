"""From a source to a store: every file is checked and copied once, in parallel, resumably.

The store grows in a folder beside its place, `.NAME.importing`, and takes its place whole. A
journal names the videos whose rows are in the growing files. An import that goes on reads those
rows and compares them with it: from the first video that differs, or whose file in the source has
changed since, all is made again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np

from wsal_bench.data.doubts import doubts
from wsal_bench.data.index import Entry, Index, write_index
from wsal_bench.data.journal import FORM, Noted, key_of, read_journal
from wsal_bench.data.packed import checksum
from wsal_bench.data.placing import JOURNAL, growing_at, put_in_place, writing
from wsal_bench.data.problems import (
    Problem,
    Wanted,
    report,
    source_problems,
    unused_truth,
)
from wsal_bench.data.reading import Reader, Report
from wsal_bench.data.source import Source, SourceVideo
from wsal_bench.data.store import features_path, truth_path
from wsal_bench.errors import DataError
from wsal_bench.evaluation.formats import truth_to_npz
from wsal_bench.files import make_folder, remove_leftovers, write_text
from wsal_bench.plugins.contract import SPLITS, Split
from wsal_bench.timegrid import TimeGrid

Dtype = Literal["float16", "float32"]
_HEADER = 128  # bytes kept free for the npy header, which is written last


class BadSourceError(DataError):
    """A source with problems; all of them, not the first."""

    def __init__(self, problems: Sequence[Problem], path: Path) -> None:
        self.problems = tuple(problems)
        number = len(self.problems)
        super().__init__(
            f"{number} problem{'s' if number > 1 else ''} with features or truth\n"
            f"{report(problems)}",
            path=path,
        )

    def __reduce__(self) -> tuple[object, ...]:
        return (BadSourceError, (self.problems, Path(self.path or "")))


@dataclass(frozen=True)
class Form:
    """How a store is written.

    Args:
        name: of the data set.
        fps: frames per second of the videos that features were taken from.
        stride: frames between snippets.
        dtype: of the store; None: as in the source, which must then be float16 or float32.
        classes: names and order of the classes; None: those of the truth.
        width: D, where it is known beforehand.
        overhang: seconds by which a segment may end after the features do; None: one snippet.
        overlong: videos whose segments may end any time later.
        streams: columns by stream, where the source does not say; used if they make up all
            columns.
    """

    name: str
    fps: float
    stride: float
    dtype: Dtype | None = None
    classes: tuple[str, ...] | None = None
    width: int | None = None
    overhang: float | None = None
    overlong: frozenset[str] = frozenset()
    streams: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def wanted(self) -> Wanted:
        """What it asks of the features."""
        grid = TimeGrid(self.fps, self.stride)
        overhang = grid.snippet_seconds if self.overhang is None else self.overhang
        return Wanted(self.dtype, self.width, grid, overhang, converted=self.dtype is not None)


def write_store(
    source: Source,
    root: Path,
    form: Form,
    *,
    jobs: int = 2,
    report: Report = lambda done, total: None,
) -> Index:
    """Checks and copies a source into a store; goes on where an earlier call was stopped.

    Args:
        source: is read only.
        root: the store's folder; one that is there is replaced when the new one is whole.
        form: how it is written.
        jobs: files that are read at once.
        report: is told after each video.

    Raises:
        BadSourceError: the source has problems; nothing is at `root` that was not there before.
        DataError: the store cannot be written, or another process is writing it.
    """
    problems = source_problems(source, form.classes)
    if problems:
        raise BadSourceError(problems, source.root)
    growing = growing_at(root)
    make_folder(root.parent)
    try:
        with writing(root):
            make_folder(growing / "truth")
            remove_leftovers(growing)
            entries = _Copy(source, growing, form, jobs, report).entries()
            index = _index(source, growing, form, entries)
            write_index(growing, index)
            put_in_place(root)
    except OSError as error:
        raise DataError(f"cannot be written ({error.strerror or error})", path=root) from error
    return index


class _Copy:
    """The pass over all videos: readers in threads, one writer in the order of the lists."""

    def __init__(self, source: Source, folder: Path, form: Form, jobs: int, report: Report) -> None:
        self.source = source
        self.folder = folder
        self.reader = Reader(source, form.wanted, jobs, form.overlong)
        self.report = report
        self._done = 0  # videos whose rows are in their file

    def entries(self) -> dict[Split, tuple[Entry, ...]]:
        """Index entries of both splits, once all rows lie in their files.

        Raises:
            BadSourceError: a video has a problem; all were looked at.
        """
        videos = {
            split: [video for video in self.source.videos if video.split == split]
            for split in SPLITS
        }
        kept = self._kept(videos)
        path = self.folder / JOURNAL
        lines = [noted.line() for split in SPLITS for noted in kept[split]]
        write_text(path, "".join([json.dumps(self._facts()) + "\n", *lines]))
        for noted in kept["train"][:1]:
            self.reader.adopt(noted.dtype, noted.width)
        with path.open("a", encoding="utf-8") as journal:
            entries = {split: self._split(videos[split], kept[split], journal) for split in SPLITS}
        if self.reader.problems:
            raise BadSourceError(self.reader.verdict(), self.source.root)
        return entries

    def _facts(self) -> dict[str, Any]:
        """What an earlier import must have had in common for its rows to count."""
        wanted = self.reader.wanted
        return {"form": FORM, "dtype": wanted.dtype, "width": wanted.width}

    def _split(
        self, videos: Sequence[SourceVideo], kept: Sequence[Noted], journal: IO[str]
    ) -> tuple[Entry, ...]:
        """Writes the rows of a split that are not in its file yet; none once there is a problem."""
        path = features_path(self.folder, videos[0].split)
        path.touch()
        entries = [noted.entry(video) for noted, video in zip(kept, videos, strict=False)]
        first = kept[-1].end if kept else 0
        self._done += len(kept)
        with path.open("r+b") as file:
            file.truncate(_HEADER + (first * kept[-1].row_bytes if kept else 0))
            file.seek(0, os.SEEK_END)
            for found in self.reader.checked(videos[len(kept) :]):
                if not self.reader.problems:
                    file.write(found.rows.data)
                    file.flush()  # the journal must not know of rows that are not there
                    noted = Noted.of(found, first)
                    journal.write(noted.line())
                    journal.flush()
                    entries.append(noted.entry(found.video))
                    first = noted.end
                self._done += 1
                self.report(self._done, len(self.source.videos))
            if not self.reader.problems:
                file.seek(0)
                file.write(_header(self.reader.wanted, first))
                file.flush()
                os.fsync(file.fileno())
        return tuple(entries)

    def _kept(self, videos: Mapping[Split, Sequence[SourceVideo]]) -> dict[Split, list[Noted]]:
        """What earlier imports wrote and may stay: the first videos of each split, all alike.

        Where nothing of the first split may stay, what a row looks like is open again, and
        nothing of the other may.
        """
        known = read_journal(self.folder / JOURNAL, self._facts())
        kept: dict[Split, list[Noted]] = {split: [] for split in SPLITS}
        for split in SPLITS:
            if kept["train"] or split == "train":
                path = features_path(self.folder, split)
                if path.exists():
                    with path.open("rb") as rows:
                        kept[split] = self._beginning(videos[split], known, rows)
        return kept

    def _beginning(
        self, videos: Sequence[SourceVideo], known: Mapping[str, Noted], rows: IO[bytes]
    ) -> list[Noted]:
        """The longest beginning of a list whose rows are in its file already.

        The rows are read and compared: after a power cut the journal may know more than the disk,
        and somebody may have changed either.
        """
        rows.seek(_HEADER)
        kept: list[Noted] = []
        for video in videos:
            noted = known.get(key_of(video))
            first = kept[-1].end if kept else 0
            if noted is None or noted.stamp != video.stamp or noted.first != first:
                break
            if self.reader.too_short(video, noted.length):
                break
            found = rows.read(noted.length * noted.row_bytes)
            if (checksum(found, "sha256"), checksum(found, "crc32")) != (noted.sha256, noted.crc32):
                break
            kept.append(noted)
        return kept


def _header(wanted: Wanted, rows: int) -> bytes:
    """An npy header of exactly the bytes that were kept free."""
    buffer = BytesIO()
    shape = (rows, wanted.width)
    descr = np.lib.format.dtype_to_descr(np.dtype(wanted.dtype))
    np.lib.format.write_array_header_1_0(
        buffer, {"descr": descr, "fortran_order": False, "shape": shape}
    )
    header = buffer.getvalue()
    if len(header) != _HEADER:
        raise AssertionError(f"the npy header takes {len(header)} bytes, not {_HEADER}")
    return header


def _index(
    source: Source, folder: Path, form: Form, entries: dict[Split, tuple[Entry, ...]]
) -> Index:
    """Writes the truth and describes everything."""
    names = source.truths["default"]["train"].class_names
    digests: dict[str, dict[Split, str]] = {}
    for variant, truths in source.truths.items():
        digests[variant] = {}
        for split, truth in truths.items():
            path = truth_path(folder, variant, split)
            truth_to_npz(truth, path)
            digests[variant][split] = sha256(path.read_bytes()).hexdigest()
    header = np.load(features_path(folder, "train"), mmap_mode="r")
    width = int(header.shape[1])
    return Index(
        name=form.name,
        layout=source.layout,
        preset=source.preset,
        fps=form.fps,
        stride=form.stride,
        class_names=names,
        feature_dim=width,
        dtype=header.dtype.name,
        streams=_streams(source, form, width),
        notes=(*source.notes, *unused_truth(source), *map(str, doubts(source))),
        videos=entries,
        truths=digests,
    )


def _streams(source: Source, form: Form, width: int) -> dict[str, tuple[int, int]]:
    """What the source says of its columns, else what is usual, if it fits."""
    if source.streams:
        return dict(source.streams)
    usual = dict(form.streams)
    return usual if usual and max(last for _, last in usual.values()) == width else {}
