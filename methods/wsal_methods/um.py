"""UM (uncertainty modeling): features are long where there is action and short elsewhere.

Lee, Wang, Lu and Byun, AAAI 2021, arXiv 2006.07006. A convolution embeds the snippets and a
classifier without a background class scores them. The mean of a video's longest features, its
action, is pushed beyond a margin, that of its shortest, the background, to zero. The background's
class probabilities are pushed to be uniform, so that no class claims it. Left out: the ActivityNet
form, whose configuration was never published.

Deviations from the published code: its steps are epochs here, and the last one counts, not the best
of a test after every step; a video too short for its share of action or background snippets (T < 9:
NaN and no detection) gives one; of equal magnitudes the earlier snippet is taken (there: an
unstable sort).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn

from wsal_bench.api import (
    Activations,
    Batch,
    Progress,
    TrainableConfig,
    TrainableMethod,
    as_array,
    epochs_of,
    jitter_indices,
    recipe,
)
from wsal_bench.localization.recipe import ProposalRecipe
from wsal_bench.nn import (
    ConvEmbedding,
    SnippetMask,
    gather_snippets,
    label_binary_cross_entropy,
    normalised_labels,
    num_kept,
    strongest,
    topk_mean,
    weakest,
)
from wsal_methods._recipes import tuned

UM = recipe("um")
CAS_LIST, MAGNITUDE_LIST = UM.lists


class UMConfig(TrainableConfig):
    """Published values of UM on THUMOS14, unless it says otherwise."""

    epochs: int = Field(epochs_of(10_000, batch_size=16), ge=1)  # UM code: steps
    batch_size: int = Field(16, ge=1)  # UM code, --batch_size
    learning_rate: float = Field(1e-4, gt=0)  # UM code, --lr
    weight_decay: float = Field(5e-4, ge=0)  # UM code, weight decay of Adam
    num_snippets: int = Field(750, ge=1)  # UM code, --num_segments
    max_test_snippets: int = Field(750, ge=1)  # UM code: longer test videos are sampled down
    cas_hidden: int = Field(2048, ge=1)  # UM code, width of the convolution
    dropout: float = Field(0.7, ge=0, lt=1)  # UM code, before the classifier
    mask_dropout: float = Field(0.7, ge=0, lt=1)  # UM code: snippets that no set may take
    action_ratio: int = Field(9, ge=1)  # UM code, --r_act
    background_ratio: int = Field(4, ge=1)  # UM code, --r_bkg
    magnitude_weight: float = Field(5e-4, ge=0)  # UM code, --alpha
    entropy_weight: float = Field(1.0, ge=0)  # UM code, --beta
    magnitude_margin: float = Field(100.0, ge=0)  # UM code, --m; grows with sqrt(cas_hidden)
    permute_magnitude: bool = False  # ours: a control, in training alone
    class_threshold: float = UM.classes.threshold  # UM code, --class_th
    cas_thresholds: tuple[float, ...] = Field(CAS_LIST.thresholds, min_length=1)  # UM code
    # UM code
    magnitude_thresholds: tuple[float, ...] = Field(MAGNITUDE_LIST.thresholds, min_length=1)
    inflation: float = Field(UM.inflation, ge=0)  # UM code
    class_bonus: float = CAS_LIST.class_bonus  # UM code, gamma
    nms_threshold: float = Field(UM.nms.threshold, gt=0, le=1)  # UM code


@dataclass(frozen=True, eq=False)
class UMOutputs:
    """What the network says of B videos.

    Args:
        features: [B, T, E] embedded snippets, >= 0.
        logits: [B, T, C] class scores of the snippets.
        action: [B, Ka] positions of the snippets with the largest magnitude, largest first.
        background: [B, Kb] of those with the smallest, smallest first.
        video_scores: [B, C] class probabilities of the videos, by the best snippets of each class.
        background_scores: [B, C] class probabilities of the background snippets.
    """

    features: Tensor
    logits: Tensor
    action: Tensor
    background: Tensor
    video_scores: Tensor
    background_scores: Tensor


def um_outputs(
    features: Tensor, logits: Tensor, mask: Tensor, config: UMConfig, *, shuffle: bool = False
) -> UMOutputs:
    """Chooses action and background snippets and pools; a choice carries no gradient.

    Args:
        features: [B, T, E].
        logits: [B, T, C].
        mask: [B, T], 0 where a snippet may not be chosen.
        config: the ratios.
        shuffle: the magnitudes that choose are permuted in time, each video's by itself.
    """
    magnitudes = features.detach().norm(dim=2)
    if shuffle:
        magnitudes = magnitudes.gather(1, torch.rand_like(magnitudes).argsort(1))
    num_snippets = magnitudes.shape[1]
    num_action = num_kept(num_snippets, config.action_ratio)
    background = weakest(magnitudes, num_kept(num_snippets, config.background_ratio), mask)
    return UMOutputs(
        features=features,
        logits=logits,
        action=strongest(magnitudes * mask, num_action),
        background=background,
        video_scores=topk_mean(logits, num_action).softmax(1),
        background_scores=gather_snippets(logits, background).mean(1).softmax(1),
    )


class UMNetwork(nn.Module):
    """Convolution, dropout, classifier."""

    def __init__(self, feature_dim: int, num_classes: int, config: UMConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = ConvEmbedding(feature_dim, config.cas_hidden)
        self.dropout = nn.Dropout(config.dropout)
        self.classifier = nn.Linear(config.cas_hidden, num_classes, bias=False)
        self.mask = SnippetMask(config.mask_dropout)

    def forward(self, features: Tensor) -> UMOutputs:
        """[B, T, D] to the outputs."""
        embedded = self.embedding(features)
        logits = self.classifier(self.dropout(embedded))
        shuffle = self.training and self.config.permute_magnitude
        return um_outputs(embedded, logits, self.mask(features), self.config, shuffle=shuffle)


class Method(TrainableMethod):
    """UM, without each of its two losses, without both, and with magnitudes out of their order."""

    Config = UMConfig
    groups = ("published",)
    about: ClassVar[Mapping[str, str]] = {
        "paper": "Lee, Wang, Lu and Byun, AAAI 2021, arXiv 2006.07006",
        "year": "2021",
        "streams": "both, as one feature",
        "terms": "video labels; margin of feature magnitudes; entropy of the background",
        "left_out": "the ActivityNet form, which was never published",
    }
    draw = staticmethod(jitter_indices)
    least_classes = 2  # it has no background to tell a class from
    variants: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "full": {},
        "no-magnitude": {"magnitude_weight": 0.0},
        "no-entropy": {"entropy_weight": 0.0},
    }
    controls: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "plain": {"magnitude_weight": 0.0, "entropy_weight": 0.0},
        "permuted": {"permute_magnitude": True},
    }
    components: ClassVar[Mapping[str, str]] = {
        "magnitude": "magnitude_weight",
        "entropy": "entropy_weight",
    }
    baseline = "plain"
    axes: ClassVar[Mapping[str, tuple[Any, ...]]] = {
        "magnitude_margin": (25.0, 50.0, 100.0, 200.0),
        "action_ratio": (4, 9, 18),
        "background_ratio": (2, 4, 8),
    }
    # the field's list of results
    paper_protocols: ClassVar[Mapping[str, str]] = {"thumos14": "thumos14/um-2021"}
    paper: ClassVar[Mapping[str, Mapping[str, float]]] = {
        "thumos14": {
            "0.1": 67.5, "0.2": 61.2, "0.3": 52.3, "0.4": 43.4,
            "0.5": 33.7, "0.6": 22.9, "0.7": 12.1, "0.1:0.7": 41.9,
        },
        "activitynet12": {"0.5": 41.2, "0.75": 25.6, "0.95": 6.0, "0.5:0.95": 25.9},
        "activitynet13": {"0.5": 37.0, "0.75": 23.9, "0.95": 5.7, "0.5:0.95": 23.7},
    }  # fmt: skip

    def network(self) -> UMNetwork:
        """A fresh network, with torch's initialisation as published."""
        return UMNetwork(self.task.feature_dim, self.task.num_classes, self.config)

    def loss(self, outputs: UMOutputs, batch: Batch, progress: Progress) -> dict[str, Tensor]:
        """Labels, magnitudes and background; a term of weight 0 is neither computed nor listed."""
        config, labels = self.config, batch.labels
        video = label_binary_cross_entropy(outputs.video_scores, normalised_labels(labels))
        terms = {"video": video}
        if config.magnitude_weight:
            action, background = (
                gather_snippets(outputs.features, chosen).mean(1).norm(dim=1)
                for chosen in (outputs.action, outputs.background)
            )
            excess = (config.magnitude_margin - action).relu() + background
            terms["magnitude"] = config.magnitude_weight * excess.square().mean()
        if config.entropy_weight:
            uniform = torch.full_like(labels, 1 / labels.shape[1])
            entropy = label_binary_cross_entropy(outputs.background_scores, uniform)
            terms["entropy"] = config.entropy_weight * entropy
        return terms

    def describe(self, outputs: UMOutputs, batch: Batch) -> Activations:
        """Class probabilities times the magnitude's place between the two sets' means."""
        magnitudes = outputs.features.norm(dim=2)
        high, low = (
            magnitudes.gather(1, chosen).mean(1, keepdim=True)
            for chosen in (outputs.action, outputs.background)
        )
        width = torch.where(high > low, high - low, 1)
        place = ((magnitudes - low) / width).clamp(0, 1)  # [1, T]
        return Activations(
            scores={"cas": as_array(outputs.logits.softmax(2)[0] * place[0, :, None])},
            gates={"magnitude": as_array(place[0])},
            video_scores=as_array(outputs.video_scores[0]),
            times=as_array(batch.times[0]),
        )

    @property
    def recipe(self) -> ProposalRecipe:
        """`um`, with this configuration's thresholds."""
        config = self.config
        nms = replace(UM.nms, threshold=config.nms_threshold)
        return tuned(UM, config, config.cas_thresholds, config.magnitude_thresholds, nms=nms)
