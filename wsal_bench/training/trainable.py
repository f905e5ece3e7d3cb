"""A method with gradients, joined to the training loop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from wsal_bench.plugins.contract import Session
from wsal_bench.training.hooks import Trainable, seeded
from wsal_bench.training.loop import fit
from wsal_bench.types import Activations, Video, WeakVideo


class TrainableMethod(Trainable):
    """Learns by gradient descent; `hooks` says what an author writes."""

    _trained: nn.Module | None = None

    @property
    def trained(self) -> nn.Module:
        """The network after `fit` or `load`.

        Raises:
            RuntimeError: neither was called.
        """
        if self._trained is None:
            raise RuntimeError(f"{type(self).__name__} has no weights yet: call fit or load first")
        return self._trained

    def fit(self, videos: Sequence[WeakVideo], session: Session) -> None:
        """Trains from the task's seed, or from the newest good checkpoint of the session."""
        self._trained = fit(self, videos, session).network

    def load(self, state_dict: Mapping[str, Tensor]) -> None:
        """Takes the weights of an earlier training.

        Args:
            state_dict: all of the network's parameters and buffers, and nothing else.

        Raises:
            RuntimeError: names or shapes that do not fit the network.
        """
        with seeded(self.task):
            network = self.network()
        network.load_state_dict(state_dict, strict=True)
        self._trained = network.to(self.task.device).eval()

    def activations(self, video: Video) -> Activations:
        """What the trained network says of one video, whatever it was asked before."""
        return self.infer(self.trained, video)

    def num_parameters(self) -> int:
        """Numbers in the network that were learnt."""
        return sum(part.numel() for part in self.trained.parameters() if part.requires_grad)
