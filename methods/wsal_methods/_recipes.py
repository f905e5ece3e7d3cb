"""Recipes of methods whose options change a named one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from wsal_bench.api import COMMON
from wsal_bench.localization.recipe import ProposalRecipe


def adjusted(base: ProposalRecipe, **changes: Any) -> ProposalRecipe:
    """A recipe with some fields changed, under a name of its own if that changes anything."""
    changed = replace(base, **changes)
    return base if changed == base else replace(changed, name=f"{base.name}-adjusted")


def common_at(*, class_threshold: float, nms_threshold: float) -> ProposalRecipe:
    """The recipe `common` with these thresholds."""
    return adjusted(
        COMMON,
        classes=replace(COMMON.classes, threshold=class_threshold),
        nms=replace(COMMON.nms, threshold=nms_threshold),
    )
