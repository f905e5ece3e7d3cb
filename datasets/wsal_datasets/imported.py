"""A data set that `wsal-bench data import` made: `imported:NAME`."""

from __future__ import annotations

from pathlib import Path

from wsal_bench.api import Config, StoredDataset, UsageError
from wsal_bench.data.places import store_path


class Dataset(StoredDataset):
    """Features and truth of your own, imported (imported:NAME, see docs/data.md)."""

    version = "1"
    takes_path = True
    card = (
        "Features, truth and split are the user's. What a number means depends on what the "
        "features have seen: features from a network that was trained with frame labels of the "
        "same videos make no weakly supervised result."
    )

    def __init__(self, config: Config, *, data_seed: int = 0, path: Path | None = None) -> None:
        if path is None:
            raise UsageError(
                "data set 'imported' needs a name",
                hint="write imported:NAME, as in wsal-bench data import SRC --as NAME",
            )
        super().__init__(config, data_seed=data_seed, path=path)
        self.preset = self.store.index.preset  # type: ignore[misc]  # here it is the source's

    @classmethod
    def locate(cls, text: str) -> Path:
        """A name below the data root."""
        return store_path(text)

    @property
    def name(self) -> str:
        """The name that it was imported as."""
        return self.store.index.name
