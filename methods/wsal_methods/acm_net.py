"""ACM-Net: action context modelling, three attentions that split instance, context, background.

Qu, Chen, Li, Zhang, Lu and Knoll, arXiv 2104.02967 (2021); also the first stage of FTCL. Left out:
the ActivityNet forms (dropout before the convolutions, the mixed score sequence at test).

Deviations from the published code: 500 epochs (FTCL's authors say they suffice; ACM-Net's default
is 1,000) and the last one counts, not the best on the test set; no in-batch FSD and LCS, which
FTCL's copy adds to this stage; the logarithm takes p + 1e-10 (the code: p, or p + 1e-45); a step
whose loss is not finite stops training, it is not skipped; a video of one snippet stays one (the
code doubles it).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from pydantic import Field
from torch import Tensor, nn

from wsal_bench.api import Activations, Batch, Progress, TrainableConfig, TrainableMethod, as_array
from wsal_bench.localization.recipe import ACM, ProposalRecipe
from wsal_bench.nn import (
    ConvEmbedding,
    SnippetDropout,
    attended_mean,
    attention_mass,
    feature_norm_loss,
    guide_loss,
    label_cross_entropy,
    num_kept,
    topk_mean,
    with_background,
)
from wsal_methods._recipes import adjusted

CAS_LIST, ATTENTION_LIST = ACM.lists


class ACMConfig(TrainableConfig):
    """Published values of ACM-Net on THUMOS14, unless it says otherwise."""

    # sizes, steps: the defaults of TrainableConfig are ACM-Net's
    dropout: float = Field(0.7, ge=0, lt=1)  # ACM-Net code, --dropout
    instance_ratio: int = Field(8, ge=1)  # ACM-Net code, --ins_topk_seg
    context_ratio: int = Field(3, ge=1)  # ACM-Net code, --con_topk_seg
    background_ratio: int = Field(3, ge=1)  # ACM-Net code, --bak_topk_seg
    instance_weight: float = Field(1.0, ge=0)  # ACM-Net code: 1 on THUMOS14, 5 on ActivityNet
    guide_weight: float = Field(2e-3, ge=0)  # ACM-Net code, lambda 1
    feature_weight: float = Field(5e-5, ge=0)  # ACM-Net code, lambda 2
    sparsity_weight: float = Field(2e-4, ge=0)  # ACM-Net code, lambda 3
    feature_margin: float = Field(50.0, ge=0)  # ACM-Net code, --feature_margin
    log_epsilon: float = Field(1e-10, gt=0)  # FTCL code, in the loss of its second stage
    class_threshold: float = ACM.classes.threshold  # ACM-Net code, as all below
    cas_thresholds: tuple[float, ...] = Field(CAS_LIST.thresholds, min_length=1)
    attention_thresholds: tuple[float, ...] = Field(ATTENTION_LIST.thresholds, min_length=1)
    inflation: float = Field(ACM.inflation, ge=0)
    nms_threshold: float = Field(ACM.nms.threshold, gt=0, le=1)


@dataclass(frozen=True, eq=False)
class Branch:
    """One of the three views of B videos; the background is the last class.

    Args:
        attention: [B, T] share of each snippet that the branch claims.
        logits: [B, T, C + 1] class scores of the snippets, times the attention.
        video_scores: [B, C + 1] class probabilities of the videos.
        feature: [B, D] mean feature of the snippets that it claims most.
    """

    attention: Tensor
    logits: Tensor
    video_scores: Tensor
    feature: Tensor

    @property
    def cas(self) -> Tensor:
        """[B, T, C + 1] class probabilities of the snippets."""
        return self.logits.softmax(2)


@dataclass(frozen=True, eq=False)
class ACMOutputs:
    """What the network says of B videos.

    Args:
        embedded: [B, T, D] features of the snippets, >= 0.
        logits: [B, T, C + 1] class scores of the snippets without any attention.
        instance: the action itself.
        context: what is near the action and looks like it.
        background: the rest.
    """

    embedded: Tensor
    logits: Tensor
    instance: Branch
    context: Branch
    background: Branch


class ACMNetwork(nn.Module):
    """Convolution, three attentions that sum to one, one linear classifier."""

    def __init__(self, feature_dim: int, num_classes: int, config: ACMConfig) -> None:
        super().__init__()
        self.ratios = (config.instance_ratio, config.context_ratio, config.background_ratio)
        self.embedding = ConvEmbedding(feature_dim, feature_dim)
        self.attention = nn.Linear(feature_dim, 3)
        self.snippet_dropout = SnippetDropout(config.dropout)
        self.dropout = nn.Dropout(config.dropout)
        self.classifier = nn.Linear(feature_dim, num_classes + 1)

    def forward(self, features: Tensor) -> ACMOutputs:
        """[B, T, D] to the outputs."""
        embedded = self.embedding(features)  # [B, T, D]
        attentions = self.attention(embedded).softmax(2).unbind(2)  # 3 of [B, T]
        logits = self.classifier(self.dropout(self.snippet_dropout(embedded)))  # [B, T, C + 1]
        branches = [
            _branch(logits, attention, embedded, num_kept(features.shape[1], ratio))
            for attention, ratio in zip(attentions, self.ratios, strict=True)
        ]
        return ACMOutputs(embedded, logits, *branches)


def _branch(logits: Tensor, attention: Tensor, embedded: Tensor, k: int) -> Branch:
    attended = logits * attention[..., None]
    return Branch(
        attention=attention,
        logits=attended,
        video_scores=topk_mean(attended, k).softmax(1),
        feature=attended_mean(embedded, attention, k),
    )


def acm_losses(outputs: ACMOutputs, labels: Tensor, config: ACMConfig) -> dict[str, Tensor]:
    """The six terms of ACM-Net with their weights, each a mean over the videos.

    Args:
        outputs: of B videos.
        labels: [B, C] zeros and ones.
        config: the weights.
    """
    instance, context, background = outputs.instance, outputs.context, outputs.background
    nothing, eps = labels.new_zeros(labels.shape), config.log_epsilon
    targets = {
        "instance": (instance, with_background(labels, 0)),
        "context": (context, with_background(labels, 1)),
        "background": (background, with_background(nothing, 1)),
    }
    terms = {
        name: label_cross_entropy(branch.video_scores, target, eps=eps)
        for name, (branch, target) in targets.items()
    }
    terms["instance"] = config.instance_weight * terms["instance"]
    guide = guide_loss(instance.cas[:, :, -1], instance.attention)
    lengths = feature_norm_loss(
        instance.feature, context.feature, background.feature, margin=config.feature_margin
    )
    covered = (attention_mass(instance.attention) + attention_mass(context.attention)) / 2
    return {
        **terms,
        "guide": config.guide_weight * guide,
        "feature": config.feature_weight * lengths,
        "sparsity": config.sparsity_weight * covered,
    }


def acm_activations(outputs: ACMOutputs, batch: Batch) -> Activations:
    """The instance branch of one video, without its background class."""
    instance = outputs.instance
    return Activations(
        scores={"cas": as_array(instance.cas[0, :, :-1])},
        gates={"attention": as_array(instance.attention[0])},
        video_scores=as_array(instance.video_scores[0, :-1]),
        times=as_array(batch.times[0]),
    )


def acm_recipe(config: ACMConfig) -> ProposalRecipe:
    """The published recipe `acm`, with a configuration's thresholds."""
    return adjusted(
        ACM,
        classes=replace(ACM.classes, threshold=config.class_threshold),
        lists=(
            replace(CAS_LIST, thresholds=config.cas_thresholds),
            replace(ATTENTION_LIST, thresholds=config.attention_thresholds),
        ),
        inflation=config.inflation,
        nms=replace(ACM.nms, threshold=config.nms_threshold),
    )


