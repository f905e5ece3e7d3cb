"""Instructions on vectors of lanes, written as arithmetic.

Numba compiles loops over scalars and leaves it to LLVM whether they become vector instructions. The
kernels do not leave it: they are written with `Vector`, whose operators emit LLVM's instructions on
`LANES` numbers at once, for whatever processor there is. A number is kept as a float times a power
of two, the power as an integer of the same width:

    value = fraction * 2 ** exponent    fraction in [1, 2) where settled; 0 for a cell out of reach

Floats are float32 or float64, integers int32 or int64.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import cgutils, types

LANES = 16


@dataclass(frozen=True)
class Format:
    """What is special about a width of floats.

    Attributes:
        float: LLVM's type.
        integer: its integer of the same width.
        mantissa: bits of the mantissa.
        bias: of the exponent.
        low: exponent of what is 0. Far below all others, and so far from the integer's end that
            adding and subtracting exponents within `cpu_calls.Numbers.reach` does not overflow.
        degree: of the Taylor polynomial of 2 ** x, exact to rounding for |x| <= 1/2.
    """

    float: Any
    integer: Any
    mantissa: int
    bias: int
    low: int
    degree: int


FORMATS = {
    32: Format(ir.FloatType(), ir.IntType(32), 23, 127, -(2**30), 7),
    64: Format(ir.DoubleType(), ir.IntType(64), 52, 1023, -(2**62), 13),
}


class Vector:
    """A vector of LANES floats, integers or truth values; numbers beside it stand for all lanes."""

    def __init__(self, builder: Any, value: Any, form: Format) -> None:
        self.builder, self.value, self.form = builder, value, form

    @property
    def is_float(self) -> bool:
        return bool(self.value.type.element == self.form.float)

    def _new(self, value: Any) -> Vector:
        return Vector(self.builder, value, self.form)

    def _other(self, other: Vector | float) -> Any:
        if isinstance(other, Vector):
            return other.value
        return ir.Constant(self.value.type, [other] * self.value.type.count)

    def _emit(self, of_floats: str, of_integers: str, other: Vector | float) -> Vector:
        operands = self.value, self._other(other)
        if self.is_float:
            # "contract": a * b + c may be rounded once
            return self._new(getattr(self.builder, of_floats)(*operands, flags=("contract",)))
        return self._new(getattr(self.builder, of_integers)(*operands))

    def __add__(self, other: Vector | float) -> Vector:
        return self._emit("fadd", "add", other)

    def __sub__(self, other: Vector | float) -> Vector:
        return self._emit("fsub", "sub", other)

    def __mul__(self, other: Vector | float) -> Vector:
        return self._emit("fmul", "mul", other)

    def __truediv__(self, other: Vector) -> Vector:
        return self._emit("fdiv", "sdiv", other)

    def __and__(self, other: Vector | int) -> Vector:
        return self._new(self.builder.and_(self.value, self._other(other)))

    def __or__(self, other: Vector | int) -> Vector:
        return self._new(self.builder.or_(self.value, self._other(other)))

    def __gt__(self, other: Vector | float) -> Vector:
        operands = self.value, self._other(other)
        if self.is_float:
            return self._new(self.builder.fcmp_ordered(">", *operands))
        return self._new(self.builder.icmp_signed(">", *operands))

    def shift_left(self, bits: int) -> Vector:
        return self._new(self.builder.shl(self.value, self._other(bits)))

    def shift_right(self, bits: int) -> Vector:
        return self._new(self.builder.ashr(self.value, self._other(bits)))

    def where(self, yes: Vector, no: Vector | float) -> Vector:
        """`yes` in the lanes that are true, else `no`."""
        return yes._new(self.builder.select(self.value, yes.value, yes._other(no)))

    def larger(self, other: Vector | float) -> Vector:
        return (self > other).where(self, other)

    def bits(self) -> Vector:
        """The same bits, as integers."""
        kind = ir.VectorType(self.form.integer, self.value.type.count)
        return self._new(self.builder.bitcast(self.value, kind))

    def as_float(self) -> Vector:
        """The same bits, as floats."""
        kind = ir.VectorType(self.form.float, self.value.type.count)
        return self._new(self.builder.bitcast(self.value, kind))

    def magnitude(self) -> Vector:
        mask: int = 2 ** (self.form.integer.width - 1) - 1
        return (self.bits() & mask).as_float()

    def rounded(self) -> Vector:
        kind = self.value.type
        suffix = f"v{kind.count}f{32 if self.form is FORMATS[32] else 64}"
        rint = cgutils.get_or_insert_function(  # type: ignore[no-untyped-call]
            self.builder.module, ir.FunctionType(kind, [kind]), f"llvm.rint.{suffix}"
        )
        return self._new(self.builder.call(rint, [self.value]))

    def as_integer(self) -> Vector:
        kind = ir.VectorType(self.form.integer, self.value.type.count)
        return self._new(self.builder.fptosi(self.value, kind))

    def lanes_moved_up(self, first: Any) -> Vector:
        """Each lane's value in the next lane, the scalar `first` in the first."""
        return self._moved([LANES, *range(LANES - 1)], first)

    def lanes_moved_down(self, last: Any) -> Vector:
        """Each lane's value in the lane before, the scalar `last` in the last."""
        return self._moved([*range(1, LANES), LANES], last)

    def _moved(self, order: list[int], scalar: Any) -> Vector:
        kind = self.value.type
        entering = self.builder.insert_element(
            ir.Constant(kind, ir.Undefined), scalar, ir.Constant(ir.IntType(32), 0)
        )
        mask = ir.Constant(ir.VectorType(ir.IntType(32), LANES), order)
        return self._new(self.builder.shuffle_vector(self.value, entering, mask))


