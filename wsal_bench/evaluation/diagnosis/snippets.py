"""Does the method know where things are, before any threshold: average precision of snippets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from wsal_bench.errors import DataError
from wsal_bench.evaluation.diagnosis.case import Bools
from wsal_bench.evaluation.diagnosis.ranking import ranking_average_precision
from wsal_bench.types import Activations, FloatArray, GroundTruth

COVERED = 0.5  # share of a snippet from which on it belongs to a class
_ROUNDING = 1e-9  # of a snippet: borders that meet in theory


@dataclass(frozen=True, eq=False)
class SnippetPrecision:
    """How well one sequence of the activations ranks the snippets.

    Args:
        name: of the sequence.
        ap: by class, over the snippets of all videos; "any action" where the sequence has no
            classes.
        ap_inside: the same over the videos that show the class: what is left where the video's
            labels are known.
        prevalence: share of the snippets of all videos that are right: the score of chance.
        prevalence_inside: the same inside the videos that show the class.
    """

    name: str
    ap: Mapping[str, float]
    ap_inside: Mapping[str, float]
    prevalence: Mapping[str, float]
    prevalence_inside: Mapping[str, float]

    def to_json(self) -> dict[str, Any]:
        """A document; "map", "map_inside" and "chance" are means over the classes."""
        return {
            "name": self.name,
            "map": _mean(self.ap),
            "map_inside": _mean(self.ap_inside),
            "chance": _mean(self.prevalence),
            "chance_inside": _mean(self.prevalence_inside),
            "ap": dict(self.ap),
            "ap_inside": dict(self.ap_inside),
            "prevalence": dict(self.prevalence),
            "prevalence_inside": dict(self.prevalence_inside),
        }


ANY = "any action"


def covered_snippets(times: FloatArray, start: FloatArray, end: FloatArray) -> Bools:
    """Snippets that segments cover by half or more.

    Partly covered snippets: what counts is the share of the snippet that lies in the union of the
    segments; exactly half is enough.

    Args:
        times: [T + 1] borders of the snippets in seconds.
        start: [N] seconds.
        end: [N] seconds.

    Returns:
        [T].
    """
    borders = np.asarray(times, dtype=np.float64)
    covered_until = np.zeros(len(borders))  # seconds of the union before each border
    reach = -np.inf
    for begin, stop in sorted(zip(start.tolist(), end.tolist(), strict=True)):
        begin = max(begin, reach)  # what earlier segments covered is counted
        if stop > begin:
            covered_until += np.clip(borders, begin, stop) - begin
            reach = stop
    share = np.diff(covered_until) / np.diff(borders)
    return np.asarray(share >= COVERED - _ROUNDING)


def snippet_precision(
    truth: GroundTruth, activations: Mapping[str, Activations], class_names: Sequence[str]
) -> list[SnippetPrecision]:
    """Average precision per class of every score sequence and gate; no threshold, no segments.

    Snippets of all videos are ranked together, each counts once. Gates without classes are judged
    by whether anything happens.

    Args:
        truth: the true segments.
        activations: by video name.
        class_names: what the columns of the sequences are called.

    Raises:
        DataError: no video of the activations is in the truth.
    """
    names = [name for name in truth.video_ids if name in activations]
    if not names:
        raise DataError("the truth and the activations have no video in common")
    parts = [_covered(truth, name, activations[name].times, class_names) for name in names]
    right = np.concatenate(parts)
    # [N, C] whether the snippet's video shows the class, however shortly
    shown = [_shown(truth, name, class_names) for name in names]
    inside = np.concatenate(
        [np.tile(row, (len(part), 1)) for row, part in zip(shown, parts, strict=True)]
    )
    first = activations[names[0]]
    result = []
    for name in (*first.scores, *first.gates):
        columns = [
            activations[video].scores.get(name, activations[video].gates.get(name))
            for video in names
        ]
        values = np.concatenate([np.asarray(column) for column in columns])
        if values.ndim == 1:
            any_right: Bools = np.asarray(right.any(axis=1, keepdims=True))
            any_inside: Bools = np.asarray(inside.any(axis=1, keepdims=True))
            result.append(_of_sequence(name, values[:, None], any_right, any_inside, (ANY,)))
        else:
            result.append(_of_sequence(name, values, right, inside, class_names))
    return result


def _shown(truth: GroundTruth, video: str, class_names: Sequence[str]) -> Bools:
    """[C]."""
    labels = truth.label[truth.video == truth.video_ids.index(video)]
    names = {truth.class_names[label] for label in labels}
    return np.array([name in names for name in class_names])


def _covered(
    truth: GroundTruth, video: str, times: FloatArray, class_names: Sequence[str]
) -> Bools:
    """[T, C]."""
    rows = np.flatnonzero(truth.video == truth.video_ids.index(video))
    covered = np.zeros((len(times) - 1, len(class_names)), dtype=np.bool_)
    for label in np.unique(truth.label[rows]):
        name = truth.class_names[label]
        if name in class_names:
            of_class = rows[truth.label[rows] == label]
            covered[:, class_names.index(name)] = covered_snippets(
                times, truth.start[of_class], truth.end[of_class]
            )
    return covered


def _of_sequence(
    name: str, values: FloatArray, right: Bools, inside: Bools, class_names: Sequence[str]
) -> SnippetPrecision:
    ap, ap_inside, prevalence, prevalence_inside = {}, {}, {}, {}
    for index, label in enumerate(class_names):
        positive, score, kept = right[:, index], values[:, index], inside[:, index]
        if not positive.any():
            continue
        ap[label] = ranking_average_precision(positive, score)
        ap_inside[label] = ranking_average_precision(positive[kept], score[kept])
        prevalence[label] = float(positive.mean())
        prevalence_inside[label] = float(positive[kept].mean())
    return SnippetPrecision(name, ap, ap_inside, prevalence, prevalence_inside)


def _mean(values: Mapping[str, float]) -> float:
    return float(np.mean(list(values.values()))) if values else float("nan")
