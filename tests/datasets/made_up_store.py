"""A small store for any imported data set: four videos, classes as the data set knows them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from wsal_bench import plugins
from wsal_bench.api import SPLITS, Split
from wsal_bench.data.importing import Form, write_store
from wsal_bench.data.source import Source, SourceVideo
from wsal_bench.data.stored import StoredDataset
from wsal_bench.types import GroundTruth
from wsal_datasets._hapt_archive import NAMES as ACTIVITIES

WIDTH = 6
LENGTH = 12


def stored_data_sets() -> list[str]:
    """Installed data sets that read a store below the data root."""
    return [
        name
        for name in plugins.available("datasets")
        if issubclass(plugins.load("datasets", name), StoredDataset)
        and plugins.load("datasets", name).store_name
    ]


def write_made_up(name: str, root: Path) -> Path:
    """The store of a data set below a data root; videos 0 and 2 show one class, 1 and 3 another."""
    kind: type[StoredDataset] = plugins.load("datasets", name)
    known = kind.facts.class_names if kind.facts else ACTIVITIES
    classes = known or ("jump", "run")
    truths: dict[Split, GroundTruth] = {}
    videos = []
    for split in SPLITS:
        names = tuple(f"video_{split}_{number:07d}" for number in range(4))
        truths[split] = GroundTruth(
            video=np.arange(4),
            start=np.array([0.5, 1.0, 1.5, 2.0]),
            end=np.array([2.5, 3.0, 3.5, 4.0]),
            label=len(classes) - 1 - np.arange(4) % 2,
            video_ids=names,
            class_names=classes,
        )
        for number, video in enumerate(names):
            rows = np.random.default_rng(number + 10 * (split == "test")).random((LENGTH, WIDTH))
            features = rows.astype(np.float32)
            videos.append(
                SourceVideo(
                    video_id=video,
                    split=split,
                    read=lambda features=features: features,  # type: ignore[misc]
                    origin=root,
                    stamp="",
                    labels=(classes[-1 - number % 2],),
                )
            )
    source = Source("made up", root, tuple(videos), {"default": truths})
    store = root / kind.store_name
    write_store(source, store, Form(kind.store_name, fps=25, stride=16))
    return store
