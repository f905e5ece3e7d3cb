"""FTCL: fine-grained temporal contrastive learning on pairs of videos.

Gao, Chen and Xu, CVPR 2022, arXiv 2203.16800. A second stage after ACM-Net: snippets that attention
picks from two videos are aligned, by a soft alignment (FSD) and by a longest common subsequence
(LCS), and the scores of videos that show the same are pushed above those of videos that share
nothing. Left out: nothing of the THUMOS14 form; the ActivityNet form was never published.

Deviations from the published code:
- It starts from an ACM-Net trained without in-batch FSD and LCS, at its last epoch, through an
  explicit key map that must use every weight (the code loads loosely, from the best test epoch).
- Snippets are drawn anew in each epoch (`resample: once` is published), and which negative pairs
  there are depends on the training seed (the code: always seed 0).
- A step whose loss is not finite stops training, it is not skipped; a snippet whose embedded
  features are all zero has similarity 0, not NaN. The last epoch counts, not the best on test.
- Where there are fewer snippets than candidates, all are taken: LCS gets min(lcs_length, T), FSD
  min(fsd_length, T // 2) for each of its two sets, which never share a snippet.

What the published code does and this keeps: the "background" set is the next best snippets by
the same attention; of a negative pair FSD aligns only the first one's action with the second one's
background; one gate serves insertion and deletion; both contrasts are linear, without a margin.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from wsal_bench.api import (
    Activations,
    Artifact,
    Batch,
    DataError,
    Epoch,
    PairBatch,
    PairPolicy,
    Progress,
    TrainableConfig,
    TrainableMethod,
    UsageError,
    WeakVideo,
    pair_batches,
)
from wsal_bench.localization.recipe import ProposalRecipe
from wsal_bench.nn import contrast, gather_snippets
from wsal_methods._pairs import Candidates, choose, fsd_of_pairs, lcs_of_pairs
from wsal_methods.acm_net import (
    ACMConfig,
    ACMNetwork,
    ACMOutputs,
    acm_activations,
    acm_losses,
    acm_recipe,
)

WEIGHTS_FROM_ACM_NET: Mapping[str, str] = MappingProxyType(
    {
        "embedding.weight": "backbone.embedding.weight",
        "embedding.bias": "backbone.embedding.bias",
        "attention.weight": "backbone.attention.weight",
        "attention.bias": "backbone.attention.bias",
        "classifier.weight": "backbone.classifier.weight",
        "classifier.bias": "backbone.classifier.bias",
    }
)


class FTCLConfig(ACMConfig):
    """Published values of FTCL on THUMOS14; those of ACM-Net are read from the first stage."""

    epochs: int = Field(25, ge=1)  # FTCL code, --epochs of the second stage
    batch_size: int = Field(16, ge=1)  # FTCL code: pairs of videos
    fsd_weight: float = Field(0.8, ge=0)  # FTCL code
    lcs_weight: float = Field(0.1, ge=0)  # FTCL code
    lcs_threshold: float = 0.92  # FTCL code, --thres: a cosine above it is a match
    lcs_length: int = Field(30, ge=1)  # FTCL code, --lcs_len
    fsd_length: int = Field(5, ge=1)  # FTCL code, --fsd_len
    fsd_dim: int = Field(1024, ge=2, multiple_of=2)  # FTCL code: half match, half gate
    gamma: float = Field(0.1, gt=0)  # FTCL code, softness of the maximum in FSD
    resample: Literal["epoch", "once"] = "epoch"  # FTCL code: once
    shuffle_candidates: bool = False  # ours: a control


@dataclass(frozen=True, eq=False)
class FTCLOutputs:
    """What ACM-Net says of B videos, and the candidates where they were asked for."""

    acm: ACMOutputs
    candidates: Candidates | None


class FTCLNetwork(nn.Module):
    """ACM-Net and a linear projection of the candidates for FSD."""

    def __init__(self, feature_dim: int, num_classes: int, config: FTCLConfig) -> None:
        super().__init__()
        self.lcs_length, self.fsd_length = config.lcs_length, config.fsd_length
        self.shuffle = config.shuffle_candidates
        self.backbone = ACMNetwork(feature_dim, num_classes, config)
        self.projection = nn.Linear(feature_dim, config.fsd_dim)

    def forward(self, features: Tensor, *, align: bool) -> FTCLOutputs:
        """[B, T, D] to the outputs; `align` asks for the candidates."""
        acm = self.backbone(features)
        return FTCLOutputs(acm, self._candidates(acm) if align else None)

    def _candidates(self, acm: ACMOutputs) -> Candidates:
        chosen = choose(
            acm.instance.attention,
            lcs_length=self.lcs_length,
            fsd_length=self.fsd_length,
            shuffle=self.shuffle,
        )
        num_action = chosen.action.shape[1]
        both = torch.cat([chosen.action, chosen.background], dim=1)
        projected = self.projection(gather_snippets(acm.embedded, both))  # [B, 2F, fsd_dim]
        return Candidates(
            common=gather_snippets(acm.embedded, chosen.common),
            action=projected[:, :num_action],
            background=projected[:, num_action:],
        )


class Method(TrainableMethod):
    """FTCL, its two halves, and two controls that have no alignment or no order."""

    Config = FTCLConfig
    version = "2"  # 1: alignment gradients in log space, off by some 1e-6
    groups = ("published",)
    about: ClassVar[Mapping[str, str]] = {
        "paper": "Gao, Chen and Xu, CVPR 2022, arXiv 2203.16800",
        "year": "2022",
        "streams": "both, as one feature",
        "terms": "those of ACM-Net; FSD and LCS contrast over pairs of videos",
        "left_out": "nothing; the ActivityNet form was never published",
    }
    variants: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "full": {},
        "fsd": {"lcs_weight": 0.0},
        "lcs": {"fsd_weight": 0.0},
    }
    controls: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "pairs": {"fsd_weight": 0.0, "lcs_weight": 0.0},
        "shuffled": {"shuffle_candidates": True},
    }
    components: ClassVar[Mapping[str, str]] = {"FSD": "fsd_weight", "LCS": "lcs_weight"}
    baseline = "pairs"
    axes: ClassVar[Mapping[str, tuple[Any, ...]]] = {
        "fsd_weight": (0.0, 0.4, 0.8, 1.6, 2.4),
        "lcs_weight": (0.0, 0.05, 0.1, 0.2, 0.3),
        "lcs_threshold": (0.8, 0.92, 0.98),
        "fsd_length": (3, 5, 10),
        "lcs_length": (10, 30, 50),
        "gamma": (0.01, 0.1, 1.0),
    }
    needs: ClassVar[Mapping[str, Artifact]] = {
        "start": Artifact(
            "acm-net",
            kind="checkpoint",
            # everything of ACM-Net but how long and how fast it was trained
            shared=(
                "max_test_snippets",
                *(name for name in ACMConfig.fields() if name not in TrainableConfig.fields()),
            ),
        )
    }
    # table of the paper as quoted by its authors and by the field's list of results
    paper: ClassVar[Mapping[str, Mapping[str, float]]] = {
        "thumos14": {
            "0.1": 69.6,
            "0.2": 63.4,
            "0.3": 55.2,
            "0.4": 45.2,
            "0.5": 35.6,
            "0.6": 23.7,
            "0.7": 12.2,
            "0.1:0.7": 43.6,
        }
    }
    paper_protocols: ClassVar[Mapping[str, str]] = {"thumos14": "thumos14/ftcl-2022"}

    def network(self) -> FTCLNetwork:
        """A fresh network."""
        return FTCLNetwork(self.task.feature_dim, self.task.num_classes, self.config)

    def initial_weights(self, network: nn.Module) -> None:
        """ACM-Net's weights; the projection keeps its random ones.

        Raises:
            UsageError: no checkpoint of ACM-Net was handed over.
            DataError: its weights are not exactly those of the key map.
        """
        if "start" not in self.parents:
            raise UsageError("ftcl starts from a checkpoint of acm-net, and none was given")
        weights = self.parents["start"].weights
        if odd := sorted(weights.keys() ^ WEIGHTS_FROM_ACM_NET.keys()):
            raise DataError(f"acm-net's checkpoint does not fit ftcl: missing or unknown {odd}")
        renamed = {WEIGHTS_FROM_ACM_NET[name]: value for name, value in weights.items()}
        network.load_state_dict({**network.state_dict(), **renamed}, strict=True)

    def batches(
        self, videos: Sequence[WeakVideo], generator: np.random.Generator, progress: Progress
    ) -> Epoch[PairBatch]:
        """Every pair of videos once."""
        config = self.config
        policy = PairPolicy(
            config.batch_size, config.num_snippets, config.resample, seed=self.task.seed
        )
        return pair_batches(videos, generator, policy)

    def forward(self, network: nn.Module, batch: Batch) -> FTCLOutputs:
        """With candidates where there are pairs to align and a weight on it."""
        wanted = self.config.fsd_weight > 0 or self.config.lcs_weight > 0
        outputs: FTCLOutputs = network(
            batch.features, align=wanted and isinstance(batch, PairBatch)
        )
        return outputs

    def loss(self, outputs: FTCLOutputs, batch: Batch, progress: Progress) -> dict[str, Tensor]:
        """ACM-Net's terms over all videos of the pairs, then those of the alignments."""
        config, candidates = self.config, outputs.candidates
        terms = acm_losses(outputs.acm, batch.labels, config)
        if candidates is None or not isinstance(batch, PairBatch):
            return terms
        # a term of weight 0 is neither computed nor listed
        if config.fsd_weight:
            scores = fsd_of_pairs(candidates, batch, gamma=config.gamma)
            terms["fsd"] = config.fsd_weight * contrast(scores, batch.similar)
        if config.lcs_weight:
            scores = lcs_of_pairs(candidates, batch, threshold=config.lcs_threshold)
            terms["lcs"] = config.lcs_weight * contrast(scores, batch.similar)
        return terms

    def describe(self, outputs: FTCLOutputs, batch: Batch) -> Activations:
        """ACM-Net's instance branch."""
        return acm_activations(outputs.acm, batch)

    @property
    def recipe(self) -> ProposalRecipe:
        """`acm`, with this configuration's thresholds."""
        return acm_recipe(self.config)
