"""One test video of a stored run: what the method said, what was cut, what is true."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from wsal_bench.errors import DataError, UsageError, did_you_mean
from wsal_bench.evaluation.formats import detections_from_npz
from wsal_bench.evaluation.one_video import judge, judged_by
from wsal_bench.report.timeline import Timeline
from wsal_bench.running.activation_file import read_activations
from wsal_bench.running.datasource import Catalog
from wsal_bench.running.diagnosing import choose_scores
from wsal_bench.running.results import RunFiles, ScoreKey, StoredRun, open_run
from wsal_bench.types import Activations, Detections, GroundTruth, Proposals

_NEAR = 5  # names that a hint lists besides the nearest


@dataclass(frozen=True, eq=False)
class RunVideo:
    """A video of a run.

    Args:
        timeline: what there is to show.
        scores: recipe and protocol under which segments were judged.
        notes: sentences about what is missing.
    """

    timeline: Timeline
    scores: ScoreKey
    notes: tuple[str, ...] = ()


def video_of_run(
    directory: Path,
    video_id: str,
    tiou: float = 0.5,
    recipe: str | None = None,
    protocol: str | None = None,
) -> RunVideo:
    """Everything that a run says of a test video, beside the truth.

    Args:
        directory: the run's.
        video_id: the video's name.
        tiou: where true and false positives are told apart, in (0, 1].
        recipe: how it was cut; None: the method's own.
        protocol: the rules; None: the first that the run was scored under.

    Raises:
        UsageError: no such video or scores, or the run failed.
        DataError: files of the run or its data are missing, damaged or not what they were.
    """
    place = RunFiles(directory)
    run = open_run(directory)
    chosen = choose_scores(run, recipe, protocol)
    detections = detections_from_npz(run.whole(place.detections(chosen.recipe)))
    if video_id not in detections.video_ids:
        raise _unknown(video_id, detections.video_ids, directory)
    scores = run.scores[chosen]
    truth, duration = _truth_and_duration(run, scores.protocol.truth_variant, video_id)
    if scores.matches is not None and tiou in scores.tiou:
        if len(scores.matches.hits) != len(detections):
            raise DataError(
                f"scores of {len(scores.matches.hits)} segments beside {len(detections)} segments",
                hint="delete this file and run the same command again: it scores them anew",
                path=place.scores(chosen.recipe, chosen.protocol),
            )
        judged = judged_by(scores, truth, detections, video_id, tiou)
    else:
        judged = judge(truth, detections, video_id, scores.protocol, tiou)
    rows = np.flatnonzero(detections.video == detections.video_ids.index(video_id))
    order = np.argsort(-detections.score[rows], kind="stable")
    activations = _activations(place, video_id)
    timeline = Timeline(
        video_id=video_id,
        duration=duration,
        class_names=detections.class_names,
        segments=_segments(detections, rows[order]),
        judged=judged.in_order(order),
        tiou=tiou,
        activations=activations,
        title=f"{'QUICK: ' * run.spec.quick}{run.spec.name} on {run.spec.data.name}, "
        f"seed {run.spec.seed}",
    )
    notes = () if activations is not None else (
        f"the run stored no activations of {video_id!r}: segments and truth alone",
    )  # fmt: skip
    return RunVideo(timeline, chosen, notes)


def _unknown(video_id: str, known: tuple[str, ...], directory: Path) -> UsageError:
    shown = known if len(known) <= _NEAR else _nearest(video_id, known)
    hint = did_you_mean(video_id, shown, kind="its test videos are")
    more = f", and {len(known) - len(shown)} more" if len(shown) < len(known) else ""
    return UsageError(f"the run has no test video {video_id!r}", hint=hint + more, path=directory)


def _nearest(video_id: str, known: tuple[str, ...]) -> tuple[str, ...]:
    from difflib import get_close_matches

    close = get_close_matches(video_id, known, n=_NEAR, cutoff=0.3)
    return tuple(dict.fromkeys([*close, *known]))[:_NEAR]


def _truth_and_duration(run: StoredRun, variant: str, video_id: str) -> tuple[GroundTruth, float]:
    catalog = Catalog()
    if catalog.resolve(run.spec.data) != run.spec.data:
        raise DataError(
            f"the data {run.spec.data.name!r} are not those of the run any more",
            path=run.directory,
        )
    dataset = catalog.dataset(run.spec.data)
    found = [video for video in dataset.videos("test") if video.video_id == video_id]
    if not found:
        raise DataError(
            f"video {video_id!r} of the run is no test video of {run.spec.data.name!r}",
            path=run.directory,
        )
    duration = found[0].grid.offset + found[0].duration
    return dataset.ground_truth("test", variant), duration


def _activations(place: RunFiles, video_id: str) -> Activations | None:
    """None where the run kept none, of this video or at all."""
    if not place.activations().exists():
        return None
    return read_activations(place.activations()).get(video_id)


def _segments(
    detections: Detections, rows: np.ndarray[tuple[int], np.dtype[np.int64]]
) -> Proposals:
    return Proposals(
        detections.start[rows], detections.end[rows], detections.label[rows], detections.score[rows]
    )
