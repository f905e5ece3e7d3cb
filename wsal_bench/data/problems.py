"""What can be wrong with features and truth, found one by one and told together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsal_bench.data.source import Source
from wsal_bench.errors import WsalError, did_you_mean, first_of
from wsal_bench.plugins.contract import SPLITS, Split
from wsal_bench.timegrid import TimeGrid
from wsal_bench.types import GroundTruth

SHOWN = 10  # of each kind of problem
_ROUNDING = 1e-6  # seconds: annotation is written with few digits
_FLOATS = ("float16", "float32")


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    Args:
        code: its kind, a word or two with dashes.
        message: what is wrong, the value met and what would be right.
        video: the video, if it is about one.
        path: the file, if it is about one.
    """

    code: str
    message: str
    video: str = ""
    path: str = ""

    @classmethod
    def of(cls, error: WsalError, code: str, video: str = "") -> Problem:
        """What an error says, and what would make it right."""
        said = error.message + (f"; {error.hint}" if error.hint else "")
        said = said.removeprefix(f"video {video!r}: ")
        return cls(code, said, video, error.path or "")

    def __str__(self) -> str:
        where = f"{self.path}: " if self.path else ""
        return f"{where}{f'video {self.video!r}: ' if self.video else ''}{self.message}"

    def to_json(self) -> dict[str, str]:
        """Plain values."""
        return asdict(self)


@dataclass(frozen=True)
class Wanted:
    """What the features of every video must be.

    Args:
        dtype: `float16` or `float32`; None: either, as they lie in the source.
        width: D; None: not known yet.
        grid: where the snippets lie in time.
        overhang: seconds by which a segment may end after the features do.
        converted: numbers of other precision are allowed, as they are converted to `dtype`.
    """

    dtype: str | None
    width: int | None
    grid: TimeGrid
    overhang: float
    converted: bool = False

    def too_short(self, length: int, last_end: float) -> bool:
        """Whether a video of so many snippets ends before its last segment does."""
        return last_end > self.grid.duration(length) + self.overhang + _ROUNDING


def feature_problems(
    features: NDArray[Any], wanted: Wanted, last_end: float, video: str, path: Path
) -> list[Problem]:
    """What is wrong with the features of one video; nothing is changed.

    Args:
        features: as read.
        wanted: what they must be.
        last_end: end of the video's last true segment in seconds; 0 where there is none.
        video: for the message.
        path: for the message.
    """

    def problem(code: str, message: str) -> list[Problem]:
        return [Problem(code, message, video, str(path))]

    shape, dtype = features.shape, features.dtype
    target = f"[snippets, {wanted.width or 'columns'}]"
    if features.ndim != 2 or 0 in shape:
        return problem("shape", f"features have shape {shape}, not {target}")
    if dtype.kind != "f":
        return problem("type", f"features are {dtype}; save them as float16 or float32")
    if not wanted.converted and dtype.name not in _FLOATS:
        return problem("type", f"features are {dtype}; --dtype float32 converts them")
    if not wanted.converted and wanted.dtype is not None and dtype.name != wanted.dtype:
        return problem(
            "type", f"features are {dtype}, those before {wanted.dtype}; --dtype converts them"
        )
    if wanted.width is not None and shape[1] != wanted.width:
        if shape[0] == wanted.width:
            return problem(
                "transposed", f"features have shape {shape}, not {target}: transposed, it seems"
            )
        return problem("width", f"features have shape {shape}, not {target}")
    finite = np.isfinite(features)
    if not finite.all():
        row, column = (int(where[0]) for where in np.nonzero(~finite))
        return problem(
            "not-finite",
            f"snippet {row} holds {float(features[row, column])} in column {column}; features "
            "must be finite",
        )
    if wanted.too_short(shape[0], last_end):
        covered = wanted.grid.duration(shape[0])
        return problem(
            "too-short",
            f"{shape[0]} snippets cover {covered:.2f} s, but its last true segment ends at "
            f"{last_end:g} s; are fps, stride and the feature file right?",
        )
    return []


