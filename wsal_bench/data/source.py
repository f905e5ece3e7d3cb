"""What a reader of a layout finds in a folder, before any number is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from wsal_bench.plugins.contract import Split
from wsal_bench.types import GroundTruth


def stamp(path: Path) -> str:
    """Changes when the file does; `missing` where there is none."""
    try:
        facts = path.stat()
    except OSError:
        return "missing"
    return f"{facts.st_size} {facts.st_mtime_ns}"


@dataclass(frozen=True, eq=False)
class SourceVideo:
    """One video of a source.

    Args:
        video_id: its name.
        split: where it belongs.
        read: gives its features [T, D] as they lie in the source, not checked yet; may be called
            in another thread. Raises DataError.
        origin: the file that a complaint names.
        stamp: changes when the source's file of this video changes, as that of `stamp` does;
            tells a resumed import what it need not read again.
        group: who or what it was recorded from; empty: itself.
        labels: names of the classes that the source says the video shows, apart from any segment;
            None: the source says nothing but segments.
    """

    video_id: str
    split: Split
    read: Callable[[], NDArray[Any]]
    origin: Path
    stamp: str
    group: str = ""
    labels: tuple[str, ...] | None = None


@dataclass(frozen=True, eq=False)
class Source:
    """A folder or archive in a known layout.

    Args:
        layout: name of the layout, for the user.
        root: what was given.
        videos: of both splits, in the order of the source's lists.
        truths: truth variant -> split -> true segments; `default` is always there. Class names
            are the same, in the same order, in all of them.
        streams: columns of the features by stream, as (first, behind the last); may be empty.
        notes: sentences about what is unusual and no mistake.
        fps: frames per second that the source itself states; None: it does not.
        stride: frames between snippets, likewise.
        preset: of the methods, as its description names it; empty: it does not.
    """

    layout: str
    root: Path
    videos: tuple[SourceVideo, ...]
    truths: Mapping[str, Mapping[Split, GroundTruth]]
    streams: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    fps: float | None = None
    stride: float | None = None
    preset: str = ""
