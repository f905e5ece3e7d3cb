"""Recipes by name: what a method's authors published, and one recipe for all methods, ours.

The fields stand in `proposal_recipe` and `rules`, the published numbers in `published_*`.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from wsal_bench.errors import UsageError, did_you_mean
from wsal_bench.localization import published_acm, published_basnet, published_wtalc
from wsal_bench.localization.preset import Preset, spelled, stored
from wsal_bench.localization.proposal_recipe import ProposalRecipe
from wsal_bench.localization.published_acm import ACM
from wsal_bench.localization.rules import Blend, ClassRule, GateList, Nms

__all__ = [
    "ACM",
    "COMMON",
    "PRESETS",
    "Blend",
    "ClassRule",
    "GateList",
    "Nms",
    "Preset",
    "ProposalRecipe",
    "names",
    "preset",
    "recipe",
    "spelled",
    "stored",
]

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

_COMMON: Final = Preset(
    COMMON,
    summary="one recipe for all methods: a positive affine change of the CAS moves nothing",
    source="ours",
    needs={
        "cas": "[T, C] class scores of any range; the recipe stretches them",
        "video_scores": "[C] class scores of the video, comparable with 0.25",
    },
)
PRESETS: Final = MappingProxyType(
    {
        preset.name: preset
        for preset in (
            *published_acm.PRESETS,
            *published_basnet.PRESETS,
            *published_wtalc.PRESETS,
            _COMMON,
        )
    }
)
"""All presets by name."""


def names() -> tuple[str, ...]:
    """Names of the recipes that `recipe` knows, sorted."""
    return tuple(sorted(PRESETS))


def recipe(name: str) -> ProposalRecipe:
    """The recipe of that name; the older spellings of `preset.STORED` are names too.

    Raises:
        UsageError: there is none.
    """
    return preset(name).recipe


def preset(name: str) -> Preset:
    """The recipe of that name with where it comes from and what is odd about it.

    Raises:
        UsageError: there is none.
    """
    if spelled(name) not in PRESETS:
        raise UsageError(f"no recipe {name!r}", hint=did_you_mean(name, PRESETS))
    return PRESETS[spelled(name)]
