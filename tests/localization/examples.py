"""Activations that any recipe can cut, and comparisons to the last bit."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsal_bench.localization import ProposalRecipe
from wsal_bench.types import Activations, Proposals

GATES = ("attention", "magnitude", "actionness")


def bits(proposals: Proposals) -> list[tuple[int, str, str, str]]:
    """(label, start, end, score) of each, floats in hexadecimal."""
    columns = (proposals.start, proposals.end, proposals.score)
    floats = (list(map(float.hex, column.tolist())) for column in columns)
    return list(zip(proposals.label.tolist(), *floats, strict=True))


def activations_for(
    recipe: ProposalRecipe,
    curves: NDArray[Any],
    video_scores: NDArray[Any],
    times: NDArray[np.float64] | None = None,
) -> Activations:
    """A video that has what a recipe cuts.

    Args:
        recipe: its sequences get values.
        curves: [S, T, C]; each sequence takes the next of the S, a gate [T] its first class.
        video_scores: [C].
        times: [T + 1]; None: snippets of 0.64 s.
    """
    length = curves.shape[1]
    chosen = {
        name: curves[i % len(curves)] for i, name in enumerate((*recipe.sequences, "another"))
    }
    return Activations(
        scores={name: value for name, value in chosen.items() if name not in GATES},
        gates={name: value[:, 0] for name, value in chosen.items() if name in GATES},
        video_scores=video_scores,
        times=np.arange(length + 1) * 16 / 25 if times is None else times,
    )
