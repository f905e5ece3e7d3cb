"""Kinds of options that several methods have."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field


def _odd(value: int) -> int:
    if value % 2 == 0:
        raise ValueError(f"must be odd, or sequences would change their length, not {value}")
    return value


OddWidth = Annotated[int, Field(ge=1), AfterValidator(_odd)]
"""Snippets that a filter sees, itself in the middle; 1: no filter over time."""
