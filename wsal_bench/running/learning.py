"""Fit and inference of one cell, with the truth locked away."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import fsum
from pathlib import Path

from wsal_bench import plugins
from wsal_bench.config import Layer, build
from wsal_bench.evaluation.formats import detections_from_npz
from wsal_bench.localization import localize
from wsal_bench.localization.recipe import ProposalRecipe
from wsal_bench.plugins.contract import Dataset, Method, Parent, Session, Split, Step
from wsal_bench.plugins.truth_lock import truth_locked
from wsal_bench.running.activation_file import read_activations, write_activations
from wsal_bench.running.cells import OWN_RECIPE, Cell, Need
from wsal_bench.running.context import Context, StoppedError, Stopwatch
from wsal_bench.running.events import CellProgress
from wsal_bench.running.lesson import Lesson
from wsal_bench.running.recipe_file import recipe_from_json
from wsal_bench.running.results import RunFiles, StoredRun, open_run
from wsal_bench.types import Activations, Detections, Proposals, Video


@dataclass(frozen=True, eq=False)
class Learned:
    """What a method said of the videos, and what there is to know about it.

    Args:
        activations: by split, then by video name.
        recipe: the method's own.
        proposals: by split, then by video name; filled where the method cuts segments itself.
        parameters: numbers that were learnt.
        paper: published mAP in percent on this data set.
        source_digest: of the plugin's files.
    """

    activations: Mapping[Split, Mapping[str, Activations]]
    recipe: ProposalRecipe
    proposals: Mapping[Split, Mapping[str, Proposals]] = field(default_factory=dict)
    parameters: int = 0
    paper: Mapping[str, float] = field(default_factory=dict)
    source_digest: str = ""


def learn_here(cell: Cell, dataset: Dataset, context: Context, watch: Stopwatch) -> Learned:
    """Trains a cell's method in this process, where the data set is; see `learn`."""
    lesson = Lesson.of(cell, dataset, context.results, context.num_workers)
    return learn(lesson, watch, context.stop, lambda step: context.emit(CellProgress(cell, step)))


def learn(
    lesson: Lesson,
    watch: Stopwatch,
    stop: Callable[[], bool],
    report: Callable[[Step], None],
) -> Learned:
    """Trains a method, or goes on with it, and asks it about the videos.

    Writes checkpoints, history and activations.

    Args:
        lesson: all that the method may know.
        watch: told how long things take.
        stop: asked often; true where the user wants the run to end.
        report: told of each epoch.

    Raises:
        StoppedError: the user wants the run to end.
        DataError: a file that cannot be read or written.
    """
    place = RunFiles(lesson.results / lesson.key)
    kind: type[Method] = plugins.load("methods", lesson.method)
    config = build(kind.Config, [Layer("the specification", lesson.config)], owner=lesson.name)
    parents = {name: parent_of(need, lesson.results) for name, need in lesson.needs.items()}
    with truth_locked():
        method = kind(config, lesson.task, parents)
        session = Session(
            directory=place.directory,
            report=report,
            stop=stop,
            num_workers=lesson.num_workers,
            max_steps=lesson.max_steps,
        )
        with watch.time("train"):
            _fit(method, lesson.videos["train"], session)
        # a resumed training was longer than this process saw of it
        watch.seconds["train"] = max(watch.seconds["train"], _trained_seconds(place.history))
        inference = _Inference(method, kind.own_recipe, stop, watch)
        for split in lesson.splits:
            inference.ask(split, lesson.videos[split])
    for split, activations in inference.activations.items():
        write_activations(place.activations(split), activations)
    return Learned(
        activations=inference.activations,
        recipe=method.recipe,
        proposals=inference.proposals,
        parameters=method.num_parameters(),
        paper=kind.paper.get(lesson.data, {}),
        source_digest=plugins.source_digest(kind),
    )


def _fit(method: Method, videos: Sequence[Video], session: Session) -> None:
    from wsal_bench.training.loop import Interrupted

    try:
        method.fit(videos, session)  # type: ignore[arg-type]
    except Interrupted as error:
        raise StoppedError(str(error)) from error


def _trained_seconds(history: Path) -> float:
    from wsal_bench.training.history import from_lines

    if not history.exists():
        return 0.0
    return fsum(record.seconds for record in from_lines(history.read_text(encoding="utf-8")))


class _Inference:
    """Asks a method about videos, one after the other."""

    def __init__(
        self, method: Method, own_recipe: bool, stop: Callable[[], bool], watch: Stopwatch
    ) -> None:
        self.method, self.own_recipe, self.stop, self.watch = method, own_recipe, stop, watch
        self.activations: dict[Split, dict[str, Activations]] = {}
        self.proposals: dict[Split, dict[str, Proposals]] = {}

    def ask(self, split: Split, videos: Sequence[Video]) -> None:
        said = self.activations.setdefault(split, {})
        cut = self.proposals.setdefault(split, {}) if self.own_recipe else {}
        for video in videos:
            if self.stop():
                raise StoppedError
            # no label may reach inference, also not those of training videos
            plain = Video(video.video_id, video.features, video.grid, video.group)
            with self.watch.time("infer"):
                said[video.video_id] = self.method.activations(plain)
            if self.own_recipe:
                with self.watch.time("localize"):
                    cut[video.video_id] = self.method.localize(plain, self.method.recipe)


def parent_of(need: Need, results: Path) -> Parent:
    """What a finished parent hands to its child."""
    place = RunFiles(results / need.cell)
    if need.kind == "checkpoint":
        from wsal_bench.training.checkpoints import last_weights

        return Parent(weights=last_weights(place.directory))
    parent = open_run(place.directory)
    activations = {
        name: value
        for split in need.splits
        for name, value in read_activations(parent.whole(place.activations(split))).items()
    }
    if need.kind == "activations":
        return Parent(activations=activations)
    return Parent(proposals=_proposals(parent, place, need, activations))


def _proposals(
    parent: StoredRun, place: RunFiles, need: Need, activations: Mapping[str, Activations]
) -> dict[str, Proposals]:
    if not parent.record["own_recipe"]:
        recipe = recipe_from_json(parent.record["recipe"], place.record)
        return {name: localize(value, recipe) for name, value in activations.items()}
    return {
        name: proposals
        for split in need.splits
        for name, proposals in by_video(
            detections_from_npz(parent.whole(place.detections(OWN_RECIPE, split)))
        ).items()
    }


def by_video(detections: Detections) -> dict[str, Proposals]:
    """The rows of each video, by its name."""
    rows = {name: detections.video == index for index, name in enumerate(detections.video_ids)}
    return {
        name: Proposals(
            detections.start[mine],
            detections.end[mine],
            detections.label[mine],
            detections.score[mine],
        )
        for name, mine in rows.items()
    }
