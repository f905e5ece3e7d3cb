"""Recipes in words."""

from __future__ import annotations

from collections.abc import Iterator

from wsal_bench.localization.proposal_recipe import ProposalRecipe
from wsal_bench.localization.rules import ClassRule, GateList, Nms

_NORMALISATIONS = {
    "none": "as they are",
    "min-max": "stretched to [0, 1] per video and class, in steps of 1e-6; a constant one is 1",
    "relu-min-max": "stretched per video and class, a negative minimum counting as 0, not clamped",
    "clamped-min-max": "stretched per video and class, a negative minimum counting as 0, clamped "
    "to [0, 1]",
}


def short(recipe: ProposalRecipe) -> str:
    """What tells recipes apart at a glance: gate lists, thresholds and NMS."""
    count = len(recipe.lists)
    cuts = sum(len(entry.thresholds) for entry in recipe.lists)
    lists = f"{count} gate list{'' if count == 1 else 's'}"
    thresholds = f"{cuts} threshold{'' if cuts == 1 else 's'}"
    fused = f", fused by {_nms(recipe.fuse)}" if recipe.fuse is not None else ""
    return f"{lists}, {thresholds}, {_nms(recipe.nms)}{fused}"


def in_words(recipe: ProposalRecipe) -> tuple[str, ...]:
    """Every rule of a recipe, a sentence each, in the order in which they act."""
    return tuple(_sentences(recipe))


def _sentences(recipe: ProposalRecipe) -> Iterator[str]:
    yield f"classes: {_classes(recipe.classes)}"
    what = "score sequences and gates" if recipe.normalises_gates else "score sequences"
    yield f"{what}: {_NORMALISATIONS[recipe.normalisation]}"
    if recipe.smoothing:
        yield f"smoothing: a moving straight line over {recipe.smoothing} snippets"
    yield (
        "snippets are not interpolated"
        if recipe.scale == 1
        else f"each snippet becomes {recipe.scale} steps by linear interpolation, the last ones by "
        "extrapolation"
    )
    for number, entry in enumerate(recipe.lists, 1):
        yield f"gate list {number}: {_list(entry)}"
    if any(entry.run_score == "contrast" for entry in recipe.lists):
        yield f"outer part: {recipe.inflation:g} of the run's length on each side"
    if recipe.one_step_more:
        yield (
            "a proposal takes one step more than its run; the outer part never takes the last step"
        )
    yield f"shortest run: {recipe.min_steps} step{'' if recipe.min_steps == 1 else 's'}"
    if recipe.skips_lone_first_step:
        yield "a threshold at which only the first step is above gives nothing"
    each = "class and stream" if recipe.fuse is not None else "class"
    yield f"per {each}: {_nms_in_full(recipe.nms)}"
    if recipe.fuse is not None:
        yield f"then per class over the streams: {_nms_in_full(recipe.fuse)}"
    if recipe.max_per_video is not None:
        yield f"kept per video: the best {recipe.max_per_video} of all classes"
    yield f"ends beyond the video are {'cut' if recipe.clip else 'kept'}"


def _classes(rule: ClassRule) -> str:
    sign = ">" if rule.strict else ">="
    score = "video score"
    if rule.pooled_ratio:
        score = f"mean of the T // {rule.pooled_ratio} largest snippets of the score"
    text = f"{score} {sign} {rule.threshold:g}"
    text += ", else the best one" if rule.fallback else ", else none"
    if rule.skips_lone_first:
        text += "; none where the class of index 0 is the only one"
    return text + ("; a class that is taken counts 1 in the bonus" if rule.binarised else "")


def _list(entry: GateList) -> str:
    sign = ">" if entry.strict else ">="
    cuts = ", ".join(f"{value:g}" for value in entry.thresholds)
    if entry.relative:
        text = f"{entry.gate} {sign} max - (max - min) * ({cuts})"
    else:
        text = f"{entry.gate} {sign} {cuts}"
    text += " and > 0" if entry.positive else ""
    score = entry.score if entry.weight == 1 else f"{entry.weight:g} {entry.score}"
    if entry.blend is not None and entry.blend.kind == "product":
        score = f"{score} x {entry.blend.name}"
    elif entry.blend is not None:
        blend = entry.blend
        score = f"{blend.own_weight:g} {score} + {blend.other_weight:g} {blend.name}"
    outer = "" if entry.outer_weight == 1 else f"{entry.outer_weight:g} "
    text += {
        "contrast": f"; score: inner mean minus {outer}outer mean of {score}",
        "maximum": f"; score: largest value of {score}",
        "mean": f"; score: mean of {score}",
    }[entry.run_score]
    text += f", with {entry.gate} 0 below the threshold" if entry.zero_below else ""
    text += f", plus {entry.class_bonus:g} times the class score" if entry.class_bonus else ""
    return text + (f" (stream {entry.stream})" if entry.stream else "")


def _nms(nms: Nms) -> str:
    if nms.kind == "none":
        return "no NMS"
    unit = "s" if nms.unit == "seconds" else "snippet"
    plus = f" +{nms.plus:g} {unit}" if nms.plus else ""
    cut = f"sigma {nms.sigma:g}" if nms.kind == "soft" else f"{nms.threshold:g}"
    return f"{nms.kind} NMS {cut}{plus}"


def _nms_in_full(nms: Nms) -> str:
    if nms.kind == "none":
        return "no NMS"
    sign = ">=" if nms.drops_equal else ">"
    lowered = f"exp(-tIoU^2 / {nms.sigma:g})"
    text = {
        "hard": f"hard NMS: what overlaps a better one with tIoU {sign} {nms.threshold:g} goes",
        "soft": f"soft NMS: scores are multiplied by {lowered} for each better one",
        "partial-soft": f"NMS: what overlaps a better one with tIoU {sign} {nms.threshold:g} comes "
        f"after the others, its score multiplied by {lowered}",
        "containment": "NMS by containment: what lies in a better one with a share "
        f"{sign} {nms.threshold:g} of its own length goes",
    }[nms.kind]
    unit = "second" if nms.unit == "seconds" else "snippet"
    return text + (f"; lengths and intersections are {nms.plus:g} {unit} longer" * bool(nms.plus))
