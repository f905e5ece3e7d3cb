"""What the reference rows of a table know that no method does, in a sentence."""

from __future__ import annotations

from collections.abc import Iterable

from wsal_bench.evaluation.floors import FLOORS


def knows(method: str) -> str | None:
    """What a floor or ceiling is told of the test set; None for a method."""
    return FLOORS[method].knows if method in FLOORS else None


def notes(methods: Iterable[str]) -> list[str]:
    """A sentence where there are floors or ceilings among them, in the tables' order."""
    present = set(methods)
    by_knowledge: dict[str, list[str]] = {}
    for name, floor in FLOORS.items():
        if name in present:
            by_knowledge.setdefault(floor.knows, []).append(name)
    if not by_knowledge:
        return []
    parts = [
        f"{' and '.join(f'`{name}`' for name in names)} "
        f"{'knows' if len(names) == 1 else 'know'} {what}"
        for what, names in by_knowledge.items()
    ]
    return [
        "Reference rows are made from the truth of the test videos, which no method sees: "
        f"{'; '.join(parts)}."
    ]
