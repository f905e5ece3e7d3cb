"""One video along time: activations, truth and segments. Values here, the picture in `_drawn`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from wsal_bench.evaluation.one_video import Judged, Outcome
from wsal_bench.types import Activations, FloatArray, Proposals

MAX_SEGMENTS = 20  # of a video, where nobody says how many
MAX_CLASSES = 4  # lanes, where fewer have truth
_USUAL_SCORE, _USUAL_GATE = "cas", "attention"


@dataclass(frozen=True, eq=False)
class Timeline:
    """What there is to show of one video.

    Args:
        video_id: its name.
        duration: seconds that are shown.
        class_names: [C].
        segments: best first.
        judged: truth and what each segment is beside it, the segments in this order; None where
            no truth is known.
        tiou: the threshold of the outcome.
        activations: what the method said; None where it is not known.
        title: what stands above the picture, besides the video's name.
    """

    video_id: str
    duration: float
    class_names: tuple[str, ...]
    segments: Proposals
    judged: Judged | None = None
    tiou: float = 0.5
    activations: Activations | None = None
    title: str = ""

    def __post_init__(self) -> None:
        if self.judged is not None and len(self.judged.outcome) != len(self.segments):
            raise ValueError(f"{len(self.judged.outcome)} outcomes, {len(self.segments)} segments")

    @property
    def cas(self) -> FloatArray | None:
        """[T, C] the class scores that are drawn: `cas`, else the first there are."""
        if self.activations is None:
            return None
        scores = self.activations.scores
        return np.asarray(scores.get(_USUAL_SCORE, next(iter(scores.values()))))

    @property
    def attention(self) -> FloatArray | None:
        """[T] the gate that is drawn: `attention`, else the first of one value per snippet."""
        gates = self.activations.gates if self.activations is not None else {}
        flat = {name: value for name, value in gates.items() if np.ndim(value) == 1}
        if not flat:
            return None
        return np.asarray(flat.get(_USUAL_GATE, next(iter(flat.values()))))

    @property
    def outcomes(self) -> tuple[Outcome | None, ...]:
        """Of each segment; None where no truth is known."""
        return (None,) * len(self.segments) if self.judged is None else self.judged.outcome


def by_score(proposals: Proposals) -> Proposals:
    """The same rows, best first; equal scores keep their order."""
    order = np.argsort(-proposals.score, kind="stable")
    return Proposals(
        proposals.start[order], proposals.end[order], proposals.label[order], proposals.score[order]
    )


def shown_classes(
    timeline: Timeline, number: int = MAX_SEGMENTS, max_classes: int = MAX_CLASSES
) -> tuple[int, ...]:
    """The classes that get a lane, by index: all with truth, then the likeliest of the others.

    Args:
        timeline: the video.
        number: segments that are shown, the best ones.
        max_classes: lanes; more only where more classes have truth.
    """
    true: list[int] = []
    if timeline.judged is not None:
        true = list(dict.fromkeys(int(one) for one in timeline.judged.label if one >= 0))
    cut = list(dict.fromkeys(timeline.segments.label[:number].tolist()))  # best first
    others = cut
    if timeline.activations is not None:
        likely = np.argsort(-np.asarray(timeline.activations.video_scores), kind="stable").tolist()
        true.sort(key=likely.index)
        others = [*sorted(cut, key=likely.index), likely[0]]
    both = list(dict.fromkeys([*true, *others]))
    return tuple(both[: max(max_classes, len(true))])


def rows_of(
    start: Sequence[float] | FloatArray, end: Sequence[float] | FloatArray, gap: float
) -> tuple[int, ...]:
    """A row for each bar, so that no two bars of a row touch; earlier bars get the upper rows.

    Args:
        start: [P] seconds.
        end: [P] seconds.
        gap: seconds that must lie between two bars of a row.
    """
    rows: list[list[int]] = []
    found = []
    for index in range(len(start)):
        for number, row in enumerate(rows):
            if all(
                start[index] >= end[other] + gap or end[index] + gap <= start[other]
                for other in row
            ):
                row.append(index)
                found.append(number)
                break
        else:
            rows.append([index])
            found.append(len(rows) - 1)
    return tuple(found)


def content(timeline: Timeline, number: int | None = None) -> dict[str, Any]:
    """What a program reads: the video, its segments and its truth.

    Args:
        timeline: the video.
        number: segments to list; None: all.
    """
    activations = timeline.activations
    scores = None
    if activations is not None:
        values = np.asarray(activations.video_scores).tolist()
        scores = dict(zip(timeline.class_names, values, strict=True))
    return {
        "video": timeline.video_id,
        "duration": timeline.duration,
        "video_scores": scores,
        "num_segments": len(timeline.segments),
        "segments": _segments(timeline)[:number],
        "truth": None if timeline.judged is None else _truth(timeline.judged, timeline.class_names),
    }


def _segments(timeline: Timeline) -> list[dict[str, Any]]:
    rows = timeline.segments
    return [
        {
            "label": timeline.class_names[int(rows.label[index])],
            "start": float(rows.start[index]),
            "end": float(rows.end[index]),
            "score": float(rows.score[index]),
            "outcome": outcome,
        }
        for index, outcome in enumerate(timeline.outcomes)
    ]


def _truth(judged: Judged, class_names: tuple[str, ...]) -> list[dict[str, Any]]:
    return [
        {
            "label": class_names[label] if label >= 0 else None,
            "start": float(judged.start[index]),
            "end": float(judged.end[index]),
            "found": bool(judged.found[index]),
        }
        for index, label in enumerate(judged.label.tolist())
    ]
