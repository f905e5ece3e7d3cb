"""What the difference between two numbers is made of.

Two sets of detections, each under a stated protocol. The part of a factor is the mean of what
exchanging it alone does, with the other factor at its one value and at its other (Shapley): the
parts add up to the difference, and exchanging A and B turns every sign.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator

from wsal_bench.errors import UsageError
from wsal_bench.evaluation import Protocol, Scores
from wsal_bench.evaluation.resampling import obstacle
from wsal_bench.statistics import Interval, paired_bootstrap
from wsal_bench.studies.rescore import score_first_fit
from wsal_bench.types import Detections, GroundTruth

NUM_RESAMPLES = 1000
_SAME = 1e-9  # arange's 0.30000000000000004 is the 0.3 of another grid
_HALF = 0.5


@dataclass(frozen=True)
class Crossed:
    """Each of two things under each of two conditions; fractions.

    Args:
        a_first: A under A's.
        a_second: A under B's.
        b_first: B under A's.
        b_second: B under B's.
    """

    a_first: float
    a_second: float
    b_first: float
    b_second: float

    @property
    def total(self) -> float:
        """A under its own minus B under its own."""
        return self.a_first - self.b_second

    @property
    def condition(self) -> float:
        """The part that the conditions make."""
        return ((self.a_first - self.a_second) + (self.b_first - self.b_second)) / 2

    @property
    def things(self) -> float:
        """The part that A and B make."""
        return ((self.a_first - self.b_first) + (self.a_second - self.b_second)) / 2


@dataclass(frozen=True)
class Recipes:
    """The same activations through each other's recipe, and both through `common`.

    Args:
        crossed: under A's recipe and under B's, mean over the two protocols; None where one does
            not fit the other's activations.
        a_common: A's activations through `common`; None where they do not fit it.
        b_common: B's.
    """

    crossed: Crossed | None
    a_common: float | None
    b_common: float | None


@dataclass(frozen=True)
class Spread:
    """A run's siblings, which differ in the training seed alone.

    Args:
        num_seeds: how many there are, itself among them.
        std: of the measure under the run's protocol; None for one seed.
    """

    num_seeds: int
    std: float | None


@dataclass(frozen=True)
class Part:
    """A finding, or why there is none.

    Args:
        value: fraction, A minus B; None where it is not known.
        problem: why it is not known; empty where it is.
        how: how it was found, where there are several ways.
    """

    value: float | None
    problem: str = ""
    how: str = ""


@dataclass(frozen=True, eq=False)
class Audit:
    """What the difference of two sets of detections is made of.

    Args:
        name_a: of the first.
        name_b: of the second.
        measure: the average or tIoU that everything is about, as in `Protocol.averages`.
        protocol_a: A's rules, with `measure` as their headline.
        protocol_b: B's.
        protocols: A and B under both protocols.
        recipe: its part.
        recipes: None where not both are runs with activations.
        selection: its part.
        seeds_a: None for files.
        seeds_b: None for files.
        videos: the paired difference under one of the protocols; None where it cannot be had.
        videos_under: the name of that protocol.
        videos_problem: why it cannot be had.
    """

    name_a: str
    name_b: str
    measure: str
    protocol_a: Protocol
    protocol_b: Protocol
    protocols: Crossed
    recipe: Part
    recipes: Recipes | None
    selection: Part
    seeds_a: Spread | None
    seeds_b: Spread | None
    videos: Interval | None
    videos_under: str
    videos_problem: str = ""

    @property
    def seed_error(self) -> float | None:
        """Standard deviation of a difference of two single seeds; None where it is not known."""
        stds = [one.std for one in (self.seeds_a, self.seeds_b) if one is not None]
        known = [std for std in stds if std is not None]
        return math.hypot(*known) if len(known) == 2 else None


def common_measure(a: Protocol, b: Protocol) -> str:
    """What two protocols both report: a headline of one, an average of both, else tIoU 0.5.

    Raises:
        UsageError: they share nothing.
    """
    for name in (*sorted({a.headline, b.headline}), *sorted(a.averages)):
        if name in a.averages and name in b.averages:
            return name
    if all(_near(protocol, _HALF) for protocol in (a, b)):
        return f"{_HALF:g}"
    raise UsageError(
        f"{a.name} and {b.name} have neither an average nor tIoU {_HALF:g} in common",
        hint="audit under two protocols of one data set",
    )


def with_headline(protocol: Protocol, measure: str) -> Protocol:
    """The same rules with another headline."""
    averages = dict(protocol.averages)
    averages.setdefault(measure, _near(protocol, _HALF))
    return replace(protocol, averages=averages, headline=measure)


def cross_protocols(
    a: Detections, b: Detections, truths: Sequence[GroundTruth], rules: Sequence[Protocol]
) -> tuple[Crossed, Mapping[str, Sequence[Scores]]]:
    """Both detections under both protocols, and the scores by protocol.

    Raises:
        UsageError: a protocol that none of the truths fits, or two versions of one protocol.
    """
    first, second = rules
    if first.name == second.name and first != second:
        raise UsageError(
            f"{first.name} version {first.version} and version {second.version} have one name",
            hint="score the older result again, or name both with --protocol-a and --protocol-b",
        )
    by_name = {
        protocol.name: [scored(one, truths, protocol) for one in (a, b)] for protocol in rules
    }
    (a_first, b_first), (a_second, b_second) = by_name[first.name], by_name[second.name]
    crossed = Crossed(a_first.headline, a_second.headline, b_first.headline, b_second.headline)
    return crossed, by_name


def scored(detections: Detections, truths: Sequence[GroundTruth], protocol: Protocol) -> Scores:
    """Scores that there must be.

    Raises:
        UsageError: the protocol fits none of the truths.
    """
    found = score_first_fit(detections, truths, protocol)
    if found.scores is None:
        raise UsageError(found.problem)
    return found.scores


def mean_headline(
    detections: Detections, truths: Sequence[GroundTruth], rules: Sequence[Protocol]
) -> float:
    """The measure, mean over protocols."""
    return float(np.mean([scored(detections, truths, one).headline for one in rules]))


def over_videos(
    by_protocol: Mapping[str, Sequence[Scores]], generator: Callable[[], Generator]
) -> tuple[Interval | None, str, str]:
    """The paired difference under the first protocol, by name, whose scores can be resampled.

    Returns:
        The interval, the protocol's name, and why there is none.
    """
    problem = ""
    for name, (a, b) in sorted(by_protocol.items()):
        problem = obstacle(a) or obstacle(b)
        if not problem:
            found = paired_bootstrap([a], [b], NUM_RESAMPLES, generator=generator())
            return found, name, ""
    return None, "", problem


def _near(protocol: Protocol, tiou: float) -> tuple[float, ...]:
    return tuple(own for own in protocol.tious if abs(own - tiou) < _SAME)
