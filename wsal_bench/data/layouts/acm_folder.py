"""ACM-Net, FTCL, ASM-Loc: one file of both streams for each video.

ROOT/gt.json                               truth in the form of ActivityNet
ROOT/split_train.txt, split_test.txt       names of the videos, one per line
ROOT/train/<video>.npy, test/<video>.npy   features [T, D], rgb first
"""

from __future__ import annotations

from pathlib import Path

from wsal_bench.data.arrays import file_of
from wsal_bench.data.card import Card
from wsal_bench.data.layouts import acm
from wsal_bench.data.layouts.truth import read_truth
from wsal_bench.data.source import Source
from wsal_bench.plugins.contract import SPLITS

NAME = "acm (ACM-Net, FTCL, ASM-Loc)"
LOOKED_FOR = "gt.json, split_train.txt, split_test.txt, train/*.npy, test/*.npy"


def matches(root: Path) -> bool:
    """Whether a folder looks like this layout."""
    return all(
        acm.list_path(root, split).is_file()
        and (root / split).is_dir()
        and not (root / split / "rgb").is_dir()
        for split in SPLITS
    )


def read(root: Path, card: Card | None) -> Source:
    """What lies there.

    Raises:
        DataError: lists or truth are missing or wrong inside.
    """
    notes: list[str] = []
    truths = read_truth(acm.truth_path(root), card, notes)
    videos = [
        file_of(name, split, root / split / f"{name}.npy")
        for split in SPLITS
        for name in acm.read_list(acm.list_path(root, split))
    ]
    return Source(
        layout=NAME,
        root=root,
        videos=tuple(videos),
        truths={"default": truths},
        notes=tuple(notes),
    )
