"""Reference rows of every table: what can be had without learning, and what cannot be exceeded.

Each row is a way to make `Activations` of a test video from its truth, through no model; the
runner cuts them with the `common` recipe and scores them like any method. They frame a table: a
method that is not clearly above the floors has learned nothing about time, and what lies above the
ceiling is out of reach of every method that says one number per snippet and class.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from wsal_bench.errors import DataError
from wsal_bench.types import Activations, FloatArray, GroundTruth, IntArray, Video

Floats = NDArray[np.float64]
Make = Callable[[Video, GroundTruth, np.random.Generator], Activations]


@dataclass(frozen=True)
class Floor:
    """A reference row.

    Args:
        name: of its cell, `floor:...` or `ceiling:...`.
        kind: whether a method should be above or cannot be.
        description: what it is, in a sentence.
        knows: what it is told of the test videos, for `NAME knows ...`.
        make: (video, truth, generator) -> activations. Of the video only its name, grid and number
            of snippets are read, of the truth only the segments of that video; the generator is
            drawn from by `floor:random` alone. DataError where the truth does not know the video.
    """

    name: str
    kind: Literal["floor", "ceiling"]
    description: str
    knows: str
    make: Make


def random_activations(
    video: Video, truth: GroundTruth, generator: np.random.Generator
) -> Activations:
    """Independent uniform scores [T, C] in [0, 1), and the true labels as video scores.

    What perfect video classification is worth without any idea of when. It is far from 0, because
    short random proposals of the right class hit something at low tIoU.
    """
    cas = generator.random((video.num_snippets, len(truth.class_names)))
    return _activations(video, truth, cas)


def constant_activations(
    video: Video, truth: GroundTruth, generator: np.random.Generator
) -> Activations:
    """The same score everywhere, and the true labels as video scores.

    Each true class gets one proposal as long as the video: right only where an action fills it.
    """
    del generator  # nothing is random here; the signature is shared by all rows
    return _activations(video, truth, np.ones((video.num_snippets, len(truth.class_names))))


def oracle_activations(
    video: Video, truth: GroundTruth, generator: np.random.Generator
) -> Activations:
    """The share of each snippet that each class truly covers, and the true labels.

    The best that snippets of this length and the `common` recipe allow. What it lacks to 1 is lost
    to the grid, to instances that touch or overlap within a class, and to the recipe.
    """
    del generator  # nothing is random here; the signature is shared by all rows
    return _activations(video, truth, covered_share(video, truth))


def covered_share(video: Video, truth: GroundTruth) -> Floats:
    """The share of each snippet that each class covers, [T, C] in [0, 1].

    Where instances of one class overlap, the one that covers most of a snippet counts.
    """
    borders = video.grid.edges(video.num_snippets)
    rows = _segments_of(video, truth)
    start, end = truth.start[rows, None], truth.end[rows, None]  # [M, 1]
    seconds = np.minimum(end, borders[1:]) - np.maximum(start, borders[:-1])
    share = np.clip(seconds / np.diff(borders), 0.0, 1.0)  # [M, T]
    covered = np.zeros((len(truth.class_names), video.num_snippets))
    np.maximum.at(covered, truth.label[rows], share)
    return covered.T


def _activations(video: Video, truth: GroundTruth, cas: FloatArray) -> Activations:
    labels = np.zeros(len(truth.class_names))
    labels[truth.label[_segments_of(video, truth)]] = 1.0
    return Activations(
        scores={"cas": cas},
        gates={},
        video_scores=labels,
        times=video.grid.edges(video.num_snippets),
    )


def _segments_of(video: Video, truth: GroundTruth) -> IntArray:
    """Rows of the truth that belong to the video; none where it shows no action."""
    if video.video_id not in truth.video_ids:
        raise DataError(
            f"the truth does not know video {video.video_id!r}",
            hint="each test video needs an entry, also one without segments",
        )
    return np.flatnonzero(truth.video == truth.video_ids.index(video.video_id))


_LABELS = "the true labels of each video and nothing of when"

FLOORS: Final = MappingProxyType(
    {
        floor.name: floor
        for floor in (
            Floor(
                name="floor:random",
                kind="floor",
                description="random scores, true video labels",
                knows=_LABELS,
                make=random_activations,
            ),
            Floor(
                name="floor:constant",
                kind="floor",
                description="one proposal as long as the video for each true label",
                knows=_LABELS,
                make=constant_activations,
            ),
            Floor(
                name="ceiling:oracle",
                kind="ceiling",
                description="class scores from the truth: the share of each snippet it covers",
                knows="what happens and when, to the snippet",
                make=oracle_activations,
            ),
        )
    }
)
"""The reference rows by name, in the order in which tables show them."""
