"""BEOID: daily activities seen from the head; import features first (docs/data.md).

Used by point-supervised methods, mostly with a truth of 34 classes and 58 videos. There is no one
published set of features, so fps and stride must be given at the import.
"""

from __future__ import annotations

from wsal_bench.api import Card, StoredDataset


class Dataset(StoredDataset):
    """BEOID, egocentric daily activities, from features that were imported (docs/data.md)."""

    version = "1"
    preset = "small"
    store_name = "beoid"
    card = (
        "58 short videos and 34 classes in the version that point-supervised papers use: about two "
        "videos for a class, so one split says little. Several classes share a video nearly always "
        "(see `wsal-bench data stats`), which video labels cannot tell apart. Counts and classes "
        "are not checked: there are several versions."
    )

    facts = Card(
        class_names=(),
        fps=None,
        stride=None,
        subsets={"train": ("train", "training"), "test": ("test", "testing")},
        videos={},
        sources=("truth in the form of ActivityNet: as linked by SF-Net and its followers",),
    )
