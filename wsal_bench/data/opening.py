"""What a user calls a source, opened: layout, card, further truth files, groups."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from wsal_bench import plugins
from wsal_bench.data import description
from wsal_bench.data.card import Card
from wsal_bench.data.description import Description
from wsal_bench.data.importing import Dtype
from wsal_bench.data.layouts import recognise
from wsal_bench.data.layouts.truth import read_truth, same_in_all
from wsal_bench.data.source import Source
from wsal_bench.data.stored import StoredDataset
from wsal_bench.errors import UsageError, did_you_mean
from wsal_bench.plugins.contract import Dataset, Split
from wsal_bench.types import GroundTruth


@dataclass(frozen=True)
class ImportRequest:
    """One import.

    Args:
        path: the source.
        dataset: data set that reads its own archive; None: the layout is recognised.
        name: of the data set that is made; None: that of `dataset`.
        fps: frames per second; None: what the card or the source says.
        stride: frames between snippets, likewise.
        dtype: convert to it; None: as in the source.
        overhang: seconds by which a segment may end after the features do; None: one snippet.
        group: regular expression whose first group, found in a video's name, says who or what was
            recorded; None: what the source says.
        truths: truth files in the form of ActivityNet, each as FILE or VARIANT=FILE; they stand
            beside the source's own truth, or in its place where the variant is `default`.
        replace: an older data set of that name may be replaced.
    """

    path: Path
    dataset: str | None = None
    name: str | None = None
    fps: float | None = None
    stride: float | None = None
    dtype: Dtype | None = None
    overhang: float | None = None
    group: str | None = None
    truths: tuple[str, ...] = ()
    replace: bool = False


def known() -> dict[str, type[StoredDataset]]:
    """Installed data sets that live in a store, by the store's name."""
    found: dict[str, type[StoredDataset]] = {}
    for plugin in plugins.available("datasets"):
        kind: type[Dataset] = plugins.load("datasets", plugin)
        if issubclass(kind, StoredDataset) and kind.store_name:
            found.setdefault(kind.store_name, kind)
    return found


def card_of(name: str) -> Card | None:
    """What is published about the data set of a store; None where nothing is known of it."""
    kind = known().get(name)
    return None if kind is None else kind.facts


def importer(name: str) -> Callable[[Path], Source]:
    """What reads a data set's own archive.

    Raises:
        UsageError: there is no such data set, or it has no archive of its own.
    """
    able = {store: kind for store, kind in known().items() if kind.reads_archive}
    if name not in able:
        raise UsageError(
            f"no data set {name!r} that reads an archive of its own",
            hint=did_you_mean(name, able) + "; for a folder of features write SRC --as NAME",
        )
    return able[name].import_source


def read_request(request: ImportRequest, card: Card | None) -> Source:
    """The source, with what the request and a `dataset.yaml` in it say besides."""
    if request.dataset is not None:
        source = importer(request.dataset)(request.path)
    else:
        source = recognise(request.path).read(request.path, card)
    described = _description(request.path)
    source = _with_truths(source, request.truths, card)
    if described is not None:
        source = replace(
            source,
            fps=described.fps,
            stride=described.stride,
            preset=described.preset or described.name,
        )
    group = request.group or (described.group if described else None)
    return _with_groups(source, group or (card.group if card else None))


def _description(root: Path) -> Description | None:
    file = root / description.FILE_NAME
    return description.read(file) if file.is_file() else None


def _with_truths(source: Source, texts: tuple[str, ...], card: Card | None) -> Source:
    """The source with further truth files.

    Raises:
        UsageError: two files for one variant.
        DataError: a file cannot be read or is wrong inside.
    """
    given: dict[str, dict[Split, GroundTruth]] = {}
    notes: list[str] = []
    for text in texts:
        variant, equals, file = text.partition("=")
        if not equals:
            variant, file = "default", text
        if variant in given:
            raise UsageError(f"two truth files for variant {variant!r}", hint="VARIANT=FILE")
        given[variant] = read_truth(Path(file).expanduser(), card, notes)
    truths = same_in_all({**source.truths, **given}, card)
    return replace(source, truths=truths, notes=(*source.notes, *notes))


def _with_groups(source: Source, pattern: str | None) -> Source:
    """The source with the groups that a regular expression finds in the videos' names.

    Raises:
        UsageError: it is no regular expression with a group, or does not fit a name.
    """
    if pattern is None:
        return source
    try:
        found = {video.video_id: re.search(pattern, video.video_id) for video in source.videos}
        groups = {name: match.group(1) for name, match in found.items() if match}
    except (re.error, IndexError) as error:
        raise UsageError(
            f"--group {pattern!r} is no regular expression with a part in brackets ({error})",
            hint="as in ^(S[0-9]+)",
        ) from error
    for name in found:
        if not groups.get(name):
            raise UsageError(f"--group {pattern!r} finds nothing in the name of video {name!r}")
    videos = tuple(replace(video, group=groups[video.video_id]) for video in source.videos)
    return replace(source, videos=videos)
