"""The values that travel between the rooms: frozen, columnar, checked when they are made.

B videos of a batch, T snippets, D feature size, C classes, P proposals, M true segments.
Imports no torch: tensors appear in annotations only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from wsal_bench.timegrid import TimeGrid

if TYPE_CHECKING:
    import torch
    from torch import Tensor

FloatArray = NDArray[np.floating[Any]]
IntArray = NDArray[np.integer[Any]]


class SnippetArray(Protocol):
    """Features of a video: an array, a float16 memory map or a lazy reader, [T, D]."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(T, D) or (T, D, ...)."""

    def __getitem__(self, index: Any, /) -> Any:
        """Rows along T, by slice or index array."""


@dataclass(frozen=True, eq=False)
class Video:
    """A video as inference sees it: no labels, no boundaries.

    Args:
        video_id: its name.
        features: [T, D], T >= 1.
        grid: where the snippets lie in time.
        group: who or what it was recorded from; splits and resampling never cut a group.
            Empty: the video is its own group.
    """

    video_id: str
    features: SnippetArray
    grid: TimeGrid
    group: str = ""

    def __post_init__(self) -> None:
        shape = tuple(self.features.shape)
        if len(shape) < 2 or shape[0] < 1 or shape[1] < 1:
            raise ValueError(f"video {self.video_id!r}: features must be [T, D], not {shape}")
        if not self.group:
            object.__setattr__(self, "group", self.video_id)

    @property
    def num_snippets(self) -> int:
        """T."""
        return int(self.features.shape[0])

    @property
    def duration(self) -> float:
        """Seconds that the snippets cover."""
        return self.grid.duration(self.num_snippets)


@dataclass(frozen=True, eq=False, kw_only=True)
class WeakVideo(Video):
    """A training video: what is in it is known, when it happens is not.

    Args:
        labels: [C] float32, 1 where the class occurs, else 0.
        points: None, or [K, 2] columns (seconds, class index): one time inside each instance.
        counts: None, or [C] instances of each class.
    """

    labels: FloatArray
    points: FloatArray | None = None
    counts: IntArray | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        labels = np.asarray(self.labels)
        if labels.ndim != 1 or not np.isin(labels, (0, 1)).all():
            raise ValueError(f"video {self.video_id!r}: labels must be [C] zeros and ones")


@dataclass(frozen=True, eq=False)
class Batch:
    """Some videos, ready for a network; padded or sampled to one length.

    Args:
        features: [B, T, D] float32.
        lengths: [B] snippets of each video that are real (all T where videos were sampled).
        labels: [B, C] zeros and ones; all zeros at inference.
        times: [B, T + 1] borders of the snippets in seconds, float64.
        indices: [B] positions of the videos in the sequence that they were drawn from.
        extras: further tensors by name.
    """

    features: Tensor
    lengths: Tensor
    labels: Tensor
    times: Tensor
    indices: Tensor
    extras: Mapping[str, Tensor] = field(default_factory=dict)

    def __len__(self) -> int:
        return int(self.features.shape[0])

    def to(self, device: torch.device | str) -> Batch:
        """The same batch on a device; a no-op where it already is."""
        moved: dict[str, Any] = {
            name: value.to(device, non_blocking=True)
            for name, value in vars(self).items()
            if name != "extras"
        }
        extras = {name: value.to(device, non_blocking=True) for name, value in self.extras.items()}
        return replace(self, **moved, extras=extras)


@dataclass(frozen=True, eq=False, kw_only=True)
class PairBatch(Batch):
    """2P videos and how they pair up.

    Args:
        first: [P] rows of the batch that are the first video of a pair.
        second: [P] rows that are the second.
        similar: [P] bool, true where the two show the same classes, false where they share none.
    """

    first: Tensor
    second: Tensor
    similar: Tensor


