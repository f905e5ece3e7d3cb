"""What is no mistake for certain, but more often than not is one: warnings, never refusals."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from wsal_bench.data.problems import Problem
from wsal_bench.data.source import Source
from wsal_bench.errors import first_of
from wsal_bench.plugins.contract import Split
from wsal_bench.types import GroundTruth


def doubts(source: Source) -> list[Problem]:
    """What looks wrong in the classes of a source, before any feature is read.

    Args:
        source: as recognised.
    """
    found = _spellings(source)
    for variant, truths in source.truths.items():
        shown = {split: _shown(source, split, truth) for split, truth in truths.items()}
        if len(shown) == 2:
            found += _one_sided(variant, shown)
    return found


def _spellings(source: Source) -> list[Problem]:
    """Labels that differ in nothing but case and spaces: one class, most likely."""
    names: dict[str, None] = {}
    for truths in source.truths.values():
        for truth in truths.values():
            names.update(dict.fromkeys(truth.class_names))
    for video in source.videos:
        names.update(dict.fromkeys(video.labels or ()))
    alike: dict[str, list[str]] = {}
    for name in names:
        alike.setdefault("".join(name.split()).casefold(), []).append(name)
    return [
        Problem(
            "spelling",
            f"classes {' and '.join(map(repr, group))} differ in case or spaces only: one class?",
            path=str(source.root),
        )
        for group in alike.values()
        if len(group) > 1
    ]


def _one_sided(variant: str, shown: dict[Split, set[str]]) -> list[Problem]:
    """Classes that one split shows and the other does not."""
    fates: Iterable[tuple[Split, Split, str]] = (
        ("train", "test", "they are learnt and never tested"),
        ("test", "train", "nothing can learn them, so they score near 0"),
    )
    found = []
    for split, other, fate in fates:
        alone = sorted(shown[split] - shown[other])
        if alone:
            number = f"{len(alone)} class{'es' if len(alone) > 1 else ''}"
            found.append(
                Problem(
                    "one-split",
                    f"truth {variant!r}: {number} in {split} only, {fate}: {first_of(alone)}",
                )
            )
    return found


def _shown(source: Source, split: Split, truth: GroundTruth) -> set[str]:
    """Classes with a true segment in a video that has features."""
    has = {video.video_id for video in source.videos if video.split == split}
    rows = np.array([name in has for name in truth.video_ids], dtype=np.bool_)[truth.video]
    return {truth.class_names[int(number)] for number in np.unique(truth.label[rows])}
