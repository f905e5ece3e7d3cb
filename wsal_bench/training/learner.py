"""A network, its optimisers and torch's generators: what a training step changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.swa_utils import get_ema_multi_avg_fn

from wsal_bench.training.history import stack_terms
from wsal_bench.training.hooks import Progress, Trainable, autocast
from wsal_bench.training.stepping import step_rule
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
        # not in the checkpoint: a restored optimiser has the rates of its last step
        self._rates: list[list[Any]] = [
            [group.get("lr") for group in one.param_groups] for one in self._optimizers
        ]
        self._average: dict[str, Any] | None = None

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

    def step(self, progress: Progress) -> None:
        """One step as the method's hooks want it; waits for no device.

        Args:
            progress: of the last batch whose gradients were added.

        Raises:
            TypeError: a hook gave something of another kind than it must.
            ValueError: a hook gave a number that it must not give.
        """
        rule = step_rule(self._method, progress, len(self._optimizers))
        if not rule.ema_decay:
            self._average = None
        elif self._average is None:
            self._average = _copy(self.network.state_dict())
        chosen = [self._optimizers[index] for index in rule.turn]
        if rule.clip_norm is not None:
            nn.utils.clip_grad_norm_(_parameters(chosen), rule.clip_norm)
        for index, optimizer in zip(rule.turn, chosen, strict=True):
            if rule.factor is not None:
                for group, rate in zip(optimizer.param_groups, self._rates[index], strict=True):
                    group["lr"] = rate * rule.factor
            optimizer.step()
        self._forget_gradients()
        if self._average is not None:
            _follow(self._average, self.network.state_dict(), rule.ema_decay)

    @contextmanager
    def evaluating(self) -> Iterator[nn.Module]:
        """The network in evaluation mode, in here with its averaged weights if it has such."""
        self.network.eval()
        if self._average is None:
            yield self.network
            return
        own = _copy(self.network.state_dict())
        self.network.load_state_dict(self._average)
        try:
            yield self.network
        finally:
            self.network.load_state_dict(own)

    def finish(self) -> nn.Module:
        """The network in evaluation mode, from now on with its averaged weights if it has such."""
        if self._average is not None:
            self.network.load_state_dict(self._average)
        return self.network.eval()

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
        average = {} if self._average is None else {"average": self._average}
        return {
            "network": self.network.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self._optimizers],
            "torch": generators,
            **average,
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
        self._average = snapshot.get("average")
        torch.random.set_rng_state(snapshot["torch"]["cpu"])
        if self._device.type == "cuda":
            torch.cuda.set_rng_state(snapshot["torch"]["cuda"], self._device)

    def _forget_gradients(self) -> None:
        for optimizer in self._optimizers:
            optimizer.zero_grad()


def _copy(weights: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value.detach().clone() if isinstance(value, Tensor) else value
        for name, value in weights.items()
    }


def _parameters(optimizers: Sequence[Optimizer]) -> list[Tensor]:
    """Parameters of the optimisers, each once."""
    groups = [group["params"] for one in optimizers for group in one.param_groups]
    return list(dict.fromkeys(parameter for group in groups for parameter in group))


def _follow(average: dict[str, Any], weights: Mapping[str, Any], decay: float) -> None:
    """Moves an average towards the weights; what cannot be averaged, such as counters, is taken."""
    moving = [
        name
        for name, value in weights.items()
        if isinstance(value, Tensor) and (value.is_floating_point() or value.is_complex())
    ]
    if moving:
        move = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
        move([average[name] for name in moving], [weights[name] for name in moving], None)
    average.update(_copy({name: weights[name] for name in weights.keys() - {*moving}}))
