"""Truth in ActivityNet's JSON, by split, whatever a file calls its subsets."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from wsal_bench.data.card import Card
from wsal_bench.data.checks import with_names
from wsal_bench.errors import DataError
from wsal_bench.evaluation.formats import truth_from_json
from wsal_bench.files import read_json
from wsal_bench.plugins.contract import Split
from wsal_bench.types import GroundTruth

# pairs in use: W-TALC and THUMOS14 learn from `validation`, ActivityNet is tested on it
_PAIRS = (
    ("train", "test"),
    ("training", "test"),
    ("training", "testing"),
    ("training", "validation"),
    ("train", "validation"),
    ("train", "val"),
    ("training", "val"),
    ("validation", "test"),
    ("val", "test"),
)


def read_truth(path: Path, card: Card | None, notes: list[str]) -> dict[Split, GroundTruth]:
    """The truth of both splits; class names are the same in both, sorted or as the card has them.

    Args:
        path: the file.
        card: of the data set; None: nothing is known about it.
        notes: gets sentences about what is unusual.

    Raises:
        DataError: the file cannot be read, is wrong inside, or its subsets are not understood.
    """
    subsets = subsets_of(path, card)
    found: dict[Split, GroundTruth] = {
        split: truth_from_json(path, subset, strict=False, notes=notes)
        for split, subset in subsets.items()
    }
    return same_classes(found, card)


def subsets_of(path: Path, card: Card | None) -> dict[Split, str]:
    """Which subset of a truth file is which split.

    Raises:
        DataError: that cannot be told.
    """
    document = read_json(path)
    database = document.get("database") if isinstance(document, dict) else None
    if not isinstance(database, dict):
        raise DataError(
            "truth has no 'database'",
            hint='it looks like {"database": {video: {"subset", "annotations"}}}',
            path=path,
        )
    there = _annotated(database)
    if card is not None:
        chosen = {
            split: next((name for name in names if name in there), None)
            for split, names in card.subsets.items()
        }
        if chosen["train"] and chosen["test"] and chosen["train"] != chosen["test"]:
            return {"train": chosen["train"], "test": chosen["test"]}
    pairs = [pair for pair in _PAIRS if set(pair) <= there]
    if pairs:
        return {"train": pairs[0][0], "test": pairs[0][1]}
    raise DataError(
        f"annotated subsets are {', '.join(sorted(there)) or 'none'}; which is for training and "
        "which for testing is not known",
        hint="call them train and test",
        path=path,
    )


def _annotated(database: Mapping[str, Any]) -> set[str]:
    """Subsets with a segment."""
    return {
        str(entry.get("subset"))
        for entry in database.values()
        if isinstance(entry, dict) and entry.get("annotations")
    }


def same_classes(
    truths: Mapping[Split, GroundTruth], card: Card | None
) -> dict[Split, GroundTruth]:
    """The truths with one list of class names: the card's where it has one, else all, sorted."""
    return same_in_all({"default": truths}, card)["default"]


def same_in_all(
    truths: Mapping[str, Mapping[Split, GroundTruth]], card: Card | None
) -> dict[str, dict[Split, GroundTruth]]:
    """Every variant and split with one list of class names.

    The card's classes come first, in its order; what it does not know follows, and the checks
    complain of it.
    """
    aliases = dict(card.aliases) if card else {}

    def names(truth: GroundTruth) -> tuple[str, ...]:
        return tuple(aliases.get(name, name) for name in truth.class_names)

    shown = {
        names(truth)[label]
        for splits in truths.values()
        for truth in splits.values()
        for label in np.unique(truth.label)
    }
    known = card.class_names if card else ()
    order = (*known, *sorted(shown - set(known)))
    return {
        variant: {split: with_names(truth, names(truth), order) for split, truth in splits.items()}
        for variant, splits in truths.items()
    }
