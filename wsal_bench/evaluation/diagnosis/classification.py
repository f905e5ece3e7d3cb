"""Does the method know what is in a video: mean average precision of its video scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from wsal_bench.errors import DataError
from wsal_bench.evaluation.diagnosis.case import Floats
from wsal_bench.evaluation.diagnosis.ranking import ranking_average_precision
from wsal_bench.types import Activations, GroundTruth

DIVING, CLIFF_DIVING = "Diving", "CliffDiving"


@dataclass(frozen=True, eq=False)
class VideoClassification:
    """How well video scores rank the videos of each class.

    Args:
        ap: by class, of those that some video shows; not interpolated, ties at once.
        videos: that were ranked.
        diving_rule: whether a cliff dive counted as a dive.
    """

    ap: Mapping[str, float]
    videos: int
    diving_rule: bool = False

    @property
    def mean_ap(self) -> float:
        """Mean over the classes."""
        return float(np.mean(list(self.ap.values())))

    def to_json(self) -> dict[str, Any]:
        """A document."""
        return {
            "map": self.mean_ap,
            "ap": dict(self.ap),
            "videos": self.videos,
            "diving_rule": self.diving_rule,
        }


def video_classification(
    truth: GroundTruth,
    activations: Mapping[str, Activations],
    class_names: Sequence[str],
    *,
    diving_rule: bool = False,
) -> VideoClassification:
    """Average precision of video scores, class by class.

    A video shows a class where the truth has a segment of it. Only videos that the truth and the
    activations both have are ranked.

    Args:
        truth: what is in the videos.
        activations: by video name.
        class_names: what the entries of `video_scores` are called.
        diving_rule: the rule of published THUMOS14 code, which also W-TALC and ACM-Net follow: the
            score of Diving is at least that of CliffDiving, whose every instance is also a dive.

    Raises:
        DataError: no common video.
    """
    names = [name for name in truth.video_ids if name in activations]
    if not names:
        raise DataError("the truth and the activations have no video in common")
    scores = np.array([activations[name].video_scores for name in names], dtype=np.float64)
    if diving_rule:
        scores = _with_cliff_dives(scores, class_names)
    shown = _shown(truth, names)
    ap = {
        name: ranking_average_precision(shown[:, truth.class_names.index(name)], column)
        for name, column in zip(class_names, scores.T, strict=True)
        if name in truth.class_names and shown[:, truth.class_names.index(name)].any()
    }
    return VideoClassification(ap, len(names), diving_rule)


def _shown(truth: GroundTruth, names: Sequence[str]) -> Floats:
    """[videos, classes of the truth] 1 where the video shows the class."""
    shown = np.zeros((len(truth.video_ids), len(truth.class_names)))
    shown[truth.video, truth.label] = 1.0
    index = {name: row for row, name in enumerate(truth.video_ids)}
    return shown[[index[name] for name in names]]


def _with_cliff_dives(scores: Floats, class_names: Sequence[str]) -> Floats:
    if DIVING not in class_names or CLIFF_DIVING not in class_names:
        return scores
    scores = scores.copy()
    dive, cliff = class_names.index(DIVING), class_names.index(CLIFF_DIVING)
    scores[:, dive] = np.maximum(scores[:, dive], scores[:, cliff])
    return scores
