"""HAPT: postural transitions of 30 people, from a wearable sensor; small, free, label-free.

61 recordings of 30 people who wore a phone on the waist: acceleration and rotation, 50 samples a
second. They are cut into bags of 20 seconds, and six transitions (stand to sit, sit to lie, ...)
are the actions; walking, sitting and everything else is background. docs/hapt.md has the details.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import numpy as np
from pydantic import Field

from wsal_bench import api
from wsal_bench.api import StoredConfig, StoredDataset
from wsal_bench.data.source import Source
from wsal_datasets._hapt import read_source


class HaptConfig(StoredConfig):
    """Which bags there are."""

    # also score test bags without any action; what is detected there is a false positive
    empty_test_bags: bool = Field(default=False)


class Dataset(StoredDataset):
    """Six postural transitions in wearable signals (61 recordings, 30 people; split by person)."""

    Config = HaptConfig
    version = "1"
    preset = "hapt"
    store_name = "hapt"
    reads_archive = True
    card = (
        "Real signals, and features that were computed without any label, so weakly supervised "
        "numbers on it are honest ones. Bags of 20 s; six short transitions are the actions. Bags "
        "without an action are left out of training and, unless empty_test_bags is set, of the "
        "test. The protocol of the recordings was scripted, so what surrounds a transition is less "
        "varied than in life. Windows and the filter that parts gravity from motion run over whole "
        "recordings, so a bag's first and last second or two know a little of its neighbours. "
        "Intervals are over the nine test people. Nine people are few."
    )

    @classmethod
    def import_source(cls, path: Path) -> Source:
        """The bags of the raw archive.

        Raises:
            DataError: it is not that archive.
        """
        return read_source(path)

    @classmethod
    def how_to_import(cls) -> str:
        """The hint of the error where nothing was imported."""
        return "wsal-bench data import hapt ARCHIVE.zip makes it; docs/hapt.md says where it is"

    def classes(self, stored: tuple[str, ...]) -> tuple[str, ...]:
        """The six transitions."""
        return tuple(name for name in stored if "_TO_" in name)

    def keeps(self, split: api.Split, video_id: str) -> bool:
        """Bags that hold an action, and all test bags where they are asked for."""
        if split == "test" and self.config.empty_test_bags:
            return True
        return video_id in self._holding_actions[split]

    @cached_property
    def _holding_actions(self) -> dict[api.Split, frozenset[str]]:
        """Bags with a segment of one of the classes, by split."""
        found: dict[api.Split, frozenset[str]] = {}
        for split, truth in self.store.truths["default"].items():
            known = self.with_own_classes(truth)
            found[split] = frozenset(truth.video_ids[video] for video in np.unique(known.video))
        return found
