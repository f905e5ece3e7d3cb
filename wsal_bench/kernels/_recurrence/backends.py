"""Choosing a backend by name."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import TypeVar

Backend = TypeVar("Backend")


def choose(backends: Mapping[str, Backend], name: str, *, auto: str) -> Backend:
    """The backend called `name`; "auto" stands for the one called `auto`.

    Raises:
        ValueError: no backend has that name.
    """
    key = auto if name == "auto" else name
    if key not in backends:
        known = ["auto", *backends]
        nearest = "".join(f"did you mean {x!r}? " for x in get_close_matches(name, known, n=1))
        raise ValueError(f"no backend {name!r}; {nearest}there are: {', '.join(known)}")
    return backends[key]
