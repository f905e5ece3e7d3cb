"""A method with gradients: what its author writes, and what the training loop calls.

The author writes `network`, `loss`, `describe` and `recipe`. Every other hook has a default that is
right for a method of one network, one optimiser and one phase. Nothing is counted in secret: what
a loss or a sampler must know of time stands in `Progress`, what is learnt stands in parameters and
buffers; so training resumes exactly where it was stopped.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from wsal_bench.config import Config
from wsal_bench.plugins.contract import Method, Task
from wsal_bench.training.positions import random_indices, uniform_indices
from wsal_bench.training.sampling import collate, shuffled_batches
from wsal_bench.types import Activations, Batch, FloatArray, IntArray, Video, WeakVideo


@dataclass(frozen=True)
class Phase:
    """A stretch of training.

    Args:
        epochs: passes over the batches, >= 1.
        fresh: true: begins with a new network and new optimisers; the first phase always does.
    """

    epochs: int
    fresh: bool = False

    def __post_init__(self) -> None:
        if self.epochs < 1:
            raise ValueError(f"a phase needs at least one epoch, not {self.epochs}")


@dataclass(frozen=True, eq=False)
class Progress:
    """Where training stands when a batch is drawn or a loss is computed.

    Args:
        phase: index of the phase.
        epoch: index of the epoch within the phase.
        step: batches that the phase has seen before this one.
        fraction: share of the phase that is done, in [0, 1); moves with every batch where the
            epoch's batches have a length, else with every epoch.
        state: what `between_phases` returned before this phase; empty in the first.
        update: steps of the optimisers that the phase has seen before this batch.
    """

    phase: int = 0
    epoch: int = 0
    step: int = 0
    fraction: float = 0.0
    state: Mapping[str, Any] = field(default_factory=dict)
    update: int = 0


class TrainableConfig(Config):
    """Options that every method with gradients has; a method overrides the defaults."""

    epochs: int = Field(500, ge=1)  # ACM-Net's authors: 500 epochs suffice
    batch_size: int = Field(16, ge=1)  # ACM-Net code, --batch_size
    learning_rate: float = Field(1e-4, gt=0)  # ACM-Net code, --lr
    weight_decay: float = Field(5e-5, ge=0)  # ACM-Net code, --weight_decay
    num_snippets: int = Field(750, ge=1)  # snippets of a training video, ACM-Net on THUMOS14
    max_test_snippets: int = Field(750, ge=1)  # longer test videos are sampled down to this


class Trainable(Method):
    """What the training loop calls; see the module's docstring for what an author writes."""

    Config: ClassVar[type[Config]] = TrainableConfig

    @abstractmethod
    def network(self) -> nn.Module:
        """A fresh network on the CPU, initialised from torch's global generator."""

    @abstractmethod
    def loss(self, outputs: Any, batch: Batch, progress: Progress) -> dict[str, Tensor]:
        """Named terms, each a tensor without dimensions; the loop minimises their sum.

        Args:
            outputs: what `forward` returned, with gradients.
            batch: the batch that it was computed from, on the training device.
            progress: where training stands.
        """

    @abstractmethod
    def describe(self, outputs: Any, batch: Batch) -> Activations:
        """What the outputs say of one video, as arrays (see `as_array`).

        Args:
            outputs: what `forward` returned in evaluation mode, without gradients; bfloat16 where
                the task's precision says so.
            batch: of one video; `batch.times[0]` are the borders of its snippets.
        """

    def forward(self, network: nn.Module, batch: Batch) -> Any:
        """The network's outputs for a batch."""
        return network(batch.features)

    @staticmethod
    def draw(num: int, wanted: int, generator: np.random.Generator) -> IntArray:
        """Which of a training video's snippets `batches` takes by default; see `positions`."""
        return random_indices(num, wanted, generator)

    def batches(
        self, videos: Sequence[WeakVideo], generator: np.random.Generator, progress: Progress
    ) -> Iterable[Batch]:
        """The batches of one epoch, on the CPU.

        By default every video once, in random order, as `num_snippets` snippets that `draw` takes.

        Args:
            videos: the training videos.
            generator: the only source of randomness here. After an interruption the epoch's
                batches are drawn again from the generator's saved state.
            progress: where training stands at the beginning of the epoch.
        """
        return shuffled_batches(
            videos,
            generator,
            batch_size=self.config.batch_size,
            num_snippets=self.config.num_snippets,
            draw=self.draw,
        )

    def optimizers(self, network: nn.Module) -> Sequence[Optimizer]:
        """Optimisers of a network; all of them step together unless `turn` says otherwise."""
        return [
            Adam(
                network.parameters(),
                lr=self.config.learning_rate,
                weight_decay=self.config.weight_decay,
            )
        ]

    @property
    def accumulate(self) -> int:
        """Batches whose gradients are summed before the optimisers step."""
        return 1

    # the four hooks below are asked before each step of the optimisers, with the progress of its
    # last batch; they must give the same whenever they are asked with the same progress

    def learning_rate_factor(self, progress: Progress) -> float | None:
        """What the rates that `optimizers` gave are multiplied by; None: nobody touches them.

        `cosine_decay(progress.fraction)` is a schedule, `ramp(progress.fraction, 0, 0.1)` a
        warm-up.
        """
        return None

    def clip_norm(self, progress: Progress) -> float | None:
        """Gradients are scaled down to this norm, all those of a step together; None: never."""
        return None

    def ema_decay(self, progress: Progress) -> float:
        """Share that stays of the exponential moving average of the weights; 0: none is kept.

        Where there is an average, it is what is evaluated: by `between_phases`, at the end, by
        children, by `infer`. Training goes on with the weights themselves. It begins with the
        weights as they are before the first step whose share is above 0.
        """
        return 0.0

    def turn(self, progress: Progress) -> Sequence[int] | None:
        """Indices of the optimisers that step; None: all. The others' gradients are forgotten.

        `[progress.update % 2]` lets two take turns; a loss may ask `progress.update` too.
        """
        return None

    def phases(self) -> Sequence[Phase]:
        """The stretches of training, in order."""
        return [Phase(self.config.epochs)]

    def between_phases(
        self, phase: int, network: nn.Module, videos: Sequence[WeakVideo]
    ) -> Mapping[str, Any]:
        """What the coming phase knows besides the videos, for example pseudo labels.

        Args:
            phase: index of the coming phase, > 0.
            network: as the phase before left it, in evaluation mode, with averaged weights where
                there are such; see `infer`.
            videos: the training videos.

        Returns:
            Tensors, arrays, numbers, strings, None, and lists or dictionaries of them; kept in
            every checkpoint of the phase and given to it as `progress.state`.
        """
        return {}

    def initial_weights(self, network: nn.Module) -> None:
        """Changes a network that was just made, for example to a parent's weights."""

    def inference_batch(self, video: Video) -> Batch:
        """A batch of one test video, by default all of its snippets, or evenly spaced ones."""

        def pick(num: int) -> IntArray:
            return uniform_indices(num, self.config.max_test_snippets)

        return collate([video], [0], pick, num_classes=self.task.num_classes)

    def infer(self, network: nn.Module, video: Video) -> Activations:
        """What a network says of one video; the network's mode and the generators stay."""
        was_training = network.training
        network.eval()
        try:
            with torch.inference_mode(), seeded(self.task):
                batch = self.inference_batch(video).to(self.task.device)
                with autocast(self.task):
                    outputs = self.forward(network, batch)
                return self.describe(outputs, batch)
        finally:
            network.train(was_training)


def autocast(task: Task) -> AbstractContextManager[Any]:
    """The precision of a forward pass and its loss: bfloat16 where the task says so."""
    if task.precision == "fp32":
        return nullcontext()
    return torch.autocast(torch.device(task.device).type, dtype=torch.bfloat16)


@contextmanager
def seeded(task: Task) -> Iterator[None]:
    """Torch's global generators begin at the task's seed in here and are put back after."""
    device = torch.device(task.device)
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(task.seed)
        yield


def as_array(tensor: Tensor) -> FloatArray:
    """A tensor of any device and precision as an array; bfloat16, which numpy lacks, as float32."""
    detached = tensor.detach()
    if detached.dtype == torch.bfloat16:
        detached = detached.float()
    array: FloatArray = detached.cpu().numpy()
    return array
