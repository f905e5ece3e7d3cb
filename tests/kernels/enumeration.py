"""Every path through a small grid, written down one by one: independent of any recurrence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from tests.kernels.cases import Kernel

Grid = np.ndarray


@dataclass(frozen=True)
class Walk:
    """A path and what it collects.

    Attributes:
        total: sum of the weights.
        match: how often each cell's match is in it, as cells.
        insert: the same for the weights of insertions.
        delete: the same for the weights of deletions.
    """

    total: float = 0.0
    match: tuple[tuple[int, int], ...] = ()
    insert: tuple[tuple[int, int], ...] = ()
    delete: tuple[tuple[int, int], ...] = ()

    def up(self, cell: tuple[int, int], weight: float) -> Walk:
        return Walk(self.total + weight, self.match, (*self.insert, cell), self.delete)

    def left(self, cell: tuple[int, int], weight: float) -> Walk:
        return Walk(self.total + weight, self.match, self.insert, (*self.delete, cell))

    def matched(self, cell: tuple[int, int], weight: float) -> Walk:
        return Walk(self.total + weight, (*self.match, cell), self.insert, self.delete)


@dataclass(frozen=True)
class Enumerator:
    """Lists the walks of a kernel through one pair's grids, from the end to the beginning."""

    kernel: str
    match: Grid
    insert: Grid
    delete: Grid
    threshold: float = 0.0
    band: int = 99
    greedy: bool = field(default=False)

    def walks(self) -> list[Walk]:
        rows, columns = self.match.shape
        if self.kernel != "local":
            return list(self._before(rows - 1, columns - 1, Walk()))
        ends = [(i, j) for i in range(rows) for j in range(columns)]
        return [Walk(), *(walk for i, j in ends for walk in self._before(i, j, Walk()))]

    def _before(self, i: int, j: int, walk: Walk) -> Iterator[Walk]:
        """All ways to have come to cell (i, j), from 0, before the part that `walk` holds."""
        if i < 0 or j < 0:
            yield from self._on_the_border(i, j, walk)
            return
        if abs(i - j) > self.band:
            return
        here, cell = float(self.match[i, j]), (i, j)
        if self.kernel in ("fsd", "dtw"):  # the match counts on every move
            walk = walk.matched(cell, here if self.kernel == "fsd" else -here)
            yield from self._before(i - 1, j - 1, walk)
        elif self.kernel != "lcs" or here > self.threshold:
            taken = walk.matched(cell, here)
            yield from self._before(i - 1, j - 1, taken)
            if self.kernel == "local":  # or it began here
                yield taken
            if self.greedy:
                return
        yield from self._before(i - 1, j, walk.up(cell, float(self.insert[i, j])))
        yield from self._before(i, j - 1, walk.left(cell, float(self.delete[i, j])))

    def _on_the_border(self, i: int, j: int, walk: Walk) -> Iterator[Walk]:
        if self.kernel in ("fsd", "lcs"):
            yield walk
        elif self.kernel == "dtw":
            if i == j == -1:
                yield walk
        elif self.kernel == "global":
            for k in range(i + 1):
                walk = walk.up((k, 0), float(self.insert[k, 0]))
            for k in range(j + 1):
                walk = walk.left((0, k), float(self.delete[0, k]))
            yield walk


@dataclass(frozen=True)
class Expected:
    """The score of one pair and the expected use of each weight, [N, M]."""

    score: float
    match: Grid
    insert: Grid
    delete: Grid


def enumerator(kernel: Kernel, grids: list[Grid]) -> Enumerator:
    """For one pair's grids [N, M] of a kernel."""
    family = kernel.name.split("-")[0]
    zeros = np.zeros_like(grids[0])
    match, insert, delete = grids if len(grids) == 3 else [grids[0], zeros, zeros]
    return Enumerator(
        family,
        match,
        insert,
        delete,
        threshold=kernel.options.get("threshold", 0.0),
        band=kernel.options.get("bandwidth", 99),
        greedy="greedy" in kernel.name,
    )


def expected(kernel: Kernel, grids: list[Grid]) -> Expected:
    """Score and expected use, summed over all walks with their probabilities."""
    walks = enumerator(kernel, grids).walks()
    totals = np.array([walk.total for walk in walks])
    best = totals.max()
    if kernel.gamma:
        likely = np.exp((totals - best) / kernel.gamma)
        score = best + kernel.gamma * np.log(likely.sum())
        likely /= likely.sum()
    else:
        score = best
        likely = np.zeros(len(walks))
        likely[totals.argmax()] = 1
    use = [np.zeros_like(grids[0]) for _ in range(3)]
    for walk, probability in zip(walks, likely, strict=True):
        for grid, cells in zip(use, (walk.match, walk.insert, walk.delete), strict=True):
            for cell in cells:
                grid[cell] += probability
    sign = -1 if kernel.name.startswith("dtw") else 1
    return Expected(sign * score, *use)
