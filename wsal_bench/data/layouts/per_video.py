"""A folder with one file for each video, and a truth file.

ROOT/<video>.npy, .npz, .h5 or .pt    features [T, D]; or in ROOT/features, ROOT/{train,test}
ROOT/gt.json                          truth in the form of ActivityNet; or the only .json there is
ROOT/split_train.txt, split_test.txt  may be absent: then the truth's subsets say which is which
"""

from __future__ import annotations

from pathlib import Path

from wsal_bench.data.arrays import READERS, file_of
from wsal_bench.data.card import Card
from wsal_bench.data.layouts import acm
from wsal_bench.data.layouts.truth import read_truth
from wsal_bench.data.source import Source
from wsal_bench.errors import DataError, first_of
from wsal_bench.plugins.contract import SPLITS, Split
from wsal_bench.types import GroundTruth

NAME = "per-video (one file for each video)"
LOOKED_FOR = "gt.json or one .json, <video>.npy, .npz, .h5 or .pt in the folder or in features/"


def matches(root: Path) -> bool:
    """Whether a folder looks like this layout and like none of the others."""
    return bool(_truth_file(root)) and bool(_files(root))


def read(root: Path, card: Card | None) -> Source:
    """What lies there.

    Raises:
        DataError: truth or lists are missing or wrong inside, or a video has two files.
    """
    notes: list[str] = []
    truth_file = _truth_file(root)
    if len(truth_file) != 1:
        found = ", ".join(path.name for path in truth_file) or "none"
        raise DataError(f"there must be one truth file, but there are: {found}", path=root)
    truths = read_truth(truth_file[0], card, notes)
    by_name = _by_name(_files(root), root)
    videos = []
    for split in SPLITS:
        for name in _names(root, split, truths[split], by_name, notes):
            path = by_name.get(name, root / f"{name}.npy")
            videos.append(file_of(name, split, path))
    known = {video.video_id for video in videos}
    unused = [name for name in by_name if name not in known]
    if unused:
        notes.append(
            f"{len(unused)} of {len(by_name)} feature files are of no video of the truth: "
            + first_of(unused)
        )
    return Source(
        layout=NAME,
        root=root,
        videos=tuple(videos),
        truths={"default": truths},
        notes=tuple(notes),
    )


def _names(
    root: Path, split: Split, truth: GroundTruth, files: dict[str, Path], notes: list[str]
) -> tuple[str, ...]:
    """Videos of a split: those of its list, else those of the truth that have features."""
    path = acm.list_path(root, split)
    if path.is_file():
        return acm.read_list(path)
    named = tuple(name for name in truth.video_ids if name in files)
    if not named:
        raise DataError(
            f"no feature file is called like a {split} video of the truth; files: "
            f"{first_of(list(files))}; truth: {first_of(truth.video_ids)}",
            path=root,
        )
    return named


def _truth_file(root: Path) -> list[Path]:
    if (root / "gt.json").is_file():
        return [root / "gt.json"]
    return sorted(root.glob("*.json"))


def _files(root: Path) -> list[Path]:
    folders = [root, root / "features", *(root / split for split in SPLITS)]
    return [
        path
        for folder in folders
        if folder.is_dir()
        for path in sorted(folder.iterdir())
        if path.suffix in READERS and path.is_file()
    ]


def _by_name(files: list[Path], root: Path) -> dict[str, Path]:
    by_name: dict[str, Path] = {}
    for path in files:
        other = by_name.setdefault(path.stem, path)
        if other != path:
            raise DataError(
                f"video {path.stem!r} has two files: {other.relative_to(root)} and "
                f"{path.relative_to(root)}",
                path=root,
            )
    return by_name
