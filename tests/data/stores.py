"""Stores that tests write by hand: features made up video by video, written as they are made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsal_bench.api import Split
from wsal_bench.data.index import Entry, Index, write_index
from wsal_bench.data.packed import checksum
from wsal_bench.data.store import features_path, truth_path
from wsal_bench.evaluation.formats import truth_to_npz
from wsal_bench.types import GroundTruth

Make = Callable[[Split, int, int], NDArray[Any]]
"""Split, number of the video in it, its length T -> its features [T, D] in float16."""


def write_store(
    root: Path,
    lengths: Mapping[Split, Sequence[int]],
    make: Make,
    *,
    dim: int,
    class_names: tuple[str, ...] = ("run", "jump"),
) -> Path:
    """A store of some videos at THUMOS14's pace; video i shows class i, and is called train-i.

    Args:
        root: its folder, which may be there.
        lengths: snippets of each video.
        make: their features.
        dim: D.
        class_names: the classes, in turn.
    """
    (root / "truth").mkdir(parents=True, exist_ok=True)
    videos: dict[Split, tuple[Entry, ...]] = {}
    for split, snippets in lengths.items():
        borders = np.concatenate([[0], np.cumsum(snippets)])
        rows = np.lib.format.open_memmap(
            features_path(root, split), "w+", np.float16, (int(borders[-1]), dim)
        )
        for number, (first, end) in enumerate(pairwise(borders)):
            rows[first:end] = make(split, number, int(end - first))
        rows.flush()
        names = tuple(f"{split}-{number}" for number in range(len(snippets)))
        videos[split] = tuple(
            Entry(
                video_id=name,
                first=int(at),
                length=num,
                group="",
                labels=None,
                sha256=checksum(rows[at : at + num].data, "sha256"),
                crc32=checksum(rows[at : at + num].data, "crc32"),
            )
            for name, at, num in zip(names, borders, snippets, strict=False)
        )
        count = len(names)
        truth = GroundTruth(
            video=np.arange(count),
            start=np.zeros(count),
            end=np.full(count, 0.5),
            label=np.arange(count) % len(class_names),
            video_ids=names,
            class_names=class_names,
        )
        truth_to_npz(truth, truth_path(root, "default", split))
    index = Index(
        name="made-up",
        layout="by hand",
        fps=25,
        stride=16,
        class_names=class_names,
        feature_dim=dim,
        dtype="float16",
        streams={},
        notes=(),
        videos=videos,
        truths={
            "default": {
                split: sha256(truth_path(root, "default", split).read_bytes()).hexdigest()
                for split in lengths
            }
        },
    )
    write_index(root, index)
    return root
