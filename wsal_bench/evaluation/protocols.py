"""Named, versioned rules by which detections become numbers.

A protocol says everything about the scoring and nothing about how the detections came to be. Two
numbers may stand in one table only if their protocols are equal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from wsal_bench.errors import UsageError, did_you_mean

MAX_TIOUS = 63  # a detection's matches are the bits of one int64

# What the evaluator does, and its tests prove. A rule outside this table is refused.
RULES: Mapping[str, tuple[str, ...]] = {
    "ap_rule": ("all-points",),
    "matching": ("best-free-tiou",),
    "comparison": ("float64",),
    "time_unit": ("seconds",),
    "ambiguous": ("none",),
    "ties": ("stable",),
    "videos_outside": ("false-positive", "dropped"),
    "unknown_labels": ("error", "ignore"),
}


@dataclass(frozen=True)
class Protocol:
    """How detections are scored.

    Args:
        name: `<dataset>/<rules>`.
        version: raised by every change that moves a number.
        description: one sentence for tables and lists.
        tious: the temporal IoU thresholds, increasing, in (0, 1], compared as they are.
        averages: name of an average over thresholds -> those thresholds.
        headline: the average that rankings sort by; a key of `averages`.
        truth_variant: which annotation of the data set; "default" is the data set's own choice.
        ap_rule: "all-points": area under the precision envelope (VOC 2010 and later).
        matching: "best-free-tiou": detections in order of score, each takes the truth of its
            class and video with the best tIoU among those still free at the threshold.
        comparison: "float64": tIoU as rounded, hit where it is not below the threshold.
        time_unit: "seconds".
        ambiguous: "none": ambiguous stretches play no part.
        ties: "stable": of equal scores the later row ranks first; of equal tIoU the later truth
            is tried first. It is what the ActivityNet code does wherever its sort is stable.
        videos_outside: detections in videos that the truth does not have: "false-positive" (the
            ActivityNet code) or "dropped".
        unknown_labels: a detected class that the truth does not name: "error" or "ignore".

    Raises:
        UsageError: a rule that the evaluator does not have, thresholds or averages that do not
            fit together.
    """

    name: str
    version: int
    description: str
    tious: tuple[float, ...]
    averages: Mapping[str, tuple[float, ...]] = field(hash=False)
    headline: str
    truth_variant: str = "default"
    ap_rule: str = "all-points"
    matching: str = "best-free-tiou"
    comparison: str = "float64"
    time_unit: str = "seconds"
    ambiguous: str = "none"
    ties: str = "stable"
    videos_outside: str = "false-positive"
    unknown_labels: str = "error"

    def __post_init__(self) -> None:
        object.__setattr__(self, "tious", tuple(float(tiou) for tiou in self.tious))
        averages = {name: tuple(float(t) for t in part) for name, part in self.averages.items()}
        object.__setattr__(self, "averages", averages)
        for rule, choices in RULES.items():
            value = getattr(self, rule)
            if value not in choices:
                raise UsageError(
                    f"protocol {self.name!r}: no {rule} {value!r}",
                    hint=did_you_mean(value, choices),
                )
        self._check_tious()
        self._check_averages()

    def _check_tious(self) -> None:
        tious = self.tious
        increasing = all(low < high for low, high in pairwise(tious))
        if not tious or not increasing or not (tious[0] > 0 and tious[-1] <= 1):
            raise UsageError(
                f"protocol {self.name!r}: tIoU thresholds {list(tious)}",
                hint="there must be some, increasing, above 0 and at most 1",
            )
        if len(tious) > MAX_TIOUS:
            raise UsageError(
                f"protocol {self.name!r}: {len(tious)} tIoU thresholds",
                hint=f"there may be {MAX_TIOUS}",
            )

    def _check_averages(self) -> None:
        for name, part in self.averages.items():
            if not part or not set(part) <= set(self.tious):
                raise UsageError(
                    f"protocol {self.name!r}: average {name!r} is over {list(part)}",
                    hint=f"it must be over some of {list(self.tious)}",
                )
        if self.headline not in self.averages:
            raise UsageError(
                f"protocol {self.name!r}: no average {self.headline!r}",
                hint=did_you_mean(self.headline, self.averages),
            )


_ROUNDING = 1e-9  # by which the steps of an even grid of doubles may differ
COMMON_TIOUS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)  # the literals, not arange's 0.30000000000000004


def common(dataset: str, *, truth_variant: str = "default") -> Protocol:
    """The protocol that every data set has, `<dataset>/common`.

    The ActivityNet algorithm (82304fa) with stable sorts, at the thresholds of the THUMOS14
    papers, with the three averages that they print.

    Args:
        dataset: name of the data set.
        truth_variant: which annotation of it.
    """
    return Protocol(
        name=f"{dataset}/common",
        version=1,
        description="ActivityNet average precision at tIoU 0.1 to 0.7, stable ties",
        tious=COMMON_TIOUS,
        averages={
            "0.1:0.5": COMMON_TIOUS[:5],
            "0.1:0.7": COMMON_TIOUS,
            "0.3:0.7": COMMON_TIOUS[2:],
        },
        headline="0.1:0.7",
        truth_variant=truth_variant,
    )


_PRESETS: Mapping[str, Protocol] = {
    preset.name: preset for preset in (common("simulated"), common("thumos14"))
}


def names() -> tuple[str, ...]:
    """The protocols that have a name of their own; `<dataset>/common` exists beside them."""
    return tuple(sorted(_PRESETS))


def protocol(name: str) -> Protocol:
    """The protocol of that name.

    Args:
        name: one of `names()`, or `<dataset>/common` for any data set.

    Raises:
        UsageError: there is none.
    """
    if name in _PRESETS:
        return _PRESETS[name]
    dataset, _, rules = name.rpartition("/")
    if dataset and rules == "common":
        return common(dataset)
    raise UsageError(
        f"no protocol {name!r}", hint=did_you_mean(name, (*names(), "<dataset>/common"))
    )


def with_tious(protocol: Protocol, tious: Sequence[float]) -> Protocol:
    """The same rules at other thresholds, under a name that says so.

    Averages whose thresholds are all there are kept; an average over all of them is added. It
    becomes the headline where the protocol's own headline cannot be computed.

    Args:
        protocol: where the other rules come from.
        tious: increasing, in (0, 1].

    Raises:
        UsageError: thresholds that no protocol can have.
    """
    wanted = tuple(float(tiou) for tiou in tious)
    if wanted == protocol.tious:
        return protocol
    every = range_name(wanted)
    kept = {name: part for name, part in protocol.averages.items() if set(part) <= set(wanted)}
    return replace(
        protocol,
        name=f"{protocol.name}@{every}",
        tious=wanted,
        averages={**kept, every: wanted},
        headline=protocol.headline if protocol.headline in kept else every,
    )


def range_name(tious: Sequence[float]) -> str:
    """Short name of some thresholds: "0.5", "0.1:0.7" (steps of 0.1), "0.5:0.05:0.95", else all.

    >>> range_name((0.3, 0.4, 0.5)), range_name((0.3, 0.5, 0.7)), range_name((0.1, 0.5, 0.6))
    ('0.3:0.5', '0.3:0.2:0.7', '0.1,0.5,0.6')
    """
    steps = [high - low for low, high in pairwise(tious)]
    if steps and max(abs(step - 0.1) for step in steps) < _ROUNDING:
        return f"{tious[0]:.6g}:{tious[-1]:.6g}"
    if len(steps) > 1 and max(steps) - min(steps) < _ROUNDING:
        return f"{tious[0]:.6g}:{steps[0]:.6g}:{tious[-1]:.6g}"
    return ",".join(f"{tiou:.6g}" for tiou in tious)
