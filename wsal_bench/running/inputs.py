"""What a trained method must be told about data again, apart from the data themselves.

It stands in a run's record, so that new videos can be looked at where the data set is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wsal_bench.errors import DataError
from wsal_bench.plugins.contract import SPLITS, Dataset
from wsal_bench.timegrid import TimeGrid


@dataclass(frozen=True)
class Inputs:
    """Features and classes that a run was trained on.

    Args:
        feature_dim: D.
        class_names: C names.
        streams: stream -> (first column, behind the last); may be empty.
        grid: where snippets lie in time; None where videos of the data set differ in it.
    """

    feature_dim: int
    class_names: tuple[str, ...]
    streams: Mapping[str, tuple[int, int]]
    grid: TimeGrid | None

    @classmethod
    def of(cls, dataset: Dataset) -> Inputs:
        """Those of an open data set; no feature is read."""
        grids = {video.grid for split in SPLITS for video in dataset.videos(split)}
        return cls(
            feature_dim=dataset.feature_dim,
            class_names=tuple(dataset.class_names),
            streams={
                name: part.indices(dataset.feature_dim)[:2]
                for name, part in dataset.streams.items()
            },
            grid=grids.pop() if len(grids) == 1 else None,
        )

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; `from_json` gives the same back."""
        grid = self.grid
        return {
            "feature_dim": self.feature_dim,
            "class_names": list(self.class_names),
            "streams": {name: list(part) for name, part in self.streams.items()},
            "grid": None
            if grid is None
            else {"fps": grid.fps, "stride": grid.stride, "offset": grid.offset},
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any], path: Path) -> Inputs:
        """Those that `to_json` wrote.

        Args:
            document: the values.
            path: the file that they stand in, for messages.

        Raises:
            DataError: the document does not say it.
        """
        try:
            grid = document["grid"]
            return cls(
                feature_dim=int(document["feature_dim"]),
                class_names=tuple(map(str, document["class_names"])),
                streams={
                    str(name): (int(first), int(end))
                    for name, (first, end) in document["streams"].items()
                },
                grid=None if grid is None else TimeGrid(**grid),
            )
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise DataError(f"does not say what the inputs were ({error!r})", path=path) from error
