"""W-TALC: a video is as sure as its best snippets, and videos that share a class look alike there.

Paul, Roy and Roy-Chowdhury, ECCV 2018, arXiv 1807.10418. A linear embedding and a linear classifier
score every snippet; the mean of the best ones of each class is learnt from the labels. Batches hold
pairs of videos that share a class: where the class is likely their features should agree, and agree
better than with features from where it is not (co-activity similarity). Left out: the second
embedding layer that the code declares and never uses; ActivityNet's smoothing (recipe
`wtalc-anet`).

Deviations from the published code: the last step counts, not the best of the tests that it makes
every 500; a video is as long as it is, where the code counts its rows that are not all zeros and so
cuts as many off its end; pairs without a shared class give 0, a feature of zeros has the cosine 0
with any other (there: NaN); videos of fewer than 8 snippets keep their best one for the probability
of a class (their segments: none, as there). An epoch has as many batches as would show each
training video once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from pydantic import Field
from torch import Tensor, nn

from wsal_bench.api import (
    Activations,
    Batch,
    Epoch,
    Progress,
    SimilarPolicy,
    TrainableConfig,
    TrainableMethod,
    WeakVideo,
    as_array,
    epochs_of,
    recipe,
    similar_batches,
)
from wsal_bench.localization.recipe import ProposalRecipe
from wsal_bench.nn import coactivity_loss, initialise, logit_cross_entropy, padded_topk_mean
from wsal_methods._recipes import adjusted

WTALC = recipe("wtalc")


class WTALCConfig(TrainableConfig):
    """Published values of W-TALC on THUMOS14."""

    epochs: int = Field(
        epochs_of(100_000, batch_size=10), ge=1
    )  # W-TALC code: up to 100,000 steps, which are 5,000 epochs
    batch_size: int = Field(10, ge=1)  # W-TALC code, --batch-size
    learning_rate: float = Field(1e-4, gt=0)  # W-TALC code, --lr
    weight_decay: float = Field(5e-4, ge=0)  # W-TALC code, weight decay of Adam
    num_snippets: int = Field(750, ge=1)  # W-TALC code, --max-seqlen: longer videos are cropped
    max_test_snippets: int = Field(10**6, ge=1)  # W-TALC code: tests on all of them
    num_similar: int = Field(3, ge=0)  # W-TALC code, --num-similar: pairs, as many as fit
    topk_ratio: int = Field(8, ge=1)  # W-TALC paper, s = 8: one snippet in eight
    dropout: float = Field(0.7, ge=0, lt=1)  # W-TALC code, on the embedded features
    mil_weight: float = Field(0.5, ge=0)  # W-TALC code, --Lambda
    coactivity_weight: float = Field(0.5, ge=0)  # W-TALC code, 1 - Lambda
    margin: float = Field(0.5, ge=0)  # W-TALC paper, delta
    class_threshold: float = WTALC.classes.threshold  # W-TALC code: a logit, not a probability
    cut: float = Field(WTALC.lists[0].thresholds[0], gt=0, lt=1)  # W-TALC code: half the range


@dataclass(frozen=True, eq=False)
class Outputs:
    """What the network says of B videos, padding included.

    Args:
        features: [B, T, D] embedded features, after dropout.
        logits: [B, T, C] class scores of the snippets.
        video_logits: [B, C] means of the best snippets that are real.
    """

    features: Tensor
    logits: Tensor
    video_logits: Tensor


class Network(nn.Module):
    """Linear embedding, ReLU, dropout, linear classifier; Xavier's weights, biases of 0."""

    def __init__(self, feature_dim: int, num_classes: int, config: WTALCConfig) -> None:
        super().__init__()
        self.topk_ratio = config.topk_ratio
        self.embedding = nn.Linear(feature_dim, feature_dim)
        self.dropout = nn.Dropout(config.dropout)
        self.classifier = nn.Linear(feature_dim, num_classes)
        initialise(self, "xavier")

    def forward(self, features: Tensor, lengths: Tensor) -> Outputs:
        """[B, T, D] features, of which [B] are real, to the outputs."""
        embedded = self.dropout(self.embedding(features).relu())  # [B, T, D]
        logits = self.classifier(embedded)  # [B, T, C]
        return Outputs(embedded, logits, padded_topk_mean(logits, lengths, self.topk_ratio))


