"""A linear classifier of snippets with dropout; small, but it draws on every random generator."""

import time
from collections.abc import Mapping
from typing import ClassVar

from torch import Tensor, nn

from wsal_bench.localization.recipe import COMMON, ProposalRecipe
from wsal_bench.nn import topk_mean
from wsal_bench.training.hooks import Progress, TrainableConfig, as_array
from wsal_bench.training.trainable import TrainableMethod
from wsal_bench.types import Activations, Batch


class Config(TrainableConfig):
    """Quick to train."""

    epochs: int = 6
    batch_size: int = 2
    learning_rate: float = 0.01
    num_snippets: int = 8
    width: int = 5
    pause: float = 0.0  # seconds that a step takes, so that one can be met in the middle of it


class Method(TrainableMethod):
    """The mean of the best two snippets is the video's score."""

    Config = Config
    groups = ("toys",)
    paper: ClassVar[Mapping[str, Mapping[str, float]]] = {"tiny": {"0.5": 12.5}}

    def network(self) -> nn.Module:
        width = self.config.width
        return nn.Sequential(
            nn.Linear(self.task.feature_dim, width),
            nn.Dropout(0.2),
            nn.Linear(width, self.task.num_classes),
        )

    def loss(self, outputs: Tensor, batch: Batch, progress: Progress) -> dict[str, Tensor]:
        time.sleep(self.config.pause)
        scores = topk_mean(outputs, 2)
        return {"video": nn.functional.binary_cross_entropy_with_logits(scores, batch.labels)}

    def describe(self, outputs: Tensor, batch: Batch) -> Activations:
        return Activations(
            scores={"cas": as_array(outputs[0])},
            gates={},
            video_scores=as_array(topk_mean(outputs, 2)[0].sigmoid()),
            times=as_array(batch.times[0]),
        )

    @property
    def recipe(self) -> ProposalRecipe:
        return COMMON
