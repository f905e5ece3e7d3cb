"""A named recipe: the numbers, where they come from, and what is odd about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from wsal_bench.localization.proposal_recipe import ProposalRecipe

STORED: Final = MappingProxyType(
    {
        "acm-net": "acm",
        "acm-net-anet": "acm-anet",
        "asm-loc": "asm",
        "asm-loc-anet": "asm-anet",
        "bas-net": "basnet",
        "co2-net": "co2",
        "fac-net": "fac",
        "ham-net": "hamnet",
        "w-talc": "wtalc",
        "w-talc-anet": "wtalc-anet",
    }
)
"""Names of recipes, spelled as their methods are, and how documents and folders of results spell
them: recipes are older than that spelling, and what was stored must keep its hash."""

_SPELLED: Final = MappingProxyType({old: new for new, old in STORED.items()})


def spelled(name: str) -> str:
    """A recipe's name as its method is spelled; any name that is spelled so already stays."""
    return _SPELLED.get(name, name)


def stored(name: str) -> str:
    """How results spell the name of a recipe; the other way is `spelled`."""
    return STORED.get(name, name)


@dataclass(frozen=True)
class Preset:
    """A recipe by name.

    Args:
        recipe: the numbers.
        summary: what it is, in a line.
        source: repository and commit that the numbers were read in; `ours` for our own.
        needs: what the activations must hold: name of a sequence, or `video_scores`, and what it
            must be for the numbers to mean what their authors meant.
        quirks: what the published code does that a reader of the paper would not expect, and what
            of it these numbers do not repeat.

    Raises:
        ValueError: a sequence that the recipe cuts is not described, or one that it does not.
    """

    recipe: ProposalRecipe
    summary: str
    source: str
    needs: Mapping[str, str]
    quirks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "needs", MappingProxyType(dict(self.needs)))
        if set(self.needs) != set(self.recipe.needs):
            raise ValueError(
                f"recipe {self.recipe.name!r} looks at {list(self.recipe.needs)}, but "
                f"{sorted(self.needs)} are described"
            )

    @property
    def name(self) -> str:
        """The recipe's name, spelled as its method is."""
        return spelled(self.recipe.name)
