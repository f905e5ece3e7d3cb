"""Object arrays of numpy, read without a single call into anybody's code, numpy's included.

The published files of W-TALC and its followers are pickles. A pickle may name any function and have
it called; numpy's own way of rebuilding an array trusts lengths and dtypes that the file gives. So
the instructions are looked at first, arrays are read into plain records, and only records that fit
in every number become arrays.
"""

from __future__ import annotations

import pickle
import pickletools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
from numpy.typing import NDArray

from wsal_bench.errors import DataError
from wsal_bench.files import DAMAGED, MAX_BYTES, check_file, read_npy

_DEPTH: Final = 8  # arrays and lists in each other; the published files have three
_INSTRUCTION_NAMES: Final = """
    PROTO FRAME STOP MARK POP POP_MARK DUP GET BINGET LONG_BINGET PUT BINPUT LONG_BINPUT MEMOIZE
    NONE NEWTRUE NEWFALSE INT BININT BININT1 BININT2 LONG LONG1 LONG4 FLOAT BINFLOAT
    BINSTRING SHORT_BINSTRING BINBYTES SHORT_BINBYTES BINBYTES8
    UNICODE BINUNICODE SHORT_BINUNICODE BINUNICODE8
    EMPTY_LIST LIST APPEND APPENDS EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3
    GLOBAL STACK_GLOBAL REDUCE BUILD
"""
_INSTRUCTIONS: Final = frozenset(_INSTRUCTION_NAMES.split())
"""Plain values, lists, tuples, and what arrays are made with."""


class _Admitted:
    """A name that a pickle may use, and what calling it gives; nothing can be set on it."""

    __slots__ = ("_make",)

    def __init__(self, make: Callable[..., Any] | None) -> None:
        self._make = make

    def __call__(self, *args: Any) -> Any:
        if self._make is None:
            raise pickle.UnpicklingError("it makes an array in another way than numpy does")
        return self._make(*args)

    def __setstate__(self, state: object) -> None:
        raise pickle.UnpicklingError("it changes what it was admitted to name")


class _Dtype:
    """A dtype as the file describes it: a kind and an order of bytes."""

    __slots__ = ("value",)

    def __init__(self, name: object, *_: object) -> None:
        if not isinstance(name, (str, bytes)) or len(name) > 16:
            raise pickle.UnpicklingError(f"it has an odd dtype {name!r:.40}")
        try:
            self.value = np.dtype(text(name))
        except (TypeError, ValueError) as error:
            raise pickle.UnpicklingError(f"it has an odd dtype {name!r}") from error
        if (
            self.value.kind not in "biufcSUO"
            or self.value.subdtype
            or self.value.itemsize > 1 << 20
        ):
            raise pickle.UnpicklingError(f"it has an odd dtype {name!r}")

    def __setstate__(self, state: object) -> None:
        plain = isinstance(state, tuple) and 5 <= len(state) <= 9 and set(state[2:5]) == {None}
        order: Any = state[1] if isinstance(state, tuple) and plain else None
        if order not in ("<", ">", "|", "=", b"<", b">", b"|", b"="):
            raise pickle.UnpicklingError("it has a dtype with fields")
        swap: Any = order if isinstance(order, str) else order.decode()
        self.value = self.value.newbyteorder(swap)


class _Array:
    """An array as the file describes it, checked when its state is set."""

    __slots__ = ("dtype", "items", "order", "shape")

    items: Any

    def __init__(self, kind: object, *_: object) -> None:
        if kind is not _NDARRAY:
            raise pickle.UnpicklingError("it makes an array of another class")
        self.shape: tuple[int, ...] | None = None

    def __setstate__(self, state: object) -> None:
        if not isinstance(state, tuple) or len(state) != 5 or self.shape is not None:
            raise pickle.UnpicklingError("it sets an array in another way than numpy does")
        _, shape, dtype, column_major, items = state
        if not (
            isinstance(shape, tuple)
            and len(shape) <= 8
            and all(type(side) is int and 0 <= side <= MAX_BYTES for side in shape)
            and isinstance(dtype, _Dtype)
        ):
            raise pickle.UnpicklingError("it has an array with an odd shape or dtype")
        wanted = prod(shape) * (1 if dtype.value.hasobject else dtype.value.itemsize)
        kind = list if dtype.value.hasobject else bytes
        if type(items) is not kind or len(items) != wanted:
            raise pickle.UnpicklingError(
                f"it has an array of shape {shape} and dtype {dtype.value} without its numbers"
            )
        self.shape, self.dtype, self.items = shape, dtype.value, items
        self.order: Any = "F" if column_major else "C"


def _encode(value: object, encoding: object = "latin1") -> bytes:
    """How old pickles of Python 3 write bytes."""
    if not isinstance(value, str) or encoding != "latin1":
        raise pickle.UnpicklingError("bytes are written in another way than pickle writes them")
    return value.encode("latin1")


def _scalar(dtype: object, content: object = b"") -> Any:
    if not isinstance(dtype, _Dtype) or dtype.value.hasobject:
        raise pickle.UnpicklingError("it has a number of an odd dtype")
    if not isinstance(content, bytes) or len(content) != dtype.value.itemsize:
        raise pickle.UnpicklingError("it has a number of another length than its dtype")
    return np.frombuffer(content, dtype.value, 1)[0] if content else dtype.value.type()


