"""Published recipes of the ACM-Net family: ACM-Net, FTCL, ASM-Loc."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from wsal_bench.localization.preset import Preset
from wsal_bench.localization.proposal_recipe import ProposalRecipe
from wsal_bench.localization.rules import Blend, ClassRule, GateList, Nms

NEEDS: Final = {
    "cas": "[T, C] softmax over classes of the logits times the instance attention, its background "
    "column dropped",
    "attention": "[T] instance attention",
    "video_scores": "[C] softmax of the mean of the largest attended logits",
}
PLUS_ONE: Final = (
    "NMS adds one SECOND to lengths and intersections, as pixel code adds a pixel: segments less "
    "than a second apart suppress each other"
)
EXTRAPOLATED: Final = (
    "the last scale - 1 steps lie beyond the last snippet and continue its slope: values may leave "
    "[0, 1]"
)
OTHER_SCALE: Final = (
    "families of proposals are scored on sequences of different contrast (one is zero below its "
    "threshold, the other is not), and compete in one NMS all the same"
)

ACM: Final = ProposalRecipe(
    name="acm",
    # the thresholds are the doubles that np.arange gives there (such as 0.30000000000000004): a
    # step that equals one is on its line's side
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

_MIXED: Final = Blend("attention", own_weight=0.7, other_weight=0.3)
_LOW: Final = (0.005, 0.01, 0.015, 0.02)
ACM_ANET: Final = ProposalRecipe(
    name="acm-anet",
    classes=ClassRule(threshold=0.1, strict=True, fallback=True),
    lists=(
        GateList("cas", _LOW, score="cas", zero_below=True, blend=_MIXED),
        GateList("attention", _LOW, "cas", zero_below=True, class_bonus=0.25, blend=_MIXED),
    ),
    nms=Nms(threshold=0.9, plus=1.0),
    scale=20,
    inflation=0.15,
    min_steps=2,
)
ASM: Final = replace(
    ACM,
    name="asm",
    lists=(
        ACM.lists[0],
        replace(ACM.lists[1], thresholds=tuple(np.arange(0.1, 0.925, 0.025))),
    ),
    nms=Nms(threshold=0.45, plus=1.0),
)
ASM_ANET: Final = replace(ACM_ANET, name="asm-anet")

_LOW_QUIRK: Final = (
    "what is set to zero below the threshold is the gate's part of the mix alone: 0.7 of the CAS, "
    "or 0.3 of the attention"
)
PRESETS: Final = (
    Preset(
        ACM,
        summary="ACM-Net and FTCL on THUMOS14",
        source="ispc-lab/ACM-Net 4d38dc6; MengyuanChen21/CVPR2022-FTCL cf607d6",
        needs=NEEDS,
        quirks=(PLUS_ONE, EXTRAPOLATED, OTHER_SCALE),
    ),
    Preset(
        ACM_ANET,
        summary="ACM-Net on ActivityNet",
        source="ispc-lab/ACM-Net 4d38dc6",
        needs=NEEDS,
        quirks=(
            PLUS_ONE,
            EXTRAPOLATED,
            _LOW_QUIRK,
            "earlier commits (103aa92) mix 0.6 and 0.4",
        ),
    ),
    Preset(
        ASM,
        summary="ASM-Loc on THUMOS14",
        source="boheumd/ASM-Loc 4acb3c8",
        needs=NEEDS | {"attention": "[T] foreground attention"},
        quirks=(PLUS_ONE, EXTRAPOLATED, OTHER_SCALE),
    ),
    Preset(
        ASM_ANET,
        summary="ASM-Loc on ActivityNet: the numbers of `acm-net-anet`",
        source="boheumd/ASM-Loc 4acb3c8",
        needs=NEEDS | {"attention": "[T] foreground attention"},
        quirks=(PLUS_ONE, EXTRAPOLATED, _LOW_QUIRK),
    ),
)
