"""What an evaluation says, as a value that goes to JSON and back unchanged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsal_bench.errors import DataError
from wsal_bench.evaluation._protocol import Protocol
from wsal_bench.types import FloatArray, IntArray


@dataclass(frozen=True)
class Counts:
    """What went into the scores.

    Args:
        detections: rows that were given.
        truths: true segments.
        tied: scored rows whose score another scored row of their class shares: only the tie rule
            orders them.
        outside: rows in videos that the truth does not have.
        ignored: rows that no score depends on: of a class without a true segment, of an unknown
            label that the protocol ignores, or outside where the protocol drops those.
    """

    detections: int
    truths: int
    tied: int
    outside: int
    ignored: int


@dataclass(frozen=True, eq=False)
class Matches:
    """What became of every detection, as columns [P] aligned with the detections' rows.

    Enough to re-weight videos without matching again: matching never crosses them.

    Args:
        video: index into the truth's video_ids, -1 outside.
        label: index into the scores' class_names, -1 for an ignored row.
        rank: position among the scored rows of its class, 0 for the best, -1 for an ignored row.
        hits: bit k is 1 where the row hits a truth at the k-th tIoU.
        unsure: None, or 1 where the row does not count at the thresholds where it misses.
        level: None, or the best rank among the rows of its class with its score, -1 for an ignored
            row: where the hits of equal scores come first, each threshold orders them anew.
    """

    video: IntArray
    label: IntArray
    rank: IntArray
    hits: IntArray
    unsure: IntArray | NDArray[np.bool_] | None = None
    level: IntArray | None = None


@dataclass(frozen=True, eq=False)
class Support:
    """The true segments that were counted, and what is resampled: enough for an interval.

    Args:
        video: [M] index of each counted true segment's video, as in `Matches.video`.
        label: [M] its index into the scores' class_names.
        groups: [V] who or what each video was recorded from: resampling never cuts a group; empty
            for a video that the protocol leaves out.
    """

    video: IntArray
    label: IntArray
    groups: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Scores:
    """Average precision under a protocol; fractions, not percent.

    Args:
        protocol: the rules.
        class_names: [C] classes that have a true segment, in order of their first one.
        ap: [K, C] average precision per tIoU and class.
        counts: what went in.
        matches: what became of each detection; None where read from a document without.
        support: the true segments behind the scores; None where read from a document without.
    """

    protocol: Protocol
    class_names: tuple[str, ...]
    ap: FloatArray
    counts: Counts
    matches: Matches | None = None
    support: Support | None = None

    @property
    def tiou(self) -> tuple[float, ...]:
        """[K] thresholds."""
        return self.protocol.tious

    @cached_property
    def mean_ap(self) -> FloatArray:
        """[K] mean over the classes."""
        return np.asarray(self.ap.mean(axis=1))

    @cached_property
    def averages(self) -> dict[str, float]:
        """Mean of `mean_ap` over each of the protocol's ranges, by the range's name."""
        return {name: self._average(name) for name in self.protocol.averages}

    @property
    def headline(self) -> float:
        """The average that rankings sort by."""
        return self._average(self.protocol.headline)

    def _average(self, name: str) -> float:
        part = self.protocol.averages[name]
        values = [self._by_tiou[tiou] for tiou in part]
        return float(np.add.reduce(values) / len(part))  # np.mean, which takes twice as long

    @cached_property
    def _by_tiou(self) -> dict[float, float]:
        return dict(zip(self.tiou, self.mean_ap.tolist(), strict=True))

    def to_json(self, *, matches: bool = True) -> dict[str, Any]:
        """Plain dicts, lists and numbers; `from_json` gives the same scores back.

        Args:
            matches: with what became of each detection, four integers a row, and with the support,
                two integers a true segment.
        """
        document: dict[str, Any] = {
            "protocol": asdict(self.protocol),
            "tiou": list(self.tiou),
            "class_names": list(self.class_names),
            "ap": dict(zip(self.class_names, self.ap.T.tolist(), strict=True)),
            "map": self.mean_ap.tolist(),
            "averages": self.averages,
            "average": self.protocol.headline,
            "counts": asdict(self.counts),
        }
        if matches and self.matches is not None:
            document["matches"] = {
                name: np.asarray(column, dtype=np.int64).tolist()
                for name, column in vars(self.matches).items()
                if column is not None
            }
        if matches and self.support is not None:
            document["support"] = {
                "video": self.support.video.tolist(),
                "label": self.support.label.tolist(),
                "groups": list(self.support.groups),
            }
        return document

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Scores:
        """The scores that `to_json` wrote.

        Raises:
            DataError: the document does not hold scores.
            UsageError: its protocol has a rule that this evaluator does not have.
        """
        try:
            class_names = tuple(document["class_names"])
            columns = document.get("matches")
            support = document.get("support")
            scores = cls(
                protocol=Protocol(**document["protocol"]),
                class_names=class_names,
                ap=np.array([document["ap"][name] for name in class_names], dtype=np.float64).T,
                counts=Counts(**document["counts"]),
                matches=None
                if columns is None
                else Matches(**{name: np.array(rows, np.int64) for name, rows in columns.items()}),
                support=None
                if support is None
                else Support(
                    video=np.array(support["video"], np.int64),
                    label=np.array(support["label"], np.int64),
                    groups=tuple(support["groups"]),
                ),
            )
            problem = scores._contradiction(document)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DataError(f"not a document of scores ({error!r})") from error
        if problem:
            raise DataError(f"scores that cannot be: {problem}")
        return scores

    def _contradiction(self, document: Mapping[str, Any]) -> str:
        """Why no evaluation can have said this; empty where nothing speaks against it."""
        shape = (len(self.tiou), len(self.class_names))
        if self.ap.shape != shape:
            return f"average precision {self.ap.shape} of {shape[0]} tIoU and {shape[1]} classes"
        if not ((self.ap >= 0) & (self.ap <= 1)).all():
            return "an average precision outside [0, 1]"
        for name, said, counted in (
            ("tiou", document.get("tiou"), list(self.tiou)),
            ("map", document.get("map"), self.mean_ap.tolist()),
            ("averages", document.get("averages"), self.averages),
        ):
            if said is not None and not _alike(said, counted):
                return f"{name!r} is {said}, but the rest gives {counted}"
        return self._odd_matches() or self._odd_support()

    def _odd_matches(self) -> str:
        if self.matches is None:
            return ""
        columns = [column for column in vars(self.matches).values() if column is not None]
        if {len(column) for column in columns} != {self.counts.detections}:
            lengths = sorted({len(column) for column in columns})
            return f"matches of {lengths} rows beside {self.counts.detections} detections"
        label, hits = self.matches.label, self.matches.hits
        if ((label < -1) | (label >= len(self.class_names))).any():
            return "a match of a class that is not there"
        if ((hits < 0) | (hits >= 1 << len(self.tiou))).any():
            return "a hit at a tIoU that is not there"
        return ""

    def _odd_support(self) -> str:
        if self.support is None:
            return ""
        video, label, count = self.support.video, self.support.label, len(self.support.groups)
        if len(video) != len(label) or len(video) > self.counts.truths:
            return f"support of {len(video)} segments beside {self.counts.truths} true ones"
        if ((video < 0) | (video >= count)).any():
            return "a true segment of a video that is not there"
        if ((label < 0) | (label >= len(self.class_names))).any():
            return "a true segment of a class that is not there"
        if self.matches is not None and (self.matches.video >= count).any():
            return "a match in a video that is not there"
        return ""


def _alike(said: Any, counted: Any) -> bool:
    """Whether two documents hold the same numbers, but for the order of sums."""
    if isinstance(counted, dict):
        return set(said) == set(counted) and all(_alike(said[key], counted[key]) for key in said)
    return bool(np.shape(said) == np.shape(counted) and np.allclose(said, counted, atol=1e-9))
