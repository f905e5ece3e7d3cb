"""The rules for methods."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from wsal_bench import plugins
from wsal_bench.config import Config, Layer, build, read_presets
from wsal_bench.errors import WsalError
from wsal_bench.plugins.contract import Method, Parent, Session
from wsal_bench.plugins.truth_lock import truth_locked
from wsal_bench.testing._findings import Finding, run_checks
from wsal_bench.testing._videos import Videos, copies, make_task, make_videos
from wsal_bench.training.hooks import Progress, seeded
from wsal_bench.training.loop import Interrupted
from wsal_bench.training.stepping import step_rule
from wsal_bench.training.trainable import TrainableMethod
from wsal_bench.types import Activations, Video

SMALL: Mapping[str, Any] = {"epochs": 2, "batch_size": 4, "num_snippets": 20}
UPDATES = 200
"""Steps of the optimisers that a method's hooks are asked about."""


def check_method(
    method: str | type[Method], *, options: Mapping[str, Any] | None = None
) -> list[Finding]:
    """Everything in which a method does not conform; an empty list is what you want.

    It is trained several times for two epochs on nine made-up videos.

    Args:
        method: its name, or its class.
        options: Config values for these small trainings, over its preset `quick`.
    """
    kind = plugins.load("methods", method) if isinstance(method, str) else method
    with tempfile.TemporaryDirectory(prefix="wsal-bench-") as folder:
        videos = make_videos(Path(folder), supervision=kind.supervision)
        kit = _Kit(kind, videos, options or {})
        return run_checks(
            [
                ("says what it is", kit.documented),
                ("works without the truth", kit.fits),
                ("has hooks that say the right things of a step", kit.steps),
                ("gives activations of the right shape, finite, in float32", kit.shapes),
                ("leaves its input alone", kit.input_untouched),
                ("obeys the seed, and nothing else", kit.seeded),
                ("says the same of a video whatever its name, order or company", kit.independent),
                ("gives segments that are finite, ordered and inside the video", kit.segments),
                ("refuses features of another width", kit.refuses_other_width),
                ("resumes as if it had not been stopped", kit.resumes),
            ]
        )


class _Kit:
    """One method and the videos that it is tried on."""

    def __init__(self, kind: type[Method], videos: Videos, options: Mapping[str, Any]) -> None:
        self.kind = kind
        self.videos = videos
        self.options = options
        self._fitted: Method | None = None

    def documented(self) -> Iterator[str]:
        if not (self.kind.__doc__ or "").strip() or self.kind.__doc__ == Method.__doc__:
            yield "the class has no docstring"
        for name, changes in {**self.kind.variants, **self.kind.controls}.items():
            build(self.kind.Config, [Layer(f"variant {name}", changes)], owner=self.kind.__name__)
        for field in (*self.kind.axes, *self.kind.components.values()):
            if field not in self.kind.Config.model_fields:
                yield f"axes or components name {field!r}, which Config lacks"

    def fits(self) -> Iterator[str]:
        self._fitted = self._fit()
        yield from ()

    def steps(self) -> Iterator[str]:
        method = self.fitted
        if not isinstance(method, TrainableMethod):
            return
        with seeded(method.task):
            number = len(method.optimizers(method.network()))
        phases = method.phases()
        asked = [
            Progress(
                epoch=update * phases[0].epochs // UPDATES,
                step=update * method.accumulate,
                fraction=update / UPDATES,
                update=update,
            )
            for update in range(UPDATES)
        ]
        rules = [step_rule(method, progress, number) for progress in asked]
        if rules != [step_rule(method, progress, number) for progress in asked]:
            yield "a hook of the step counts by itself: it must depend on progress alone"
        turns = {index for rule in rules for index in rule.turn}
        if len(phases) == 1 and len(turns) < number:  # a later phase may have others
            yield f"optimisers {sorted({*range(number)} - turns)} never step: see turn()"
        if all(rule.factor == 0 for rule in rules):
            yield "learning_rate_factor is always 0: nothing is learnt"

    @property
    def fitted(self) -> Method:
        if self._fitted is None:
            raise RuntimeError("not tried: training failed")
        return self._fitted

    def shapes(self) -> Iterator[str]:
        for video, found in zip(self.videos.test, self._infer(self.fitted), strict=True):
            if not isinstance(found, Activations):
                yield f"activations() returned {type(found).__name__}"
                continue
            if np.shape(found.video_scores) != (self.fitted.task.num_classes,):
                yield f"video_scores are {np.shape(found.video_scores)}, not one per class"
            if found.times[0] < -1e-9 or found.times[-1] > video.duration + 1e-6:
                yield f"times {found.times[0]:.3f}..{found.times[-1]:.3f} leave the video"
            for name, value in {**found.scores, **found.gates}.items():
                if np.asarray(value).dtype not in (np.float32, np.float64):
                    yield f"{name!r} is {np.asarray(value).dtype}"

    def input_untouched(self) -> Iterator[str]:
        """Labels, and features in memory, are read-only: a method that writes cannot learn."""
        in_memory = Videos(
            tuple(replace(video, features=np.array(video.features)) for video in self.videos.train),
            tuple(replace(video, features=np.array(video.features)) for video in self.videos.test),
        )
        self._infer(self._fit(videos=in_memory), in_memory.test)
        if not all(
            map(
                np.array_equal,
                copies((*self.videos.train, *self.videos.test)),
                copies((*in_memory.train, *in_memory.test)),
            )
        ):
            yield "features were changed"

    def seeded(self) -> Iterator[str]:
        once = self._infer(self.fitted)
        # whatever state somebody else left behind must not matter
        torch.manual_seed(12345)
        np.random.seed(12345)
        again = self._infer(self._fit())
        if not all(map(_equal, once, again)):
            yield "two trainings with one seed differ"

    def independent(self) -> Iterator[str]:
        test = self.videos.test
        once = self._infer(self.fitted)
        backwards = self._infer(self.fitted, test[::-1])[::-1]
        renamed = self._infer(
            self.fitted,
            [replace(video, video_id=f"x{i}", group="") for i, video in enumerate(test)],
        )
        alone = self._infer(self.fitted, test[-1:])
        if not all(map(_equal, once, backwards)):
            yield "another order gives other activations"
        if not all(map(_equal, once, renamed)):
            yield "other names give other activations"
        if not _equal(once[-1], alone[0]):
            yield "a video alone gives other activations"

    def segments(self) -> Iterator[str]:
        for video in self.videos.test:
            with truth_locked():
                found = self.fitted.localize(video, self.fitted.recipe)
            if len(found) and (
                found.start.min() < -1e-9 or found.end.max() > video.duration + 1e-6
            ):
                yield f"segments {found.start.min():.3f}..{found.end.max():.3f} leave the video"
            if len(found) and not (0 <= found.label.min() <= found.label.max() < 3):
                yield f"labels {sorted(set(found.label.tolist()))} are not class indices"

    def refuses_other_width(self) -> Iterator[str]:
        video = self.videos.test[0]
        wider = np.ones((video.num_snippets, video.features.shape[1] + 1), np.float32)
        try:
            self._infer(self.fitted, [replace(video, features=wider)])
        except (ValueError, RuntimeError, WsalError):
            return
        yield "features of D + 1 columns were taken without a word"

    def resumes(self) -> Iterator[str]:
        if not issubclass(self.kind, TrainableMethod):
            return
        with tempfile.TemporaryDirectory(prefix="wsal-bench-") as folder:
            steps = iter(range(1000))
            try:
                # asked after each step: stops in the middle of training
                self._fit(Session(Path(folder), stop=lambda: next(steps) == 3))
            except Interrupted:
                pass
            else:
                yield "training did not stop when it was asked to"
            resumed = self._infer(self._fit(Session(Path(folder))))
        if not all(map(_equal, self._infer(self.fitted), resumed)):
            yield "stopped and resumed training gives other activations"

    def _fit(self, session: Session | None = None, *, videos: Videos | None = None) -> Method:
        data = videos or self.videos
        parents, shared = _parents(self.kind, data)
        config = _config(self.kind, {**shared, **self.options})
        method = self.kind(config, make_task(), parents)
        with truth_locked():
            method.fit(data.train, session or Session())
        return method

    def _infer(self, method: Method, videos: Sequence[Video] | None = None) -> list[Activations]:
        with truth_locked():
            wanted = self.videos.test if videos is None else videos
            return [method.activations(video) for video in wanted]


