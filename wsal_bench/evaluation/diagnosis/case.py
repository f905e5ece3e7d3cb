"""An evaluation laid out for diagnosis: ranked rows, their states, the truths that they took."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wsal_bench.errors import UsageError
from wsal_bench.evaluation.preparing import in_units, scored_truth
from wsal_bench.evaluation.protocols import Protocol
from wsal_bench.evaluation.scores import Matches, Scores
from wsal_bench.types import Detections, FloatArray, GroundTruth, IntArray

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
States = NDArray[np.int8]

DROPPED, FALSE, TRUE = 0, 1, 2  # as in _compiled, which is imported only where it runs

# rules by which a hit's truth can be told from the hits alone, and the plain area is the score
_RULES = {
    "ap_rule": ("all-points",),
    "matching": ("best-free-tiou",),
    "comparison": ("float64",),
    "ambiguous": ("none", "drop-any"),
    "missing_class": ("zero",),
}


@dataclass(frozen=True, eq=False)
class Overlaps:
    """Who overlaps whom best, whatever was matched.

    Args:
        best: [S] tIoU of each ranked row with any truth of its video.
        best_label: [S] class of the first truth that has it, -1 where nothing is overlapped.
        own: [S] tIoU with the best truth of the row's own class.
        same: [M] tIoU of each truth with the best detection of its class.
        other: [M] the same with the detections of other classes.
    """

    best: Floats
    best_label: Ints
    own: Floats
    same: Floats
    other: Floats


@dataclass(frozen=True, eq=False)
class Case:
    """A truth, what was detected, and what became of it.

    S scored detections, class by class and best first; M truths, video by video; C classes with a
    truth; K thresholds.

    Args:
        protocol: the rules.
        class_names: [C].
        tious: [K].
        truth: the true segments that count, in seconds; columns below are in another order.
        truth_rows: [M] row of `truth` that each column of truths stands for.
        truth_label: [M] class.
        num_truths: [C].
        label: [S] class.
        rank: [S] position in the class.
        first: [C + 1] rows of class c are `first[c]:first[c + 1]`.
        hit: [K, S].
        owner: [K, S] the truth that a hit took, else -1.
        overlaps: who overlaps whom.
    """

    protocol: Protocol
    class_names: tuple[str, ...]
    tious: Floats
    truth: GroundTruth
    truth_rows: Ints
    truth_label: Ints
    num_truths: Ints
    label: Ints
    rank: Ints
    first: Ints
    hit: Bools
    owner: Ints
    overlaps: Overlaps

    @property
    def found(self) -> Bools:
        """[K, M] the truths that something hit."""
        found = np.zeros((len(self.tious), len(self.truth_label)), dtype=np.bool_)
        threshold, row = np.nonzero(self.owner >= 0)
        found[threshold, self.owner[threshold, row]] = True
        return found

    @property
    def state(self) -> States:
        """[K, S] TRUE for hits, FALSE for the others."""
        return np.where(self.hit, TRUE, FALSE).astype(np.int8)

    @property
    def normal(self) -> float:
        """Truths of the average class: what the normalised precision takes every class to have."""
        return float(np.mean(self.num_truths))

    def headline(self, values: FloatArray) -> float:
        """The protocol's headline average of one value per threshold [K]."""
        return self.mean(values, self.protocol.headline)

    def mean(self, values: FloatArray, average: str) -> float:
        """A named average of the protocol, of one value per threshold [K]."""
        wanted = self.protocol.averages[average]
        return float(np.mean([values[self.protocol.tious.index(tiou)] for tiou in wanted]))


def obstacle(protocol: Protocol) -> str:
    """Why evaluations under a protocol cannot be diagnosed; empty where they can."""
    for rule, possible in _RULES.items():
        value = getattr(protocol, rule)
        if value not in possible:
            needed = " or ".join(map(repr, possible))
            return f"the diagnosis needs {rule} {needed}, {protocol.name} has {value!r}"
    return ""


