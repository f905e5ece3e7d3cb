"""Small made-up methods, one for each hook of `TrainableMethod`, and videos to train them on."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import SGD, Adam, Optimizer

from wsal_bench.api import Session, Task
from wsal_bench.localization.recipe import COMMON, ProposalRecipe
from wsal_bench.timegrid import TimeGrid
from wsal_bench.training.hooks import Phase, Progress, TrainableConfig, as_array
from wsal_bench.training.stepping import cosine_decay, ramp
from wsal_bench.training.trainable import TrainableMethod
from wsal_bench.types import Activations, Batch, Video, WeakVideo

FEATURE_DIM, NUM_CLASSES = 6, 3


class Tiny(TrainableMethod):
    """A linear snippet classifier behind dropout; every hook at its default."""

    class Config(TrainableConfig):
        """Small enough for a test."""

        epochs: int = 3
        batch_size: int = 3
        learning_rate: float = 0.01
        num_snippets: int = 4
        max_test_snippets: int = 8
        dropout: float = 0.5

    recipe: ProposalRecipe = COMMON

    def network(self) -> nn.Module:
        return nn.Sequential(
            nn.Linear(self.task.feature_dim, 5),
            nn.ReLU(),
            nn.Dropout(self.config.dropout),
            nn.Linear(5, self.task.num_classes),
        )

    def loss(self, outputs: Any, batch: Batch, progress: Progress) -> dict[str, Tensor]:
        video_scores = outputs.mean(1)  # [B, C]
        return {
            "mil": F.binary_cross_entropy_with_logits(video_scores, batch.labels),
            "norm": outputs.square().mean() * 0.1,
        }

    def describe(self, outputs: Any, batch: Batch) -> Activations:
        cas = as_array(outputs[0].sigmoid())  # [T, C]
        return Activations({"cas": cas}, {}, cas.mean(0), as_array(batch.times[0]))


class Deterministic(Tiny):
    """Without dropout, on all snippets, videos in order: steps that can be computed by hand."""

    class Config(Tiny.Config):
        """Plain gradient descent on sums over videos."""

        dropout: float = 0.0
        summed: int = 1

    def batches(
        self, videos: Sequence[WeakVideo], generator: np.random.Generator, progress: Progress
    ) -> Iterable[Batch]:
        size = self.config.batch_size
        return [to_batch(videos[at : at + size]) for at in range(0, len(videos), size)]

    def loss(self, outputs: Any, batch: Batch, progress: Progress) -> dict[str, Tensor]:
        scores = outputs.mean(1)
        return {"sum": F.binary_cross_entropy_with_logits(scores, batch.labels, reduction="sum")}

    def optimizers(self, network: nn.Module) -> Sequence[Optimizer]:
        return [SGD(network.parameters(), lr=self.config.learning_rate)]

    @property
    def accumulate(self) -> int:
        return int(self.config.summed)


class Accumulating(Tiny):
    """Steps after every second batch."""

    accumulate = 2


class TwoOptimizers(Tiny):
    """A fast one for the biases, a slow one with momentum for the weights."""

    def optimizers(self, network: nn.Module) -> Sequence[Optimizer]:
        named = dict(network.named_parameters())
        biases = [value for name, value in named.items() if name.endswith("bias")]
        weights = [value for name, value in named.items() if name.endswith("weight")]
        return [Adam(biases, lr=0.1), SGD(weights, lr=0.01, momentum=0.9)]


class Unsized(Tiny):
    """Batches that nobody can count beforehand."""

    def batches(
        self, videos: Sequence[WeakVideo], generator: np.random.Generator, progress: Progress
    ) -> Iterator[Batch]:
        for at in generator.permutation(len(videos)):
            yield to_batch([videos[int(at)]])


class PseudoLabels(Tiny):
    """A second phase with a fresh network that learns what the first one predicted."""

    fresh = True

    def phases(self) -> Sequence[Phase]:
        return [Phase(self.config.epochs), Phase(self.config.epochs, fresh=self.fresh)]

    def between_phases(
        self, phase: int, network: nn.Module, videos: Sequence[WeakVideo]
    ) -> Mapping[str, Any]:
        predicted = [self.infer(network, video).video_scores for video in videos]
        noise = torch.rand(NUM_CLASSES)  # random on purpose: resume must give the same
        return {
            "pseudo": torch.from_numpy(np.stack(predicted)),
            "mean": np.mean(predicted, axis=0),
            "noise": noise,
            "from": {"phase": phase - 1, "names": [video.video_id for video in videos]},
        }

    def loss(self, outputs: Any, batch: Batch, progress: Progress) -> dict[str, Tensor]:
        terms = super().loss(outputs, batch, progress)
        if progress.phase:
            wanted = progress.state["pseudo"][batch.indices]
            terms["pseudo"] = (outputs.mean(1).sigmoid() - wanted).square().mean()
            pull = torch.from_numpy(progress.state["mean"]) + progress.state["noise"]
            terms["pull"] = (outputs.mean((0, 1)) - pull).square().sum() * progress.fraction
        return terms


class Refining(PseudoLabels):
    """The same, going on with the network and the optimiser of the first phase."""

    fresh = False


class Scheduled(Accumulating):
    """A learning rate that warms up and falls, on clipped gradients."""

    def learning_rate_factor(self, progress: Progress) -> float:
        return ramp(progress.fraction, 0, 0.3) * cosine_decay(progress.fraction)

    def clip_norm(self, progress: Progress) -> float:
        return 0.2 + progress.phase


class Averaged(PseudoLabels):
    """Pseudo labels of averaged weights, beside running statistics and a counter."""

    def network(self) -> nn.Module:
        network = super().network()
        assert isinstance(network, nn.Sequential)
        return network.append(Counting(self.task.num_classes))

    def ema_decay(self, progress: Progress) -> float:
        return min(0.9, progress.update / 4)  # none at the first step of a phase


class AveragedOn(Averaged):
    """The same, going on with the network and the average of the first phase."""

    fresh = False

    def ema_decay(self, progress: Progress) -> float:
        return 0.9


class TakingTurns(TwoOptimizers):
    """Each optimiser steps every other time; what counts in the loss is told by the same count."""

    accumulate = 2

    def turn(self, progress: Progress) -> Sequence[int]:
        return [progress.update % 2]

    def loss(self, outputs: Any, batch: Batch, progress: Progress) -> dict[str, Tensor]:
        terms = super().loss(outputs, batch, progress)
        return terms | {"norm": terms["norm"] * (1 + progress.update % 2)}


class Counting(nn.Module):
    """Running means that shift what passes, and how many of them there were."""

    mean: Tensor
    passes: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("passes", torch.zeros((), dtype=torch.int64))

    def forward(self, values: Tensor) -> Tensor:
        if self.training:
            with torch.no_grad():
                self.mean.lerp_(values.mean((0, 1)), 0.1)
                self.passes.add_(1)
        return values - self.mean


class FromParent(Tiny):
    """Begins with its parent's first layer."""

    def initial_weights(self, network: nn.Module) -> None:
        own = network.state_dict()
        own["0.weight"].copy_(self.parents["start"].weights["classifier"])


