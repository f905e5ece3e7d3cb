"""Names of UM's published code."""

import torch
from torch import nn

from tests.methods.published.agreement import Golden, Part, Published
from wsal_bench.nn import gather_snippets
from wsal_methods.um import Method, UMConfig, UMOutputs


class GivenMask(nn.Module):
    """A recorded mask in the place of one that is drawn."""

    def __init__(self, mask: torch.Tensor) -> None:
        super().__init__()
        self.mask = mask

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return self.mask


def given_mask(network: nn.Module, golden: Golden, training: bool) -> None:
    """Gives a network the file's mask, all ones in evaluation mode."""
    mask = torch.from_numpy(golden["mask_snippets"])
    network.mask = GivenMask(mask if training else torch.ones_like(mask))


def options(golden: Golden) -> dict[str, object]:
    return {
        "cas_hidden": golden["cfg_hidden"],
        "action_ratio": golden["cfg_r_act"],
        "background_ratio": golden["cfg_r_bkg"],
        "magnitude_weight": golden["cfg_alpha"],
        "entropy_weight": golden["cfg_beta"],
        "magnitude_margin": golden["cfg_margin"],
        "mask_dropout": golden["cfg_mask_dropout"],
    }


def outputs(found: UMOutputs) -> dict[str, torch.Tensor]:
    return {
        "score_act": found.video_scores,
        "score_bkg": found.background_scores,
        "feat_act": gather_snippets(found.features, found.action),
        "feat_bkg": gather_snippets(found.features, found.background),
        "features": found.features,
        "cas_softmax": found.logits.softmax(2),
        "cas_logits": found.logits,
        "index_act": found.action,
        "index_bkg": found.background,
    }


def weights(config: UMConfig) -> dict[str, Part]:
    return {
        "video": Part("cls"),
        "magnitude": Part("um", config.magnitude_weight),
        "entropy": Part("be", config.entropy_weight),
    }


PUBLISHED = Published(
    files=("um",),
    method=Method,
    options=options,
    names={"embedding": "cas_module.conv.0", "classifier": "cas_module.classifier.0"},
    outputs=outputs,
    weights=weights,
    prepare=given_mask,
)
