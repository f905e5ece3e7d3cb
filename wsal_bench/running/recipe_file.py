"""A proposal recipe from its JSON values; the other way is `ProposalRecipe.to_json`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wsal_bench.errors import DataError
from wsal_bench.localization.recipe import ClassRule, GateList, Nms, ProposalRecipe


def recipe_from_json(document: Mapping[str, Any], path: Path) -> ProposalRecipe:
    """The recipe that `to_json` wrote.

    Args:
        document: the values.
        path: the file that they stand in, for messages.

    Raises:
        DataError: the document is no recipe.
    """
    try:
        return ProposalRecipe(
            **{
                **document,
                "classes": ClassRule(**document["classes"]),
                "lists": tuple(GateList(**entry) for entry in document["lists"]),
                "nms": Nms(**document["nms"]),
            }
        )
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"holds no recipe ({error})", path=path) from error