STEPPING = (Scheduled, Averaged, AveragedOn, TakingTurns)
EVERY_HOOK = (Tiny, Accumulating, TwoOptimizers, Unsized, PseudoLabels, Refining, *STEPPING)


def to_batch(videos: Sequence[WeakVideo]) -> Batch:
    """Videos of one length with all their snippets."""
    features = torch.from_numpy(np.stack([video.features[:4] for video in videos]))
    return Batch(
        features=features,
        lengths=torch.full((len(videos),), 4),
        labels=torch.from_numpy(np.stack([video.labels for video in videos])),
        times=torch.arange(5, dtype=torch.float64).expand(len(videos), 5),
        indices=torch.tensor([int(video.video_id) for video in videos]),
    )


def make_videos(number: int = 8) -> list[WeakVideo]:
    """Videos of 5 to 9 snippets, each with one class."""
    rng = np.random.default_rng(0)
    return [
        WeakVideo(
            video_id=str(index),
            features=rng.normal(size=(5 + index % 5, FEATURE_DIM)).astype(np.float32),
            grid=TimeGrid(fps=25, stride=16),
            labels=np.eye(NUM_CLASSES, dtype=np.float32)[index % NUM_CLASSES],
        )
        for index in range(number)
    ]


def make_test_video(num_snippets: int = 7) -> Video:
    """A video without labels."""
    features = np.random.default_rng(1).normal(size=(num_snippets, FEATURE_DIM))
    return Video("test", features.astype(np.float32), TimeGrid(fps=25, stride=16))


def make(
    kind: type[Tiny], *, seed: int = 0, precision: Any = "fp32", **options: Any
) -> TrainableMethod:
    """A method with some of its options changed."""
    task = Task(FEATURE_DIM, ("a", "b", "c"), seed=seed, precision=precision)
    return kind(kind.Config(**options), task)


class StopAfter:
    """Says stop once, after a number of optimiser steps."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def __call__(self) -> bool:
        self.left -= 1
        return self.left == 0


def session(directory: Path, stop_after: int = 0) -> Session:
    """A session that is stopped after some steps; 0: never."""
    return Session(directory, stop=StopAfter(stop_after))
