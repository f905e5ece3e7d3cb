"""One cell of the recurrence, in all lanes at once; what both orders of lanes are made of."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from wsal_bench.kernels._recurrence.cpu_memory import Lanes, Variable
from wsal_bench.kernels._recurrence.cpu_vectors import Scaled, Vector, power_of_two

# moves of the hard maximum; START: diagonal, and the path begins there
DIAGONAL, UP, LEFT, START = range(4)


class Plan:
    """What is the same for all cells of a call.

    Args:
        lanes: for the instructions.
        units: what turns a match and a gap weight into a power of two.
        diagonal: empty if the match counts on every move; else the threshold and whether a match
            above it is always taken.
        local: whether a path may begin at any match.
        worst: the largest magnitude so far of an exponent of an input, as bits.
    """

    def __init__(
        self,
        lanes: Lanes,
        units: Sequence[Any],
        diagonal: Sequence[Any],
        local: bool,
        worst: Vector,
    ) -> None:
        self.lanes, self.diagonal, self.local = lanes, diagonal, local
        self.match_unit, self.gap_unit = units
        self.worst: Variable = lanes.variable(worst)

    def watch(self, x: Vector) -> None:
        """Remembers the magnitude: in this order of bits infinity and NaN come last."""
        width = x.form.integer.width
        self.worst.set(self.worst.get().larger(x.bits() & (2 ** (width - 1) - 1)))


@dataclass(frozen=True)
class Cell:
    """A cell and which shares of it came from above and from the left."""

    value: Scaled
    by_up: Vector
    by_left: Vector


def enter(
    plan: Plan, values: Sequence[Vector | None], up: Scaled, left: Scaled, across: Scaled
) -> Cell:
    """The cell that is entered from the cells above, left and above left.

    Args:
        plan: what is the same for all cells.
        values: of match, insert and delete; None without gap weights, only the last None where
            insert serves both.
        up: the cell above.
        left: the cell to the left.
        across: the cell above left.
    """
    raw, insert, delete = values
    assert raw is not None
    x = raw * plan.match_unit
    plan.watch(x)
    match = power_of_two(x)
    if insert is not None:
        weight, closed = _gap(plan, insert)
        up = (up * weight).but(closed)
        if delete is not None:
            weight, closed = _gap(plan, delete)
        left = (left * weight).but(closed)
    if plan.diagonal:
        if plan.local:
            one = Scaled(plan.lanes.number(1.0), plan.lanes.whole(0))
            across = across.plus(one)
        threshold, greedy = plan.diagonal
        matches = raw > threshold
        across = (across * match).only(matches)
        taken = matches & (greedy > 0)
        up, left = up.but(taken), left.but(taken)
    largest = across.exponent.larger(up.exponent.larger(left.exponent))
    by_up, by_left = up.at(largest), left.at(largest)
    total = across.at(largest) + by_up + by_left
    value = Scaled(total, largest)
    if not plan.diagonal:
        value = value * match
    inverse = (total > 0.0).where(plan.lanes.number(1.0) / total, 0.0)
    return Cell(value.settled(), by_up * inverse, by_left * inverse)


class Chooser:
    """A cell of the hard maximum, in all lanes: the largest of three, and which one it was.

    Adds in the order of the reference, so that scores and ties are equal to the last bit.

    Args:
        lanes: for the instructions.
        sign: of a match in the score.
        diagonal: as in `Plan`.
        local: as in `Plan`.
    """

    def __init__(self, lanes: Lanes, sign: Vector, diagonal: Sequence[Any], local: bool) -> None:
        self.lanes, self.sign, self.diagonal, self.local = lanes, sign, diagonal, local
        self.infinity = lanes.number(math.inf)

    def finite(self, values: Sequence[Vector | None]) -> Vector:
        """Where a match is finite and no gap weight is NaN or inf."""
        match, *gaps = values
        assert match is not None
        fine = self.infinity > match.magnitude()
        for weight in gaps:
            if weight is not None:
                fine = fine & (self.infinity > weight)
        return fine

    def enter(
        self, values: Sequence[Vector | None], up: Vector, left: Vector, across: Vector
    ) -> tuple[Vector, Vector]:
        """The cell and the number of the move into it; arguments as of the other `enter`."""
        match, insert, delete = values
        assert match is not None
        if insert is not None:
            up, left = up + insert, left + (insert if delete is None else delete)
        over = left > up
        cell = over.where(left, up)
        move = over.where(self.lanes.whole(LEFT), UP)
        if not self.diagonal:
            over = across > cell
            return over.where(across, cell) + self.sign * match, over.where(
                self.lanes.whole(DIAGONAL), move
            )
        took = self.lanes.whole(DIAGONAL)
        if self.local:
            goes_on = across > 0.0
            across, took = goes_on.where(across, 0.0), goes_on.where(took, START)
        by_match = across + self.sign * match
        threshold, greedy = self.diagonal
        over = (match > threshold) & ((greedy > 0) | (by_match > cell))
        return over.where(by_match, cell), over.where(took, move)


def _gap(plan: Plan, raw: Vector) -> tuple[Scaled, Vector]:
    """A gap's weight, and where it is -inf: the move does not exist."""
    lowest = -(2.0 - 2.0**-raw.form.mantissa) * 2.0**raw.form.bias
    closed = raw._new(raw._other(lowest)) > raw
    x = closed.where(plan.lanes.number(0.0), raw * plan.gap_unit)
    plan.watch(x)
    return power_of_two(x), closed


def share_beside_one(lanes: Lanes, x: Scaled) -> Vector:
    """X / (X + 1): of what went across, the share that began before."""
    larger = x.exponent.larger(0)
    part = x.at(larger)
    return part / (part + Scaled(lanes.number(1.0), lanes.whole(0)).at(larger))
