"""A data set that was imported: what the plugins of published data sets and of stores share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from wsal_bench.config import Config as BaseConfig
from wsal_bench.data.card import Card
from wsal_bench.data.checks import check_groups, only_classes
from wsal_bench.data.index import unsealed
from wsal_bench.data.places import store_path
from wsal_bench.data.placing import INDEX
from wsal_bench.data.source import Source
from wsal_bench.data.store import Store, is_store
from wsal_bench.errors import DataError
from wsal_bench.plugins import contract as api
from wsal_bench.timegrid import TimeGrid
from wsal_bench.types import GroundTruth, Video, WeakVideo


class StoredConfig(BaseConfig):
    """Options of imported data sets."""

    # where a training video's labels come from: the classes of its true segments, or what the
    # source says of the whole video
    label_source: Literal["truth", "metadata"] = "truth"


class StoredDataset(api.Dataset):
    """An imported data set; a subclass names its store and may leave out videos or classes.

    Raises:
        DataError: not imported yet, or a wrong file in the store.
    """

    Config = StoredConfig
    store_name: ClassVar[str] = ""
    """Folder below the data root; empty: `path` is the store."""
    facts: ClassVar[Card | None] = None
    """What is published about the data set; the importer checks against it."""

    scores_missing: ClassVar[bool] = False
    """True where true segments in videos without features count, as misses; else those videos
    are neither trained on nor scored."""
    reads_archive: ClassVar[bool] = False
    """True where `import_source` reads an archive of the data set's own form."""

    config: Any

    def __init__(self, config: BaseConfig, *, data_seed: int = 0, path: Path | None = None) -> None:
        super().__init__(config, data_seed=data_seed, path=path)
        root = path or store_path(self.store_name)
        if not is_store(root):
            raise DataError(
                f"no imported data set: there is no {INDEX}",
                hint=self.how_to_import(),
                path=root,
            )
        self.store = Store(root)
        self.store.check_truths()
        index = self.store.index
        self.class_names = self.classes(index.class_names)
        self.feature_dim = index.feature_dim
        groups = {
            split: {entry.video_id: entry.group or entry.video_id for entry in entries}
            for split, entries in index.videos.items()
        }
        check_groups(groups["train"], groups["test"], root / INDEX)

    @classmethod
    def import_source(cls, path: Path) -> Source:
        """What an archive in the data set's own form holds; only where `reads_archive`.

        Raises:
            DataError: it is not that archive.
        """
        raise NotImplementedError(f"{cls.store_name} has no archive of its own: {path}")

    @classmethod
    def how_to_import(cls) -> str:
        """The hint of the error where nothing was imported."""
        name = cls.store_name or "NAME"
        return (
            f"wsal-bench data import SRC --as {name} makes it; --data-root or WSAL_BENCH_DATA "
            "says where imported data sets lie"
        )

    def classes(self, stored: tuple[str, ...]) -> tuple[str, ...]:
        """The classes of this data set, among those of the store; all of them."""
        return stored

    def keeps(self, split: api.Split, video_id: str) -> bool:
        """Whether a video of the store belongs to this data set; every one does."""
        del split, video_id
        return True

    @property
    def streams(self) -> Mapping[str, slice]:
        """Columns of the features by stream."""
        return {name: slice(*columns) for name, columns in self.store.index.streams.items()}

    @property
    def track(self) -> api.Track:
        """Where labels come from."""
        return api.Track(label_source=self.config.label_source)

    def fingerprint(self) -> str:
        """Digest of features, truth, groups, labels and grid, as the index has them."""
        return self.store.index.digest()

    @property
    def remark(self) -> str:
        """That the store is of the first schema, where it is."""
        return "" if self.store.index.is_sealed else unsealed(self.store.root)

    def videos(self, split: api.Split) -> Sequence[Video]:
        """The videos of a split, in the store's order; features stay on the disk."""
        grid = TimeGrid(self.store.index.fps, self.store.index.stride)
        features = self.store.features(split)
        plain = [
            Video(entry.video_id, features[entry.video_id], grid, entry.group)
            for entry in self.store.index.videos[split]
            if self.keeps(split, entry.video_id)
        ]
        if split == "test":
            return plain
        labels = self._labels
        return [
            WeakVideo(one.video_id, one.features, one.grid, one.group, labels=labels[one.video_id])
            for one in plain
        ]

    def _truth(self, split: api.Split, variant: str) -> GroundTruth:
        """The truth of the videos that this data set keeps, with their groups.

        Videos of the truth without features stay where `scores_missing`: a detector that says
        nothing misses them.
        """
        stored = self.store.truths
        path = self.store.root / INDEX
        if variant not in stored or split not in stored[variant]:
            raise DataError(f"the store has no truth {variant!r} of {split}", path=path)
        entries = self.store.index.videos[split]
        groups = {entry.video_id: entry.group or entry.video_id for entry in entries}
        truth = self.with_own_classes(stored[variant][split])
        truth = truth.only(
            name
            for name in truth.video_ids
            if self.keeps(split, name) and (self.scores_missing or name in groups)
        )
        return replace(truth, groups=tuple(groups.get(name, name) for name in truth.video_ids))

    def num_left_out(self, variant: str = "default") -> int:
        """Test videos of the stored truth without features, and what published lists have more."""
        entries = self.store.index.videos["test"]
        has = {entry.video_id for entry in entries}
        truth = self.store.truths[variant]["test"]
        known = {name for name in (*truth.video_ids, *has) if self.keeps("test", name)}
        usual = self.facts.videos.get("test", ()) if self.facts else ()
        unknown = max(0, min(usual, default=0) - len(known))
        return unknown + (0 if self.scores_missing else len(known - has))

    def with_own_classes(self, truth: GroundTruth) -> GroundTruth:
        """A truth of the store with this data set's classes; others' segments are left out."""
        return only_classes(truth, self.class_names)

    @cached_property
    def _labels(self) -> dict[str, NDArray[np.float32]]:
        """Training video -> [C] zeros and ones, from the source that the option names."""
        entries = self.store.index.videos["train"]
        labels = {
            entry.video_id: np.zeros(len(self.class_names), dtype=np.float32) for entry in entries
        }
        if self.config.label_source == "truth":
            truth = self.with_own_classes(self.store.truths["default"]["train"])
            for video, label in zip(truth.video, truth.label, strict=True):
                if truth.video_ids[video] in labels:
                    labels[truth.video_ids[video]][label] = 1.0
            return labels
        index = {name: number for number, name in enumerate(self.class_names)}
        for entry in entries:
            if entry.labels is None:
                raise DataError(
                    f"the source gave no labels of its own for video {entry.video_id!r}",
                    hint="use label_source=truth",
                    path=self.store.root / INDEX,
                )
            known = [index[name] for name in entry.labels if name in index]
            labels[entry.video_id][known] = 1.0
        return labels
