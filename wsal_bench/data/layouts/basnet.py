"""BaS-Net, UM, CoLA: a folder of files for each stream.

ROOT/gt.json                                      truth, its numbers often written as text
ROOT/split_train.txt, split_test.txt              names of the videos, one per line
ROOT/features/{train,test}/{rgb,flow}/<video>.npy features [T, D / 2] of one stream

The features may lie in ROOT/{train,test}/... too.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wsal_bench.data.arrays import read_array
from wsal_bench.data.card import Card
from wsal_bench.data.layouts import acm
from wsal_bench.data.layouts.truth import read_truth
from wsal_bench.data.source import Source, SourceVideo, stamp
from wsal_bench.errors import DataError
from wsal_bench.plugins.contract import SPLITS, Split

NAME = "basnet (BaS-Net, UM, CoLA)"
LOOKED_FOR = "gt.json, split_*.txt, features/{train,test}/{rgb,flow}/*.npy"
STREAMS: Final = ("rgb", "flow")


def matches(root: Path) -> bool:
    """Whether a folder looks like this layout."""
    return all((_folder(root, split) / stream).is_dir() for split in SPLITS for stream in STREAMS)


def read(root: Path, card: Card | None) -> Source:
    """What lies there; the streams of a video are put side by side, rgb first.

    Raises:
        DataError: lists or truth are missing or wrong inside.
    """
    notes: list[str] = []
    truths = read_truth(acm.truth_path(root), card, notes)
    videos = [
        _video(name, split, _folder(root, split))
        for split in SPLITS
        for name in acm.read_list(acm.list_path(root, split))
    ]
    return Source(
        layout=NAME,
        root=root,
        videos=tuple(videos),
        truths={"default": truths},
        streams=_widths(root, videos),
        notes=tuple(notes),
    )


def _video(name: str, split: Split, folder: Path) -> SourceVideo:
    paths = [folder / stream / f"{name}.npy" for stream in STREAMS]
    return SourceVideo(
        video_id=name,
        split=split,
        read=partial(_both, *paths),
        origin=paths[0],
        stamp=" ".join(map(stamp, paths)),
    )


def _folder(root: Path, split: Split) -> Path:
    nested = root / "features" / split
    return nested if nested.is_dir() else root / split


def _both(rgb: Path, flow: Path) -> NDArray[Any]:
    """[T, D] of both streams.

    Raises:
        DataError: a file cannot be read, or they differ in length.
    """
    streams = [read_array(rgb), read_array(flow)]
    shapes = [stream.shape for stream in streams]
    if any(len(shape) != 2 for shape in shapes) or shapes[0][0] != shapes[1][0]:
        raise DataError(
            f"rgb has shape {shapes[0]}, flow {shapes[1]}; both must be [snippets, columns] with "
            "the same snippets",
            path=flow,
        )
    return np.concatenate(streams, axis=1)


def _widths(root: Path, videos: list[SourceVideo]) -> dict[str, tuple[int, int]]:
    """Columns of the streams, from the first video that can be read."""
    for video in videos:
        try:
            rgb = read_array(video.origin)
            whole = video.read()
        except DataError:
            continue  # it is among the problems that the import lists
        return {"rgb": (0, rgb.shape[1]), "flow": (rgb.shape[1], whole.shape[1])}
    return {}
