"""The value that holds the rules of scoring, and its checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from wsal_bench.errors import UsageError, did_you_mean
from wsal_bench.evaluation.rules import RULES

MAX_TIOUS = 63  # a detection's matches are the bits of one int64
_ROUNDING = 1e-9  # by which the steps of an even grid of doubles may differ
_NAME_LISTS = ("excluded_videos", "needs_videos", "sources")


@dataclass(frozen=True)
class Protocol:
    """How detections are scored. `rules.RULES` says in words what each choice means.

    Args:
        name: `<dataset>/<rules>`.
        version: raised by every change that moves a number.
        description: one sentence for tables and lists.
        tious: the temporal IoU thresholds, increasing, in (0, 1], compared as they are.
        averages: name of an average over thresholds -> those thresholds.
        headline: the average that rankings sort by; a key of `averages`.
        truth_variant: which annotation of the data set; "default" is the data set's own choice.
        ap_rule: how a ranking becomes a number.
        matching: which detection hits which truth.
        comparison: how a tIoU is held against a threshold.
        time_unit: what borders are measured in.
        ambiguous: what becomes of detections on stretches that nobody is sure of.
        ties: the order of equal scores; "stable" is what the ActivityNet code does wherever its
            sort is stable.
        videos_outside: what becomes of detections in videos that the truth does not have.
        unknown_labels: what becomes of a detected class that the truth does not name.
        truth_cleaning: which true segments are left out.
        truth_ties: the order of truths that a detection overlaps equally.
        empty_union: what 0 / 0 is.
        missing_class: what a class without a detection does.
        fps: frames per second of the snippet grid.
        stride: frames per snippet of the grid.
        excluded_videos: names of videos with a rule of their own.
        excluded_rule: that rule.
        needs_videos: names of videos that a truth must have to be the one that is meant.
        sources: repositories and commits whose rules these are.
        union: how the union of two overlapping segments is computed.

    Raises:
        UsageError: a rule that the evaluator does not have, rules, thresholds or averages that do
            not fit together.
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
    truth_cleaning: str = "none"
    truth_ties: str = "later-first"
    empty_union: str = "hit"
    missing_class: str = "zero"
    fps: float = 25.0
    stride: int = 16
    excluded_videos: tuple[str, ...] = ()
    excluded_rule: str = "dropped"
    needs_videos: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    union: str = "lengths"

    def __post_init__(self) -> None:
        object.__setattr__(self, "tious", tuple(float(tiou) for tiou in self.tious))
        averages = {name: tuple(float(t) for t in part) for name, part in self.averages.items()}
        object.__setattr__(self, "averages", averages)
        for name in _NAME_LISTS:
            object.__setattr__(self, name, tuple(getattr(self, name)))
        for rule, choices in RULES.items():
            value = getattr(self, rule)
            if value not in choices:
                raise UsageError(
                    f"protocol {self.name!r}: no {rule} {value!r}",
                    hint=did_you_mean(str(value), choices),
                )
        self._check_rules()
        self._check_tious()
        self._check_averages()

    @property
    def dataset(self) -> str:
        """The data set that the protocol is for."""
        return self.name.partition("/")[0]

    def _check_rules(self) -> None:
        if self.comparison == "exact" and self.time_unit != "snippets":
            raise UsageError(
                f"protocol {self.name!r}: exact comparison in {self.time_unit}",
                hint="tIoU is a fraction of whole numbers only where time_unit is 'snippets'",
            )
        if (self.matching == "truth-driven") != (self.ties == "true-positives-first"):
            raise UsageError(
                f"protocol {self.name!r}: matching {self.matching!r} with ties {self.ties!r}",
                hint="'truth-driven' and 'true-positives-first' go together",
            )
        if self.union == "span" and self.matching != "truth-driven":
            raise UsageError(
                f"protocol {self.name!r}: union 'span' with matching {self.matching!r}",
                hint="only 'truth-driven' turns segments round that end before they start",
            )
        if not (0 < self.fps < float("inf")) or self.stride < 1:
            raise UsageError(
                f"protocol {self.name!r}: {self.fps:g} frames per second, stride {self.stride}",
                hint="both must be positive",
            )

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
