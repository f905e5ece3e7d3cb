"""The named recipes: published numbers with their sources, and `common`.

Thresholds are the doubles that numpy gives for the published ranges (such as
0.30000000000000004): a step that equals one is on its line's side.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np

from wsal_bench.localization.proposal_recipe import ProposalRecipe
from wsal_bench.localization.rules import ClassRule, GateList, Nms


@dataclass(frozen=True)
class Preset:
    """A named recipe."""

    recipe: ProposalRecipe


ACM: Final = ProposalRecipe(
    name="acm",
    classes=ClassRule(threshold=0.25, strict=True, fallback=True),
    lists=(
        GateList("cas", tuple(np.arange(0.15, 0.25, 0.05)), score="cas", zero_below=True),
        GateList("attention", tuple(np.arange(0.15, 1.00, 0.05)), score="cas"),
    ),
    nms=Nms(threshold=0.55, plus=1.0),
    scale=20,
    inflation=0.2,
    min_steps=2,
)
"""Published numbers of ACM-Net (arXiv 2104.02967) and FTCL (CVPR 2022) on THUMOS14."""

COMMON: Final = ProposalRecipe(
    name="common",
    classes=ClassRule(threshold=0.25, strict=True, fallback=True),
    lists=(GateList("cas", tuple(step / 20 for step in range(2, 19)), score="cas"),),
    nms=Nms(threshold=0.55, plus=0.0),
    normalisation="min-max",
    scale=20,
    inflation=0.2,
    min_steps=2,
)
"""One recipe for all methods, ours: it reads only the CAS, and a positive affine change of the CAS
moves nothing, so logits and probabilities are cut alike. Thresholds 0.1, 0.15, ..., 0.9."""

PRESETS: Final = MappingProxyType({each.name: Preset(each) for each in (ACM, COMMON)})
