"""What the training loop costs on top of the plain PyTorch loop that anyone would write."""

import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from tests.benchmarks.figures import tell
from wsal_bench.api import Session, Task
from wsal_bench.localization.recipe import COMMON, ProposalRecipe
from wsal_bench.training import loop as training
from wsal_bench.training.hooks import Progress, TrainableConfig
from wsal_bench.training.trainable import TrainableMethod
from wsal_bench.types import Activations, Batch, WeakVideo

FEATURE_DIM, NUM_CLASSES, NUM_SNIPPETS, BATCH_SIZE = 128, 10, 100, 16
EPOCHS, BATCHES, ROUNDS = 20, 10, 3


class ConvNet(nn.Module):
    """One temporal convolution, an attention head and a class head, like ACM-Net's."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Conv1d(FEATURE_DIM, FEATURE_DIM, 3, padding=1)
        self.attention = nn.Conv1d(FEATURE_DIM, 3, 1)
        self.classes = nn.Conv1d(FEATURE_DIM, NUM_CLASSES + 1, 1)
        self.dropout = nn.Dropout(0.5)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        embedded = F.relu(self.embedding(features.transpose(1, 2)))  # [B, D, T]
        return self.classes(self.dropout(embedded)), self.attention(embedded).softmax(1)


def loss_terms(outputs: tuple[Tensor, Tensor], labels: Tensor) -> dict[str, Tensor]:
    cas, attention = outputs  # [B, C + 1, T], [B, 3, T]
    scores = (cas[:, :-1] * attention[:, :1]).topk(NUM_SNIPPETS // 8, dim=2).values.mean(2)
    return {
        "mil": F.binary_cross_entropy_with_logits(scores, labels),
        "sparsity": attention[:, 0].mean() * 0.1,
        "guide": (1 - attention[:, 0] - cas.softmax(1)[:, -1]).abs().mean() * 0.1,
    }


def make_batches() -> list[Batch]:
    generator = torch.Generator().manual_seed(0)
    return [
        Batch(
            features=torch.rand(BATCH_SIZE, NUM_SNIPPETS, FEATURE_DIM, generator=generator),
            lengths=torch.full((BATCH_SIZE,), NUM_SNIPPETS),
            labels=(torch.rand(BATCH_SIZE, NUM_CLASSES, generator=generator) < 0.2).float(),
            times=torch.arange(NUM_SNIPPETS + 1, dtype=torch.float64).expand(BATCH_SIZE, -1),
            indices=torch.arange(BATCH_SIZE),
        )
        for _ in range(BATCHES)
    ]


def plain_step(network: nn.Module, optimizer: Adam, batch: Batch) -> None:
    optimizer.zero_grad()
    terms = loss_terms(network(batch.features), batch.labels)
    torch.stack(list(terms.values())).sum().backward()  # type: ignore[no-untyped-call]
    optimizer.step()


def plain_network() -> tuple[nn.Module, Adam]:
    torch.manual_seed(0)
    network = ConvNet().train()
    return network, Adam(network.parameters(), lr=1e-4, weight_decay=5e-5)


class InTheLoop(TrainableMethod):
    """The same network and data through wsal-bench's loop."""

    recipe: ProposalRecipe = COMMON
    shown: Iterable[Batch]
    optimizer: Adam

    def network(self) -> nn.Module:
        self.made = ConvNet()
        return self.made

    def optimizers(self, network: nn.Module) -> Sequence[Optimizer]:
        self.optimizer = Adam(network.parameters(), lr=1e-4, weight_decay=5e-5)
        return [self.optimizer]

    def loss(self, outputs: Any, batch: Batch, progress: Progress) -> dict[str, Tensor]:
        return loss_terms(outputs, batch.labels)

    def batches(
        self, videos: Sequence[WeakVideo], generator: np.random.Generator, progress: Progress
    ) -> Iterable[Batch]:
        return self.shown

    def describe(self, outputs: Any, batch: Batch) -> Activations:
        raise NotImplementedError


def in_the_loop(epochs: int) -> InTheLoop:
    return InTheLoop(TrainableConfig(epochs=epochs), Task(FEATURE_DIM, tuple("abcdefghij")))


class InTurns:
    """Batches for the loop; after each of its steps, the same step is made without it.

    So both are measured within the same few milliseconds, whatever else the machine does, and on
    the same network and optimiser, because where weights lie in memory alone can make 10 %.
    """

    def __init__(self, method: InTheLoop, batches: list[Batch]) -> None:
        self.method = method
        self.batches = batches
        self.our_steps: list[float] = []
        self.plain_steps: list[float] = []
        self.between_epochs = 0.0
        self.left: float | None = None

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[Batch]:
        if self.left is not None:
            self.between_epochs += time.process_time() - self.left
        for index, batch in enumerate(self.batches):
            began = time.process_time()
            yield batch
            ended = time.process_time()
            # another batch, so that neither finds the other's in the cache
            other = self.batches[index - len(self.batches) // 2]
            plain_step(self.method.made, self.method.optimizer, other)
            self.our_steps.append(ended - began)
            self.plain_steps.append(time.process_time() - ended)
        self.left = time.process_time()

    def cost(self) -> float:
        """Time of the loop over that of the plain steps."""
        steps = np.median(np.divide(self.our_steps, self.plain_steps))
        ends = self.between_epochs / (np.median(self.plain_steps) * len(self.plain_steps))
        return float(steps + ends)


def test_the_loop_does_the_same_work_as_the_plain_one() -> None:
    batches = make_batches()
    torch.manual_seed(0)
    network = ConvNet().train()
    optimizer = Adam(network.parameters(), lr=1e-4, weight_decay=5e-5)
    for batch in batches * 2:
        plain_step(network, optimizer, batch)
    method = in_the_loop(epochs=2)
    method.shown = batches
    ours = training.fit(method, [], Session()).network
    for one, other in zip(network.parameters(), ours.parameters(), strict=True):
        assert torch.equal(one, other)


@pytest.mark.measured
@pytest.mark.parametrize("with_files", [False, True])
def test_the_loop_costs_less_than_a_twentieth_over_a_plain_one(
    with_files: bool, tmp_path: Path
) -> None:
    costs, steps, ends = [], [], []
    for number in range(ROUNDS):  # how memory happens to be laid out makes some per cent
        method = in_the_loop(EPOCHS)
        method.shown = turns = InTurns(method, make_batches())
        directory = tmp_path / str(number) if with_files else None
        training.fit(method, [], Session(directory))
        costs.append(turns.cost())
        steps.append(1e3 * float(np.median(turns.plain_steps)))
        ends.append(1e3 * turns.between_epochs / (EPOCHS - 1))
    cost, step, end = (float(np.median(values)) for values in (costs, steps, ends))
    kind = "with checkpoints" if with_files else "without files"
    tell(f"{kind}: {cost:.3f} of a bare loop, step {step:.2f} ms, an epoch's end {end:.2f} ms")
    assert cost < 1.05