class Method(TrainableMethod):
    """W-TALC, and without its co-activity loss on the same batches."""

    Config = WTALCConfig
    groups = ("published",)
    about: ClassVar[Mapping[str, str]] = {
        "paper": "Paul, Roy and Roy-Chowdhury, ECCV 2018, arXiv 1807.10418",
        "year": "2018",
        "streams": "both, as one feature",
        "terms": "video labels (softmax); co-activity similarity of pairs that share a class",
        "left_out": "an embedding layer that is never used; ActivityNet's smoothing (a recipe)",
    }
    variants: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "full": {},
        "mil": {"mil_weight": 1.0, "coactivity_weight": 0.0},  # the paper's Lambda = 1
    }
    components: ClassVar[Mapping[str, str]] = {"co-activity": "coactivity_weight"}
    baseline = "mil"
    least_classes = 2  # it has no background to tell a class from
    axes: ClassVar[Mapping[str, tuple[Any, ...]]] = {
        "coactivity_weight": (0.0, 0.25, 0.5, 1.0),
        "topk_ratio": (4, 8, 16),
        "num_similar": (1, 3, 5),
    }
    # as the field's list of results quotes the paper
    paper: ClassVar[Mapping[str, Mapping[str, float]]] = {
        "thumos14": {"0.1": 55.2, "0.2": 49.6, "0.3": 40.1, "0.4": 31.1, "0.5": 22.8, "0.7": 7.6},
        "activitynet12": {"0.5": 37.0, "0.5:0.95": 18.0},
    }
    paper_protocols: ClassVar[Mapping[str, str]] = {"thumos14": "thumos14/wtalc-2018"}

    def network(self) -> Network:
        """A fresh network."""
        return Network(self.task.feature_dim, self.task.num_classes, self.config)

    def batches(
        self, videos: Sequence[WeakVideo], generator: np.random.Generator, progress: Progress
    ) -> Epoch[Batch]:
        """Pairs that share a class, then others; crops, or padded videos."""
        config = self.config
        pairs = min(config.num_similar, config.batch_size // 2)
        policy = SimilarPolicy(config.batch_size, pairs, config.num_snippets)
        return similar_batches(videos, generator, policy)

    def forward(self, network: nn.Module, batch: Batch) -> Outputs:
        """The network's outputs."""
        outputs: Outputs = network(batch.features, batch.lengths)
        return outputs

    def loss(self, outputs: Outputs, batch: Batch, progress: Progress) -> dict[str, Tensor]:
        """Cross entropy of the labels, and co-activity of the pairs unless its weight is 0."""
        config, labels = self.config, batch.labels
        terms = {"mil": config.mil_weight * logit_cross_entropy(outputs.video_logits, labels)}
        paired = 2 * min(config.num_similar, len(batch) // 2)
        if config.coactivity_weight and paired:
            alike = coactivity_loss(
                outputs.features[:paired],
                outputs.logits[:paired],
                labels[:paired],
                lengths=batch.lengths[:paired],
                margin=config.margin,
            )
            terms["coactivity"] = config.coactivity_weight * alike
        return terms

    def describe(self, outputs: Outputs, batch: Batch) -> Activations:
        """The logits; the recipe `wtalc` pools them by itself to choose classes."""
        logits = as_array(outputs.logits[0])
        return Activations(
            scores={"cas": logits, "logits": logits},
            gates={},
            video_scores=as_array(outputs.video_logits.softmax(1)[0]),
            times=as_array(batch.times[0]),
        )

    @property
    def recipe(self) -> ProposalRecipe:
        """`wtalc`, with this configuration's thresholds."""
        return adjusted(
            WTALC,
            classes=replace(WTALC.classes, threshold=self.config.class_threshold),
            lists=(replace(WTALC.lists[0], thresholds=(self.config.cut,)),),
        )
