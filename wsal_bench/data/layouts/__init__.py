"""Readers of the forms in which features are published; each file knows one of them."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from wsal_bench.data.card import Card
from wsal_bench.data.source import Source
from wsal_bench.errors import DataError

_MODULES = ("acm_folder", "basnet", "wtalc", "per_video")


class Layout(Protocol):
    """What a file of this folder has."""

    NAME: str
    LOOKED_FOR: str

    def matches(self, root: Path) -> bool:
        """Whether a folder looks like this layout."""

    def read(self, root: Path, card: Card | None) -> Source:
        """What lies there."""


def layouts() -> tuple[Layout, ...]:
    """All of them."""
    return tuple(cast(Layout, import_module(f"{__name__}.{name}")) for name in _MODULES)


def recognise(root: Path) -> Layout:
    """The layout of a folder. The general one counts only where no other fits.

    Raises:
        DataError: it is no folder, fits none of the layouts, or several.
    """
    if not root.is_dir():
        raise DataError("no such folder", hint="features lie in a folder", path=root)
    known = layouts()
    fitting = [layout for layout in known[:-1] if layout.matches(root)]
    fitting = fitting or [layout for layout in known[-1:] if layout.matches(root)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        names = " and ".join(layout.NAME for layout in fitting)
        raise DataError(
            f"looks like {names}", hint="keep only one of them in the folder", path=root
        )
    looked = "; ".join(f"{layout.NAME}: {layout.LOOKED_FOR}" for layout in known)
    raise DataError("no known layout of features", hint=f"looked for {looked}", path=root)
