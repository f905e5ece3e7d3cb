"""The rules for data sets."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from wsal_bench import plugins
from wsal_bench.config import Layer, build
from wsal_bench.errors import UsageError
from wsal_bench.evaluation.protocols import protocol
from wsal_bench.plugins.contract import SPLITS, Dataset
from wsal_bench.plugins.truth_lock import TruthLockedError, truth_locked
from wsal_bench.testing._findings import Finding, run_checks
from wsal_bench.types import Video, WeakVideo


def check_dataset(dataset: str | Callable[[int], Dataset]) -> list[Finding]:
    """Everything in which a data set does not conform; an empty list is what you want.

    Args:
        dataset: `simulated`, `folder:PATH`, or a function that opens it for a data seed.
    """
    opener = _opener(dataset) if isinstance(dataset, str) else dataset
    kit = _Kit(opener)
    return run_checks(
        [
            ("says what it is", kit.documented),
            ("gives training videos with labels, test videos without", kit.supervision),
            ("gives features of one width, finite, and names that are its own", kit.features),
            ("never cuts a group between the splits", kit.groups),
            ("has a truth that fits its videos", kit.truth),
            ("is the same each time it is opened", kit.repeats),
            ("keeps its truth while it is locked", kit.locked),
        ]
    )


def _opener(name: str) -> Callable[[int], Dataset]:
    plugin, _, path = name.partition(":")
    kind: type[Dataset] = plugins.load("datasets", plugin)
    options = Layer("quick", kind.quick or {})

    def opened(data_seed: int) -> Dataset:
        config = build(kind.Config, [options], owner=plugin)
        return kind.open(kind.locate(path) if path else None, config, data_seed)

    try:
        opened(0)
    except UsageError as error:
        if path:
            raise
        raise UsageError(error.message, hint=f"{plugin}:PATH names one to check") from error
    return opened


class _Kit:
    def __init__(self, opener: Callable[[int], Dataset]) -> None:
        self.opener = opener
        self.dataset = opener(0)

    def documented(self) -> Iterator[str]:
        if not self.dataset.card.strip():
            yield "card is empty"
        if len(set(self.dataset.class_names)) != len(self.dataset.class_names):
            yield "class_names repeat"
        for name in self.dataset.protocols:
            protocol(name)

    def supervision(self) -> Iterator[str]:
        for video in self.dataset.videos("train"):
            if not isinstance(video, WeakVideo):
                yield f"training video {video.video_id!r} is no WeakVideo"
            elif np.shape(video.labels) != (len(self.dataset.class_names),):
                yield f"labels of {video.video_id!r} are not one per class"
            elif not video.labels.any():
                yield f"training video {video.video_id!r} has no label"
        for video in self.dataset.videos("test"):
            if isinstance(video, WeakVideo):
                yield f"test video {video.video_id!r} carries labels"

    def features(self) -> Iterator[str]:
        names: list[str] = []
        for video in self._everything():
            names.append(video.video_id)
            rows = np.asarray(video.features[:])
            if rows.shape[1:] != (self.dataset.feature_dim,):
                yield f"{video.video_id!r} has {rows.shape}, D is {self.dataset.feature_dim}"
            elif not np.isfinite(rows).all():
                yield f"{video.video_id!r} holds values that are not finite"
        if len(set(names)) != len(names):
            yield "video names repeat"

    def groups(self) -> Iterator[str]:
        train, test = ({v.group for v in self.dataset.videos(split)} for split in SPLITS)
        if train & test:
            yield f"group {min(train & test)!r} is in both splits"

    def truth(self) -> Iterator[str]:
        for variant in self.dataset.truth_variants:
            truth = self.dataset.ground_truth("test", variant)
            if truth.class_names != tuple(self.dataset.class_names):
                yield f"truth {variant!r} has other classes"
            if len(truth) == 0:
                yield f"truth {variant!r} is empty"
            missing = {v.video_id for v in self.dataset.videos("test")} - set(truth.video_ids)
            if missing:
                yield f"truth {variant!r} lacks video {min(missing)!r}"
            if (truth.end <= truth.start).any():
                yield f"truth {variant!r} has a segment that does not end after its start"

    def repeats(self) -> Iterator[str]:
        other = self.opener(0)
        for split in SPLITS:
            pairs = zip(self.dataset.videos(split), other.videos(split), strict=True)
            if not all(np.array_equal(a.features[:], b.features[:]) for a, b in pairs):
                yield f"{split} features differ between two openings"
        one, two = self.dataset.ground_truth("test"), other.ground_truth("test")
        if not (np.array_equal(one.start, two.start) and np.array_equal(one.label, two.label)):
            yield "truth differs between two openings"
        if self.dataset.fingerprint() != other.fingerprint():
            yield "fingerprint differs between two openings"
        if self.dataset.seeded:
            first = self.opener(1).videos("train")[0].features[:]
            if np.array_equal(first, self.dataset.videos("train")[0].features[:]):
                yield "another data seed gives the same data"

    def locked(self) -> Iterator[str]:
        with truth_locked():
            try:
                self.dataset.ground_truth("test")
            except TruthLockedError:
                return
        yield "ground_truth was overridden: write _truth instead"

    def _everything(self) -> Iterator[Video]:
        for split in SPLITS:
            yield from self.dataset.videos(split)
