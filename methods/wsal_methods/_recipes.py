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


def tuned(
    base: ProposalRecipe, config: Any, *thresholds: tuple[float, ...], **changes: Any
) -> ProposalRecipe:
    """A recipe with the options that most published methods have.

    Args:
        base: the published one.
        config: has `class_threshold`, `class_bonus` and `inflation`.
        thresholds: of each gate list.
        changes: further fields.
    """
    lists = tuple(
        replace(entry, thresholds=cuts, class_bonus=config.class_bonus)
        for entry, cuts in zip(base.lists, thresholds, strict=True)
    )
    classes = replace(base.classes, threshold=config.class_threshold)
    return adjusted(base, classes=classes, lists=lists, inflation=config.inflation, **changes)


def common_at(*, class_threshold: float, nms_threshold: float) -> ProposalRecipe:
    """The recipe `common` with these thresholds."""
    return adjusted(
        COMMON,
        classes=replace(COMMON.classes, threshold=class_threshold),
        nms=replace(COMMON.nms, threshold=nms_threshold),
    )
