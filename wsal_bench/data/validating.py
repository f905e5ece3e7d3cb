"""All that is wrong with a source or a store, in one report."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsal_bench.data.doubts import doubts
from wsal_bench.data.importing import Form
from wsal_bench.data.index import unsealed
from wsal_bench.data.packed import PackedFeatures
from wsal_bench.data.problems import Problem, source_problems, unused_truth
from wsal_bench.data.reading import Reader, Report
from wsal_bench.data.source import Source, SourceVideo
from wsal_bench.data.store import Store
from wsal_bench.errors import DataError
from wsal_bench.plugins.contract import SPLITS


@dataclass(frozen=True)
class Validation:
    """What was found.

    Args:
        root: what was looked at.
        layout: what it was recognised as.
        videos: how many were read.
        problems: all of them.
        notes: what is unusual and no problem.
        warnings: what is no mistake for certain, but probably one.
    """

    root: Path
    layout: str
    videos: int
    problems: tuple[Problem, ...]
    notes: tuple[str, ...] = ()
    warnings: tuple[Problem, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "path": str(self.root),
            "layout": self.layout,
            "videos": self.videos,
            "ok": not self.problems,
            "problems": [problem.to_json() for problem in self.problems],
            "notes": list(self.notes),
            "warnings": [problem.to_json() for problem in self.warnings],
        }


def validate_source(
    source: Source, form: Form, *, jobs: int = 1, report: Report = lambda done, total: None
) -> Validation:
    """Looks at lists, truth and every number of a source.

    Args:
        source: as recognised.
        form: what a store of it would be like.
        jobs: files that are read at once.
        report: is told after each video.
    """
    problems = source_problems(source, form.classes)
    reader = Reader(source, form.wanted, jobs, form.overlong)
    for done, _ in enumerate(reader.checked(source.videos), start=1):
        report(done, len(source.videos))
    return Validation(
        root=source.root,
        layout=source.layout,
        videos=len(source.videos),
        problems=(*problems, *reader.verdict()),
        notes=(*source.notes, *unused_truth(source)),
        warnings=tuple(doubts(source)),
    )


def validate_store(
    root: Path, *, jobs: int = 1, report: Report = lambda done, total: None
) -> Validation:
    """The same of an imported data set, and whether its bytes are those that were written."""
    try:
        store = Store(root)
        truths = store.truths
    except DataError as error:
        return Validation(root, "store", 0, (Problem.of(error, "store"),))
    index = store.index
    source = Source(
        layout=f"store, imported from {index.layout}",
        root=root,
        videos=_videos(store),
        truths=truths,
    )
    form = Form(index.name, index.fps, index.stride, overhang=np.inf, width=index.feature_dim)
    found = validate_source(source, form, jobs=jobs, report=report)
    changed = [Problem.of(error, "checksum") for error in store.changed_truths()]
    notes = () if index.is_sealed else (unsealed(root),)
    return Validation(
        root=root,
        layout=source.layout,
        videos=found.videos,
        problems=(*changed, *found.problems),
        notes=(*found.notes, *notes),
        warnings=found.warnings,
    )


def _videos(store: Store) -> tuple[SourceVideo, ...]:
    videos = []
    for split in SPLITS:
        features = store.features(split)
        for entry in store.index.videos[split]:
            rows = features[entry.video_id]
            videos.append(
                SourceVideo(
                    video_id=entry.video_id,
                    split=split,
                    read=partial(_rows, rows, entry.sha256),
                    origin=rows.file.path,
                    stamp=entry.sha256,
                    group=entry.group,
                )
            )
    return tuple(videos)


def _rows(features: PackedFeatures, digest: str) -> NDArray[Any]:
    """The rows of a video, if they are those that were imported.

    Raises:
        ChangedError: they are not.
    """
    rows = features.view()
    features.compare(rows, f"sha256:{digest}")
    return rows
