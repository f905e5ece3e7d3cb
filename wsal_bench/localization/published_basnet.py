"""Published recipes that grew out of STPN's code: STPN, BaS-Net, UM, CoLA, CASE."""

from __future__ import annotations

from typing import Final

import numpy as np

from wsal_bench.localization.preset import Preset
from wsal_bench.localization.proposal_recipe import ProposalRecipe
from wsal_bench.localization.published_acm import EXTRAPOLATED, OTHER_SCALE, PLUS_ONE
from wsal_bench.localization.rules import ClassRule, GateList, Nms

LONE_STEP: Final = (
    "a threshold at which only the first step is above gives nothing (`if indices.any()`)"
)
CRASH: Final = (
    "the published code ends with an IndexError where a class has no run of two steps at some "
    "threshold; here it gets none"
)
_CAS: Final = tuple(np.arange(0.0, 0.25, 0.025))

STPN: Final = ProposalRecipe(
    name="stpn",
    classes=ClassRule(threshold=0.1, strict=True, fallback=False, skips_lone_first=True),
    lists=(
        GateList("signal-rgb", (0.05,), score="score-rgb", run_score="mean"),
        GateList("signal-flow", (0.05,), score="score-flow", run_score="mean"),
    ),
    nms=Nms(threshold=0.5, drops_equal=False),
    scale=24,
    inflation=0.0,
    min_steps=1,
    skips_lone_first_step=True,
)
BASNET: Final = ProposalRecipe(
    name="basnet",
    classes=ClassRule(0.25, strict=False, fallback=False, binarised=True, skips_lone_first=True),
    lists=(GateList("cas", _CAS, score="cas", zero_below=True, positive=True, class_bonus=0.2),),
    nms=Nms(threshold=0.7, plus=1.0),
    normalisation="relu-min-max",
    scale=24,
    inflation=0.25,
    min_steps=1,
    skips_lone_first_step=True,
)
UM: Final = ProposalRecipe(
    name="um",
    classes=ClassRule(threshold=0.2, strict=False, fallback=True),
    lists=(
        GateList("cas", _CAS, score="cas", zero_below=True, positive=True, class_bonus=0.2),
        GateList("magnitude", tuple(np.arange(0.4, 0.625, 0.025)), "cas", class_bonus=0.2),
    ),
    nms=Nms(threshold=0.6, plus=1.0),
    normalisation="clamped-min-max",
    scale=24,
    inflation=0.25,
    min_steps=2,
)
COLA: Final = ProposalRecipe(
    name="cola",
    classes=ClassRule(threshold=0.2, strict=False, fallback=True),
    lists=(
        GateList("cas", _CAS, score="cas", zero_below=True, positive=True, class_bonus=0.2),
        GateList("actionness", tuple(np.arange(0.1, 0.925, 0.025)), "cas", class_bonus=0.2),
    ),
    nms=Nms(threshold=0.6, plus=1.0),
    normalisation="clamped-min-max",
    scale=24,
    inflation=0.25,
    min_steps=2,
    normalises_gates=True,
)
CASE: Final = ProposalRecipe(
    name="case",
    classes=ClassRule(threshold=0.25, strict=False, fallback=True),
    lists=(
        GateList("selection", tuple(np.arange(0.1, 1.0, 0.1)), score="selection", class_bonus=0.2),
    ),
    nms=Nms(threshold=0.4, plus=1.0, kind="partial-soft", sigma=0.35),
    scale=24,
    inflation=0.15,
    min_steps=1,
    skips_lone_first_step=True,
)

PRESETS: Final = (
    Preset(
        STPN,
        summary="STPN on THUMOS14, as an unofficial reproduction has it",
        source="bellos1203/STPN ecadfca (unofficial)",
        needs={
            "signal-rgb": "[T, C] attention times sigmoid(T-CAM) of the RGB stream, 0 throughout "
            "for a class whose probability in that stream is not above 0.1",
            "signal-flow": "[T, C] the same of the flow stream",
            "score-rgb": "[T, C] RGB attention times the mean of both streams' T-CAM",
            "score-flow": "[T, C] flow attention times the mean of both streams' T-CAM",
            "video_scores": "[C] the larger of the two streams' class probabilities",
        },
        quirks=(
            "one threshold a stream: NMS acts between the streams only",
            "a video whose only class is the one of index 0 gets nothing (`if indices.any()`)",
            LONE_STEP,
            EXTRAPOLATED,
            "published ties fall as a Python set happens to order them, and TensorFlow's NMS "
            "counts in float32: here the later of equal scores comes first, in float64",
        ),
    ),
    Preset(
        BASNET,
        summary="BaS-Net on THUMOS14",
        source="Pilhyeon/BaSNet-pytorch c8c6bbd",
        needs={
            "cas": "[T, C] logits of the suppression branch; the recipe stretches them",
            "video_scores": "[C] softmax of the mean of the suppression branch's largest logits",
        },
        quirks=(
            "the class score has been overwritten with 1 before it is added: every proposal gets "
            "the same 0.2",
            "a video whose only class is the one of index 0 gets nothing (`if indices.any()`): "
            "BaseballPitch on THUMOS14",
            "no class is taken where none reaches 0.25",
            "the stretch counts a negative minimum as 0 and is not clamped",
            "at the threshold 0 a step must be above 0; above it, at the threshold or above",
            LONE_STEP,
            PLUS_ONE,
            EXTRAPOLATED,
        ),
    ),
    Preset(
        UM,
        summary="UM (uncertainty modeling) on THUMOS14",
        source="Pilhyeon/WTAL-Uncertainty-Modeling f8e52f5",
        needs={
            "cas": "[T, C] softmax over classes times the magnitude; the recipe stretches it",
            "magnitude": "[T] feature magnitude between the means of the background and the "
            "action snippets, in [0, 1]",
            "video_scores": "[C] softmax of the mean of the logits of the action snippets",
        },
        quirks=(
            "commit 0dd7a53 falls back to the class of index 0, not to the best one "
            "(`argmax(score[0])`); these numbers take the best",
            CRASH,
            OTHER_SCALE,
            PLUS_ONE,
            EXTRAPOLATED,
        ),
    ),
    Preset(
        COLA,
        summary="CoLA on THUMOS14",
        source="zhang-can/CoLA d21f1b5",
        needs={
            "cas": "[T, C] class scores after their ReLU; the recipe stretches them",
            "actionness": "[T] sum of the class scores; the recipe stretches it",
            "video_scores": "[C] softmax of the mean of the largest class scores",
        },
        quirks=(CRASH, OTHER_SCALE, PLUS_ONE, EXTRAPOLATED),
    ),
    Preset(
        CASE,
        summary="CASE on THUMOS14",
        source="Qinying-Liu/CASE b7c34da",
        needs={
            "selection": "[T, C] mean of the softmax CAS of both streams, both attentions and both "
            "cluster foreground probabilities",
            "video_scores": "[C] mean over the streams of the softmax of the class logits at the "
            "snippets that the selection ranks highest",
        },
        quirks=(
            "the option `gamma` = 0.15, meant for the class bonus, is passed in the place of the "
            "outer part's inflation: the inflation is 0.15 and the bonus its default, 0.2",
            "what NMS drops comes back after what it keeps, its score lowered once by the segment "
            "that dropped it",
            LONE_STEP,
            PLUS_ONE,
            EXTRAPOLATED,
        ),
    ),
)