def _parents(kind: type[Method], videos: Videos) -> tuple[dict[str, Parent], dict[str, Any]]:
    """What the method needs from others, trained here, and the options that they decide."""
    parents: dict[str, Parent] = {}
    shared: dict[str, Any] = {}
    for name, artifact in kind.needs.items():
        parent_kind = plugins.load("methods", artifact.method)
        config = _config(parent_kind, {})
        parent = parent_kind(config, make_task(), _parents(parent_kind, videos)[0])
        parent.fit(videos.train, Session())
        shared.update({field: getattr(config, field) for field in artifact.shared})
        everything: tuple[Video, ...] = (*videos.train, *videos.test)
        if artifact.kind == "checkpoint":
            if not isinstance(parent, TrainableMethod):
                raise ValueError(f"{artifact.method} has no checkpoint")
            parents[name] = Parent(weights=parent.trained.state_dict())
        elif artifact.kind == "activations":
            found = {video.video_id: parent.activations(video) for video in everything}
            parents[name] = Parent(activations=found)
        else:
            cut = {v.video_id: parent.localize(v, parent.recipe) for v in everything}
            parents[name] = Parent(proposals=cut)
    return parents, shared


def _config(kind: type[Method], options: Mapping[str, Any]) -> Config:
    layers = [Layer("preset quick", _quick(kind))]
    known = kind.Config.model_fields
    small = {key: value for key, value in SMALL.items() if key in known}
    return build(kind.Config, [*layers, Layer("kit", small), Layer("options", options)], owner="it")


def _quick(kind: type[Method]) -> Mapping[str, Any]:
    for plugin in plugins.available("methods").values():
        if plugin.target.partition(":")[0] == kind.__module__:
            found = read_presets(plugins.presets_path(plugin)).get("quick")
            return found.options if found else {}
    return {}


def _equal(one: Activations, other: Activations) -> bool:
    pairs = [(one.video_scores, other.video_scores), (one.times, other.times)]
    pairs += [(one.scores[name], other.scores[name]) for name in one.scores]
    pairs += [(one.gates[name], other.gates[name]) for name in one.gates]
    return all(np.array_equal(a, b) for a, b in pairs)
