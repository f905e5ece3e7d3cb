"""CoLA: snippets at the border of an action learn from those that are clearly in or out.

Zhang, Cao, Yang, Chen and Zou, CVPR 2021, arXiv 2103.16392. A convolution embeds the snippets, a
classifier without a background class scores them, and the sum of a snippet's scores is its
actionness. Easy snippets have the highest or lowest actionness; hard ones lie just inside or just
outside of a run above the median. A contrast (SniCo) pulls hard snippets to the easy ones of their
kind and away from the others. Left out: of ActivityNet 1.2 (preset `activitynet12`) the thresholds
of the actionness, which could not be read: they are those of THUMOS14.

Deviations from the published code: its steps are epochs here, and the last one counts, not the best
of a test every 100 steps; where a region holds fewer than the hard snippets asked for, the earliest
ones of outside fill up (there an unstable sort picks any), and of equal values the earlier is taken
everywhere; a video too short for its share of easy (T < 5) or hard ones (T < 20: NaN) gives one.

As published the classification loss is a mean over classes too and so fades with their number:
users report 1 to 3 mAP on ActivityNet 1.2, and 24.7 with ten times its weight (`label_weight`).
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
    above_median,
    dilate,
    erode,
    gather_snippets,
    info_nce,
    label_binary_cross_entropy,
    normalised_labels,
    num_kept,
    strongest,
    topk_mean,
    weakest,
)
from wsal_methods._options import OddWidth
from wsal_methods._recipes import tuned

COLA = recipe("cola")
CAS_LIST, ACTIONNESS_LIST = COLA.lists


class CoLAConfig(TrainableConfig):
    """Published values of CoLA on THUMOS14, unless it says otherwise."""

    epochs: int = Field(epochs_of(6_000, batch_size=16), ge=1)  # CoLA code: steps
    batch_size: int = Field(16, ge=1)  # CoLA code
    learning_rate: float = Field(1e-4, gt=0)  # CoLA code
    weight_decay: float = Field(5e-4, ge=0)  # CoLA code, weight decay of Adam
    num_snippets: int = Field(750, ge=1)  # CoLA code, NUM_SEGMENTS
    max_test_snippets: int = Field(750, ge=1)  # CoLA code: longer test videos are sampled down
    cas_hidden: int = Field(2048, ge=1)  # CoLA code, width of the convolution
    kernel: OddWidth = 3  # CoLA code: 9 on ActivityNet
    classifier_kernel: OddWidth = 1  # CoLA code: 9 on ActivityNet
    smoothing_kernel: OddWidth = 1  # CoLA code: 7 on ActivityNet, with dilation 2
    dropout: float = Field(0.7, ge=0, lt=1)  # CoLA code, before the classifier
    mask_dropout: float = Field(0.6, ge=0, lt=1)  # CoLA code: snippets that cannot be easy
    easy_ratio: int = Field(5, ge=1)  # CoLA code, R_EASY
    hard_ratio: int = Field(20, ge=1)  # CoLA code, R_HARD
    inner_width: int = Field(3, ge=1)  # CoLA code, m of the erosion and the dilation
    outer_width: int = Field(6, ge=1)  # CoLA code, M
    temperature: float = Field(0.07, gt=0)  # CoLA code, of SniCo
    contrast_weight: float = Field(0.01, ge=0)  # CoLA code, a constant in the loss
    label_weight: float = Field(1.0, ge=0)  # CoLA code: none
    random_hard: bool = False  # ours: a control
    class_threshold: float = COLA.classes.threshold  # CoLA code, CLASS_TH
    cas_thresholds: tuple[float, ...] = Field(CAS_LIST.thresholds, min_length=1)  # CoLA code
    # CoLA code
    actionness_thresholds: tuple[float, ...] = Field(ACTIONNESS_LIST.thresholds, min_length=1)
    inflation: float = Field(COLA.inflation, ge=0)  # CoLA code
    class_bonus: float = CAS_LIST.class_bonus  # CoLA code, GAMMA
    nms_threshold: float = Field(COLA.nms.threshold, gt=0, le=1)  # CoLA code


@dataclass(frozen=True, eq=False)
class Chosen:
    """Positions [B, K] of snippets, the best one first; a choice carries no gradient.

    The easy ones have the highest and the lowest actionness, the hard ones the highest just inside
    and just outside of the runs above the median.
    """

    easy_action: Tensor
    easy_background: Tensor
    hard_action: Tensor
    hard_background: Tensor


@dataclass(frozen=True, eq=False)
class CoLAOutputs:
    """What the network says of B videos.

    Args:
        features: [B, T, E] embedded snippets, >= 0.
        cas: [B, T, C] class scores of the snippets, >= 0.
        video_scores: [B, C] class probabilities of the videos.
        chosen: easy and hard snippets.
    """

    features: Tensor
    cas: Tensor
    video_scores: Tensor
    chosen: Chosen

    @property
    def actionness(self) -> Tensor:
        """[B, T] sum of a snippet's class scores."""
        return self.cas.sum(2)


