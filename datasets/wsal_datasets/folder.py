"""Features and truth of one's own: `folder:PATH`, a folder in the ACM-Net layout.

PATH holds `dataset.yaml`, or is such a file. Everything is checked when the data set is opened:
each complaint is one sentence that names the file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from hashlib import sha256
from pathlib import Path

import numpy as np

from wsal_bench import api
from wsal_bench.api import Config, GroundTruth, TimeGrid, UsageError, Video, WeakVideo
from wsal_bench.data import description
from wsal_bench.data.checks import check_dimensions, check_groups, check_segments
from wsal_bench.data.layouts import acm


class Dataset(api.Dataset):
    """Features and truth in a folder of your own (folder:PATH, see docs/add-a-dataset.md)."""

    version = "1"
    takes_path = True
    card = (
        "Features, truth and split are the user's. Only listed videos count. What a number means "
        "depends on what the features have seen: features from a network that was trained with "
        "frame labels of the same videos make no weakly supervised result."
    )

    def __init__(self, config: Config, *, data_seed: int = 0, path: Path | None = None) -> None:
        super().__init__(config, data_seed=data_seed, path=path)
        if path is None:
            raise UsageError(
                "data set 'folder' needs a path",
                hint="write folder:PATH, the folder of dataset.yaml",
            )
        self._file = description.find(path)
        self._description = description.read(self._file)
        self._root = self._file.parent / self._description.root
        self._grid = TimeGrid(self._description.fps, self._description.stride)
        self.preset = self._description.preset  # type: ignore[misc]  # here it is the file's
        self._splits = acm.read(self._root, self._description.subsets, self._description.classes)
        self.class_names = self._splits["train"].truth.class_names
        self.feature_dim = self._check()

    @property
    def name(self) -> str:
        """The name that dataset.yaml gives."""
        return self._description.name

    def videos(self, split: api.Split) -> Sequence[Video]:
        """The listed videos in the list's order; features are read from disk row by row."""
        found, groups = self._splits[split], self._groups[split]
        plain = [
            Video(name, features, self._grid, group=groups[name])
            for name, features in zip(found.video_ids, found.features, strict=True)
        ]
        if split == "test":
            return plain
        labels = self._labels(found.truth)
        return [
            WeakVideo(
                video.video_id,
                video.features,
                video.grid,
                video.group,
                labels=labels[video.video_id],
            )
            for video in plain
        ]

    def fingerprint(self) -> str:
        """Digest of description, truth, lists and every feature; not of where they lie."""
        return self._fingerprint

    @cached_property
    def _fingerprint(self) -> str:
        described = self._description.to_json()
        del described["root"]
        files = [acm.truth_path(self._root), *(acm.list_path(self._root, s) for s in api.SPLITS)]
        parts: dict[str, object] = {"description": described}
        parts |= {file.name: sha256(file.read_bytes()).hexdigest() for file in files}
        for split, found in self._splits.items():
            for video, features in zip(found.video_ids, found.features, strict=True):
                parts[f"{split}/{video}"] = [features.size, features.digest()]
        return sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    @cached_property
    def _groups(self) -> dict[api.Split, dict[str, str]]:
        """Video -> group, by split."""
        return {
            split: {name: self._description.group_of(name, self._file) for name in found.video_ids}
            for split, found in self._splits.items()
        }

    def _check(self) -> int:
        """Everything that needs both features and truth, then all numbers; gives D."""
        check_groups(self._groups["train"], self._groups["test"], self._file)
        everything = [file for found in self._splits.values() for file in found.features]
        columns = check_dimensions(everything)
        for split in api.SPLITS:
            truth = self._splits[split].truth
            seconds = self._seconds(split)
            overhang = self._description.overhang
            check_segments(
                truth,
                [seconds[name] for name in truth.video_ids],
                self._grid.snippet_seconds if overhang is None else overhang,
                acm.truth_path(self._root),
            )
        for file in everything:
            file.check_values()
        return columns

    def _seconds(self, split: api.Split) -> Mapping[str, float]:
        """Video -> seconds that its features cover."""
        found = self._splits[split]
        return {
            name: self._grid.duration(len(features))
            for name, features in zip(found.video_ids, found.features, strict=True)
        }

    def _truth(self, split: api.Split, variant: str) -> GroundTruth:
        del variant  # there is one truth
        truth, seconds = self._splits[split].truth, self._seconds(split)
        return replace(
            truth,
            durations=np.array([seconds[name] for name in truth.video_ids]),
            groups=tuple(self._groups[split][name] for name in truth.video_ids),
        )

    def _labels(
        self, truth: GroundTruth
    ) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float32]]]:
        labels = np.zeros((len(truth.video_ids), len(truth.class_names)), dtype=np.float32)
        labels[truth.video, truth.label] = 1.0
        return dict(zip(truth.video_ids, labels, strict=True))
