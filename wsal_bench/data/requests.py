"""What `wsal-bench data import` asks for, and how it comes about."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from wsal_bench import plugins
from wsal_bench.api import Dataset, Split
from wsal_bench.data import description
from wsal_bench.data.card import Card
from wsal_bench.data.description import Description
from wsal_bench.data.importing import Dtype, Form, Report, write_store
from wsal_bench.data.layouts import recognise
from wsal_bench.data.layouts.truth import read_truth, same_in_all
from wsal_bench.data.places import data_root, store_path
from wsal_bench.data.source import Source
from wsal_bench.data.store import Index, is_store
from wsal_bench.data.stored import StoredDataset
from wsal_bench.data.validating import Validation, validate_source, validate_store
from wsal_bench.errors import DataError, UsageError, did_you_mean
from wsal_bench.files import make_folder
from wsal_bench.types import GroundTruth

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+@-]*")


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


@dataclass(frozen=True)
class Imported:
    """What an import made."""

    path: Path
    index: Index

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        index = self.index
        return {
            "path": str(self.path),
            "name": index.name,
            "layout": index.layout,
            "videos": {split: len(entries) for split, entries in index.videos.items()},
            "snippets": {
                split: sum(entry.length for entry in entries)
                for split, entries in index.videos.items()
            },
            "classes": list(index.class_names),
            "feature_dim": index.feature_dim,
            "dtype": index.dtype,
            "fps": index.fps,
            "stride": index.stride,
            "truth_variants": sorted(index.truths),
            "notes": list(index.notes),
            "digest": index.digest(),
        }

    def lines(self) -> list[str]:
        """The same in words."""
        facts = self.to_json()
        sizes = ", ".join(
            f"{count} {split} videos ({facts['snippets'][split]:,} snippets)"
            for split, count in facts["videos"].items()
        )
        return [
            f"{facts['name']}: {sizes}, {len(facts['classes'])} classes, "
            f"{facts['feature_dim']} columns of {facts['dtype']}, in {self.path}",
            *(f"note: {text}" for text in facts["notes"]),
        ]


def import_data(
    request: ImportRequest,
    *,
    jobs: int = 1,
    report: Report = lambda done, total: None,
    say: Callable[[str], None] = lambda text: None,
) -> Imported:
    """Reads a source, checks everything in it and writes the store.

    Args:
        request: what is asked for.
        jobs: files that are read at once.
        report: is told (videos done, videos in all).
        say: is told what was recognised.

    Raises:
        UsageError: names or options that cannot be right.
        DataError: a source that is not what it should be; every problem is told.
    """
    name = _name(request)
    root = store_path(name)
    if is_store(root) and not request.replace:
        raise UsageError(
            f"a data set {name!r} is there already, in {root}",
            hint="--replace imports it again, --as NAME gives the new one another name",
        )
    card = _card(name)
    source = _read(request, card)
    say(f"recognised {request.path}: {source.layout}, {len(source.videos)} videos")
    form = _form(request, source, card, name)
    if card is not None:
        remarks = (*_known_files(request, card), *_compare(source, card))
        source = replace(source, notes=(*source.notes, *remarks))
    make_folder(root.parent)
    return Imported(root, write_store(source, root, form, jobs=jobs, report=report))


def validate(
    request: ImportRequest, *, jobs: int = 1, report: Report = lambda done, total: None
) -> Validation:
    """Everything that is wrong with a source, or with an imported data set.

    Args:
        request: `path` is a source, or a store or the name of one where it stands alone.
        jobs: files that are read at once.
        report: is told (videos done, videos in all).

    Raises:
        UsageError: options that cannot be right.
        DataError: nothing that could be looked at.
    """
    if request.dataset is None:
        for root in (request.path, store_path(str(request.path))):
            if is_store(root):
                return validate_store(root, jobs=jobs, report=report)
    if request.dataset is None and not request.path.exists():
        raise DataError(
            f"no such folder, and no imported data set of that name in {data_root()}",
            path=request.path,
        )
    name = request.name or request.dataset or "unnamed"
    card = _card(name)
    source = _read(request, card)
    return validate_source(source, _form(request, source, card, name), jobs=jobs, report=report)


def _name(request: ImportRequest) -> str:
    if request.dataset is not None:
        _importer(request.dataset)  # a wrong name is said before anything else
    name = request.name or request.dataset
    if name is None:
        raise UsageError(
            "the data set needs a name",
            hint="--as NAME; the name of a known data set brings its fps, stride and classes: "
            + ", ".join(sorted(_known())),
        )
    if not _NAME.fullmatch(name) or "--" in name:
        raise UsageError(
            f"a data set cannot be called {name!r}",
            hint="letters, digits and single . _ + @ - make a name",
        )
    return name


def _known() -> dict[str, type[StoredDataset]]:
    """Installed data sets that live in a store, by the store's name."""
    found: dict[str, type[StoredDataset]] = {}
    for plugin in plugins.available("datasets"):
        kind: type[Dataset] = plugins.load("datasets", plugin)
        if issubclass(kind, StoredDataset) and kind.store_name:
            found.setdefault(kind.store_name, kind)
    return found


