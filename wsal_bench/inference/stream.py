"""One video after the other: nothing is kept of a video once it is written down."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from wsal_bench.errors import DataError
from wsal_bench.inference.feature_files import FeaturePath
from wsal_bench.inference.trained import Trained
from wsal_bench.localization import localize
from wsal_bench.localization.recipe import ProposalRecipe
from wsal_bench.plugins.contract import Method
from wsal_bench.plugins.truth_lock import truth_locked
from wsal_bench.report.timeline import by_score
from wsal_bench.timegrid import TimeGrid
from wsal_bench.types import Activations, Proposals, Video


@dataclass(frozen=True)
class Choice:
    """Which of the segments are wanted, and how they are cut.

    Args:
        recipe: how activations become segments.
        own: whether it is the method's own recipe; methods that cut by themselves do so then.
        top_k: segments of a video, the best ones; None: all.
        threshold: least score; None: any.
    """

    recipe: ProposalRecipe
    own: bool = True
    top_k: int | None = None
    threshold: float | None = None


@dataclass(frozen=True, eq=False)
class VideoSegments:
    """What a method says of a new video.

    Args:
        video_id: its name.
        duration: seconds that its features cover.
        num_snippets: T.
        class_names: [C].
        activations: of the method.
        segments: those that are wanted, best first.
    """

    video_id: str
    duration: float
    num_snippets: int
    class_names: tuple[str, ...]
    activations: Activations
    segments: Proposals


def segments_of(
    trained: Trained, files: Sequence[FeaturePath], grid: TimeGrid, choice: Choice
) -> Iterator[VideoSegments]:
    """Asks a method about videos, each when it is wanted.

    Args:
        trained: the method with its weights.
        files: features of the width that it takes.
        grid: where their snippets lie in time.
        choice: how to cut, and what to keep.

    Raises:
        DataError: a file cannot be read any more.
        UsageError: the recipe needs what the method does not give.
    """
    for file in files:
        yield _one(trained, Video(file.video_id, file.read(), grid), choice)


def _one(trained: Trained, video: Video, choice: Choice) -> VideoSegments:
    method = trained.method
    with truth_locked():
        activations = _activations(method, video)
        if choice.own and type(method).own_recipe:
            proposals = method.localize(video, choice.recipe)
        else:
            proposals = localize(activations, choice.recipe)
    return VideoSegments(
        video_id=video.video_id,
        duration=video.duration,
        num_snippets=video.num_snippets,
        class_names=trained.inputs.class_names,
        activations=activations,
        segments=wanted(proposals, choice.top_k, choice.threshold),
    )


def _activations(method: Method, video: Video) -> Activations:
    """What the method says; numbers beyond float32 are the features' fault."""
    try:
        return method.activations(video)
    except ValueError as error:
        raise DataError(
            f"video {video.video_id!r}: the method makes nothing of these features ({error})",
            hint="are they of the kind and scale that it was trained on?",
        ) from error


def wanted(proposals: Proposals, top_k: int | None, threshold: float | None) -> Proposals:
    """The best rows that reach the threshold, best first."""
    rows = by_score(proposals)
    number = len(rows)
    if threshold is not None:
        number = int(np.count_nonzero(rows.score >= threshold))
    if top_k is not None:
        number = min(number, top_k)
    return Proposals(
        rows.start[:number], rows.end[:number], rows.label[:number], rows.score[:number]
    )
