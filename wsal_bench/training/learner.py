"""A network, its optimisers and torch's generators: what a training step changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from wsal_bench.training.history import stack_terms
from wsal_bench.training.hooks import Progress, Trainable, autocast
from wsal_bench.types import Batch


class Learner:
    """A network that is being trained.

    Args:
        method: gives network, optimisers, forward pass and loss.
    """

    def __init__(self, method: Trainable) -> None:
        self._method = method
        self._device = torch.device(method.task.device)
        network = method.network()
        method.initial_weights(network)
        self.network: nn.Module = network.to(self._device)
        self._optimizers: list[Optimizer] = list(method.optimizers(self.network))

    def begin_epoch(self) -> None:
        """Training mode, and no gradient left from anywhere."""
        self.network.train()
        self._forget_gradients()

    def backward(self, batch: Batch, progress: Progress) -> tuple[tuple[str, ...], Tensor]:
        """Adds the gradients of one batch; names and values [terms] of its loss terms.

        Raises:
            TypeError: the loss is no dictionary of tensors.
            ValueError: the loss has no term, or one has dimensions.
        """
        if self._device.type != "cpu":  # where batches are anyway
            batch = batch.to(self._device)
        with autocast(self._method.task):
            outputs = self._method.forward(self.network, batch)
            terms = self._method.loss(outputs, batch, progress)
        stacked = stack_terms(terms)
        torch.autograd.backward(stacked.sum())
        return tuple(terms), stacked.detach()

    def step(self) -> None:
        """Lets all optimisers follow the gradients."""
        for optimizer in self._optimizers:
            optimizer.step()
        self._forget_gradients()

    def non_finite_weight(self) -> str | None:
        """Name of the first parameter that holds a NaN or an infinity."""
        for name, weight in self.network.named_parameters():
            if not bool(weight.isfinite().all()):
                return name
        return None

    def snapshot(self) -> dict[str, Any]:
        """Everything that the next steps depend on; shares memory with the network."""
        generators = {"cpu": torch.random.get_rng_state()}
        if self._device.type == "cuda":
            generators["cuda"] = torch.cuda.get_rng_state(self._device)
        return {
            "network": self.network.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self._optimizers],
            "torch": generators,
        }

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Goes back to a snapshot, torch's global generators too.

        Raises:
            RuntimeError: the network has other names or shapes.
            ValueError: there are other optimisers.
        """
        self.network.load_state_dict(snapshot["network"], strict=True)
        for optimizer, state in zip(self._optimizers, snapshot["optimizers"], strict=True):
            optimizer.load_state_dict(state)
        torch.random.set_rng_state(snapshot["torch"]["cpu"])
        if self._device.type == "cuda":
            torch.cuda.set_rng_state(snapshot["torch"]["cuda"], self._device)

    def _forget_gradients(self) -> None:
        for optimizer in self._optimizers:
            optimizer.zero_grad()
