"""Names of HAM-Net's published code."""

from tests.methods.published.agreement import Golden, Named, Part, Published
from wsal_bench.api import Batch, Progress
from wsal_bench.nn import normalised_labels, num_kept, topk_mean, with_background
from wsal_methods.ham_net import HAMConfig, HAMOutputs, Method, branches

LAYERS = [f"classifier.{index}" for index in (0, 2, 5)]
LAYERS += [f"attention.{index}" for index in (0, 2, 4)]
SHOWN = {"bcl": 1, "hal": 1, "sal": 0, "ssal": 0}  # whether the background counts as shown


def options(golden: Golden) -> dict[str, object]:
    names = {
        "attention_hidden": "attention_hidden",
        "leaky_slope": "leaky_slope",
        "topk_ratio": "rat",
        "plain_weight": "lm_1",
        "attended_weight": "lm_2",
        "sparsity_weight": "alpha",
        "guide_weight": "beta",
        "drop_threshold": "drop_thres",
        "drop_weight": "drop_prob",
    }
    return {
        **{ours: golden[f"cfg_{name}"] for ours, name in names.items()},
        "smoothing": golden.get("cfg_avgpool_kernel", 1),
    }


def outputs(found: HAMOutputs) -> Named:
    return {
        "logits": found.logits,
        "attention": found.attention,
        "atn_supp": found.attention,
        "atn_drop": found.dropped,
    }


def weights(config: HAMConfig) -> dict[str, Part]:
    plain, attended, drop = config.plain_weight, config.attended_weight, config.drop_weight
    return {
        "bcl": Part("bcl", plain * (1 - drop)),
        "hal": Part("hal", plain * drop),
        "sal": Part("sal", attended * (1 - drop)),
        "ssal": Part("ssal", attended * drop),
        "sparsity": Part("norm", config.sparsity_weight),
        "guide": Part("guide", config.guide_weight),
    }


def parts(method: Method, found: HAMOutputs, batch: Batch) -> Named:
    """Each branch's loss by video, and the published sums of two branches."""
    config, terms = method.config, method.loss(found, batch, Progress())
    k = num_kept(found.logits.shape[1], config.topk_ratio)
    by_video = {}
    for name, scores in branches(found).items():
        labels = with_background(batch.labels, SHOWN[name])
        target = normalised_labels(labels, eps=config.label_epsilon)
        by_video[f"{name}_per_video"] = -(target * topk_mean(scores, k).log_softmax(1)).sum(1)
    return {
        **by_video,
        "1": (terms["bcl"] + terms["hal"]) / config.plain_weight,
        "2": (terms["sal"] + terms["ssal"]) / config.attended_weight,
    }


PUBLISHED = Published(
    files=("ham-net", "ham-net-anet"),
    method=Method,
    options=options,
    names={layer: layer for layer in LAYERS},
    outputs=outputs,
    weights=weights,
    parts=parts,
)
