"""W-TALC, CO2-Net, DELU, DDG-Net, P-MIL: one file of all features, a folder of annotation arrays.

ROOT/<name>-I3D-JOINTFeatures.npy   object array of [T, 2048], index shared with all files below
ROOT/<name>-Annotations/            or ROOT itself, or any folder of ROOT
    videoname.npy, subset.npy, segments.npy, labels.npy, labels_all.npy, classlist.npy
    Ambiguous_test.txt              stretches nobody is sure of; may be absent
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsal_bench.data.card import Card
from wsal_bench.data.layouts._objects import read_objects, text
from wsal_bench.data.layouts.truth import same_classes
from wsal_bench.data.source import Source, SourceVideo, stamp
from wsal_bench.errors import DataError
from wsal_bench.evaluation.formats import with_ambiguous
from wsal_bench.plugins.contract import SPLITS, Split
from wsal_bench.types import GroundTruth

NAME = "wtalc (W-TALC, CO2-Net, DELU, DDG-Net, P-MIL)"
LOOKED_FOR = "*JOINTFeatures.npy and videoname.npy, subset.npy, segments.npy, labels.npy beside it"
_PARTS = ("videoname", "subset", "segments", "labels")
# which subset is which split: THUMOS14 learns from validation, ActivityNet is tested on it
_SPLITS: tuple[dict[str, Split], ...] = (
    {"validation": "train", "test": "test"},
    {"training": "train", "validation": "test"},
    {"train": "train", "test": "test"},
)


def matches(root: Path) -> bool:
    """Whether a folder looks like this layout."""
    return bool(_features_file(root)) and _annotations(root) is not None


def read(root: Path, card: Card | None) -> Source:
    """What lies there. The features, one pickle, are read when the first video is.

    Raises:
        DataError: an annotation file is missing or wrong inside, or asks for anything but arrays.
    """
    file = _features_file(root)[0]
    folder = _annotations(root)
    if folder is None:
        raise DataError(f"no folder with {', '.join(f'{part}.npy' for part in _PARTS)}", path=root)
    rows = read_rows(folder)
    features = _Features(file)
    videos = [
        SourceVideo(
            video_id=row.name,
            split=row.split,
            read=partial(features.video, row.index),
            origin=file,
            stamp=f"{stamp(file)} {row.index}",
            labels=row.labels_all,
        )
        for row in rows
    ]
    return Source(
        layout=NAME,
        root=root,
        videos=tuple(videos),
        truths={"default": truth_of(rows, folder, card)},
    )


@dataclass(frozen=True)
class Row:
    """A video of the annotation arrays.

    Args:
        index: in every array.
        name: of the video.
        split: where it belongs.
        segments: [M, 2] seconds.
        labels: M class names.
        labels_all: the video's classes as the source lists them; None: it does not.
    """

    index: int
    name: str
    split: Split
    segments: NDArray[np.float64]
    labels: tuple[str, ...]
    labels_all: tuple[str, ...] | None


def read_rows(folder: Path) -> list[Row]:
    """All videos of an annotation folder, training first, in the arrays' order.

    Raises:
        DataError: an array is missing, of another length, or wrong inside.
    """
    arrays = {part: read_objects(folder / f"{part}.npy") for part in _PARTS}
    if (folder / "labels_all.npy").is_file():
        arrays["labels_all"] = read_objects(folder / "labels_all.npy")
    lengths = {part: len(array) for part, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        raise DataError(f"annotation arrays differ in length: {lengths}", path=folder)
    try:
        subsets = [text(value) for value in arrays["subset"]]
        splits = next((table for table in _SPLITS if set(subsets) <= set(table)), None)
        if splits is None:
            raise ValueError(f"subsets are {sorted(set(subsets))}")
        rows = [_row(index, splits[subset], arrays) for index, subset in enumerate(subsets)]
    except (ValueError, TypeError, UnicodeDecodeError) as error:
        raise DataError(f"annotation arrays are wrong inside ({error})", path=folder) from error
    return sorted(rows, key=lambda row: row.split != "train")  # stable


def truth_of(rows: Sequence[Row], folder: Path, card: Card | None) -> dict[Split, GroundTruth]:
    """The truth of both splits.

    Raises:
        DataError: the list of ambiguous stretches is wrong inside.
    """
    names = tuple(sorted({label for row in rows for label in row.labels}))
    truths = {split: _split_truth(rows, split, names) for split in SPLITS}
    unsure = folder / "Ambiguous_test.txt"
    if unsure.is_file():
        truths["test"] = with_ambiguous(truths["test"], unsure)
    return same_classes(truths, card)


class _Features:
    """The object array, read once, by whichever thread is first."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._rows: NDArray[Any] | None = None

    def video(self, index: int) -> NDArray[Any]:
        with self._lock:
            if self._rows is None:
                self._rows = read_objects(self.path)
        if index >= len(self._rows):
            raise DataError(
                f"holds {len(self._rows)} videos, but the annotations name more", path=self.path
            )
        return np.asarray(self._rows[index])


def _row(index: int, split: Split, arrays: dict[str, NDArray[Any]]) -> Row:
    name = text(arrays["videoname"][index])
    labels = tuple(text(label) for label in arrays["labels"][index])
    segments = np.asarray(arrays["segments"][index], dtype=np.float64).reshape(-1, 2)
    if len(labels) != len(segments):
        raise ValueError(f"video {name!r} has {len(segments)} segments and {len(labels)} labels")
    listed = arrays["labels_all"][index] if "labels_all" in arrays else None
    classes = None if listed is None else tuple(dict.fromkeys(text(one) for one in listed))
    return Row(index, name, split, segments, labels, classes)


def _split_truth(rows: Sequence[Row], split: str, names: tuple[str, ...]) -> GroundTruth:
    """In the arrays' order; a segment that is named twice with the same class stays twice."""
    mine = [row for row in rows if row.split == split]
    index = {name: number for number, name in enumerate(names)}
    counts = [len(row.segments) for row in mine]
    borders = np.concatenate([row.segments for row in mine]) if mine else np.empty((0, 2))
    return GroundTruth(
        video=np.repeat(np.arange(len(mine)), counts),
        start=borders[:, 0].copy(),
        end=borders[:, 1].copy(),
        label=np.array([index[label] for row in mine for label in row.labels], dtype=np.int64),
        video_ids=tuple(row.name for row in mine),
        class_names=names,
    )


def _features_file(root: Path) -> list[Path]:
    return sorted(root.glob("*JOINTFeatures.npy")) if root.is_dir() else []


def _annotations(root: Path) -> Path | None:
    """ROOT or a folder in it that holds all arrays."""
    for folder in (root, *sorted(path for path in root.iterdir() if path.is_dir())):
        if all((folder / f"{part}.npy").is_file() for part in _PARTS):
            return folder
    return None