def lay_out(truth: GroundTruth, detections: Detections, scores: Scores) -> Case:
    """Prepares an evaluation for diagnosis.

    Args:
        truth: what the detections were evaluated against.
        detections: what was evaluated.
        scores: the evaluation, with its matches.

    Raises:
        UsageError: a protocol whose hits do not tell which truth was hit.
        ValueError: scores without matches, or of other detections or another truth.
    """
    reason = obstacle(scores.protocol)
    if reason:
        raise UsageError(reason, hint="diagnose under the data set's common protocol")
    rules, truth = scores.protocol, scored_truth(truth, scores.protocol)
    matches = _matches(truth, detections, scores)
    tious = np.asarray(scores.tiou, dtype=np.float64)
    scored = np.flatnonzero(matches.label >= 0)
    order = scored[np.lexsort((matches.rank[scored], matches.label[scored]))]
    label = np.asarray(matches.label[order], dtype=np.int64)

    targets, num_classes = _targets(truth, scores), len(scores.class_names)
    from wsal_bench.evaluation.diagnosis import _compiled as loops

    start, end = (in_units(side, rules)[order] for side in (detections.start, detections.end))
    video = np.asarray(matches.video[order], dtype=np.int64)
    hits = np.asarray(matches.hits[order], dtype=np.int64)
    truths = (targets.segments, targets.label, targets.first)
    empty, later = rules.empty_union == "hit", rules.truth_ties == "later-first"
    overlaps = Overlaps(*loops.meet(start, end, label, video, *truths, empty))
    owner = loops.own(start, end, label, video, hits, *truths, tious, empty, later)
    if (owner == -2).any():
        raise ValueError("these scores were made with another truth or other detections")
    return Case(
        protocol=rules,
        class_names=scores.class_names,
        tious=tious,
        truth=truth,
        truth_rows=targets.rows,
        truth_label=targets.label,
        num_truths=np.bincount(targets.label, minlength=num_classes),
        label=label,
        rank=np.asarray(matches.rank[order], dtype=np.int64),
        first=np.searchsorted(label, np.arange(num_classes + 1)),
        hit=(hits >> np.arange(len(tious))[:, None] & 1).astype(np.bool_),
        owner=owner,
        overlaps=overlaps,
    )


@dataclass(frozen=True, eq=False)
class _Targets:
    """The truths video by video: their row, borders [2, M] and class; `first` [V + 1] of each."""

    rows: Ints
    segments: Floats
    label: Ints
    first: Ints


def _targets(truth: GroundTruth, scores: Scores) -> _Targets:
    index = {name: position for position, name in enumerate(scores.class_names)}
    position = np.array([index.get(name, -1) for name in truth.class_names], dtype=np.int64)
    rows = np.argsort(truth.video, kind="stable")
    sides = [in_units(side[rows], scores.protocol) for side in (truth.start, truth.end)]
    counts = np.bincount(truth.video, minlength=len(truth.video_ids))
    first = np.concatenate([[0], np.cumsum(counts)])
    return _Targets(rows, np.stack(sides), position[truth.label[rows]], first)


@dataclass(frozen=True, eq=False)
class Areas:
    """Average precision [K, C], plain and normalised; NaN for a class without a truth."""

    ap: Floats
    normalised: Floats

    @property
    def mean_ap(self) -> Floats:
        """[K] over the classes that have a truth."""
        return _mean(self.ap)

    @property
    def mean_normalised(self) -> Floats:
        """[K] the same of the normalised form."""
        return _mean(self.normalised)


def areas(case: Case, state: States, num_truths: IntArray | None = None) -> Areas:
    """Average precision where every ranked row is true, false or left out.

    The normalised form (Hoiem et al. 2012, used by DETAD) takes precision as
    R * N / (R * N + false positives) with R the recall and N the truths of the average class, so
    that classes and subsets with few truths can be compared with others.

    Args:
        case: the evaluation.
        state: [K, S] DROPPED, FALSE or TRUE.
        num_truths: [C] truths to find; None: all of the case.
    """
    from wsal_bench.evaluation.diagnosis import _compiled as loops

    total = case.num_truths if num_truths is None else np.asarray(num_truths, dtype=np.int64)
    both = loops.areas(state, case.first, total, case.normal)
    return Areas(both[0], both[1])


def precision_recall(case: Case, recalls: FloatArray) -> Floats:
    """[K, R] interpolated precision at given recalls, the mean over classes."""
    from wsal_bench.evaluation.diagnosis import _compiled as loops

    curves: Floats = loops.precisions(
        case.state, case.first, case.num_truths, np.asarray(recalls, dtype=np.float64)
    )
    mean: Floats = curves.mean(axis=1)
    return mean


def _mean(values: Floats) -> Floats:
    known = ~np.isnan(values)
    count = known.sum(axis=1)
    total = np.where(known, values, 0.0).sum(axis=1)
    mean: Floats = np.divide(total, count, out=np.full(len(values), np.nan), where=count > 0)
    return mean


def _matches(truth: GroundTruth, detections: Detections, scores: Scores) -> Matches:
    if scores.matches is None:
        raise ValueError("these scores came without matches: evaluate the detections again")
    if len(scores.matches.hits) != len(detections) or scores.counts.truths != len(truth):
        raise ValueError("these scores were made with another truth or other detections")
    return scores.matches
