"""GTEA: kitchen activities seen from the head of four people; import features first (docs/data.md).

There is no one published set of features, so fps and stride must be given at the import. Which
classes there are depends on the truth file: versions with 7, 10 and 11 are in use.
"""

from __future__ import annotations

from wsal_bench.api import Card, StoredDataset


class Dataset(StoredDataset):
    """GTEA, kitchen activities of four people, from features that were imported (docs/data.md)."""

    version = "1"
    preset = "small"
    store_name = "gtea"
    card = (
        "28 recordings of four people, seven activities each; people are the groups. Look at what "
        "the features have seen: many published ones (temporal convolution networks among them) "
        "were trained with frame labels of the same videos, and a number on such features is a "
        "check of code, no weakly supervised result. Nearly every second of a recording belongs to "
        "some class. Counts and classes are not checked: there are several versions."
    )

    facts = Card(
        class_names=(),
        fps=None,
        stride=None,
        subsets={"train": ("train", "training"), "test": ("test", "testing")},
        videos={},
        group=r"^(S\d)",
        sources=("videos and annotation: https://cbs.ic.gatech.edu/fpv/",),
        quirks=("names begin with the person: S1_Cheese_C1",),
    )
