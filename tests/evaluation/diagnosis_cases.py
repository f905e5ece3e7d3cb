"""Small truths and detections, and a plain definition of what the diagnosis computes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from hypothesis import strategies as st

from wsal_bench.evaluation import Protocol, common, evaluate, with_tious
from wsal_bench.evaluation.diagnosis.case import Case, lay_out
from wsal_bench.types import Detections, GroundTruth

Row = tuple[str, str, float, float]
ScoredRow = tuple[str, str, float, float, float]
BOTH = with_tious(common("x"), [0.3, 0.5])
HALF = with_tious(common("x"), [0.5])


def truth_of(rows: Sequence[Row], seconds: float = 0.0) -> GroundTruth:
    """Rows (video, class, start, end); every video lasts so many seconds, 0: nobody knows."""
    ids = tuple(dict.fromkeys(row[0] for row in rows))
    classes = tuple(dict.fromkeys(row[1] for row in rows))
    return GroundTruth(
        video=np.array([ids.index(row[0]) for row in rows], dtype=np.int64),
        start=np.array([row[2] for row in rows], dtype=float),
        end=np.array([row[3] for row in rows], dtype=float),
        label=np.array([classes.index(row[1]) for row in rows], dtype=np.int64),
        video_ids=ids,
        class_names=classes,
        durations=np.full(len(ids), seconds) if seconds else np.empty(0),
    )


def detections_of(rows: Sequence[ScoredRow]) -> Detections:
    """Rows (video, class, start, end, score)."""
    ids = tuple(dict.fromkeys(row[0] for row in rows))
    classes = tuple(dict.fromkeys(row[1] for row in rows))
    return Detections(
        video=np.array([ids.index(row[0]) for row in rows], dtype=np.int64),
        start=np.array([row[2] for row in rows], dtype=float),
        end=np.array([row[3] for row in rows], dtype=float),
        label=np.array([classes.index(row[1]) for row in rows], dtype=np.int64),
        score=np.array([row[4] for row in rows], dtype=float),
        video_ids=ids,
        class_names=classes,
    )


def case_of(truth: GroundTruth, rows: Sequence[ScoredRow], protocol: Protocol = HALF) -> Case:
    detections = detections_of(rows)
    rules = replace(protocol, unknown_labels="ignore")
    return lay_out(truth, detections, evaluate(truth, detections, rules))


@dataclass(frozen=True)
class Scene:
    """A random truth and detections in order of falling score, all scores different."""

    truth: tuple[Row, ...]
    detections: tuple[ScoredRow, ...]


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    """Few videos, classes and borders, so that ties, twins and duplicates are common."""
    segment = st.tuples(
        st.sampled_from("uv"), st.sampled_from("AB"), st.integers(0, 8), st.integers(1, 6)
    )
    truth = draw(st.lists(segment, min_size=1, max_size=8))
    found = draw(st.lists(segment, max_size=12))
    return Scene(
        tuple((v, c, float(s), float(s + n)) for v, c, s, n in truth),
        tuple(
            (v, c, float(s), float(s + n), 1.0 - k / 100) for k, (v, c, s, n) in enumerate(found)
        ),
    )


def overlap(a: Sequence[float], b: Sequence[float]) -> float:
    shared = max(min(a[1], b[1]) - max(a[0], b[0]), 0.0)
    return shared / ((b[1] - b[0]) + (a[1] - a[0]) - shared)


@dataclass(frozen=True)
class Fate:
    """What becomes of a detection at one threshold: its kind, and the truth that it took."""

    kind: str
    truth: int | None


def fates(scene: Scene, tiou: float) -> list[Fate]:
    """One detection after the other, by the words of the documentation."""
    taken: set[int] = set()
    result = []
    for video, label, start, end, _ in scene.detections:
        overlaps = [
            overlap((start, end), row[2:]) if row[0] == video else -math.inf for row in scene.truth
        ]
        free = [
            (value, index)
            for index, value in enumerate(overlaps)
            if scene.truth[index][1] == label and index not in taken and value >= tiou
        ]
        if free:
            taken.add(max(free)[1])
            result.append(Fate("true positive", max(free)[1]))
            continue
        best = max(overlaps)
        own = scene.truth[overlaps.index(best)][1] == label
        if best >= tiou:
            kind = "double detection" if own else "wrong label"
        elif best >= 0.1:
            kind = "localization" if own else "confusion"
        else:
            kind = "background"
        result.append(Fate(kind, None))
    return result


def plain_average_precision(hits: Sequence[bool], num_truths: int, normal: float | None) -> float:
    """Area under the envelope; `normal`: the truths that normalised precision takes."""
    precisions = []
    for depth, hit in enumerate(hits, 1):
        found = sum(hits[:depth])
        wrong = depth - found
        right = found if normal is None else found / num_truths * normal
        if hit:
            precisions.append(right / (right + wrong))
    return sum(max(precisions[index:]) for index in range(len(precisions))) / num_truths
