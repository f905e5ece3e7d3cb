"""What `wsal-bench data import` asks for, and how it comes about."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from wsal_bench.data import store
from wsal_bench.data.card import Card
from wsal_bench.data.importing import Form, write_store
from wsal_bench.data.index import Index
from wsal_bench.data.opening import ImportRequest, card_of, importer, known, read_request
from wsal_bench.data.places import data_root, store_path
from wsal_bench.data.reading import Report
from wsal_bench.data.source import Source
from wsal_bench.data.store import is_store
from wsal_bench.data.validating import Validation, validate_source, validate_store
from wsal_bench.errors import DataError, UsageError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+@-]*")


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
    card = card_of(name)
    source = read_request(request, card)
    say(f"recognised {request.path}: {source.layout}, {len(source.videos)} videos")
    form = _form(request, source, card, name)
    if card is not None:
        remarks = (*_known_files(request, card), *_compare(source, card))
        source = replace(source, notes=(*source.notes, *remarks))
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
    root = _store_of(request)
    if root is not None:
        return validate_store(root, jobs=jobs, report=report)
    if request.dataset is None and not request.path.exists():
        raise DataError(
            f"no such folder, and no imported data set of that name in {data_root()}",
            path=request.path,
        )
    name = request.name or request.dataset or "unnamed"
    card = card_of(name)
    source = read_request(request, card)
    return validate_source(source, _form(request, source, card, name), jobs=jobs, report=report)


def seal(request: ImportRequest) -> bool:
    """Gives an imported data set of the first schema its seal; False where it has one.

    Args:
        request: as of `validate`.

    Raises:
        UsageError: it is no imported data set.
        DataError: it is not what was imported, or cannot be written.
    """
    root = _store_of(request)
    if root is None:
        raise UsageError(
            f"{str(request.path)!r} is no imported data set, and only those have a seal",
            hint="leave out --seal",
        )
    return store.seal(root)


def _store_of(request: ImportRequest) -> Path | None:
    """The store that a path, or a name alone, means; None where it is something else."""
    if request.dataset is None:
        for root in (request.path, store_path(str(request.path))):
            if is_store(root):
                return root
    return None


def _name(request: ImportRequest) -> str:
    if request.dataset is not None:
        importer(request.dataset)  # a wrong name is said before anything else
    name = request.name or request.dataset
    if name is None:
        raise UsageError(
            "the data set needs a name",
            hint="--as NAME; the name of a known data set brings its fps, stride and classes: "
            + ", ".join(sorted(known())),
        )
    if not _NAME.fullmatch(name) or "--" in name:
        raise UsageError(
            f"a data set cannot be called {name!r}",
            hint="letters, digits and single . _ + @ - make a name",
        )
    return name


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