def cola_outputs(features: Tensor, cas: Tensor, mask: Tensor, config: CoLAConfig) -> CoLAOutputs:
    """Pools the class scores and chooses snippets.

    Args:
        features: [B, T, E].
        cas: [B, T, C].
        mask: [B, T], 0 where a snippet may not be easy.
        config: ratios and widths.
    """
    value = cas.detach().sum(2)
    num_easy = num_kept(value.shape[1], config.easy_ratio)
    num_hard = num_kept(value.shape[1], config.hard_ratio)
    if config.random_hard:
        inner, outer = torch.rand_like(value), torch.rand_like(value)
    else:
        active, near, far = above_median(value), config.inner_width, config.outer_width
        inner = value * (erode(active, near) - erode(active, far))
        outer = value * (dilate(active, far) - dilate(active, near))
    chosen = Chosen(
        easy_action=strongest(value * mask, num_easy),
        easy_background=weakest(value, num_easy, mask),
        hard_action=strongest(inner, num_hard),
        hard_background=strongest(outer, num_hard),
    )
    return CoLAOutputs(features, cas, topk_mean(cas, num_easy).softmax(1), chosen)


class CoLANetwork(nn.Module):
    """Convolution, dropout, classifier, and on ActivityNet a smoothing filter for each class."""

    def __init__(self, feature_dim: int, num_classes: int, config: CoLAConfig) -> None:
        super().__init__()
        self.config = config
        hidden = config.cas_hidden
        self.embedding = ConvEmbedding(feature_dim, hidden, width=config.kernel)
        self.dropout = nn.Dropout(config.dropout)
        self.classifier = nn.Conv1d(
            hidden, num_classes, config.classifier_kernel, padding="same", bias=False
        )
        self.mask = SnippetMask(config.mask_dropout)
        self.smoothing: nn.Module = nn.Identity()
        if config.smoothing_kernel > 1:  # one filter for each class
            shape = (num_classes, num_classes, config.smoothing_kernel)
            self.smoothing = nn.Conv1d(
                *shape, padding="same", dilation=2, groups=num_classes, bias=False
            )

    def forward(self, features: Tensor) -> CoLAOutputs:
        """[B, T, D] to the outputs."""
        embedded = self.embedding(features)
        cas = self.smoothing(self.classifier(self.dropout(embedded).mT)).relu().mT
        return cola_outputs(embedded, cas, self.mask(features), self.config)


class Method(TrainableMethod):
    """CoLA, without its contrast, and with hard snippets drawn at random among all."""

    Config = CoLAConfig
    groups = ("published",)
    about: ClassVar[Mapping[str, str]] = {
        "paper": "Zhang et al., CVPR 2021, arXiv 2103.16392",
        "year": "2021",
        "streams": "both, as one feature",
        "terms": "video labels; contrast of hard and easy snippets, of actions and of backgrounds",
        "left_out": "of the ActivityNet 1.2 form the thresholds of the actionness",
    }
    draw = staticmethod(jitter_indices)
    least_classes = 2  # it has no background to tell a class from
    variants: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "full": {},
        "no-contrast": {"contrast_weight": 0.0},
    }
    controls: ClassVar[Mapping[str, Mapping[str, Any]]] = {"random-hard": {"random_hard": True}}
    components: ClassVar[Mapping[str, str]] = {"SniCo": "contrast_weight"}
    axes: ClassVar[Mapping[str, tuple[Any, ...]]] = {
        "contrast_weight": (0.0, 0.005, 0.01, 0.05),
        "easy_ratio": (3, 5, 10),
        "hard_ratio": (10, 20, 40),
    }
    # the authors' paper; their released code gives 41.7 on average
    paper_protocols: ClassVar[Mapping[str, str]] = {"thumos14": "thumos14/um-2021"}
    paper: ClassVar[Mapping[str, Mapping[str, float]]] = {
        "thumos14": {
            "0.1": 66.2, "0.2": 59.5, "0.3": 51.5, "0.4": 41.9,
            "0.5": 32.2, "0.6": 22.0, "0.7": 13.1, "0.1:0.7": 40.9,
        },
        "activitynet12": {"0.5": 42.7, "0.75": 25.7, "0.95": 5.8, "0.5:0.95": 26.1},
    }  # fmt: skip

    def network(self) -> CoLANetwork:
        """A fresh network, with torch's initialisation as published."""
        return CoLANetwork(self.task.feature_dim, self.task.num_classes, self.config)

    def loss(self, outputs: CoLAOutputs, batch: Batch, progress: Progress) -> dict[str, Tensor]:
        """Binary cross entropy over the labels, and SniCo where it has a weight."""
        config = self.config
        targets = normalised_labels(batch.labels)
        video = label_binary_cross_entropy(outputs.video_scores, targets)
        terms = {"video": config.label_weight * video}
        if not config.contrast_weight:
            return terms
        snippets = {
            name: gather_snippets(outputs.features, where)
            for name, where in vars(outputs.chosen).items()
        }
        means = {name: features.mean(1) for name, features in snippets.items()}
        for kind, other in (("action", "background"), ("background", "action")):
            hard, easy = means[f"hard_{kind}"], means[f"easy_{kind}"]
            others = snippets[f"easy_{other}"]
            half = info_nce(hard, easy, others, temperature=config.temperature)
            terms[f"hard_{kind}"] = config.contrast_weight * half
        return terms

    def describe(self, outputs: CoLAOutputs, batch: Batch) -> Activations:
        """Class scores and their sum; the recipe stretches both."""
        return Activations(
            scores={"cas": as_array(outputs.cas[0])},
            gates={"actionness": as_array(outputs.actionness[0])},
            video_scores=as_array(outputs.video_scores[0]),
            times=as_array(batch.times[0]),
        )

    @property
    def recipe(self) -> ProposalRecipe:
        """`cola`, with this configuration's thresholds."""
        config = self.config
        nms = replace(COLA.nms, threshold=config.nms_threshold)
        return tuned(COLA, config, config.cas_thresholds, config.actionness_thresholds, nms=nms)