class Method(TrainableMethod):
    """ACM-Net."""

    Config = ACMConfig
    groups = ("baseline", "published")
    about: ClassVar[Mapping[str, str]] = {
        "paper": "Qu et al., arXiv 2104.02967",
        "year": "2021",
        "streams": "both, as one feature",
        "terms": "video labels (instance, context, background); guide; feature norm; sparsity",
        "left_out": "the ActivityNet forms",
    }
    # the average as FTCL's authors quote it, 0.5 as ACM-Net's authors do in their issue 7
    paper: ClassVar[Mapping[str, Mapping[str, float]]] = {
        "thumos14": {"0.5": 34.6, "0.1:0.7": 42.6}
    }
    paper_protocols: ClassVar[Mapping[str, str]] = {"thumos14": "thumos14/acmnet-2021"}

    def network(self) -> ACMNetwork:
        """A fresh network."""
        return ACMNetwork(self.task.feature_dim, self.task.num_classes, self.config)

    def loss(self, outputs: ACMOutputs, batch: Batch, progress: Progress) -> dict[str, Tensor]:
        """The terms of `acm_losses`."""
        return acm_losses(outputs, batch.labels, self.config)

    def describe(self, outputs: ACMOutputs, batch: Batch) -> Activations:
        """The instance branch."""
        return acm_activations(outputs, batch)

    @property
    def recipe(self) -> ProposalRecipe:
        """`acm`, with this configuration's thresholds."""
        return acm_recipe(self.config)
