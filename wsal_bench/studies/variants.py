"""One rule or step changed at a time: what each is worth on fixed detections of THUMOS14."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from wsal_bench.evaluation import Protocol, evaluate, protocol, with_tious
from wsal_bench.evaluation.grids import ARANGE_NINE
from wsal_bench.localization.nms import thin, top_k
from wsal_bench.localization.rules import Nms
from wsal_bench.types import Detections, GroundTruth

SNIPPET = 0.64  # seconds: 16 frames at 25 per second
_OVERLAPS = (0.45, 0.55, 0.7)  # of hard NMS
_BEST = (20, 50, 100, 200)
_NOTHING = 1e-6  # seconds: a segment must end after its start

Change = Callable[[Detections, GroundTruth], Detections]


@dataclass(frozen=True)
class Variant:
    """Detections, maybe changed, under rules.

    Args:
        name: what differs from `thumos14/common`.
        protocol: the rules.
        change: what is done to the detections before.
        change_truth: what is done to the truth.
    """

    name: str
    protocol: Protocol
    change: Change = lambda detections, truth: detections
    change_truth: Callable[[GroundTruth], GroundTruth] = lambda truth: truth


@dataclass(frozen=True)
class Measured:
    """What a variant gives; fractions.

    Args:
        name: of the variant.
        mean_ap: at tIoU 0.1 to 0.7.
        average: their mean.
    """

    name: str
    mean_ap: tuple[float, ...]
    average: float


def variants() -> tuple[Variant, ...]:
    """All there are, those that only change rules first."""
    common = protocol("thumos14/common")
    every = replace(common, excluded_videos=())
    pmil = protocol("thumos14/pmil-2023")
    rules = (
        Variant("common: 210 videos, seconds", common),
        Variant("truth of 212, detections of 210", protocol("thumos14/ftcl-2022")),
        Variant("212 videos", every),
        Variant("212 videos, ambiguous left out", replace(every, ambiguous="drop-any")),
        Variant("212 videos, snippet grid", _on_grid(every)),
        Variant("212 videos, snippet grid, ambiguous left out", pmil),
        Variant(
            "the same, first match, non-interpolated",
            replace(pmil, ap_rule="non-interpolated", matching="first-match"),
        ),
        Variant("snippet grid", _on_grid(common)),
        Variant("snippet grid, literal thresholds", replace(common, time_unit="snippets")),
        Variant(
            "truth rounded to the grid, in seconds",
            with_tious(common, ARANGE_NINE[:7]),
            change_truth=_rounded,
        ),
        Variant("non-interpolated", replace(common, ap_rule="non-interpolated")),
        Variant("first match", replace(common, matching="first-match")),
    )
    steps = [
        Variant("ends a snippet earlier, single ones emptied", common, _shortened),
        Variant("ends a snippet earlier, single ones dropped", common, _shortened_or_dropped),
    ]
    for overlap in _OVERLAPS:
        for plus in (1.0, 0.0):
            name = f"NMS once more at {overlap:g}, +{plus:g} s"
            steps.append(Variant(name, common, _thinned(overlap, plus)))
    steps += [Variant(f"best {k} of each video", common, _best(k)) for k in _BEST]
    steps.append(Variant("only true classes of each video", common, _with_true_labels))
    return (*rules, *steps)


def measure(variant: Variant, detections: Detections, truth: GroundTruth) -> Measured:
    """A variant's numbers.

    Args:
        variant: which.
        detections: as they are.
        truth: of 212 videos, with ambiguous stretches.
    """
    changed = variant.change(detections, truth)
    scores = evaluate(variant.change_truth(truth), changed, variant.protocol)
    seven = scores.mean_ap[:7]
    return Measured(variant.name, tuple(seven.tolist()), float(seven.mean()))


def _on_grid(rules: Protocol) -> Protocol:
    """In whole snippets, at the thresholds of the repositories that do so."""
    return with_tious(replace(rules, time_unit="snippets"), ARANGE_NINE[:7])


def _rounded(truth: GroundTruth) -> GroundTruth:
    """Whole snippets as seconds again: the last bits of the borders are those of the division."""
    start, end = (np.rint(times * 25 / 16) * 16 / 25 for times in (truth.start, truth.end))
    return replace(truth, start=start, end=end)


def _shortened(detections: Detections, truth: GroundTruth) -> Detections:
    end = np.maximum(detections.end - SNIPPET, detections.start + _NOTHING)
    return replace(detections, end=end)


def _shortened_or_dropped(detections: Detections, truth: GroundTruth) -> Detections:
    kept = detections.end - SNIPPET > detections.start + _NOTHING
    return _shortened(detections, truth).taken(kept)


def _thinned(overlap: float, plus: float) -> Change:
    nms = Nms(kind="hard", threshold=overlap, plus=plus)
    return lambda detections, truth: thin(detections, nms)


def _best(k: int) -> Change:
    return lambda detections, truth: top_k(detections, k)


def _with_true_labels(detections: Detections, truth: GroundTruth) -> Detections:
    true = {
        (truth.video_ids[video], truth.class_names[label])
        for video, label in zip(truth.video.tolist(), truth.label.tolist(), strict=True)
    }
    pairs = zip(detections.video.tolist(), detections.label.tolist(), strict=True)
    kept = [(detections.video_ids[v], detections.class_names[k]) in true for v, k in pairs]
    return detections.taken(np.array(kept, dtype=np.bool_))
