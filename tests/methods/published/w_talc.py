"""Names of W-TALC's published code."""

from dataclasses import replace

import torch

from tests.methods.published.agreement import Golden, Part, Published, batch_of
from wsal_bench.api import Batch
from wsal_methods.w_talc import Method, Outputs, WTALCConfig


def batch(golden: Golden, *, training: bool) -> Batch:
    """The videos are padded; a training step cuts them to the longest one."""
    lengths = torch.from_numpy(golden["seq_len"])
    whole = replace(batch_of(golden, training=training), lengths=lengths)
    return replace(whole, features=whole.features[:, : lengths.max()]) if training else whole


def outputs(found: Outputs) -> dict[str, torch.Tensor]:
    return {
        "features": found.features,
        "logits": found.logits,
        "video_scores": found.video_logits.softmax(1),
    }


def options(golden: Golden) -> dict[str, object]:
    return {
        "topk_ratio": golden["cfg_topk_ratio"],
        "num_similar": golden["cfg_num_similar"],
        "margin": golden["cfg_margin"],
        "mil_weight": golden["cfg_lambda"],
        "coactivity_weight": 1 - golden["cfg_lambda"],
    }


def weights(config: WTALCConfig) -> dict[str, Part]:
    return {
        "mil": Part("mil", config.mil_weight),
        "coactivity": Part("casl", config.coactivity_weight),
    }


PUBLISHED = Published(
    files=("wtalc",),
    method=Method,
    options=options,
    names={"embedding": "fc", "classifier": "classifier"},
    outputs=outputs,
    weights=weights,
    batch=batch,
    unused=frozenset({"fc1.weight", "fc1.bias"}),
)