_NDARRAY: Final = _Admitted(None)
_ADMITTED: Final[Mapping[tuple[str, str], _Admitted]] = {
    ("numpy", "ndarray"): _NDARRAY,
    ("numpy", "dtype"): _Admitted(_Dtype),
    # the module was renamed in numpy 2
    ("numpy.core.multiarray", "_reconstruct"): _Admitted(_Array),
    ("numpy._core.multiarray", "_reconstruct"): _Admitted(_Array),
    ("numpy.core.multiarray", "scalar"): _Admitted(_scalar),
    ("numpy._core.multiarray", "scalar"): _Admitted(_scalar),
    ("_codecs", "encode"): _Admitted(_encode),
}


class _ArraysOnly(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        """What a pickle may name.

        Raises:
            UnpicklingError: it names something else.
        """
        admitted = _ADMITTED.get((module, name))
        if admitted is None:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}")
        return admitted


@dataclass
class _Made:
    """Records become arrays, each once, however often the file refers to it."""

    known: dict[int, Any]

    def of(self, value: Any, depth: int = 0) -> Any:
        """The value with arrays in the places of their records."""
        if depth > _DEPTH:
            raise pickle.UnpicklingError(f"arrays and lists lie more than {_DEPTH} deep in it")
        if not isinstance(value, (list, tuple, _Array)):
            if isinstance(value, (_Admitted, _Dtype)):
                raise pickle.UnpicklingError("it holds a name where a value should be")
            return value
        if id(value) not in self.known:
            self.known[id(value)] = self._make(value, depth)
        return self.known[id(value)]

    def _make(self, value: Any, depth: int) -> Any:
        if not isinstance(value, _Array):
            return type(value)(self.of(item, depth + 1) for item in value)
        if value.shape is None:
            raise pickle.UnpicklingError("it has an array without its numbers")
        if value.dtype.hasobject:
            flat: NDArray[Any] = np.empty(len(value.items), object)
            for place, item in enumerate(value.items):
                flat[place] = self.of(item, depth + 1)
        else:  # a copy: what a file holds twice must not be changed twice
            flat = np.frombuffer(value.items, value.dtype).copy()
        return flat.reshape(value.shape, order=value.order)


def read_objects(path: Path) -> NDArray[Any]:
    """The array of an npy file, plain or of objects.

    Raises:
        DataError: the file is missing or broken, or its pickle asks for anything but arrays.
    """
    check_file(path)
    try:
        with path.open("rb") as file:
            return _read(file, path.stat().st_size)
    except FileNotFoundError as error:
        raise DataError("file is missing", path=path) from error
    except pickle.UnpicklingError as error:
        raise DataError(
            f"is not read: {error}; only arrays, text and bytes are admitted in it", path=path
        ) from error
    except (OSError, *DAMAGED) as error:
        raise DataError(f"is no npy file, or a broken one ({error})", path=path) from error


def _read(file: IO[bytes], size: int) -> NDArray[Any]:
    version = np.lib.format.read_magic(file)
    if version == (1, 0):
        shape, column_major, dtype = np.lib.format.read_array_header_1_0(file)
    else:
        shape, column_major, dtype = np.lib.format.read_array_header_2_0(file)
    if not dtype.hasobject:
        file.seek(0)
        return read_npy(file, size)
    begin = file.tell()
    _look_through(file, size)
    file.seek(begin)
    loaded = _Made({}).of(_ArraysOnly(file, encoding="bytes").load())
    if not isinstance(loaded, np.ndarray):
        raise pickle.UnpicklingError(f"it holds a {type(loaded).__name__}, not an array")
    # numpy pickles the array itself with its shape; the header only repeats it
    return loaded.reshape(shape, order="F" if column_major else "C")


def _look_through(file: IO[bytes], size: int) -> None:
    """Refuses instructions that are not needed, and places in a table that is not that long.

    A single instruction could ask for a table of billions of places, or for a text longer than the
    file, before anything of it is there.
    """
    bounded: Any = _Bounded(file, size)
    for number, (instruction, value, _) in enumerate(pickletools.genops(bounded)):
        if instruction.name not in _INSTRUCTIONS:
            raise pickle.UnpicklingError(f"it has the instruction {instruction.name}")
        if instruction.name.endswith("PUT") and (value is None or int(value) > number):
            raise pickle.UnpicklingError("it numbers its parts in an odd way")


class _Bounded:
    """A file that is never asked for more than it can hold, nor for names with escapes.

    Python decodes escapes with a warning where they are odd; numpy writes none.
    """

    def __init__(self, file: IO[bytes], size: int) -> None:
        self._file, self._size = file, size
        self.tell = file.tell

    def read(self, number: int) -> bytes:
        """The next bytes.

        Raises:
            UnpicklingError: more than are left.
        """
        if number > self._size - self._file.tell():
            raise pickle.UnpicklingError("it ends too early")
        return self._file.read(number)

    def readline(self) -> bytes:
        """The next line: a name, or a number in letters.

        Raises:
            UnpicklingError: it has an escape.
        """
        line = self._file.readline()
        if b"\\" in line:
            raise pickle.UnpicklingError("it has a line with escapes")
        return line


def text(value: Any) -> str:
    """A name that was written as bytes or as text.

    Raises:
        ValueError: it is neither.
    """
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="strict")
    if isinstance(value, str):
        return str(value)
    raise ValueError(f"{value!r} is no name")
