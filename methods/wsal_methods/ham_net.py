"""HAM-Net: hybrid attention, which also asks what is left when the surest snippets are dropped.

Islam, Long and Radke, AAAI 2021, arXiv 2101.00545. Two stacks of convolutions give class scores
with a background class and an attention. The labels must follow from the scores as they are (BCL),
under the attention (SAL), without the most attended snippets (HAL), and without them and the others
weighed (SSAL); BCL and HAL count background as shown, SAL and SSAL as absent. So attention cannot
rest on an action's most telling snippets alone. Left out: of the ActivityNet form (preset
`activitynet12`) the thresholds at test, which are those of THUMOS14.

Deviations from the published code: no switch for a min-max threshold of the drop (there it reaches
the network only where it does nothing); test videos without labels are not skipped.

What the published code does and this keeps: attention multiplies the background column too; the
smoothing of the ActivityNet form counts its zero padding, so scores fade towards the ends of a
video, and its window does not follow the length of a test video; soft NMS raises negative scores;
the last epoch counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from wsal_bench.api import (
    Activations,
    Batch,
    Progress,
    TrainableConfig,
    TrainableMethod,
    as_array,
    jitter_indices,
    recipe,
)
from wsal_bench.localization.recipe import ProposalRecipe
from wsal_bench.nn import (
    above_lowest,
    initialise,
    logit_cross_entropy,
    num_kept,
    topk_mean,
    with_background,
)
from wsal_methods._options import OddWidth
from wsal_methods._recipes import tuned

HAM = recipe("ham-net")
GATE_LIST = HAM.lists[0]


class HAMConfig(TrainableConfig):
    """Published values of HAM-Net on THUMOS14, unless it says otherwise."""

    epochs: int = Field(100, ge=1)  # HAM-Net code: 100 epochs of 10 batches
    batch_size: int = Field(20, ge=1)  # HAM-Net code
    learning_rate: float = Field(1e-5, gt=0)  # HAM-Net code
    weight_decay: float = Field(1e-3, ge=0)  # HAM-Net code, weight decay of Adam
    num_snippets: int = Field(500, ge=1)  # HAM-Net code: 80 on ActivityNet
    max_test_snippets: int = Field(1_000_000, ge=1)  # HAM-Net code: all snippets are tested on
    attention_hidden: int = Field(512, ge=1)  # HAM-Net code, width of the attention's convolutions
    leaky_slope: float = Field(0.2, ge=0)  # HAM-Net code, of the leaky ReLUs
    dropout: float = Field(0.7, ge=0, lt=1)  # HAM-Net code: 0.5 on ActivityNet
    smoothing: OddWidth = 1  # HAM-Net code: on ActivityNet 80 // 5 // 2 * 2 + 1, a mean
    topk_ratio: int = Field(10, ge=1)  # HAM-Net code, rat: 20 on ActivityNet
    drop_threshold: float = Field(0.2, ge=0)  # HAM-Net code, drop_thres: share of the maximum
    drop_weight: float = Field(0.2, ge=0, le=1)  # HAM-Net code, drop_prob: 0.5 on ActivityNet
    plain_weight: float = Field(1.0, ge=0)  # HAM-Net code, lm_1, of BCL and HAL: 0.25
    attended_weight: float = Field(1.0, ge=0)  # HAM-Net code, lm_2, of SAL and SSAL: 2
    sparsity_weight: float = Field(0.8, ge=0)  # HAM-Net code, alpha: 0.5 on ActivityNet
    guide_weight: float = Field(0.8, ge=0)  # HAM-Net code, beta: 0.1 on ActivityNet
    label_epsilon: float = Field(1e-4, ge=0)  # HAM-Net code: added to a video's number of labels
    bcl: bool = True  # ours: the paper's ablation, as the three below
    hal: bool = True  # ours
    sal: bool = True  # ours
    ssal: bool = True  # ours
    class_threshold: float = HAM.classes.threshold  # HAM-Net code
    # HAM-Net code
    attention_thresholds: tuple[float, ...] = Field(GATE_LIST.thresholds, min_length=1)
    inflation: float = Field(HAM.inflation, ge=0)  # HAM-Net code
    class_bonus: float = GATE_LIST.class_bonus  # HAM-Net code
    nms_sigma: float = Field(HAM.nms.sigma, gt=0)  # HAM-Net code


@dataclass(frozen=True, eq=False)
class HAMOutputs:
    """What the network says of B videos; the background is the last class.

    Args:
        logits: [B, T, C + 1] class scores of the snippets.
        attention: [B, T] in [0, 1].
        dropped: [B, T] attention, in training 0 for the most attended snippets.
    """

    logits: Tensor
    attention: Tensor
    dropped: Tensor


class HAMNetwork(nn.Module):
    """Two stacks of convolutions: classifier and attention."""

    def __init__(self, feature_dim: int, num_classes: int, config: HAMConfig) -> None:
        super().__init__()
        self.drop_threshold, self.smoothing = config.drop_threshold, config.smoothing

        def conv(inward: int, outward: int, width: int) -> nn.Conv1d:
            return nn.Conv1d(inward, outward, width, padding=width // 2)

        def leaky() -> nn.LeakyReLU:
            return nn.LeakyReLU(config.leaky_slope)

        hidden = config.attention_hidden
        self.classifier = nn.Sequential(
            conv(feature_dim, feature_dim, 3), leaky(),
            conv(feature_dim, feature_dim, 3), leaky(),
            nn.Dropout(config.dropout), conv(feature_dim, num_classes + 1, 1),
        )  # fmt: skip
        self.attention = nn.Sequential(
            conv(feature_dim, hidden, 3), leaky(),
            conv(hidden, hidden, 3), leaky(),
            conv(hidden, 1, 1), nn.Sigmoid(),
        )  # fmt: skip
        initialise(self, "kaiming")

    def forward(self, features: Tensor) -> HAMOutputs:
        """[B, T, D] to the outputs."""
        logits = self._smoothed(self.classifier(features.mT)).mT
        attention = self._smoothed(self.attention(features.mT)).squeeze(1)
        dropped = attention
        if self.training:
            kept = attention < self.drop_threshold * attention.amax(1, keepdim=True)
            dropped = attention * kept
        return HAMOutputs(logits, attention, dropped)

    def _smoothed(self, values: Tensor) -> Tensor:
        width = self.smoothing
        return values if width == 1 else F.avg_pool1d(values, width, 1, width // 2)


def branches(outputs: HAMOutputs) -> dict[str, Tensor]:
    """Class scores [B, T, C + 1] as each branch sees them."""
    return {
        "bcl": outputs.logits,
        "hal": above_lowest(outputs.logits, outputs.dropped > 0),
        "sal": outputs.attention[..., None] * outputs.logits,
        "ssal": above_lowest(outputs.logits, outputs.dropped),
    }


class Method(TrainableMethod):
    """HAM-Net, without each of its branches, and with SAL alone.

    Without SAL nothing but SSAL's weakest snippets holds attention up against its sparsity: it may
    fall so low that no class reaches the threshold, and then there is no segment.
    """

    Config = HAMConfig
    groups = ("published",)
    about: ClassVar[Mapping[str, str]] = {
        "paper": "Islam, Long and Radke, AAAI 2021, arXiv 2101.00545",
        "year": "2021",
        "streams": "both, as one feature",
        "terms": "video labels of four branches; sparsity; guide",
        "left_out": "of the ActivityNet form the thresholds at test",
    }
    draw = staticmethod(jitter_indices)
    variants: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "full": {},
        "no-hal": {"hal": False},
        "no-sal": {"sal": False},
        "no-ssal": {"ssal": False},
        "no-bcl": {"bcl": False},
    }
    controls: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "plain": {"bcl": False, "hal": False, "ssal": False}
    }
    components: ClassVar[Mapping[str, str]] = {
        "BCL": "bcl", "SAL": "sal", "SSAL": "ssal", "HAL": "hal"
    }  # fmt: skip
    baseline = "plain"
    axes: ClassVar[Mapping[str, tuple[Any, ...]]] = {
        "drop_threshold": (0.1, 0.2, 0.4),
        "drop_weight": (0.1, 0.2, 0.5),
        "sparsity_weight": (0.0, 0.4, 0.8),
        "guide_weight": (0.0, 0.4, 0.8),
    }
    # the field's list of results, in seconds; other papers quote another version (39.8 on average).
    # Which test videos counted is not known, so no protocol is named
    paper: ClassVar[Mapping[str, Mapping[str, float]]] = {
        "thumos14": {
            "0.1": 65.9, "0.2": 59.6, "0.3": 52.2, "0.4": 43.1,
            "0.5": 32.6, "0.6": 21.9, "0.7": 12.5, "0.1:0.7": 41.1,
        },
        "activitynet12": {"0.5": 41.0, "0.75": 24.8, "0.95": 5.3, "0.5:0.95": 25.1},
    }  # fmt: skip

    def network(self) -> HAMNetwork:
        """A fresh network, initialised as published."""
        return HAMNetwork(self.task.feature_dim, self.task.num_classes, self.config)

    def loss(self, outputs: HAMOutputs, batch: Batch, progress: Progress) -> dict[str, Tensor]:
        """The branches that are on, the attention's mean and its distance to the scores."""
        config = self.config
        k = num_kept(outputs.logits.shape[1], config.topk_ratio)
        terms = {}
        for name, scores in branches(outputs).items():
            if getattr(config, name):
                plain, dropped = name in ("bcl", "hal"), name in ("hal", "ssal")
                shown = with_background(batch.labels, 1 if plain else 0)
                pooled = topk_mean(scores, k)
                loss = logit_cross_entropy(pooled, shown, label_eps=config.label_epsilon)
                weight = config.plain_weight if plain else config.attended_weight
                share = config.drop_weight if dropped else 1 - config.drop_weight
                terms[name] = weight * share * loss
        background = outputs.logits.softmax(2)[:, :, -1]
        guide = (1 - outputs.attention - background).abs().mean()
        terms["sparsity"] = config.sparsity_weight * outputs.attention.mean()
        return {**terms, "guide": config.guide_weight * guide}

    def describe(self, outputs: HAMOutputs, batch: Batch) -> Activations:
        """Class scores as they are and under the attention, without their background class."""
        attended = outputs.logits * outputs.attention[..., None]
        k = num_kept(attended.shape[1], self.config.topk_ratio)
        return Activations(
            scores={
                "cas": as_array(attended[0, :, :-1]),
                "logits": as_array(outputs.logits[0, :, :-1]),
            },
            gates={"attention": as_array(outputs.attention[0])},
            video_scores=as_array(topk_mean(attended, k).softmax(1)[0, :-1]),
            times=as_array(batch.times[0]),
        )

    @property
    def recipe(self) -> ProposalRecipe:
        """`ham-net`, with this configuration's thresholds."""
        config = self.config
        nms = replace(HAM.nms, sigma=config.nms_sigma)
        return tuned(HAM, config, config.attention_thresholds, nms=nms)