@dataclass(frozen=True, eq=False)
class Activations:
    """What a method says of one video before any segment is cut.

    Args:
        scores: by name, [T', C] class scores per snippet; `cas` is the usual name.
        gates: by name, [T'] or [T', C] where to look; `attention` is the usual name.
        video_scores: [C] class scores of the whole video.
        times: [T' + 1] borders of the snippets in seconds, increasing, maybe not uniform.

    Raises:
        ValueError: shapes that do not fit, no scores, values that are not finite, times that do
            not increase.
    """

    scores: Mapping[str, FloatArray]
    gates: Mapping[str, FloatArray]
    video_scores: FloatArray
    times: FloatArray

    def __post_init__(self) -> None:
        num_classes = _ndim("video_scores", self.video_scores, 1)[0]
        length = _ndim("times", self.times, 1)[0] - 1
        if not self.scores or length < 1:
            raise ValueError("activations need at least one score sequence and one snippet")
        for name, value in self.scores.items():
            if np.shape(value) != (length, num_classes):
                raise ValueError(
                    f"score {name!r} must be {(length, num_classes)}, not {np.shape(value)}"
                )
        for name, value in self.gates.items():
            if np.shape(value) not in ((length,), (length, num_classes)):
                raise ValueError(f"gate {name!r} must be [{length}], not {np.shape(value)}")
        for name, value in (*self.scores.items(), *self.gates.items()):
            _finite(name, value)
        _finite("video_scores", self.video_scores)
        _finite("times", self.times)
        if (np.diff(self.times) <= 0).any():
            raise ValueError("times must increase")


@dataclass(frozen=True, eq=False)
class Proposals:
    """Scored segments of one video, as columns [P].

    Args:
        start: seconds.
        end: seconds, after start.
        label: class index.
        score: higher is surer.
    """

    start: FloatArray
    end: FloatArray
    label: IntArray
    score: FloatArray

    def __post_init__(self) -> None:
        _columns(self, "start", "end", "label", "score")
        _segments(self)

    def __len__(self) -> int:
        return len(self.start)

    @classmethod
    def empty(cls) -> Proposals:
        """No proposal at all."""
        return cls(np.empty(0), np.empty(0), np.empty(0, np.int64), np.empty(0))

    @classmethod
    def concatenate(cls, parts: Sequence[Proposals]) -> Proposals:
        """All rows of `parts`, in order."""
        if not parts:
            return cls.empty()
        names = ("start", "end", "label", "score")
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


@dataclass(frozen=True, eq=False)
class Detections:
    """Scored segments of a set of videos, as columns [P]; the order matters among equal scores.

    Args:
        video: index into `video_ids`.
        start: seconds.
        end: seconds.
        label: index into `class_names`.
        score: higher is surer.
        video_ids: names of the videos, also of those without any row.
        class_names: names of the classes.
    """

    video: IntArray
    start: FloatArray
    end: FloatArray
    label: IntArray
    score: FloatArray
    video_ids: tuple[str, ...]
    class_names: tuple[str, ...]

    def __post_init__(self) -> None:
        _columns(self, "video", "start", "end", "label", "score")
        _indices(self)
        _finite("score", self.score)

    def __len__(self) -> int:
        return len(self.start)

    @classmethod
    def from_activitynet_json(cls, path: str | Path, **options: Any) -> Detections:
        """Those of a results file; options as of `evaluation.formats.detections_from_json`."""
        from wsal_bench.evaluation import formats

        return formats.detections_from_json(path, **options)

    def to_activitynet_json(self, path: str | Path) -> None:
        """Writes a results file, as `evaluation.formats.detections_to_json`."""
        from wsal_bench.evaluation import formats

        formats.detections_to_json(self, path)

    @classmethod
    def from_npz(cls, path: str | Path) -> Detections:
        """Those that `to_npz` wrote."""
        from wsal_bench.evaluation import formats

        return formats.detections_from_npz(path)

    def to_npz(self, path: str | Path) -> None:
        """Writes the columns, as `evaluation.formats.detections_to_npz`."""
        from wsal_bench.evaluation import formats

        formats.detections_to_npz(self, path)

    @classmethod
    def from_proposals(
        cls, proposals: Mapping[str, Proposals], class_names: Iterable[str]
    ) -> Detections:
        """The proposals of many videos, video after video in the mapping's order."""
        rows = Proposals.concatenate(list(proposals.values()))
        counts = [len(part) for part in proposals.values()]
        video = np.repeat(np.arange(len(counts)), counts)
        return cls(
            video=video,
            start=rows.start,
            end=rows.end,
            label=rows.label,
            score=rows.score,
            video_ids=tuple(proposals),
            class_names=tuple(class_names),
        )