@dataclass(frozen=True)
class Scaled:
    """Numbers fraction * 2 ** exponent."""

    fraction: Vector
    exponent: Vector

    def __mul__(self, other: Scaled) -> Scaled:
        return Scaled(self.fraction * other.fraction, self.exponent + other.exponent)

    def at(self, exponent: Vector) -> Vector:
        """The fraction that goes with a larger exponent; 0 where it would not be normal."""
        form = self.fraction.form
        shift = (self.exponent - exponent).larger(-form.bias) + form.bias
        return self.fraction * shift.shift_left(form.mantissa).as_float()

    def plus(self, other: Scaled) -> Scaled:
        """The sum, not settled."""
        larger = self.exponent.larger(other.exponent)
        return Scaled(self.at(larger) + other.at(larger), larger)

    def only(self, where: Vector) -> Scaled:
        """The same where true, else 0."""
        low = self.fraction.form.low
        return Scaled(where.where(self.fraction, 0.0), where.where(self.exponent, low))

    def but(self, where: Vector) -> Scaled:
        """0 where true, else the same."""
        low = self.exponent._new(self.exponent._other(self.fraction.form.low))
        nothing = self.fraction._new(self.fraction._other(0.0))
        return Scaled(where.where(nothing, self.fraction), where.where(low, self.exponent))

    def settled(self) -> Scaled:
        """The same with the fraction in [1, 2), or 0."""
        form, bits = self.fraction.form, self.fraction.bits()
        fraction = (bits & (2**form.mantissa - 1)) | (form.bias << form.mantissa)
        exponent = self.exponent + bits.shift_right(form.mantissa) - form.bias
        return Scaled(fraction.as_float(), exponent).only(self.fraction > 0.0)


def power_of_two(x: Vector) -> Scaled:
    """2 ** x, for finite x; the fraction is between 0.7 and 1.42."""
    whole = x.rounded()
    rest = x - whole
    terms = [math.log(2) ** n / math.factorial(n) for n in range(x.form.degree + 1)]
    fraction = rest * terms[-1] + terms[-2]
    for term in terms[-3::-1]:
        fraction = fraction * rest + term
    return Scaled(fraction, whole.as_integer())


