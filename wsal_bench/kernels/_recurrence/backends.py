"""Choosing a backend by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from wsal_bench.errors import did_you_mean

Backend = TypeVar("Backend")


def choose(backends: Mapping[str, Backend], name: str, *, auto: str) -> Backend:
    """The backend called `name`; "auto" stands for the one called `auto`.

    Raises:
        ValueError: no backend has that name.
    """
    key = auto if name == "auto" else name
    if key not in backends:
        raise ValueError(f"no backend {name!r}; {did_you_mean(name, ['auto', *backends])}")
    return backends[key]
