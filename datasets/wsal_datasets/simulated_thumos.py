"""Real timelines of THUMOS14 under simulated features: no download but the truth file.

Who does what when, and for how long, is THUMOS14's; what snippets look like is drawn as in
`simulated`. `simulated-thumos:gt.json` reads a truth file in the form of ActivityNet; without a
path the truth of an imported `thumos14` is taken.
"""

from __future__ import annotations

from functools import cached_property
from hashlib import sha256
from pathlib import Path

import numpy as np

from wsal_bench import api
from wsal_bench.api import DataError, GroundTruth
from wsal_bench.data.layouts.truth import read_truth
from wsal_bench.data.places import store_path
from wsal_bench.data.store import Store, is_store
from wsal_datasets._simulated import SimulatedDataset
from wsal_datasets._simulation import (
    SNIPPET,
    Dials,
    Instance,
    SimulatedVideo,
    Timeline,
    World,
    simulate_timelines,
)
from wsal_datasets.simulated import Looks, dials_of, world_of
from wsal_datasets.thumos14 import MIS_ANNOTATED
from wsal_datasets.thumos14 import Dataset as Thumos14

_MARGIN = 0.3  # seconds after the last instance, where the truth gives no duration


class Dataset(SimulatedDataset):
    """Simulated features on THUMOS14's real timelines (simulated-thumos:TRUTH.json)."""

    Config = Looks
    version = "1"
    takes_path = True
    quick = None  # the first videos: there is no smaller THUMOS14
    card = (
        "Half real: lengths, gaps, co-occurrence and class balance are those of THUMOS14, which "
        "simulated videos only imitate; features are simulated, with the dials of `simulated`, "
        "which were chosen while looking at test scores of a few methods there. Harder than "
        "`simulated`: 20 classes, ten videos each, up to 2,600 snippets. No option was searched "
        "here: methods use their preset of `simulated`, so compare nothing but code. Duplicate "
        "segments and the two mis-annotated test videos are left out."
    )

    config: Looks

    def dials(self) -> Dials:
        """Dials of the options; those of the timeline are not used."""
        return dials_of(self.config, 0.0, 0.0)

    def world(self, rng: np.random.Generator) -> World:
        """Draws prototypes; neighbours in the alphabet make pairs."""
        return world_of(self.config, len(self.class_names), 0.0, rng)

    def classes(self) -> tuple[str, ...]:
        """Those of the truth."""
        return self._truths["train"].class_names

    def names(self, split: api.Split) -> tuple[str, ...]:
        """Those of the truth, but for videos without a segment."""
        truth = self._truths[split]
        return tuple(truth.video_ids[video] for video in np.unique(truth.video))

    def draw(
        self, split: api.Split, world: World, rng: np.random.Generator
    ) -> list[SimulatedVideo]:
        """Videos on the timelines of the truth."""
        return simulate_timelines(world, self.dials(), timelines(self._truths[split]), rng)

    def fingerprint(self) -> str:
        """Digest of the timelines."""
        told = repr({split: timelines(truth) for split, truth in self._truths.items()})
        return sha256(told.encode()).hexdigest()

    @cached_property
    def _truths(self) -> dict[api.Split, GroundTruth]:
        """From the path, else from the store of `thumos14`.

        Raises:
            DataError: neither is there, or the truth is wrong inside.
        """
        if self.path is not None:
            found = read_truth(self.path, Thumos14.facts, [])
        else:
            found = _of_store(store_path("thumos14"))
        kept = {
            split: truth.only(name for name in truth.video_ids if name not in MIS_ANNOTATED)
            for split, truth in found.items()
        }
        for split, truth in kept.items():
            if not len(truth):
                raise DataError(f"truth has no {split} segment", path=self.path)
        return kept


def timelines(truth: GroundTruth) -> list[Timeline]:
    """One for each video with a segment, in the truth's order; duplicates are left out.

    A video lasts as long as the truth says, and at least until its last instance has ended.
    """
    found = []
    for video in np.unique(truth.video):
        rows = np.flatnonzero(truth.video == video)
        instances = {
            Instance(float(truth.start[row]), float(truth.end[row]), int(truth.label[row]))
            for row in rows
        }
        duration = max(one.end for one in instances) + _MARGIN
        if len(truth.durations) and np.isfinite(truth.durations[video]):
            duration = max(duration, float(truth.durations[video]))
        ordered = sorted(instances, key=lambda one: (one.start, one.end, one.label))
        found.append(Timeline(int(np.ceil(duration / SNIPPET)), tuple(ordered)))
    return found


def _of_store(root: Path) -> dict[api.Split, GroundTruth]:
    if not is_store(root):
        raise DataError(
            "needs THUMOS14's truth: there is no imported thumos14",
            hint="write simulated-thumos:gt.json, or import thumos14 (docs/data.md)",
            path=root,
        )
    return dict(Store(root).truths["default"])
