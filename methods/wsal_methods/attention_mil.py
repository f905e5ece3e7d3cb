"""Two-branch attention MIL: what is left when attention suppresses the background holds none.

After BaS-Net (Lee, Uh and Byun, AAAI 2020, arXiv 1911.09963): one classifier sees each video
twice, as it is (base branch, labelled with background) and with every snippet multiplied by its
attention (suppressed branch, labelled without); a sparsity term keeps the attention small. Left
out: the class score that is added to segments, and the repetition of short videos at test.

Deviations from BaS-Net: one embedding convolution, not two, and the attention, a linear layer on
its output, suppresses the embedded features, not the raw ones (so both branches share the
embedding); ReLU, a biased classifier; cross entropy over the labels, not binary cross entropy over
the softmax; the class activation sequence is a softmax over the classes, not their logits; 115
epochs of shuffled batches (its 1,500 steps re-shuffle each time), the last one counts, not the best
on the test set; segments come from the recipe `common`, which falls back to the best class.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from pydantic import Field
from torch import Tensor, nn

from wsal_bench.api import Activations, Batch, Progress, TrainableConfig, TrainableMethod, as_array
from wsal_bench.localization.recipe import ProposalRecipe
from wsal_bench.nn import (
    ConvEmbedding,
    attention_mass,
    label_cross_entropy,
    num_kept,
    topk_mean,
    with_background,
)
from wsal_methods._recipes import common_at


@dataclass(frozen=True, eq=False)
class Outputs:
    """What the network says of B videos; the background is the last class.

    Args:
        attention: [B, T] in [0, 1].
        cas: [B, T, C + 1] class probabilities of the snippets, suppressed branch.
        base_scores: [B, C + 1] class probabilities of the videos as they are.
        suppressed_scores: [B, C + 1] of the videos under attention.
    """

    attention: Tensor
    cas: Tensor
    base_scores: Tensor
    suppressed_scores: Tensor


class Network(nn.Module):
    """One embedding; an attention and a classifier on it."""

    def __init__(self, feature_dim: int, num_classes: int, *, topk_ratio: int, dropout: float):
        super().__init__()
        self.topk_ratio = topk_ratio
        self.embedding = ConvEmbedding(feature_dim, feature_dim)
        self.attention = nn.Linear(feature_dim, 1)
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(feature_dim, num_classes + 1)

    def forward(self, features: Tensor) -> Outputs:
        """[B, T, D] to the outputs."""
        embedded = self.embedding(features)  # [B, T, D]
        attention = self.attention(embedded).sigmoid()  # [B, T, 1]
        dropped = self.dropout(embedded)
        base = self.classifier(dropped)  # [B, T, C + 1]
        suppressed = self.classifier(attention * dropped)  # [B, T, C + 1]
        k = num_kept(features.shape[1], self.topk_ratio)
        return Outputs(
            attention=attention.squeeze(2),
            cas=suppressed.softmax(2),
            base_scores=topk_mean(base, k).softmax(1),
            suppressed_scores=topk_mean(suppressed, k).softmax(1),
        )


class Method(TrainableMethod):
    """Two-branch attention MIL with sparsity."""

    class Config(TrainableConfig):
        """Published values of BaS-Net on THUMOS14, unless it says otherwise."""

        epochs: int = Field(115, ge=1)  # BaS-Net code: 1,500 steps, 13 batches per epoch
        batch_size: int = Field(16, ge=1)  # BaS-Net code
        learning_rate: float = Field(1e-4, gt=0)  # BaS-Net code
        weight_decay: float = Field(5e-4, ge=0)  # BaS-Net code
        topk_ratio: int = Field(8, ge=1)  # BaS-Net paper, r = 8
        dropout: float = Field(0.7, ge=0, lt=1)  # BaS-Net code, before the classifier
        sparsity_weight: float = Field(1e-4, ge=0)  # BaS-Net paper, gamma
        class_threshold: float = 0.25  # BaS-Net code, class threshold at test
        nms_threshold: float = Field(0.55, gt=0, le=1)  # ours, as in the recipe `common`

    groups = ("baseline",)
    about: ClassVar[Mapping[str, str]] = {
        "paper": "no paper's; BaS-Net's two branches on one embedding",
        "streams": "both, as one feature",
        "terms": "video labels (with and without attention); sparsity",
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
        """Cross entropy of both branches, and the attention's sum."""
        labels = batch.labels
        return {
            "base": label_cross_entropy(outputs.base_scores, with_background(labels, 1)),
            "suppressed": label_cross_entropy(
                outputs.suppressed_scores, with_background(labels, 0)
            ),
            "sparsity": self.config.sparsity_weight * attention_mass(outputs.attention),
        }

    def describe(self, outputs: Outputs, batch: Batch) -> Activations:
        """The suppressed branch, without its background class."""
        return Activations(
            scores={"cas": as_array(outputs.cas[0, :, :-1])},
            gates={"attention": as_array(outputs.attention[0])},
            video_scores=as_array(outputs.suppressed_scores[0, :-1]),
            times=as_array(batch.times[0]),
        )

    @property
    def recipe(self) -> ProposalRecipe:
        """`common`, with this configuration's thresholds."""
        return common_at(
            class_threshold=self.config.class_threshold,
            nms_threshold=self.config.nms_threshold,
        )
