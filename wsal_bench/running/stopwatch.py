"""Seconds by stage."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

STAGES = ("train", "infer", "localize", "evaluate")


class Stopwatch:
    """Adds up wall-clock seconds of the stages of a cell."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = dict.fromkeys(STAGES, 0.0)

    @contextmanager
    def time(self, stage: str) -> Iterator[None]:
        """Times what happens while this is open."""
        began = perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] += perf_counter() - began
