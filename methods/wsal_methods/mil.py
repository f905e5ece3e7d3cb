"""Top-k multiple-instance learning: a video's score of a class is the mean of its best snippets.

After the MIL branch of W-TALC (Paul, Roy and Roy-Chowdhury, ECCV 2018, arXiv 1807.10418); the
plainest method that learns where from what. Left out: its co-activity similarity loss.

Deviations from W-TALC: the embedding is a convolution over three snippets, not a linear layer;
torch's initialisation; videos are sampled to one length, not cropped or padded; batches are
shuffled videos; 500 epochs and the last one counts, where the code runs up to 100,000 steps and
reports the best on the test set; segments come from the recipe `common`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from pydantic import Field
from torch import Tensor, nn

from wsal_bench.api import Activations, Batch, Progress, TrainableConfig, TrainableMethod, as_array
from wsal_bench.localization.recipe import ProposalRecipe
from wsal_bench.nn import ConvEmbedding, label_cross_entropy, num_kept, topk_mean
from wsal_methods._recipes import common_at


@dataclass(frozen=True, eq=False)
class Outputs:
    """What the network says of B videos.

    Args:
        logits: [B, T, C] class scores of the snippets.
        video_scores: [B, C] class probabilities of the videos, each row sums to 1.
    """

    logits: Tensor
    video_scores: Tensor


class Network(nn.Module):
    """Convolution, dropout, linear classifier, top-k mean."""

    def __init__(self, feature_dim: int, num_classes: int, *, topk_ratio: int, dropout: float):
        super().__init__()
        self.topk_ratio = topk_ratio
        self.embedding = ConvEmbedding(feature_dim, feature_dim)
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(feature_dim, num_classes)

    def forward(self, features: Tensor) -> Outputs:
        """[B, T, D] to the outputs."""
        logits = self.classifier(self.dropout(self.embedding(features)))  # [B, T, C]
        pooled = topk_mean(logits, num_kept(features.shape[1], self.topk_ratio))
        return Outputs(logits, pooled.softmax(1))


class Method(TrainableMethod):
    """Top-k multiple-instance learning."""

    class Config(TrainableConfig):
        """Published values of W-TALC on THUMOS14, unless it says otherwise."""

        batch_size: int = Field(10, ge=1)  # W-TALC code, --batch-size
        learning_rate: float = Field(1e-4, gt=0)  # W-TALC code, --lr
        weight_decay: float = Field(5e-4, ge=0)  # W-TALC code, weight decay of Adam
        topk_ratio: int = Field(8, ge=1)  # W-TALC paper, s = 8: one snippet in eight
        dropout: float = Field(0.7, ge=0, lt=1)  # W-TALC code, after the embedding
        class_threshold: float = 0.25  # ours, as in the recipe `common`
        nms_threshold: float = Field(0.55, gt=0, le=1)  # ours, as in the recipe `common`

    groups = ("baseline",)
    about: ClassVar[Mapping[str, str]] = {
        "paper": "no paper's; the plainest form",
        "streams": "both, as one feature",
        "terms": "video labels",
    }

    def network(self) -> Network:
        """A fresh network."""
        return Network(
            self.task.feature_dim,
            self.task.num_classes,
            topk_ratio=self.config.topk_ratio,
            dropout=self.config.dropout,
        )

    def loss(self, outputs: Outputs, batch: Batch, progress: Progress) -> dict[str, Tensor]:
        """Cross entropy of the videos' labels."""
        return {"video": label_cross_entropy(outputs.video_scores, batch.labels)}

    def describe(self, outputs: Outputs, batch: Batch) -> Activations:
        """The logits as class activation sequence."""
        return Activations(
            scores={"cas": as_array(outputs.logits[0])},
            gates={},
            video_scores=as_array(outputs.video_scores[0]),
            times=as_array(batch.times[0]),
        )

    @property
    def recipe(self) -> ProposalRecipe:
        """`common`, with this configuration's thresholds."""
        return common_at(
            class_threshold=self.config.class_threshold,
            nms_threshold=self.config.nms_threshold,
        )