@dataclass(frozen=True, eq=False)
class GroundTruth:
    """True segments of a set of videos, as columns [M], in file order.

    Args:
        video: index into `video_ids`.
        start: seconds.
        end: seconds.
        label: index into `class_names`.
        video_ids: names of the videos, also of those without any segment.
        class_names: names of the classes.
        durations: [V] seconds of each video, NaN where unknown; empty: unknown for all.
        groups: [V] who or what each video was recorded from; empty: each its own.
        ambiguous: [A, 3] columns (video index, start, end): stretches nobody is sure of.
    """

    video: IntArray
    start: FloatArray
    end: FloatArray
    label: IntArray
    video_ids: tuple[str, ...]
    class_names: tuple[str, ...]
    durations: FloatArray = field(default_factory=lambda: np.empty(0))
    groups: tuple[str, ...] = ()
    ambiguous: FloatArray = field(default_factory=lambda: np.empty((0, 3)))

    def __post_init__(self) -> None:
        _columns(self, "video", "start", "end", "label")
        _indices(self)
        for name in ("durations", "groups"):
            if len(getattr(self, name)) not in (0, len(self.video_ids)):
                raise ValueError(f"{name} must have one entry per video")
        if not len(self.groups):
            object.__setattr__(self, "groups", self.video_ids)

    def __len__(self) -> int:
        return len(self.start)

    @classmethod
    def from_activitynet_json(
        cls, path: str | Path, subset: str | None = None, **options: Any
    ) -> GroundTruth:
        """That of an annotation file; options as of `evaluation.formats.truth_from_json`."""
        from wsal_bench.evaluation import formats

        return formats.truth_from_json(path, subset, **options)

    def to_activitynet_json(self, path: str | Path, subset: str = "test") -> None:
        """Writes an annotation file, as `evaluation.formats.truth_to_json`."""
        from wsal_bench.evaluation import formats

        formats.truth_to_json(self, path, subset)

    @classmethod
    def from_npz(cls, path: str | Path) -> GroundTruth:
        """That which `to_npz` wrote."""
        from wsal_bench.evaluation import formats

        return formats.truth_from_npz(path)

    def to_npz(self, path: str | Path) -> None:
        """Writes the columns, as `evaluation.formats.truth_to_npz`."""
        from wsal_bench.evaluation import formats

        formats.truth_to_npz(self, path)

    def only(self, video_ids: Iterable[str]) -> GroundTruth:
        """The truth of some of the videos, in their order here; class indices stay."""
        wanted = set(video_ids)
        kept = [i for i, name in enumerate(self.video_ids) if name in wanted]
        new_index = np.full(len(self.video_ids), -1)
        new_index[kept] = np.arange(len(kept))
        rows = new_index[self.video] >= 0
        unsure = self.ambiguous[new_index[self.ambiguous[:, 0].astype(int)] >= 0].copy()
        unsure[:, 0] = new_index[unsure[:, 0].astype(int)]
        return replace(
            self,
            video=new_index[self.video[rows]],
            start=self.start[rows],
            end=self.end[rows],
            label=self.label[rows],
            video_ids=tuple(self.video_ids[i] for i in kept),
            durations=self.durations[kept] if len(self.durations) else self.durations,
            groups=tuple(self.groups[i] for i in kept),
            ambiguous=unsure,
        )


def _ndim(name: str, value: Any, ndim: int) -> tuple[int, ...]:
    shape: tuple[int, ...] = np.shape(value)
    if len(shape) != ndim:
        raise ValueError(f"{name} must have {ndim} dimensions, not shape {shape}")
    return shape


def _finite(name: str, value: Any) -> None:
    if not np.isfinite(value).all():
        raise ValueError(f"{name} holds values that are not finite")


def _columns(table: Any, *names: str) -> None:
    lengths = {name: _ndim(name, getattr(table, name), 1)[0] for name in names}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"columns differ in length: {lengths}")


def _segments(table: Any) -> None:
    for name in ("start", "end", "score"):
        _finite(name, getattr(table, name))
    bad = np.flatnonzero(table.end <= table.start)
    if len(bad):
        row = int(bad[0])
        raise ValueError(
            f"proposal {row} ends at {table.end[row]:.3f} s, not after its start "
            f"{table.start[row]:.3f}"
        )


def _indices(table: Any) -> None:
    for name, names in (("video", table.video_ids), ("label", table.class_names)):
        column = getattr(table, name)
        if len(column) and not (column.min() >= 0 and column.max() < len(names)):
            raise ValueError(f"column {name} must lie in 0..{len(names) - 1}")
    for name in ("start", "end"):
        _finite(name, getattr(table, name))