class Lanes:
    """What a piece of a kernel is written with: vectors in numba's arrays, scalars, loops.

    Args:
        context: numba's.
        builder: LLVM's.
        dtype: numba's type of the floats.
    """

    def __init__(self, context: Any, builder: Any, dtype: Any) -> None:
        self.context, self.builder = context, builder
        self.form = FORMATS[dtype.bitwidth]
        self.floats = ir.VectorType(self.form.float, LANES)
        self.integers = ir.VectorType(self.form.integer, LANES)

    def number(self, value: float) -> Vector:
        return Vector(self.builder, ir.Constant(self.floats, [value] * LANES), self.form)

    def whole(self, value: int) -> Vector:
        return Vector(self.builder, ir.Constant(self.integers, [value] * LANES), self.form)

    def splat(self, scalar: Any) -> Vector:
        """A scalar, in all lanes."""
        kind = ir.VectorType(scalar.type, LANES)
        one = self.builder.insert_element(
            ir.Constant(kind, ir.Undefined), scalar, ir.Constant(ir.IntType(32), 0)
        )
        mask = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
        value = self.builder.shuffle_vector(one, ir.Constant(kind, ir.Undefined), mask)
        return Vector(self.builder, value, self.form)

    def variable(self, start: Vector) -> Variable:
        """A vector that changes in a loop."""
        place = cgutils.alloca_once(self.builder, start.value.type)  # type: ignore[no-untyped-call]
        self.builder.store(start.value, place)
        return Variable(self, place)

    def counting(self) -> Vector:
        """The number of each lane, as integers."""
        return Vector(self.builder, ir.Constant(self.integers, list(range(LANES))), self.form)

    def memory(self, array_type: Any, array: Any) -> Memory:
        data = self.context.make_array(array_type)(self.context, self.builder, array).data
        return Memory(self, data)

    @contextmanager
    def loop(self, start: Any, stop: Any, step: int = 1) -> Iterator[Any]:
        """A loop over `range(start, stop, step)`; yields the index."""
        one = ir.Constant(start.type, step)
        with cgutils.for_range_slice(self.builder, start, stop, one, start.type, step > 0) as found:
            yield found[0]

    def unpack(self, kind: Any, value: Any) -> list[Any]:
        """The parts of a tuple: arrays as `Memory`, numbers in all lanes, None as it is."""
        if isinstance(kind, types.NoneType):
            return []
        parts: list[Any] = []
        for place, part in enumerate(kind.types):
            inner = None
            if not isinstance(part, types.NoneType):
                inner = self.builder.extract_value(value, place)
                is_array = isinstance(part, types.Array)
                inner = self.memory(part, inner) if is_array else self.splat(inner)
            parts.append(inner)
        return parts

    def column(self, index: Any) -> Vector:
        """An index in all lanes, as integers of the width of the floats."""
        narrow = self.form.integer.width < index.type.width
        return self.splat(self.builder.trunc(index, self.form.integer) if narrow else index)

    def index(self, value: int) -> Any:
        return self.context.get_constant(types.intp, value)


@dataclass(frozen=True)
class Variable:
    """A vector that changes in a loop; LLVM keeps it in a register."""

    lanes: Lanes
    place: Any

    def get(self) -> Vector:
        return Vector(self.lanes.builder, self.lanes.builder.load(self.place), self.lanes.form)

    def set(self, value: Vector) -> None:
        self.lanes.builder.store(value.value, self.place)


@dataclass(frozen=True)
class Memory:
    """A contiguous array as a sequence of vectors, and of scalars."""

    lanes: Lanes
    data: Any

    def _at(self, place: Any) -> Any:
        return self.lanes.builder.gep(self.data, [place])

    def scalar(self, place: Any) -> Any:
        """The number at a place."""
        return self.lanes.builder.load(self._at(place))

    def set_scalar(self, place: Any, value: Any) -> None:
        self.lanes.builder.store(value, self._at(place))

    def run(self, place: Any, count: int = LANES) -> Vector:
        """`count` numbers from a place on."""
        builder, kind = self.lanes.builder, self.data.type.pointee
        pointer = builder.bitcast(self._at(place), ir.VectorType(kind, count).as_pointer())
        return Vector(builder, builder.load(pointer, align=_bytes(kind)), self.lanes.form)

    def set_run(self, place: Any, value: Vector) -> None:
        builder, kind = self.lanes.builder, self.data.type.pointee
        pointer = builder.bitcast(self._at(place), value.value.type.as_pointer())
        builder.store(value.value, pointer, align=_bytes(kind))

    def set_bytes(self, number: Any, value: Vector) -> None:
        """Integers as the vector number `number` of an array of bytes."""
        builder, kind = self.lanes.builder, ir.VectorType(ir.IntType(8), LANES)
        place = self._at(builder.mul(number, self.lanes.index(LANES)))
        builder.store(
            builder.trunc(value.value, kind), builder.bitcast(place, kind.as_pointer()), 1
        )

    def __getitem__(self, number: Any) -> Vector:
        """The vector number `number`."""
        return self.run(self.lanes.builder.mul(number, self.lanes.index(LANES)))

    def __setitem__(self, number: Any, value: Vector) -> None:
        self.set_run(self.lanes.builder.mul(number, self.lanes.index(LANES)), value)


def _bytes(kind: Any) -> int:
    if isinstance(kind, ir.IntType):
        return int(kind.width) // 8
    return 4 if isinstance(kind, ir.FloatType) else 8