def source_problems(source: Source, classes: Sequence[str] | None) -> list[Problem]:
    """What is wrong with lists and truth, before any feature is read.

    Args:
        source: as recognised.
        classes: the classes there may be; None: any.
    """
    return [
        *_doubled(source),
        *(
            found
            for variant, truths in source.truths.items()
            for split, truth in truths.items()
            for found in _truth_problems(source, variant, split, truth, classes)
        ),
    ]


def _doubled(source: Source) -> list[Problem]:
    found = []
    for split in SPLITS:
        counts = Counter(video.video_id for video in source.videos if video.split == split)
        for name, count in counts.items():
            if count > 1:
                found.append(
                    Problem(
                        "duplicate", f"is listed {count} times in {split}", name, str(source.root)
                    )
                )
        if not counts:
            found.append(Problem("empty", f"no {split} video at all", path=str(source.root)))
    splits: dict[str, set[str]] = {}
    groups: dict[str, set[str]] = {}
    for video in source.videos:
        splits.setdefault(video.video_id, set()).add(video.split)
        groups.setdefault(video.group or video.video_id, set()).add(video.split)
    for name, where in splits.items():
        if len(where) > 1:
            found.append(
                Problem("split-overlap", "is in both train and test", name, str(source.root))
            )
    for group, where in groups.items():
        if len(where) > 1 and group not in splits:
            found.append(
                Problem(
                    "group-overlap",
                    f"group {group!r} has videos in both train and test",
                    path=str(source.root),
                )
            )
    return found


def _truth_problems(
    source: Source,
    variant: str,
    split: Split,
    truth: GroundTruth,
    classes: Sequence[str] | None,
) -> list[Problem]:
    place = f"truth {variant!r} of {split}"
    found = []
    for video, start, end in zip(truth.video, truth.start, truth.end, strict=True):
        if not 0 <= start < end:
            found.append(
                Problem(
                    "segment",
                    f"{place}: segment [{start:g}, {end:g}] must begin at 0 or later and end after "
                    "its start",
                    truth.video_ids[video],
                )
            )
    if classes is not None:
        for number in np.unique(truth.label):
            name = truth.class_names[int(number)]
            if name not in classes:
                hint = did_you_mean(name, classes, kind="classes")
                found.append(Problem("unknown-class", f"{place}: class {name!r}; {hint}"))
    known = set(truth.video_ids)
    listed = [video.video_id for video in source.videos if video.split == split]
    without = [name for name in listed if name not in known]
    if variant == "default" and without:
        found.append(
            Problem(
                "no-truth",
                f"{place}: {len(without)} of {len(listed)} videos with features have no entry: "
                f"{first_of(without)}",
            )
        )
    return found


def unused_truth(source: Source) -> list[str]:
    """Sentences about videos of the truth that have no features: no problem, but worth knowing."""
    said = []
    for variant, truths in source.truths.items():
        for split, truth in truths.items():
            has = {video.video_id for video in source.videos if video.split == split}
            missing = [name for name in truth.video_ids if name not in has]
            if missing:
                said.append(
                    f"truth {variant!r} of {split}: {len(missing)} of {len(truth.video_ids)} "
                    f"videos have no features: {first_of(missing)}"
                )
    return said


def last_ends(truths: Iterable[GroundTruth]) -> dict[str, float]:
    """Video -> end in seconds of its last true segment, over all truths."""
    ends: dict[str, float] = {}
    for truth in truths:
        for video, end in zip(truth.video, truth.end, strict=True):
            name = truth.video_ids[video]
            ends[name] = max(ends.get(name, 0.0), float(end))
    return ends


def report(problems: Sequence[Problem], number: int = SHOWN) -> str:
    """All problems in words: how many of each kind, and the first few."""
    kinds: dict[str, list[Problem]] = {}
    for problem in problems:
        kinds.setdefault(problem.code, []).append(problem)
    lines = []
    for code, members in kinds.items():
        lines.append(f"{code}: {len(members)}")
        lines += [f"  {member}" for member in members[:number]]
        if len(members) > number:
            lines.append(f"  and {len(members) - number} more")
    return "\n".join(lines)
