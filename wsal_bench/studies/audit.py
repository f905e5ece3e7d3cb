"""What the difference between two numbers is made of.

Two sets of detections, or all seeds of two runs, each under a stated protocol. The part of a factor
(its main effect) is the mean of what exchanging it alone does, with the other factor at its one
value and at its other: the parts add up to the difference, and exchanging A and B turns every sign.
Where the two differ (the interaction), that mean may describe neither: both stand beside it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from wsal_bench.errors import UsageError
from wsal_bench.evaluation import Protocol
from wsal_bench.statistics import Interval
from wsal_bench.studies.audit_seeds import Seeds

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

    @property
    def interaction(self) -> float:
        """A minus B under A's condition, less A minus B under B's."""
        return (self.a_first - self.b_first) - (self.a_second - self.b_second)

    @property
    def is_additive(self) -> bool:
        """Whether A minus B is much the same under both: its mean then describes both.

        Half and one and a half times the mean are the furthest apart that they may lie.
        """
        rounds_to_nothing = 100 * abs(self.interaction) < 0.05
        return rounds_to_nothing or abs(self.interaction) <= abs(self.things)


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
class Effect:
    """A minus B under one protocol.

    Args:
        under: name of the protocol.
        value: fraction, mean over the seeds.
        interval: from resampled videos and the seeds; None where it cannot be had.
        problem: why it cannot.
    """

    under: str
    value: float
    interval: Interval | None
    problem: str = ""


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
        name_a: what was compared first, with its number of seeds.
        name_b: what it was compared with.
        named_a: the run or file that was named.
        named_b: the other.
        measure: the average or tIoU that everything is about, as in `Protocol.averages`.
        protocol_a: A's rules, with `measure` as their headline.
        protocol_b: B's.
        protocols: A and B under both protocols, mean over their seeds.
        effects: A minus B under A's protocol, and under B's where that is another.
        recipe: its part.
        recipes: None where not both are runs with activations.
        selection: its part.
        seeds: which were compared, and how they scatter.
    """

    name_a: str
    name_b: str
    named_a: str
    named_b: str
    measure: str
    protocol_a: Protocol
    protocol_b: Protocol
    protocols: Crossed
    effects: tuple[Effect, ...]
    recipe: Part
    recipes: Recipes | None
    selection: Part
    seeds: Seeds = field(default_factory=lambda: Seeds(None, None))

    @property
    def one_protocol(self) -> bool:
        """Whether both stand under the same rules."""
        return self.protocol_a.name == self.protocol_b.name


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


def check_versions(first: Protocol, second: Protocol) -> None:
    """Refuses two versions of one protocol, which tables could not tell apart.

    Raises:
        UsageError: they are that.
    """
    if first.name == second.name and first != second:
        raise UsageError(
            f"{first.name} version {first.version} and version {second.version} have one name",
            hint="score the older result again, or name both with --protocol-a and --protocol-b",
        )


def _near(protocol: Protocol, tiou: float) -> tuple[float, ...]:
    return tuple(own for own in protocol.tious if abs(own - tiou) < _SAME)
