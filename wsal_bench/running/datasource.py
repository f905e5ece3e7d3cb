"""Opens data sets once and keeps them, and makes the small version of any of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from wsal_bench import plugins
from wsal_bench.config import Layer, build
from wsal_bench.errors import DataError
from wsal_bench.plugins.contract import Dataset, Split, Track
from wsal_bench.running.cells import DataSpec
from wsal_bench.running.coverage import Coverage
from wsal_bench.types import GroundTruth, Video

QUICK_VIDEOS: Mapping[Split, int] = {"train": 8, "test": 4}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+@-]*")


class Catalog:
    """The data sets that are open in this process, by specification."""

    def __init__(self) -> None:
        self._open: dict[str, Dataset] = {}

    def dataset(self, spec: DataSpec) -> Dataset:
        """The data set of a specification.

        Raises:
            UsageError: an option that it does not have.
            DataError: files that are missing or wrong.
        """
        return self._get(spec)

    def resolve(self, spec: DataSpec) -> DataSpec:
        """The same specification with what only the opened data set knows: name, version, digest.

        Raises:
            UsageError: an option that it does not have.
            DataError: files that are missing or wrong, or a name that no folder can have.
        """
        dataset = self._get(spec)
        name = dataset.name or spec.plugin
        if not _NAME.fullmatch(name) or "--" in name:
            raise DataError(
                f"a data set cannot be called {name!r}",
                hint="letters, digits and single . _ + @ - make a name",
                path=spec.path,
            )
        return replace(
            spec,
            name=name,
            version=dataset.version,
            config=dataset.config.to_json(),
            fingerprint=dataset.fingerprint(),
        )

    def check(self, spec: DataSpec, truth_variant: str) -> Coverage:
        """Reads videos and truth once, so that what is wrong is said before anything trains.

        Returns:
            How much there is to score.

        Raises:
            DataError: a file that is missing or wrong inside.
            UsageError: no such truth variant.
        """
        dataset = self._get(spec)
        for split in QUICK_VIDEOS:
            if not len(dataset.videos(split)):
                raise DataError(f"data set {spec.name!r} has no {split} video", path=spec.path)
        if not len(dataset.ground_truth("test", truth_variant)):
            raise DataError(f"data set {spec.name!r} has no true test segment", path=spec.path)
        return Coverage.of(dataset, truth_variant)

    def _get(self, spec: DataSpec) -> Dataset:
        key = repr((spec.plugin, spec.path, sorted(spec.config.items()), spec.seed, spec.shortened))
        if key not in self._open:
            self._open[key] = _open(spec)
            # a resolved specification holds all options, not only those that were given
            full = sorted(self._open[key].config.to_json().items())
            resolved = repr((spec.plugin, spec.path, full, spec.seed, spec.shortened))
            self._open[resolved] = self._open[key]
        return self._open[key]


class Shortened(Dataset):
    """The first few videos of a data set, with their truth."""

    def __init__(self, whole: Dataset) -> None:
        super().__init__(whole.config, data_seed=whole.data_seed, path=whole.path)
        self.whole = whole
        self.class_names = whole.class_names
        self.feature_dim = whole.feature_dim
        # facts of the class, here those of one instance
        vars(self).update(
            {
                name: getattr(whole, name)
                for name in ("version", "seeded", "preset", "protocols", "card", "truth_variants")
            }
        )

    @property
    def name(self) -> str:
        """As the whole data set is called."""
        return self.whole.name

    @property
    def streams(self) -> Mapping[str, slice]:
        """As in the whole data set."""
        return self.whole.streams

    @property
    def track(self) -> Track:
        """As in the whole data set."""
        return self.whole.track

    @property
    def remark(self) -> str:
        """As of the whole data set."""
        return self.whole.remark

    def fingerprint(self) -> str:
        """As of the whole data set; a run's specification says that it was shortened."""
        return self.whole.fingerprint()

    def videos(self, split: Split) -> Sequence[Video]:
        """The first few videos."""
        return self.whole.videos(split)[: QUICK_VIDEOS[split]]

    def _truth(self, split: Split, variant: str) -> GroundTruth:
        names = [video.video_id for video in self.videos(split)]
        return self.whole.ground_truth(split, variant).only(names)


def _open(spec: DataSpec) -> Dataset:
    kind: type[Dataset] = plugins.load("datasets", spec.plugin)
    config = build(kind.Config, [Layer("the request", spec.config)], owner=spec.plugin)
    path = None if spec.path is None else Path(spec.path)
    dataset = kind.open(path, config, spec.seed)
    return Shortened(dataset) if spec.shortened else dataset
