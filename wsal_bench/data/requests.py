"""What `wsal-bench data import` asks for, and how it comes about."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wsal_bench import plugins
from wsal_bench.api import Dataset
from wsal_bench.data.card import Card
from wsal_bench.data.importing import Dtype, Form, Report, write_store
from wsal_bench.data.places import store_path
from wsal_bench.data.source import Source
from wsal_bench.data.store import Index, is_store
from wsal_bench.data.stored import StoredDataset
from wsal_bench.errors import UsageError, did_you_mean
from wsal_bench.files import make_folder

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
        replace: an older data set of that name may be replaced.
    """

    path: Path
    dataset: str | None = None
    name: str | None = None
    fps: float | None = None
    stride: float | None = None
    dtype: Dtype | None = None
    overhang: float | None = None
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
    make_folder(root.parent)
    return Imported(root, write_store(source, root, form, jobs=jobs, report=report))


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
    if request.dataset is not None:
        return _importer(request.dataset)(request.path)
    raise NotImplementedError


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
    return Form(
        name=name,
        fps=fps,
        stride=stride,
        dtype=request.dtype,
        classes=(card.class_names or None) if card else None,
        width=max((last for _, last in source.streams.values()), default=None),
        overhang=request.overhang,
    )
