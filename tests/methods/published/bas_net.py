"""Names of BaS-Net's published code."""

import torch

from tests.methods.published.agreement import Golden, Part, Published
from wsal_methods.bas_net import BaSNetConfig, Method, Outputs


def outputs(found: Outputs) -> dict[str, torch.Tensor]:
    assert found.suppressed is not None
    return {
        "score_base": found.base.video_scores,
        "cas_base": found.base.logits,
        "score_supp": found.suppressed.video_scores,
        "cas_supp": found.suppressed.logits,
        "fore_weights": found.attention,
    }


def options(golden: Golden) -> dict[str, object]:
    return {
        "num_snippets": golden["cfg_num_segments"],
        "filter_hidden": golden["cfg_filter_hidden"],
        "cas_hidden": golden["cfg_cas_hidden"],
        "leaky_slope": golden["cfg_leaky_slope"],
        "topk_ratio": golden["cfg_topk_ratio"],
        "sparsity_weight": golden["cfg_alpha"],
    }


def weights(config: BaSNetConfig) -> dict[str, Part]:
    return {
        "base": Part("base"),
        "suppressed": Part("supp"),
        "sparsity": Part("norm", config.sparsity_weight),
    }


PUBLISHED = Published(
    files=("bas-net",),
    method=Method,
    options=options,
    names={
        "filter.0": "filter_module.conv_1.0",
        "filter.2": "filter_module.conv_2.0",
        "classifier.0": "cas_module.conv_1.0",
        "classifier.1": "cas_module.conv_2.0",
        "classifier.3": "cas_module.conv_3.0",
    },
    outputs=outputs,
    weights=weights,
)
