"""Traits of true segments, and the buckets that they are sorted into."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from wsal_bench.evaluation.diagnosis.case import Case, Floats, Ints
from wsal_bench.types import GroundTruth

BucketSet = Literal["thumos14", "activitynet", "quantile"]
TRAITS: Final[Mapping[str, str]] = {"length": "s", "coverage": "share of the video",
                                    "instances": "of the class in the video"}  # fmt: skip
NAMES = ("XS", "S", "M", "L", "XL")

_INF = float("inf")
# DETAD 24f7d95; a bucket holds its upper border and not its lower one
_PUBLISHED: Final[Mapping[str, Mapping[str, tuple[float, ...]]]] = {
    "thumos14": {
        "length": (0, 3, 6, 12, 18, _INF),
        "coverage": (0, 0.02, 0.04, 0.06, 0.08, _INF),
        "instances": (0, 1, 40, 80, _INF),
    },
    "activitynet": {
        "length": (0, 30, 60, 120, 180, _INF),
        "coverage": (0, 0.2, 0.4, 0.6, 0.8, _INF),
        "instances": (0, 1, 4, 8, _INF),
    },
}


@dataclass(frozen=True, eq=False)
class Buckets:
    """One trait of the truths in a few steps.

    Args:
        trait: a key of `TRAITS`.
        names: [N] XS to XL.
        edges: [N + 1] bucket n holds values above edge n, up to and with edge n + 1.
        member: [M] bucket of each truth of a case.
    """

    trait: str
    names: tuple[str, ...]
    edges: tuple[float, ...]
    member: Ints


def bucket_set(protocol: str) -> BucketSet:
    """The buckets that fit a protocol's data set: DETAD's where it has some, else quantiles."""
    dataset = protocol.partition("/")[0]
    if dataset.startswith("activitynet"):
        return "activitynet"
    return "thumos14" if dataset == "thumos14" else "quantile"


def buckets(case: Case, chosen: BucketSet) -> list[Buckets]:
    """The truths sorted by each trait; coverage only where all durations are known.

    Args:
        case: the evaluation.
        chosen: DETAD's buckets, or fifths of the truths.
    """
    result = []
    for trait, values in _traits(case.truth).items():
        column = values[case.truth_rows]
        edges = _fifths(column) if chosen == "quantile" else _PUBLISHED[chosen][trait]
        # a truth of length 0 is in the first bucket
        member = np.clip(np.searchsorted(edges, column, side="left") - 1, 0, len(edges) - 2)
        names = _names(trait, len(edges) - 1)
        result.append(Buckets(trait, names, tuple(map(float, edges)), member))
    return result


def _traits(truth: GroundTruth) -> dict[str, Floats]:
    length = np.asarray(truth.end - truth.start, dtype=np.float64)
    traits = {"length": length}
    if len(truth.durations) and (truth.durations[truth.video] > 0).all():
        traits["coverage"] = length / truth.durations[truth.video]
    key = truth.video.astype(np.int64) * len(truth.class_names) + truth.label
    _, inverse, count = np.unique(key, return_inverse=True, return_counts=True)
    traits["instances"] = count[inverse].astype(np.float64)
    return traits


def _fifths(values: Floats) -> tuple[float, ...]:
    """Borders of fifths, fewer where values repeat; each is a value that occurs."""
    inner = np.unique(np.quantile(values, (0.2, 0.4, 0.6, 0.8), method="inverted_cdf"))
    inner = inner[inner < values.max()]
    return (0.0, *inner.tolist(), _INF)


def _names(trait: str, number: int) -> tuple[str, ...]:
    if number == len(NAMES):
        return NAMES
    if trait == "instances" and number == 4:
        return ("XS", "S", "M", "L")
    return {1: ("all",), 2: ("S", "L"), 3: ("S", "M", "L"), 4: ("XS", "S", "L", "XL")}[number]
