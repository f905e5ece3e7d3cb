"""What is wrong with the detections that are wrong, and what each kind of error costs.

The classes are DETAD's (Alwassel et al., "Diagnosing Error in Temporal Action Detectors", ECCV
2018; HumamAlwassel/DETAD 24f7d95).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from wsal_bench.evaluation.diagnosis.case import (
    DROPPED,
    FALSE,
    TRUE,
    Areas,
    Case,
    Floats,
    Ints,
    areas,
)

KINDS = ("true positive", "double detection", "wrong label", "localization", "confusion",
         "background")  # fmt: skip
TRUE_POSITIVE, DOUBLE, WRONG_LABEL, LOCALIZATION, CONFUSION, BACKGROUND = range(6)
LOWEST_TIOU = 0.1  # an overlap below it is background
NUM_SLICES = 10

EqualTiou = Literal["first", "label"]


@dataclass(frozen=True, eq=False)
class ErrorProfile:
    """Kinds of the best-ranked detections, and what the score would be without each kind.

    Args:
        slices: [K, 10, 6] detections of each of `KINDS` in the s-th slice: with G truths in a
            class, slice s holds the ranks s * G to (s + 1) * G - 1 of that class.
        beyond: [K, 6] those ranked below 10 G.
        map: [K] without any change.
        normalised: [K] the same, normalised.
        map_without: by kind of error, [K] where its detections are removed.
        normalised_without: by kind of error, [K].
        twins: [K] wrong labels and confusions that overlap a truth of their own class just as
            well: two annotations of one moment (CliffDiving and Diving of THUMOS14).
        equal_tiou: how those are taken: "first" truth in the file (DETAD), or own "label".
    """

    slices: Ints
    beyond: Ints
    map: Floats
    normalised: Floats
    map_without: Mapping[str, Floats]
    normalised_without: Mapping[str, Floats]
    twins: Ints
    equal_tiou: EqualTiou

    def to_json(self) -> dict[str, Any]:
        """A document of lists."""
        return {
            "kinds": list(KINDS),
            "slices": self.slices.tolist(),
            "beyond": self.beyond.tolist(),
            "map": self.map.tolist(),
            "normalised_map": self.normalised.tolist(),
            "map_without": {kind: value.tolist() for kind, value in self.map_without.items()},
            "normalised_map_without": {
                kind: value.tolist() for kind, value in self.normalised_without.items()
            },
            "twins": self.twins.tolist(),
            "equal_tiou": self.equal_tiou,
        }


def kinds_of_rows(case: Case, equal_tiou: EqualTiou = "first") -> Ints:
    """The kind of each ranked row at each threshold, [K, S] indices into `KINDS`.

    A row that hits is a true positive. Else it is judged by the truth, of whatever class, that it
    overlaps best: at the threshold or above it is a double detection where the class is its own
    (another row took that truth), else a wrong label; from 0.1 up to the threshold it is a
    localization error, else a confusion; below 0.1 it is background.

    Args:
        case: the evaluation.
        equal_tiou: which of several truths that are overlapped equally well counts: the "first"
            in the file (DETAD), or one of the row's own "label".
    """
    best, tious = case.overlaps.best, case.tious[:, None]
    own_class = case.overlaps.best_label == case.label
    if equal_tiou == "label":
        own_class = own_class | _twin(case)
    kinds = np.where(own_class, LOCALIZATION, CONFUSION)
    kinds = np.where(best >= tious, np.where(own_class, DOUBLE, WRONG_LABEL), kinds)
    kinds = np.where(best < np.minimum(tious, LOWEST_TIOU), BACKGROUND, kinds)
    return np.where(case.hit, TRUE_POSITIVE, kinds).astype(np.int64)


def error_profile(case: Case, equal_tiou: EqualTiou = "first") -> ErrorProfile:
    """The error profile of an evaluation, see `ErrorProfile`.

    The scores without a kind of error are of all detections, not only those ranked above 10 G: the
    score without any change is then that of the protocol.
    """
    kinds = kinds_of_rows(case, equal_tiou)
    base = areas(case, case.state)
    without = {name: _without(case, kinds, kind) for kind, name in enumerate(KINDS) if kind > 0}
    counts = _counts(case, kinds)
    twin = _twin(case) & (case.overlaps.best_label != case.label)
    twin = twin & ~case.hit & (case.overlaps.best >= np.minimum(case.tious[:, None], LOWEST_TIOU))
    return ErrorProfile(
        slices=counts[:, :NUM_SLICES],
        beyond=counts[:, NUM_SLICES],
        map=base.mean_ap,
        normalised=base.mean_normalised,
        map_without={name: value.mean_ap for name, value in without.items()},
        normalised_without={name: value.mean_normalised for name, value in without.items()},
        twins=np.count_nonzero(twin, axis=1),
        equal_tiou=equal_tiou,
    )


def _twin(case: Case) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """[S] rows that overlap a truth of their own class as well as any."""
    twin: np.ndarray[Any, np.dtype[np.bool_]] = case.overlaps.own == case.overlaps.best
    return twin & (case.overlaps.best > 0)


def _without(case: Case, kinds: Ints, kind: int) -> Areas:
    state = np.where(kinds == TRUE_POSITIVE, TRUE, np.where(kinds == kind, DROPPED, FALSE))
    return areas(case, state.astype(np.int8))


def _counts(case: Case, kinds: Ints) -> Ints:
    """[K, 11, 6] rows by slice and kind; the last slice is all that ranks below."""
    part = np.minimum(case.rank // case.num_truths[case.label], NUM_SLICES)
    num = (NUM_SLICES + 1) * len(KINDS)
    counts = [np.bincount(part * len(KINDS) + row, minlength=num) for row in kinds]
    return np.array(counts, dtype=np.int64).reshape(len(kinds), NUM_SLICES + 1, len(KINDS))
