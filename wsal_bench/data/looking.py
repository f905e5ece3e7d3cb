"""Opens whatever a user calls a data set, to look at it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from wsal_bench import plugins
from wsal_bench.config import build
from wsal_bench.data.layouts.truth import read_truth
from wsal_bench.errors import DataError, UsageError, did_you_mean
from wsal_bench.plugins.contract import SPLITS, Dataset, Split
from wsal_bench.types import GroundTruth


def open_dataset(text: str) -> Dataset:
    """The data set of a name as `run --datasets` takes it, with its defaults.

    Raises:
        UsageError: there is no such data set, or it takes no path.
        DataError: its files are missing or wrong.
    """
    name, colon, path = text.partition(":")
    if name not in plugins.available("datasets"):
        hint = did_you_mean(name, plugins.available("datasets"), kind="data sets")
        raise UsageError(f"no data set {name!r}", hint=f"{hint}; a truth file works too")
    kind: type[Dataset] = plugins.load("datasets", name)
    if colon and not kind.takes_path:
        raise UsageError(f"{name} takes no path, not {path!r}", hint=f"write {name} alone")
    return kind.open(kind.locate(path) if path else None, build(kind.Config, [], owner=name), 0)


def truths_of(text: str, variant: str = "default") -> dict[str, GroundTruth]:
    """The truth of both splits of a data set or of a truth file; durations where they are known.

    Raises:
        UsageError: there is no such data set or variant.
        DataError: a file is missing or wrong inside.
    """
    path = Path(text).expanduser()
    if path.suffix == ".json" and text.partition(":")[0] not in plugins.available("datasets"):
        if not path.is_file():
            raise DataError("no such truth file", path=path)
        return {str(split): truth for split, truth in read_truth(path, None, []).items()}
    dataset = open_dataset(text)
    return {split: _timed(dataset, split, variant) for split in SPLITS}


def _timed(dataset: Dataset, split: Split, variant: str) -> GroundTruth:
    """The truth with the seconds that features cover, where the truth itself gives none."""
    truth = dataset.ground_truth(split, variant)
    seconds = {video.video_id: video.duration for video in dataset.videos(split)}
    covered = np.array([seconds.get(name, np.nan) for name in truth.video_ids])
    return replace(truth, durations=covered if np.isfinite(covered).any() else np.empty(0))
