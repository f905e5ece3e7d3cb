"""Recipes by name: what a method's authors published, and one recipe for all methods.

The fields stand in `proposal_recipe` and `rules`, the published numbers in `presets`.
"""

from __future__ import annotations

from wsal_bench.errors import UsageError, did_you_mean
from wsal_bench.localization.presets import ACM, COMMON, PRESETS, Preset
from wsal_bench.localization.proposal_recipe import ProposalRecipe
from wsal_bench.localization.rules import Blend, ClassRule, GateList, Nms

__all__ = [
    "ACM",
    "COMMON",
    "Blend",
    "ClassRule",
    "GateList",
    "Nms",
    "Preset",
    "ProposalRecipe",
    "names",
    "preset",
    "recipe",
]


def names() -> tuple[str, ...]:
    """Names of the recipes that `recipe` knows, sorted."""
    return tuple(sorted(PRESETS))


def recipe(name: str) -> ProposalRecipe:
    """The recipe of that name.

    Raises:
        UsageError: there is none.
    """
    return preset(name).recipe


def preset(name: str) -> Preset:
    """The recipe of that name with where it comes from and what is odd about it.

    Raises:
        UsageError: there is none.
    """
    if name not in PRESETS:
        raise UsageError(f"no recipe {name!r}", hint=did_you_mean(name, PRESETS))
    return PRESETS[name]
