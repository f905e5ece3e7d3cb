"""Sequences over snippets, ready to be interpolated: picked, normalised, smoothed, multiplied.

T snippets, K classes that get proposals.
"""

from __future__ import annotations

import numpy as np

from wsal_bench.errors import UsageError, did_you_mean
from wsal_bench.localization.interpolation import Floats, min_max
from wsal_bench.localization.proposal_recipe import ProposalRecipe
from wsal_bench.localization.rules import GateList
from wsal_bench.types import Activations, FloatArray, IntArray


def check_sequences(activations: Activations, recipe: ProposalRecipe) -> None:
    """Refuses activations that lack what the recipe cuts.

    Raises:
        UsageError: they do; all that is missing is named, and all that is there.
    """
    known = (*activations.scores, *activations.gates)
    missing = [name for name in recipe.sequences if name not in known]
    if missing:
        raise UsageError(
            f"recipe {recipe.name!r} cuts {', '.join(map(repr, missing))}, "
            "which the activations do not have",
            hint=did_you_mean(missing[0], known),
        )


def snippets(
    name: str, activations: Activations, recipe: ProposalRecipe, classes: IntArray
) -> FloatArray:
    """The sequence of that name: [K, T], or [1, T] of a gate that all classes share.

    In float32 or float64, as the method gave it; what is in another type becomes float64, and so
    does what `min-max` normalises.
    """
    is_gate = name in activations.gates
    values = np.asarray((activations.gates if is_gate else activations.scores)[name])
    if values.dtype not in (np.float32, np.float64):
        values = values.astype(np.float64)
    values = values[:, None] if values.ndim == 1 else values[:, classes]
    if not is_gate or recipe.normalises_gates:
        values = _normalised(values, recipe.normalisation)
    if not is_gate:
        values = _smoothed(values, recipe.smoothing)
    return np.ascontiguousarray(values.T)


def scored_snippets(
    entry: GateList, activations: Activations, recipe: ProposalRecipe, classes: IntArray
) -> FloatArray:
    """What a list's proposals are scored on, but for a blend's sum: [K, T] or [1, T]."""
    score = snippets(entry.score, activations, recipe, classes)
    if entry.weight != 1.0:
        score = score * score.dtype.type(entry.weight)
    if entry.blend is not None and entry.blend.kind == "product":
        score = score * snippets(entry.blend.name, activations, recipe, classes)
    return np.ascontiguousarray(score)


def thresholds_of(entry: GateList, gate: FloatArray) -> Floats:
    """The list's thresholds [K], absolute, for the gate's snippets [T]."""
    values = np.asarray(entry.thresholds, dtype=np.float64)
    if not entry.relative:
        return values
    high, low = float(gate.max()), float(gate.min())
    return np.asarray(high - (high - low) * values)


def _normalised(values: FloatArray, kind: str) -> FloatArray:
    if kind == "none":
        return values
    if kind == "min-max":
        return min_max(values)
    zero = values.dtype.type(0)
    low = np.maximum(values.min(axis=0), zero)
    width = np.maximum(values.max(axis=0), zero) - low
    stretched: FloatArray = (values - low) / np.where(width <= 0, values.dtype.type(1), width)
    return stretched.clip(0, 1) if kind == "clamped-min-max" else stretched


def _smoothed(values: FloatArray, window: int) -> FloatArray:
    """A moving straight-line fit: the middle of each window, and the line's ends at the ends."""
    length = len(values)
    width = min(window, length)
    width -= 1 - width % 2
    if window < 1 or length <= 3:  # W-TALC's own rule for short videos
        return values
    half = width // 2
    offsets = np.arange(width) - half
    smooth = np.empty_like(values)
    for column in range(values.shape[1]):
        curve = values[:, column].astype(np.float64)
        means = np.convolve(curve, np.full(width, 1.0 / width), mode="valid")
        smooth[half : length - half, column] = means
        for part, side in ((curve[:width], slice(0, half)), (curve[-width:], slice(-half, None))):
            if half:
                line = part.mean() + offsets * (part @ offsets / (offsets @ offsets))
                smooth[side, column] = line[side]
    return smooth
