"""Small sources in exactly the published layouts: two training videos, two test videos.

Every video lasts 6.4 s: 10 snippets of 16 frames at 25 frames a second. Odd videos show `run`, even
ones `jump`; column c of snippet t holds t + c / 100 plus ten times the video's number.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

LENGTH = 10
WIDTH = 4


@dataclass(frozen=True)
class MadeUp:
    """A video of the sources."""

    name: str
    split: str
    number: int

    @property
    def label(self) -> str:
        return "run" if self.number % 2 else "jump"

    @property
    def segment(self) -> list[float]:
        return [0.64 * self.number, 0.64 * self.number + 1.92]

    @property
    def features(self) -> NDArray[np.float32]:
        rows = np.arange(LENGTH)[:, None] + np.arange(WIDTH) / 100 + 10 * self.number
        return rows.astype(np.float32)


VIDEOS = tuple(
    MadeUp(f"video_{split}_{number}", split, number)
    for split, numbers in (("train", (0, 1)), ("test", (2, 3)))
    for number in numbers
)


def truth(as_text: bool = False, subsets: dict[str, str] | None = None) -> dict[str, Any]:
    """The truth in the form of ActivityNet; BaS-Net writes its numbers as text."""
    return {
        "database": {
            video.name: {
                "subset": (subsets or {}).get(video.split, video.split),
                "annotations": [
                    {
                        "segment": [str(t) if as_text else t for t in video.segment],
                        "label": video.label,
                    }
                ],
            }
            for video in VIDEOS
        }
    }


def write_lists(root: Path) -> None:
    for split in ("train", "test"):
        names = [video.name for video in VIDEOS if video.split == split]
        (root / f"split_{split}.txt").write_text("\n".join(names) + "\n")


def write_acm(root: Path) -> Path:
    """ACM-Net, FTCL, ASM-Loc."""
    root.mkdir(parents=True, exist_ok=True)
    write_lists(root)
    (root / "gt.json").write_text(json.dumps(truth()))
    for video in VIDEOS:
        (root / video.split).mkdir(exist_ok=True)
        np.save(root / video.split / f"{video.name}.npy", video.features)
    return root


def write_basnet(root: Path) -> Path:
    """BaS-Net, UM, CoLA: a folder for each stream."""
    root.mkdir(parents=True, exist_ok=True)
    write_lists(root)
    (root / "gt.json").write_text(json.dumps(truth(as_text=True)))
    for video in VIDEOS:
        for stream, columns in (("rgb", slice(0, 2)), ("flow", slice(2, 4))):
            folder = root / "features" / video.split / stream
            folder.mkdir(parents=True, exist_ok=True)
            np.save(folder / f"{video.name}.npy", video.features[:, columns])
    return root


def write_wtalc(root: Path, subsets: tuple[str, str] = ("validation", "test")) -> Path:
    """W-TALC and its followers: one object array, a folder of annotation arrays in bytes."""
    folder = root / "Thumos14reduced-Annotations"
    folder.mkdir(parents=True, exist_ok=True)
    names = dict(zip(("train", "test"), subsets, strict=True))
    objects: dict[str, list[Any]] = {
        "features": [video.features for video in VIDEOS],
        "segments": [[video.segment] for video in VIDEOS],
        "labels": [[video.label.encode()] for video in VIDEOS],
        "labels_all": [[video.label.encode()] for video in VIDEOS],
    }
    for name, values in objects.items():
        array = np.empty(len(values), dtype=object)
        array[:] = values
        path = folder / f"{name}.npy"
        if name == "features":
            path = root / "Thumos14reduced-I3D-JOINTFeatures.npy"
        np.save(path, array, allow_pickle=True)
    np.save(folder / "videoname.npy", np.array([video.name.encode() for video in VIDEOS]))
    np.save(folder / "subset.npy", np.array([names[video.split].encode() for video in VIDEOS]))
    np.save(folder / "classlist.npy", np.array([b"jump", b"run"]))
    (folder / "Ambiguous_test.txt").write_text("video_test_2  0.0 0.5\n")
    return root


def write_per_video(root: Path, form: str) -> Path:
    """One file for each video, of the form `npy`, `npz`, `h5` or `pt`."""
    (root / "features").mkdir(parents=True, exist_ok=True)
    (root / "truth.json").write_text(json.dumps(truth()))
    for video in VIDEOS:
        write_array(root / "features" / f"{video.name}.{form}", video.features)
    return root


def write_array(path: Path, array: NDArray[Any]) -> None:
    if path.suffix == ".npy":
        np.save(path, array)
    elif path.suffix == ".npz":
        np.savez(path, features=array)
    elif path.suffix == ".h5":
        import h5py  # type: ignore[import-untyped]

        with h5py.File(path, "w") as file:
            file["features"] = array
    else:
        import torch

        torch.save(torch.from_numpy(array), path)
