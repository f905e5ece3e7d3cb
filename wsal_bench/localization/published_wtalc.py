"""Published recipes that cut snippets as they are: the families of W-TALC, HAM-Net and FAC-Net."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from wsal_bench.localization.preset import Preset
from wsal_bench.localization.proposal_recipe import ProposalRecipe
from wsal_bench.localization.published_basnet import LONE_STEP
from wsal_bench.localization.rules import Blend, ClassRule, GateList, Nms

WTALC: Final = ProposalRecipe(
    name="wtalc",
    classes=ClassRule(threshold=0.0, strict=True, fallback=False, pooled_ratio=8),
    lists=(
        GateList(
            "logits",
            (0.5,),
            score="logits",
            strict=True,
            class_bonus=0.7,
            relative=True,
            run_score="maximum",
        ),
    ),
    nms=Nms(kind="none"),
    scale=1,
    inflation=0.0,
    min_steps=2,
    version=2,  # 1: the class score was the video score, whatever that was
)
WTALC_ANET: Final = replace(
    WTALC,
    name="wtalc-anet",
    lists=(replace(WTALC.lists[0], thresholds=(0.7,)),),
    smoothing=351,
)
HAMNET: Final = ProposalRecipe(
    name="hamnet",
    classes=ClassRule(threshold=0.2, strict=False, fallback=False),
    lists=(
        GateList(
            "attention",
            tuple(np.linspace(0.1, 0.9, 10)),
            score="logits",
            strict=True,
            class_bonus=0.2,
            blend=Blend("attention", "product"),
        ),
    ),
    nms=Nms(plus=1.0, kind="soft", sigma=0.3),
    scale=1,
    inflation=0.25,
    min_steps=1,
    skips_lone_first_step=True,
)
CO2: Final = replace(
    HAMNET,
    name="co2",
    classes=ClassRule(threshold=0.2, strict=False, fallback=True),
    nms=Nms(plus=1.0, kind="soft", sigma=0.3, unit="snippets"),
)
DELU: Final = replace(
    CO2,
    name="delu",
    lists=(replace(CO2.lists[0], thresholds=tuple(np.linspace(0.1, 0.9, 20))),),
)

_FAC: Final = GateList(
    "cas-rgb",
    tuple(np.arange(0.03, 0.055, 0.005)),
    score="cas-rgb",
    strict=True,
    weight=0.1,
    outer_weight=0.6,
    stream="rgb",
)
_CONTAINED: Final = Nms(0.2, plus=1.0, kind="containment", unit="snippets", drops_equal=False)
FAC: Final = ProposalRecipe(
    name="fac",
    classes=ClassRule(threshold=0.1, strict=False, fallback=False),
    lists=(_FAC, replace(_FAC, gate="cas-flow", score="cas-flow", weight=1.0, stream="flow")),
    nms=_CONTAINED,
    scale=1,
    inflation=0.25,
    min_steps=3,
    fusion="streams",
    fuse=replace(_CONTAINED, threshold=0.9),
    one_step_more=True,
    clip=False,
)
RSKP: Final = ProposalRecipe(
    name="rskp",
    classes=ClassRule(threshold=0.1, strict=False, fallback=False),
    lists=(GateList("cas", tuple(np.arange(0.001, 0.04, 0.002)), score="cas", strict=True),),
    nms=replace(_CONTAINED, threshold=0.5),
    scale=1,
    inflation=0.25,
    min_steps=2,
    one_step_more=True,
    clip=False,
)

_SNIPPETS: Final = (
    "published sums of float32 sequences are float32 where nothing is interpolated; here they are "
    "float64: scores differ in the seventh digit"
)
_SOFT: Final = (
    "soft NMS drops nothing; its tIoU threshold (0.7) is an argument that its Gaussian form does "
    "not look at",
    "scores are attended logits, so they can be negative, and soft NMS then raises them",
)
_MORE: Final = (
    "a segment and its inner mean take one snippet more than the run, so an end may lie a snippet "
    "beyond the video; the outer part never takes the video's last snippet",
    "NMS divides the intersection by the worse segment's length: a long one that holds a better "
    "short one stays",
)
_AMBIGUOUS: Final = "segments that touch an ambiguous stretch are dropped: part of the protocol"
_LOGITS: Final = {
    "logits": "[T, C] raw class logits, the background column dropped; they are multiplied by the "
    "attention",
    "attention": "[T] attention in [0, 1]",
    "video_scores": "[C] softmax of the mean of the T // 10 largest attended logits",
}

PRESETS: Final = (
    Preset(
        WTALC,
        summary="W-TALC on THUMOS14",
        source="sujoyp/wtalc-pytorch 81ea982",
        needs={"logits": "[T, C] raw class logits"},
        quirks=(
            "one threshold a class and video, the middle of its range, and no NMS: runs of one "
            "threshold do not overlap",
            "a class is taken where the mean of its T // 8 largest logits, NOT a probability, is "
            "above 0; a run's score is its largest logit plus 0.7 of that mean",
            "videos of fewer than 8 snippets have no class score, and so no segment",
            _AMBIGUOUS,
        ),
    ),
    Preset(
        WTALC_ANET,
        summary="W-TALC on ActivityNet: smoothed logits, a lower cut",
        source="sujoyp/wtalc-pytorch 81ea982 and its issue 1",
        needs={"logits": "[T, C] raw class logits"},
        quirks=(
            "the mean of the T // 8 largest logits is that before smoothing",
            "the window of the Savitzky-Golay filter is 351 snippets: most videos are one window, "
            "and their logits become a straight line",
            "smoothing is commented out in the published code; with it and 0.7 the authors get "
            "34.0 in place of 16.6 at tIoU 0.5",
        ),
    ),
    Preset(
        HAMNET,
        summary="HAM-Net on THUMOS14",
        source="asrafulashiq/hamnet 7894e05",
        needs=_LOGITS,
        quirks=(
            *_SOFT,
            "soft NMS adds one SECOND to lengths and intersections",
            LONE_STEP,
            _SNIPPETS,
        ),
    ),
    Preset(
        CO2,
        summary="CO2-Net on THUMOS14; TFE-DCN and DDG-Net cut alike",
        source="harlanhong/MM2021-CO2-Net e879687; jianxiong-zhou/TFE-DCN 7f6b976; "
        "XiaojunTang22/ICCV2023-DDGNet 0fe0b14",
        needs=_LOGITS,
        quirks=(
            *_SOFT,
            "soft NMS adds one SNIPPET to lengths and intersections",
            LONE_STEP,
            _AMBIGUOUS,
            _SNIPPETS,
        ),
    ),
    Preset(
        DELU,
        summary="DELU on THUMOS14: `co2-net` with 20 thresholds",
        source="MengyuanChen21/ECCV2022-DELU a60e46d",
        needs=_LOGITS,
        quirks=(
            *_SOFT,
            "soft NMS adds one SNIPPET to lengths and intersections",
            LONE_STEP,
            _AMBIGUOUS,
            _SNIPPETS,
        ),
    ),
    Preset(
        FAC,
        summary="FAC-Net on THUMOS14: two streams, each thinned out, then fused",
        source="LeonHLJ/FAC-Net c010886",
        needs={
            "cas-rgb": "[T, C] softmax over classes of the RGB stream's scores, 0 throughout for a "
            "class whose RGB video score is below 0.1",
            "cas-flow": "[T, C] the same of the flow stream",
            "video_scores": "[C] the larger of the two streams' video scores",
        },
        quirks=(
            *_MORE,
            "scores of the RGB stream count a tenth; the published code multiplies its sequence "
            "and thresholds by 0.1, here the score alone: a step within a rounding error of a "
            "threshold may differ",
            "the ambiguous filter stands before the fusion there; here it is the protocol's",
            _SNIPPETS,
        ),
    ),
    Preset(
        RSKP,
        summary="RSKP on THUMOS14",
        source="LeonHLJ/RSKP 38a8ad7",
        needs={
            "cas": "[T, C] softmax over classes of both branches, mixed 0.6 and 0.4, times the "
            "attention",
            "video_scores": "[C] video scores of both branches, mixed 0.6 and 0.4",
        },
        quirks=(*_MORE, _AMBIGUOUS, _SNIPPETS),
    ),
)
