"""What each group of test videos does to a run's headline: the jackknife, exact for mAP.

mAP is no mean over videos. So each group is left out in turn, with all its detections and truths,
and the headline is computed again from the stored matches. The deviations of these headlines take
the place of the terms of a mean: sums of their products are variances and covariances of headlines
over the sampling of groups (Tukey 1958; for unequal groups MacKinnon, Nielsen and Webb 2023).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from wsal_bench.evaluation import Scores
from wsal_bench.evaluation.resampling import left_out_average_precision, obstacle
from wsal_bench.evaluation.scores import Support
from wsal_bench.types import FloatArray, IntArray

MIN_GROUPS = 2  # one group says nothing about others
Place = tuple[int, int]  # (data_seed, seed)


@dataclass(frozen=True, eq=False)
class Grouping:
    """The groups of a truth.

    Args:
        unit: [V] the group of each video; 0 for one that the protocol leaves out, which has
            neither rows nor truths.
        has_truth: [G] whether a group has any.
        weights: [G] share in the headline, sum 1: of the true segments of each class, mean over
            the classes.
    """

    unit: IntArray
    has_truth: NDArray[np.bool_]
    weights: FloatArray

    @property
    def size(self) -> int:
        """How many groups there are."""
        return len(self.weights)

    @cached_property
    def scale(self) -> float:
        """Of deviations: the jackknife's factor, right for groups as unequal as these."""
        return _jackknife_scale(self.weights)


def grouping(support: Support) -> Grouping:
    """The groups that the counted true segments lie in."""
    names = list(dict.fromkeys(filter(None, support.groups)))
    index = {name: column for column, name in enumerate(names)}
    unit = np.array([index.get(name, 0) for name in support.groups], dtype=np.int64)
    counts = np.zeros((len(names), int(support.label.max(initial=0)) + 1))
    np.add.at(counts, (unit[support.video], support.label), 1.0)
    counts = counts[:, counts.sum(axis=0) > 0]
    return Grouping(
        unit, np.asarray(counts.any(axis=1)), np.mean(counts / counts.sum(axis=0), axis=1)
    )


def grouping_of(runs: Sequence[Scores]) -> Grouping:
    """The groups that runs on one truth share.

    Raises:
        ValueError: scores that cannot be resampled, or not of one truth.
    """
    first = runs[0]
    for run in runs:
        if problem := obstacle(run):
            raise ValueError(problem)
        if not _one_truth(first, run):
            raise ValueError("these scores were made with another truth")
    assert first.support is not None  # what `obstacle` looked at
    found = grouping(first.support)
    if found.size < MIN_GROUPS or found.weights.max() > 1 - 1e-9:
        raise ValueError(
            f"all true segments lie in one of {found.size} groups of videos, which says nothing "
            "of other groups"
        )
    return found


@dataclass(frozen=True, eq=False)
class Effects:
    """What leaving out each group does to a run's headline.

    Args:
        deviations: [G] without each group, turned round: large where the group helps; their sum
            is 0. The sum of their squares is the variance of the headline over the sampling of
            groups, and of products with another run's their covariance.
        bias: of the headline on this many groups.
    """

    deviations: FloatArray
    bias: float


def group_effects(run: Scores, groups: Grouping) -> Effects:
    """The jackknife of a run.

    Args:
        run: with matches and support.
        groups: those of its truth, at least two.
    """
    size = groups.size
    without = headline_of(run, left_out_average_precision(run, groups.unit, size))
    without = np.where(np.isnan(without), run.headline, without)  # no truth but this group's
    bias = (size - 1) * float(without.mean() - run.headline)
    return Effects(groups.scale * (without.mean() - without), bias)


def group_freedom(weights: FloatArray) -> float:
    """Degrees of freedom of a variance over groups of these weights (Bell and McCaffrey 2002).

    Of equal groups G - 1. Of unequal ones Satterthwaite's, for groups whose means vary alike,
    which is where large groups hurt most.
    """
    form = _quadratic_form(weights)
    return float(np.trace(form) ** 2 / np.sum(form * form))


def resampling_scale(weights: FloatArray) -> float:
    """The same for the variance of bootstrap resamples: (G - 1) / G for equal groups."""
    return float(1 - 2 * np.sum(weights**3) / np.sum(weights**2) + np.sum(weights**2))


def without_each(weights: FloatArray, means: FloatArray) -> FloatArray:
    """[..., G, k] deviations of a weighted mean of groups [..., G, k], as `group_effects` has them.

    For simulated groups, whose headline is a mean.
    """
    middle = np.einsum("g,...gk->...k", weights, means)
    apart = (weights / (1 - weights))[:, None] * (means - middle[..., None, :])
    apart -= apart.mean(axis=-2, keepdims=True)
    return np.asarray(_jackknife_scale(weights) * apart)


def _jackknife_scale(weights: FloatArray) -> float:
    """Root of (G - 1) / G, and for unequal groups of what makes the variance right on average."""
    size = len(weights)
    unequal = np.trace(_quadratic_form(weights)) / np.sum(weights**2)
    return float(np.sqrt((size - 1) / size / unequal))


def _quadratic_form(weights: FloatArray) -> FloatArray:
    """[G, G] the form in the groups' means that the jackknife's variance of their mean is."""
    size = len(weights)
    without = (weights / (1 - weights))[:, None] * (np.eye(size) - weights[None, :])
    without -= without.mean(axis=0)
    return np.asarray((size - 1) / size * without.T @ without)


def headline_of(scores: Scores, ap: FloatArray) -> FloatArray:
    """[R] headline average of [R, K, C], over the classes that have a truth."""
    part = scores.protocol.averages[scores.protocol.headline]
    rows = [scores.tiou.index(tiou) for tiou in part]
    flat = ap[:, rows].reshape(len(ap), -1)
    known = ~np.isnan(flat)
    total = np.where(known, flat, 0.0).sum(axis=1)
    return np.asarray(total / np.where(known.any(axis=1), known.sum(axis=1), np.nan))


def _one_truth(a: Scores, b: Scores) -> bool:
    """Whether two runs have the same videos and segments of each class there; not their borders."""
    if a is b:
        return True
    if a.support is None or b.support is None or a.support.groups != b.support.groups:
        return False
    if not np.array_equal(a.support.video, b.support.video):
        return False
    names = [np.array(one.class_names)[one.support.label] for one in (a, b) if one.support]
    return bool(np.array_equal(names[0], names[1]))
