"""How the score and what is missed depend on length, coverage and number of instances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from wsal_bench.evaluation.diagnosis.case import DROPPED, FALSE, TRUE, Case, Floats, Ints, areas
from wsal_bench.evaluation.diagnosis.errors import LOWEST_TIOU
from wsal_bench.evaluation.diagnosis.traits import Buckets

REASONS = ("taken", "wrong label", "localization", "unseen")


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """Scores and misses by the buckets of one trait.

    Args:
        buckets: names, borders and members.
        truths: [N] true segments.
        classes: [N] classes that have one.
        normalised: [N, K] normalised mAP over those classes, of the bucket's truths alone.
        average: [N] its headline average.
        missed: [N, K] share of the truths that nothing hit.
    """

    buckets: Buckets
    truths: Ints
    classes: Ints
    normalised: Floats
    average: Floats
    missed: Floats

    def to_json(self) -> dict[str, Any]:
        """A document of lists; a number is NaN where a bucket is empty."""
        return {
            "trait": self.buckets.trait,
            "names": list(self.buckets.names),
            "edges": list(self.buckets.edges),
            "truths": self.truths.tolist(),
            "classes": self.classes.tolist(),
            "normalised_map": self.normalised.tolist(),
            "average": self.average.tolist(),
            "missed": self.missed.tolist(),
        }


def sensitivity(case: Case, buckets: Buckets) -> Sensitivity:
    """Normalised mAP and misses in each bucket of a trait.

    The truths of other buckets and the detections that hit them are left out, at each threshold by
    its own hits. (DETAD 24f7d95 filters one table threshold after threshold, so that its later
    thresholds see fewer detections; that is a mistake and not repeated.) False positives stay.
    """
    num_classes, found = len(case.class_names), case.found
    shape = (len(buckets.names), len(case.tious))
    normalised, missed = np.full(shape, np.nan), np.full(shape, np.nan)
    truths = np.bincount(buckets.member, minlength=shape[0])
    classes = np.zeros(shape[0], dtype=np.int64)
    for bucket in np.flatnonzero(truths):
        member = buckets.member == bucket
        num_truths = np.bincount(case.truth_label[member], minlength=num_classes)
        classes[bucket] = np.count_nonzero(num_truths)
        # owner -1 reads the appended entry, which np.where does not look at
        inside = np.append(member, False)[case.owner]
        state = np.where(case.hit, np.where(inside, TRUE, DROPPED), FALSE).astype(np.int8)
        normalised[bucket] = areas(case, state, num_truths).mean_normalised
        missed[bucket] = 1 - np.count_nonzero(found[:, member], axis=1) / truths[bucket]
    return Sensitivity(
        buckets=buckets,
        truths=truths,
        classes=classes,
        normalised=normalised,
        average=np.array([case.headline(values) for values in normalised]),
        missed=missed,
    )


@dataclass(frozen=True, eq=False)
class Missed:
    """True segments that nothing hit, and what lay there instead.

    Args:
        truths: M.
        found: [K] truths that were hit.
        reasons: [K, 4] the others by `REASONS`: a detection of the class reaches the threshold but
            took another truth; only one of another class reaches it; one of the class overlaps by
            0.1 or more; none does.
    """

    truths: int
    found: Ints
    reasons: Ints

    def to_json(self) -> dict[str, Any]:
        """A document of lists."""
        return {
            "truths": self.truths,
            "found": self.found.tolist(),
            "reasons": list(REASONS),
            "missed": self.reasons.tolist(),
        }


def missed(case: Case) -> Missed:
    """What is missed, and why."""
    found, tious = case.found, case.tious[:, None]
    same, other = case.overlaps.same, case.overlaps.other
    cut_badly = np.broadcast_to(same >= LOWEST_TIOU, found.shape)
    reason = np.select([same >= tious, other >= tious, cut_badly], [0, 1, 2], default=3)
    counts = [
        np.bincount(row[~hit], minlength=len(REASONS))
        for row, hit in zip(reason, found, strict=True)
    ]
    return Missed(len(case.truth), np.count_nonzero(found, axis=1), np.array(counts))
