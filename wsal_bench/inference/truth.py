"""Truth of new videos, where somebody has it: for pictures, never for the method."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from wsal_bench.errors import DataError, first_of
from wsal_bench.evaluation import common
from wsal_bench.evaluation.formats import truth_from_json, truth_from_npz
from wsal_bench.evaluation.one_video import judge
from wsal_bench.inference.stream import VideoSegments
from wsal_bench.report.timeline import Timeline
from wsal_bench.types import Detections, GroundTruth


@dataclass(frozen=True, eq=False)
class Known:
    """The truth of some of the videos.

    Args:
        truth: in the form of ActivityNet, its class names extended by those of the method.
        notes: sentences about what does not match.
    """

    truth: GroundTruth
    notes: tuple[str, ...] = ()


def read_known(
    path: Path, subset: str | None, video_ids: Sequence[str], class_names: Sequence[str]
) -> Known:
    """The truth in a file, checked against the videos and the classes of the method.

    Args:
        path: JSON in the form of ActivityNet, or npz.
        subset: which subset; None: the only one with a true segment.
        video_ids: the videos.
        class_names: the classes that the method knows.

    Raises:
        UsageError: no such subset.
        DataError: the file cannot be read, has none of the videos, or shares no class.
    """
    truth = truth_from_npz(path) if path.suffix == ".npz" else truth_from_json(path, subset)
    described, shown, known = set(truth.video_ids), set(truth.class_names), set(class_names)
    missing = [name for name in video_ids if name not in described]
    if len(missing) == len(video_ids):
        raise DataError(
            f"the truth has none of the videos: it is of {first_of(truth.video_ids)}, the features "
            f"of {first_of(video_ids)}",
            path=path,
        )
    unknown = [name for name in truth.class_names if name not in known]
    if len(unknown) == len(truth.class_names):
        raise DataError(
            f"the truth has other classes: {first_of(truth.class_names)}, the checkpoint knows "
            f"{first_of(class_names)}",
            path=path,
        )
    notes = []
    if missing:
        notes.append(f"{path}: no truth of {first_of(missing)}; drawn without")
    if unknown:
        notes.append(f"{path}: the checkpoint does not know {first_of(unknown)}")
    more = tuple(name for name in class_names if name not in shown)
    return Known(replace(truth, class_names=(*truth.class_names, *more)), tuple(notes))


def timeline_of(found: VideoSegments, known: Known | None, tiou: float, title: str) -> Timeline:
    """What there is to draw of a new video.

    Args:
        found: what the method said.
        known: the truth; None where there is none.
        tiou: where true and false positives are told apart.
        title: of the picture.
    """
    judged = None
    if known is not None and found.video_id in known.truth.video_ids:
        detections = Detections.from_proposals({found.video_id: found.segments}, found.class_names)
        judged = judge(known.truth, detections, found.video_id, common("new"), tiou)
    return Timeline(
        video_id=found.video_id,
        duration=found.duration,
        class_names=found.class_names,
        segments=found.segments,
        judged=judged,
        tiou=tiou,
        activations=found.activations,
        title=title,
    )
