"""What an import has done so far, a line for each video; a kill cuts at most the last one."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import numpy as np
from pydantic import Field, TypeAdapter

from wsal_bench.data.index import Entry
from wsal_bench.data.reading import Rows
from wsal_bench.data.source import SourceVideo

FORM: Final = 2  # of the lines; those of another one do not count


@dataclass(frozen=True)
class Noted:
    """A line: a video whose rows are in the growing file.

    Args:
        video: `split/video`.
        stamp: of the source's file when it was read.
        first: its first row.
        length: T.
        sha256: of its rows.
        crc32: of its rows.
        dtype: of its rows.
        width: D.
    """

    video: str
    stamp: str
    first: int
    length: int
    sha256: str
    crc32: str
    dtype: Annotated[str, Field(pattern="float(16|32)")]
    width: int

    @classmethod
    def of(cls, found: Rows, first: int) -> Noted:
        """What is to be noted of a video whose rows begin at `first`."""
        return cls(
            video=key_of(found.video),
            stamp=found.video.stamp,
            first=first,
            length=len(found.rows),
            sha256=found.sha256,
            crc32=found.crc32,
            dtype=found.rows.dtype.name,
            width=found.rows.shape[1],
        )

    @property
    def end(self) -> int:
        """The row behind its last."""
        return self.first + self.length

    @property
    def row_bytes(self) -> int:
        """Bytes of one row."""
        return self.width * np.dtype(self.dtype).itemsize

    def entry(self, video: SourceVideo) -> Entry:
        """The video's index entry."""
        return Entry(
            video_id=video.video_id,
            first=self.first,
            length=self.length,
            group=video.group,
            labels=video.labels,
            sha256=self.sha256,
            crc32=self.crc32,
        )

    def line(self) -> str:
        """As it stands in the journal."""
        return json.dumps(asdict(self)) + "\n"


def key_of(video: SourceVideo) -> str:
    """What a journal calls a video."""
    return f"{video.split}/{video.video_id}"


def read_journal(path: Path, facts: dict[str, Any]) -> dict[str, Noted]:
    """Video -> what an earlier import noted; nothing where it was another kind of import."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return {}
    known: dict[str, Noted] = {}
    reader = TypeAdapter(Noted)
    try:
        if not lines or json.loads(lines[0]) != facts:
            return {}
        for line in lines[1:]:
            noted = reader.validate_json(line)
            known[noted.video] = noted
    except ValueError:
        pass  # the line that a kill cut off, or a damaged one; those before it are whole
    return known