def _card(name: str) -> Card | None:
    kind = _known().get(name)
    return None if kind is None else kind.facts


def _importer(name: str) -> Callable[[Path], Source]:
    """What reads a data set's own archive.

    Raises:
        UsageError: there is no such data set, or it has no archive of its own.
    """
    able = {store: kind for store, kind in _known().items() if kind.reads_archive}
    if name not in able:
        raise UsageError(
            f"no data set {name!r} that reads an archive of its own",
            hint=did_you_mean(name, able) + "; for a folder of features write SRC --as NAME",
        )
    return able[name].import_source


def _read(request: ImportRequest, card: Card | None) -> Source:
    """The source, with what the request and a `dataset.yaml` in it say besides."""
    if request.dataset is not None:
        source = _importer(request.dataset)(request.path)
    else:
        source = recognise(request.path).read(request.path, card)
    described = _description(request.path)
    source = _with_truths(source, request.truths, card)
    if described is not None:
        source = replace(source, fps=described.fps, stride=described.stride)
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


def _form(request: ImportRequest, source: Source, card: Card | None, name: str) -> Form:
    """How the store is written: what was asked for, else the card, else the source.

    Raises:
        UsageError: nobody knows the grid.
    """
    fps = request.fps or (card.fps if card else None) or source.fps
    stride = request.stride or (card.stride if card else None) or source.stride
    if fps is None or stride is None:
        raise UsageError(
            "neither the source nor a card says how snippets lie in time",
            hint="--fps FRAMES_PER_SECOND --stride FRAMES",
        )
    overhang = card.overhang if card and request.overhang is None else request.overhang
    return Form(
        name=name,
        fps=fps,
        stride=stride,
        dtype=request.dtype,
        classes=(card.class_names or None) if card else None,
        streams=dict(card.streams) if card else {},
        overhang=overhang,
        overlong=card.overlong if card else frozenset(),
    )


def _compare(source: Source, card: Card) -> list[str]:
    """What the source has in common with the published data set, and what not, in words.

    Raises:
        DataError: another number of classes.
    """
    names = source.truths["default"]["train"].class_names
    if card.num_classes is not None and len(names) != card.num_classes:
        raise DataError(
            f"truth shows {len(names)} classes; the published data set has {card.num_classes}",
            hint="--as another NAME takes any classes",
            path=source.root,
        )
    said = []
    for split, usual in card.videos.items():
        count = sum(video.split == split for video in source.videos)
        if count not in usual:
            published = " or ".join(map(str, usual))
            said.append(f"{count} {split} videos; published lists have {published}")
    return said


def _known_files(request: ImportRequest, card: Card) -> list[str]:
    """Which of the truth files are known by their checksum."""
    candidates = [request.path / "gt.json"]
    candidates += [Path(text.rpartition("=")[2]).expanduser() for text in request.truths]
    said = []
    for path in candidates:
        if path.is_file():
            digest = sha256(path.read_bytes()).hexdigest()
            known = [file for file in card.truth_files if file.sha256 == digest]
            said += [f"{path.name} is {file.name}: {file.remark}" for file in known]
            if not known and card.truth_files:
                said.append(f"{path.name} is none of the truth files that are known here")
    return said
