"""A proposal recipe from its JSON values; the other way is `ProposalRecipe.to_json`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wsal_bench.errors import DataError
from wsal_bench.localization.recipe import Blend, ClassRule, GateList, Nms, ProposalRecipe


def recipe_from_json(document: Mapping[str, Any], path: Path) -> ProposalRecipe:
    """The recipe that `to_json` wrote, whenever it did: what a document lacks has its default.

    Args:
        document: the values.
        path: the file that they stand in, for messages.

    Raises:
        DataError: the document is no recipe.
    """
    try:
        fuse = document.get("fuse")
        return ProposalRecipe(
            **{
                **document,
                "classes": ClassRule(**document["classes"]),
                "lists": tuple(_gate_list(entry) for entry in document["lists"]),
                "nms": Nms(**document["nms"]),
                "fuse": None if fuse is None else Nms(**fuse),
            }
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"holds no recipe ({error})", path=path) from error


def _gate_list(entry: Mapping[str, Any]) -> GateList:
    blend = entry.get("blend")
    return GateList(**{**entry, "blend": None if blend is None else Blend(**blend)})
