"""BaS-Net: one classifier sees a video as it is and with its background suppressed.

Lee, Uh and Byun, AAAI 2020, arXiv 1911.09963. A filter weighs every snippet; the base branch sees
the raw features and is told that there is background, the suppression branch sees them times their
weights and is told that there is none, and so the filter learns to remove it. The weights are kept
small, and the suppression branch localises. Left out: nothing of the THUMOS14 form.

Deviations from the published code: epochs of shuffled batches, where the code draws each batch but
the first 13 from a fresh shuffle; the last step counts, not the best of the 1,500 tests that it
makes, one a step; a class that never rises above 0 gets no segment (there: an error at the end).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from pydantic import Field
from torch import Tensor, nn

from wsal_bench.api import (
    Activations,
    Batch,
    Progress,
    TrainableConfig,
    TrainableMethod,
    Video,
    as_array,
    collate,
    epochs_of,
    jitter_indices,
    recipe,
    uniform_indices,
)
from wsal_bench.localization.recipe import ProposalRecipe
from wsal_bench.nn import (
    ConvEmbedding,
    attention_mass,
    label_binary_cross_entropy,
    normalised_labels,
    num_kept,
    topk_mean,
    with_background,
)
from wsal_methods._recipes import adjusted

BASNET = recipe("basnet")


class BaSNetConfig(TrainableConfig):
    """Published values of BaS-Net on THUMOS14."""

    epochs: int = Field(
        epochs_of(1500, batch_size=16), ge=1
    )  # BaS-Net code: 1,500 steps, 115 epochs
    batch_size: int = Field(16, ge=1)  # BaS-Net code
    learning_rate: float = Field(1e-4, gt=0)  # BaS-Net code
    weight_decay: float = Field(5e-4, ge=0)  # BaS-Net code
    num_snippets: int = Field(750, ge=1)  # BaS-Net code: of a training and of a test video
    max_test_snippets: int = Field(750, ge=1)  # of a test video, where that is less
    filter_hidden: int = Field(512, ge=1)  # BaS-Net code, filter module
    cas_hidden: int = Field(2048, ge=1)  # BaS-Net code, classifier
    leaky_slope: float = Field(0.01, ge=0, lt=1)  # BaS-Net code: torch's default
    topk_ratio: int = Field(8, ge=1)  # BaS-Net paper, r = 8
    dropout: float = Field(0.7, ge=0, lt=1)  # BaS-Net code, before the last layer
    suppression: bool = True  # false: the base branch alone, which then localises
    sparsity_weight: float = Field(1e-4, ge=0)  # BaS-Net paper, gamma
    class_threshold: float = BASNET.classes.threshold  # BaS-Net code
    nms_threshold: float = Field(BASNET.nms.threshold, gt=0, le=1)  # BaS-Net code


@dataclass(frozen=True, eq=False)
class Branch:
    """One view of B videos; the background is the last class.

    Args:
        logits: [B, T, C + 1] class scores of the snippets.
        video_scores: [B, C + 1] class probabilities of the videos.
    """

    logits: Tensor
    video_scores: Tensor


@dataclass(frozen=True, eq=False)
class Outputs:
    """What the network says of B videos.

    Args:
        attention: [B, T] in [0, 1], how much of a snippet is foreground.
        base: of the videos as they are.
        suppressed: of the videos times their attention; None without suppression.
    """

    attention: Tensor
    base: Branch
    suppressed: Branch | None


class Network(nn.Module):
    """A filter of single snippets, and a classifier of two convolutions and a linear layer."""

    def __init__(self, feature_dim: int, num_classes: int, config: BaSNetConfig) -> None:
        super().__init__()
        hidden, slope = config.cas_hidden, config.leaky_slope
        self.suppression, self.topk_ratio = config.suppression, config.topk_ratio
        self.filter = nn.Sequential(
            nn.Linear(feature_dim, config.filter_hidden),
            nn.LeakyReLU(slope),
            nn.Linear(config.filter_hidden, 1),
            nn.Sigmoid(),
        )
        self.classifier = nn.Sequential(
            ConvEmbedding(feature_dim, hidden, slope=slope),
            ConvEmbedding(hidden, hidden, slope=slope),
            nn.Dropout(config.dropout),
            nn.Linear(hidden, num_classes + 1, bias=False),
        )

    def forward(self, features: Tensor) -> Outputs:
        """[B, T, D] to the outputs."""
        attention = self.filter(features)  # [B, T, 1]
        base = self._branch(features)
        suppressed = self._branch(attention * features) if self.suppression else None
        return Outputs(attention.squeeze(2), base, suppressed)

    def _branch(self, features: Tensor) -> Branch:
        logits = self.classifier(features)  # [B, T, C + 1]
        pooled = topk_mean(logits, num_kept(features.shape[1], self.topk_ratio))
        return Branch(logits, pooled.softmax(1))


class Method(TrainableMethod):
    """BaS-Net, without its suppression branch, and without the sparsity of its filter."""

    Config = BaSNetConfig
    draw = staticmethod(jitter_indices)  # a short video repeats its snippets
    groups = ("published",)
    about: ClassVar[Mapping[str, str]] = {
        "paper": "Lee, Uh and Byun, AAAI 2020, arXiv 1911.09963",
        "year": "2020",
        "streams": "both, as one feature",
        "terms": "video labels of a base and a suppressed branch; sparsity of the filter",
        "left_out": "nothing of the THUMOS14 form",
    }
    variants: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "full": {},
        "base": {"suppression": False, "sparsity_weight": 0.0},
        "dense": {"sparsity_weight": 0.0},
    }
    components: ClassVar[Mapping[str, str]] = {
        "suppression": "suppression",
        "sparsity": "sparsity_weight",
    }
    baseline = "base"
    axes: ClassVar[Mapping[str, tuple[Any, ...]]] = {
        "sparsity_weight": (0.0, 1e-5, 1e-4, 1e-3),
        "topk_ratio": (4, 8, 16),
    }
    # tables of the paper as the field's list of results quotes them
    paper: ClassVar[Mapping[str, Mapping[str, float]]] = {
        "thumos14": {
            "0.1": 58.2,
            "0.2": 52.3,
            "0.3": 44.6,
            "0.4": 36.0,
            "0.5": 27.0,
            "0.6": 18.6,
            "0.7": 10.4,
            "0.8": 3.9,
            "0.9": 0.5,
            "0.1:0.7": 35.3,
        },
        "activitynet12": {"0.5": 38.5, "0.75": 24.2, "0.95": 5.6, "0.5:0.95": 24.3},
        "activitynet13": {"0.5": 34.5, "0.75": 22.5, "0.95": 4.9, "0.5:0.95": 22.2},
    }
    paper_protocols: ClassVar[Mapping[str, str]] = {"thumos14": "thumos14/basnet-2020"}

    def network(self) -> Network:
        """A fresh network, in torch's own initialisation as published."""
        return Network(self.task.feature_dim, self.task.num_classes, self.config)

    def inference_batch(self, video: Video) -> Batch:
        """As many snippets as in training, evenly spaced; a short video repeats its own."""
        wanted = min(self.config.num_snippets, self.config.max_test_snippets)
        return collate(
            [video],
            [0],
            lambda num: uniform_indices(num, wanted, repeat=True),
            num_classes=self.task.num_classes,
        )

    def loss(self, outputs: Outputs, batch: Batch, progress: Progress) -> dict[str, Tensor]:
        """Binary cross entropy of both branches, and the attention's sum."""
        terms = {"base": _classification(outputs.base, batch.labels, background=1)}
        if outputs.suppressed is not None:
            terms["suppressed"] = _classification(outputs.suppressed, batch.labels, background=0)
        if self.config.sparsity_weight:
            terms["sparsity"] = self.config.sparsity_weight * attention_mass(outputs.attention)
        return terms

    def describe(self, outputs: Outputs, batch: Batch) -> Activations:
        """The suppression branch, without its background class."""
        branch = outputs.base if outputs.suppressed is None else outputs.suppressed
        return Activations(
            scores={"cas": as_array(branch.logits[0, :, :-1])},
            gates={"attention": as_array(outputs.attention[0])},
            video_scores=as_array(branch.video_scores[0, :-1]),
            times=as_array(batch.times[0]),
        )

    @property
    def recipe(self) -> ProposalRecipe:
        """`basnet`, with this configuration's thresholds."""
        return adjusted(
            BASNET,
            classes=replace(BASNET.classes, threshold=self.config.class_threshold),
            nms=replace(BASNET.nms, threshold=self.config.nms_threshold),
        )


def _classification(branch: Branch, labels: Tensor, *, background: float) -> Tensor:
    targets = normalised_labels(with_background(labels, background))
    return label_binary_cross_entropy(branch.video_scores, targets)
