"""Building blocks of networks that learn from video labels: small modules and pure functions.

B videos, T snippets, D features, C classes. A block knows no method and no data set.
"""

from wsal_bench.nn.blocks import ConvEmbedding, SnippetDropout, SnippetMask, initialise
from wsal_bench.nn.contrasts import coactivity_loss, info_nce, unit
from wsal_bench.nn.losses import (
    attention_mass,
    contrast,
    feature_norm_loss,
    guide_loss,
    label_binary_cross_entropy,
    label_cross_entropy,
    logit_cross_entropy,
    normalised_labels,
    with_background,
)
from wsal_bench.nn.pooling import (
    above_lowest,
    attended_mean,
    gather_snippets,
    num_kept,
    padded_topk_mean,
    real_snippets,
    strongest,
    topk_mean,
    weakest,
)
from wsal_bench.nn.runs import above_median, dilate, erode

__all__ = [
    "ConvEmbedding",
    "SnippetDropout",
    "SnippetMask",
    "above_lowest",
    "above_median",
    "attended_mean",
    "attention_mass",
    "coactivity_loss",
    "contrast",
    "dilate",
    "erode",
    "feature_norm_loss",
    "gather_snippets",
    "guide_loss",
    "info_nce",
    "initialise",
    "label_binary_cross_entropy",
    "label_cross_entropy",
    "logit_cross_entropy",
    "normalised_labels",
    "num_kept",
    "padded_topk_mean",
    "real_snippets",
    "strongest",
    "topk_mean",
    "unit",
    "weakest",
    "with_background",
]
