"""What is known about a published data set before its files are seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from wsal_bench.plugins.contract import Split


@dataclass(frozen=True)
class TruthFile:
    """A truth file that is in use somewhere.

    Args:
        name: short, for messages: `gt412`.
        sha256: of its bytes.
        variant: the truth variant that it is stored as.
        remark: what sets it apart from the others.
    """

    name: str
    sha256: str
    variant: str
    remark: str


@dataclass(frozen=True)
class Card:
    """The facts of a published data set that loaders and checks rely on.

    Args:
        class_names: names and order of the classes; empty: as the truth file has them, sorted.
        fps: frames per second of the videos that features were taken from; None: differs between
            published features, so it must be given.
        stride: frames between snippets, likewise.
        subsets: split -> the names that truth files have for it.
        videos: split -> how many videos the published lists have, each form in use.
        truth_files: files whose content is known.
        streams: columns of the usual features, as (first, behind the last).
        aliases: other spellings of a class -> ours.
        group: regular expression whose first group, in a video's name, is who was recorded.
        overhang: seconds by which a segment may end after the features do; None: one snippet.
        overlong: videos whose published segments reach far beyond the video; not complained of.
        num_classes: how many there must be, where their names are taken from the truth file.
        sources: where features and truth are published, a sentence each.
        quirks: what is wrong or odd in the published files, a sentence each.
    """

    class_names: tuple[str, ...]
    fps: float | None
    stride: float | None
    subsets: Mapping[Split, tuple[str, ...]]
    videos: Mapping[Split, tuple[int, ...]]
    truth_files: tuple[TruthFile, ...] = ()
    streams: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)
    group: str | None = None
    overhang: float | None = None
    overlong: frozenset[str] = frozenset()
    num_classes: int | None = None
    sources: tuple[str, ...] = ()
    quirks: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain values; what is not known is left out."""
        found = {**asdict(self), "overlong": sorted(self.overlong)}
        found["num_classes"] = len(self.class_names) or self.num_classes
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in found.items()
            if value not in (None, (), [], {})
        }
