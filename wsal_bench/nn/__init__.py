"""Building blocks of networks that learn from video labels: small modules and pure functions.

B videos, T snippets, D features, C classes. A block knows no method and no data set.
"""

from wsal_bench.nn.blocks import ConvEmbedding, SnippetDropout
from wsal_bench.nn.losses import (
    attention_mass,
    contrast,
    feature_norm_loss,
    guide_loss,
    label_cross_entropy,
    with_background,
)
from wsal_bench.nn.pooling import attended_mean, gather_snippets, num_kept, topk_mean

__all__ = [
    "ConvEmbedding",
    "SnippetDropout",
    "attended_mean",
    "attention_mass",
    "contrast",
    "feature_norm_loss",
    "gather_snippets",
    "guide_loss",
    "label_cross_entropy",
    "num_kept",
    "topk_mean",
    "with_background",
]
