"""What pieces of compiled code are made with: vectors in arrays, loops, arrays at an address."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import cgutils, types
from numba.extending import intrinsic
from numba.np.arrayobj import populate_array

from wsal_bench.kernels._recurrence.cpu_vectors import FORMATS, LANES, Vector

TILE = 8


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


def transposed(rows: list[Vector]) -> list[Vector]:
    """The columns of a tile of TILE rows: log2(TILE) rounds in which pairs of rows swap halves."""
    half = TILE // 2
    while half:
        low = [i if not i & half else i - half + TILE for i in range(TILE)]
        high = [i + half if not i & half else i + TILE for i in range(TILE)]
        swapped: dict[int, Vector] = {}
        for i in range(TILE):
            if not i & half:
                a, b = rows[i], rows[i + half]
                swapped[i], swapped[i + half] = _shuffled(a, b, low), _shuffled(a, b, high)
        rows = [swapped[i] for i in range(TILE)]
        half //= 2
    return rows


def _shuffled(a: Vector, b: Vector, order: list[int]) -> Vector:
    mask = ir.Constant(ir.VectorType(ir.IntType(32), TILE), order)
    return a._new(a.builder.shuffle_vector(a.value, b.value, mask))


def _numbers_at(typing: Any, address: Any, count: Any, like: Any) -> Any:
    """The array of `count` numbers of the type of `like` at an address; None for None.

    Whoever gives the address keeps what is there alive. Cheaper for the caller than an array.
    """
    if isinstance(address, types.NoneType):
        return types.none(address, types.intp, like), lambda context, *_: context.get_dummy_value()
    kind = types.Array(like, 1, "C")

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        number = context.get_data_type(like)
        size = context.get_constant(types.intp, context.get_abi_sizeof(number))
        array = context.make_array(kind)(context, builder)
        populate_array(  # type: ignore[no-untyped-call]
            array,
            data=builder.inttoptr(arguments[0], number.as_pointer()),
            shape=[arguments[1]],
            strides=[size],
            itemsize=size,
            meminfo=None,
        )
        return array._getvalue()

    return kind(types.intp, types.intp, like), emit


numbers_at: Any = intrinsic(_numbers_at)
