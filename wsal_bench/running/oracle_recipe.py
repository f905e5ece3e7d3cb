"""The best post-processing that a small grid holds, chosen on the test truth: an upper bound.

What a method says is one thing, how segments are cut from it another. The distance between the
score under a method's own recipe and under the best recipe of this grid is what better cutting
could give; what is missing beyond is missing in the activations. It is never a result: the recipe
was chosen by the truth that it is scored on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from wsal_bench.evaluation import Protocol, evaluate
from wsal_bench.localization import localize
from wsal_bench.localization.recipe import COMMON, Nms, ProposalRecipe
from wsal_bench.types import Activations, Detections, GroundTruth

WARNING = "oracle recipe: chosen on test, an upper bound of post-processing, never a headline"
NMS_THRESHOLDS = (0.3, 0.5, 0.7)
INFLATIONS = (0.1, 0.25, 0.5)


@dataclass(frozen=True)
class Tried:
    """A recipe of the grid.

    Args:
        name: what it is made of.
        average: headline average of the protocol, a fraction.
    """

    name: str
    average: float


@dataclass(frozen=True)
class OracleRecipe:
    """The grid, and the best of it.

    Args:
        protocol: what it was scored under.
        headline: name of the average.
        own: average under the recipe that the run was scored with.
        tried: all of the grid, in its order.
    """

    protocol: str
    headline: str
    own: float
    tried: tuple[Tried, ...]

    @property
    def best(self) -> Tried:
        """The first of those with the highest average."""
        return max(self.tried, key=lambda one: one.average)

    def to_json(self) -> dict[str, Any]:
        """A document; its warning belongs beside every use of the number."""
        return {
            "warning": WARNING,
            "chosen_on": "test",
            "protocol": self.protocol,
            "average": self.headline,
            "own": self.own,
            "best": vars(self.best),
            "tried": [vars(one) for one in self.tried],
        }


def grid(own: ProposalRecipe, gates: Sequence[str]) -> dict[str, ProposalRecipe]:
    """The recipes that are tried, by what they are made of.

    The method's own recipe and `common` as they are; and each of them, and `common` cut on
    each gate, with hard NMS at 0.3, 0.5, 0.7 times an outer part of 0.1, 0.25, 0.5.

    Args:
        own: the recipe of the run.
        gates: names of gates in the activations.
    """
    bases = {own.name: own, COMMON.name: COMMON}
    for gate in gates:
        # min-max holds for scores only: a gate is cut at its own values
        lists = tuple(replace(entry, gate=gate) for entry in COMMON.lists)
        bases[f"common on {gate}"] = replace(COMMON, lists=lists)
    recipes = {own.name: own, COMMON.name: COMMON}
    for name, base in bases.items():
        for threshold in NMS_THRESHOLDS:
            for inflation in INFLATIONS:
                title = f"{name}, NMS {threshold:g}, outer {inflation:g}"
                recipes[title] = replace(base, nms=Nms(threshold), inflation=inflation)
    return recipes


def oracle_recipe(
    truth: GroundTruth,
    activations: Mapping[str, Activations],
    class_names: Sequence[str],
    protocol: Protocol,
    *,
    own: ProposalRecipe,
    own_average: float,
    report: Callable[[int, int], None] = lambda done, of: None,
) -> OracleRecipe:
    """Scores every recipe of the grid against the truth.

    Args:
        truth: what the recipe is chosen by, and scored on.
        activations: by video name.
        class_names: what the columns of the activations are called.
        protocol: the rules.
        own: the recipe of the run.
        own_average: its headline average.
        report: told after each recipe how many are done, and of how many.
    """
    gates = next(iter(activations.values())).gates
    recipes = grid(own, tuple(gates))
    tried = []
    for name, recipe in recipes.items():
        proposals = {video: localize(value, recipe) for video, value in activations.items()}
        detections = Detections.from_proposals(proposals, class_names)
        tried.append(Tried(name, evaluate(truth, detections, protocol).headline))
        report(len(tried), len(recipes))
    return OracleRecipe(protocol.name, protocol.headline, own_average, tuple(tried))
