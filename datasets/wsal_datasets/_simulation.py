"""The generator behind the simulated data sets: videos drawn from a world of prototypes.

A video is a line of background scenes with instances of one or two classes on it. An instance runs
through its class's K sub-actions; around it, and elsewhere, lies context: the scene of a class
without its action, which a video label cannot tell from the action.

C classes, D features, T snippets.

Draws come in a fixed order from one generator per split, so a data seed is a data set.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wsal_bench.api import TimeGrid

Floats = NDArray[np.float64]
Pace = Callable[[np.random.Generator, Floats, int], Floats]
"""(generator, progress [n] in [0, 1], K) -> [n, K]: how much of each sub-action shows when."""

GRID = TimeGrid(fps=25.0, stride=16)
SNIPPET = GRID.snippet_seconds


@dataclass(frozen=True, eq=False)
class World:
    """What the classes look like.

    Args:
        action: [C, D] what every moment of an instance shows.
        parts: [C, K, D] its sub-actions, in the order in which they happen.
        scene: [C, D] the class's context.
        background: [G, D] scenes without any class.
        log_length: [C] log of the usual length of an instance in seconds.
        pace: how an instance runs through its sub-actions.
    """

    action: Floats
    parts: Floats
    scene: Floats
    background: Floats
    log_length: Floats
    pace: Pace


@dataclass(frozen=True)
class Dials:
    """How videos are put together; times in seconds, weights in units of a prototype's std.

    The defaults without a comment are those of THUMOS14's annotation, roughly, or were chosen so
    that the reference methods land between the floors and the ceiling.
    """

    co_occurrence: float
    log_gap: float
    context_weight: float
    scene_weight: float
    background_weight: float
    style_weight: float
    noise: float
    log_duration: float = float(np.log(60.0))
    log_duration_std: float = 0.45
    shortest_video: float = 25.0
    longest_video: float = 160.0
    video_length_std: float = 0.35  # of the log length, between videos
    length_std: float = 0.40  # of the log length, within a video
    shortest: float = 0.7
    video_gap_std: float = 0.6
    gap_std: float = 1.2
    shortest_gap: float = 0.3
    margin: float = 0.3  # no instance ends later than this before the end
    background_snippets: float = 8.0  # mean length of one background scene
    context_chance: float = 0.6  # before, and again after, each instance
    context_seconds: float = 3.0  # mean beside an instance; twice that where it stands alone
    context_rate: float = 1.5  # stand-alone stretches per minute
    strength_std: float = 0.2  # of the log strength, between instances
    noise_memory: float = 0.6  # AR(1) coefficient
    threshold: float = 0.3  # taken off before the rectifier


@dataclass(frozen=True)
class Instance:
    """One action: seconds, rounded to 0.1 as annotators do, and a class index."""

    start: float
    end: float
    label: int


@dataclass(frozen=True)
class Timeline:
    """What happens in a video, given beforehand.

    Args:
        num_snippets: T.
        instances: in time order; at least one.
    """

    num_snippets: int
    instances: tuple[Instance, ...]


@dataclass(frozen=True, eq=False)
class SimulatedVideo:
    """A video with everything that is known about it.

    Args:
        features: [T, D] float32, >= 0.
        instances: what happens, in time order; at least one.
        foreground: [T] share of each snippet that some action covers.
        context: [T] share of each snippet that some context covers.
    """

    features: NDArray[np.float32]
    instances: tuple[Instance, ...]
    foreground: Floats
    context: Floats

    @property
    def num_snippets(self) -> int:
        """T."""
        return len(self.features)


def prototypes(rng: np.random.Generator, num: int, feature_dim: int) -> Floats:
    """[num, D] normal rows, each divided by its own standard deviation."""
    rows = rng.standard_normal((num, feature_dim))
    scaled: Floats = rows / rows.std(axis=1, keepdims=True)
    return scaled


def gliding(rng: np.random.Generator, progress: Floats, num_parts: int) -> Floats:
    """One sub-action fades into the next; a random power of time warps the whole. [n, K]."""
    power = np.exp(0.3 * rng.standard_normal())
    position = progress**power * (num_parts - 1)
    first = np.minimum(position.astype(int), num_parts - 2)
    shares = np.zeros((len(progress), num_parts))
    rows = np.arange(len(progress))
    shares[rows, first] = 1.0 - (position - first)
    shares[rows, first + 1] = position - first
    return shares


def stepping(rng: np.random.Generator, progress: Floats, num_parts: int) -> Floats:
    """One sub-action after the other, each for a random share of the time. [n, K].

    The shares are exchangeable: how long a sub-action lasts says nothing about its place.
    """
    weights = np.exp(0.3 * rng.standard_normal(num_parts))
    borders = np.cumsum(weights)[:-1] / weights.sum()
    shares: Floats = np.eye(num_parts)[np.searchsorted(borders, progress, side="right")]
    return shares


def simulate(
    world: World, dials: Dials, num_videos: int, rng: np.random.Generator
) -> list[SimulatedVideo]:
    """Draws the videos of one split; features are not scaled yet. Video v shows class v mod C."""
    num_classes = len(world.action)
    return [_Drawing(world, dials, rng, v % num_classes).video() for v in range(num_videos)]


def simulate_timelines(
    world: World, dials: Dials, timelines: Sequence[Timeline], rng: np.random.Generator
) -> list[SimulatedVideo]:
    """Draws what videos of given timelines look like; features are not scaled yet."""
    return [_Drawing(world, dials, rng, given=timeline).video() for timeline in timelines]


class _Drawing:
    """One video being drawn; the order of the methods called is the order of the draws.

    Args:
        world: what classes look like.
        dials: how videos are put together.
        rng: where draws come from.
        first: the video's first class, where its timeline is drawn too.
        given: its timeline; None: it is drawn.
    """

    def __init__(
        self,
        world: World,
        dials: Dials,
        rng: np.random.Generator,
        first: int = 0,
        given: Timeline | None = None,
    ) -> None:
        self.world, self.dials, self.rng, self.given = world, dials, rng, given
        if given is None:
            wanted = np.exp(dials.log_duration + dials.log_duration_std * rng.standard_normal())
            self.length = int(np.clip(wanted, dials.shortest_video, dials.longest_video) / SNIPPET)
        else:
            self.length = given.num_snippets
        self.duration = self.length * SNIPPET
        self.centres = np.arange(0.5, self.length) * np.float64(SNIPPET)  # [T]
        self.classes = (
            self._classes(first) if given is None else sorted({i.label for i in given.instances})
        )

    def video(self) -> SimulatedVideo:
        dials, rng = self.dials, self.rng
        instances = self._instances() if self.given is None else list(self.given.instances)
        # labels are what really happens: a class that got no instance is dropped
        present = {instance.label for instance in instances}
        if present != set(self.classes):
            self.classes = sorted(present)
        background = self.world.background[self._background()]  # [T, D]
        context = self._context(instances)  # [T, C]
        action, foreground = self._action(instances)  # [T, D], [T, 1]
        context *= 1.0 - foreground
        signal = action + (1.0 - foreground) * dials.background_weight * background
        signal += dials.context_weight * (context @ self.world.scene)
        signal += dials.scene_weight * self.world.scene[self.classes].mean(axis=0)
        signal += dials.style_weight * rng.standard_normal(signal.shape[1])
        features = np.maximum(signal + dials.noise * self._noise(signal) - dials.threshold, 0.0)
        return SimulatedVideo(
            features=features.astype(np.float32),
            instances=tuple(instances),
            foreground=foreground[:, 0],
            context=context.max(axis=1),
        )

    def _classes(self, first: int) -> list[int]:
        """One class, or two: the second is half the time the one that it shares a scene with."""
        rng, num_classes, partner = self.rng, len(self.world.action), first ^ 1
        if rng.random() >= self.dials.co_occurrence:
            return [first]
        if partner < num_classes and rng.random() < 0.5:
            return [first, partner]
        return [first, (first + 1 + int(rng.integers(num_classes - 1))) % num_classes]

    def _pick(self) -> int:
        return self.classes[int(self.rng.integers(len(self.classes)))]

    def _instances(self) -> list[Instance]:
        """A renewal process: gap, instance, gap, ...; at least one instance."""
        dials, rng = self.dials, self.rng
        instances: list[Instance] = []
        last = np.floor(self.duration * 10.0) / 10.0  # rounding must not leave the video
        usual = dials.video_length_std * rng.standard_normal()
        log_gap = dials.log_gap + dials.video_gap_std * rng.standard_normal()
        time = 0.5 * np.exp(log_gap + dials.gap_std * rng.standard_normal())
        while not instances or time <= self.duration:
            chosen = self._pick()
            log_length = self.world.log_length[chosen] + usual
            length = np.exp(log_length + dials.length_std * rng.standard_normal())
            length = max(dials.shortest, length)
            if time + length > self.duration - dials.margin:
                if instances:
                    break
                length = min(length, 0.5 * self.duration)
                time = rng.uniform(0.0, self.duration - length)
            end = min(round(float(time + length), 1), float(last))
            instances.append(Instance(round(float(time), 1), end, chosen))
            gap = np.exp(log_gap + dials.gap_std * rng.standard_normal())
            time += length + max(dials.shortest_gap, gap)
        return instances

    def _background(self) -> NDArray[np.int64]:
        """Which background scene each snippet shows, [T]."""
        scenes = np.empty(self.length, dtype=np.int64)
        done = 0
        while done < self.length:
            run = max(1, int(self.rng.exponential(self.dials.background_snippets)))
            scenes[done : done + run] = self.rng.integers(len(self.world.background))
            done += run
        return scenes

    def _context(self, instances: Sequence[Instance]) -> Floats:
        """Where the scene of each class shows without its action, [T, C] zeros and ones."""
        dials, rng, at = self.dials, self.rng, self.centres
        context = np.zeros((self.length, len(self.world.action)))
        for one in instances:
            if rng.random() < dials.context_chance:
                seconds = rng.exponential(dials.context_seconds)
                context[(at >= one.start - seconds) & (at < one.start), one.label] = 1.0
            if rng.random() < dials.context_chance:
                seconds = rng.exponential(dials.context_seconds)
                context[(at > one.end) & (at <= one.end + seconds), one.label] = 1.0
        for _ in range(rng.poisson(dials.context_rate * self.duration / 60.0)):
            chosen = self._pick()
            begins = rng.uniform(0.0, self.duration)
            seconds = rng.exponential(2.0 * dials.context_seconds)
            context[(at >= begins) & (at < begins + seconds), chosen] = 1.0
        return context

    def _action(self, instances: Sequence[Instance]) -> tuple[Floats, Floats]:
        """What the instances show, [T, D], and how much of each snippet they cover, [T, 1]."""
        world, at = self.world, self.centres
        shown = np.zeros((self.length, world.action.shape[1]))
        covered = np.zeros((self.length, 1))
        for one in instances:
            strength = np.exp(self.dials.strength_std * self.rng.standard_normal())
            seconds = np.minimum(at + SNIPPET / 2, one.end) - np.maximum(
                at - SNIPPET / 2, one.start
            )
            inside = np.flatnonzero(seconds > 0)
            share = seconds[inside, None] / SNIPPET  # [n, 1]
            progress = np.clip((at[inside] - one.start) / (one.end - one.start), 0.0, 1.0)
            parts = world.parts[one.label]  # [K, D]
            moment = world.pace(self.rng, progress, len(parts)) @ parts  # [n, D]
            shown[inside] += strength * share * (world.action[one.label] + moment)
            covered[inside] = np.maximum(covered[inside], share)
        return shown, covered

    def _noise(self, like: Floats) -> Floats:
        """AR(1) noise of unit variance, [T, D]."""
        memory = self.dials.noise_memory
        noise: Floats = self.rng.standard_normal(like.shape)
        noise[1:] *= np.sqrt(1.0 - memory**2)
        for now in range(1, len(noise)):
            noise[now] += memory * noise[now - 1]
        return noise
