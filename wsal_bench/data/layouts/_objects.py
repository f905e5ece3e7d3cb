"""Object arrays of numpy, read by an unpickler that admits arrays, text and bytes and nothing else.

The published files of W-TALC and its followers are pickles. A pickle may name any function and have
it called; here only what makes up an array is admitted, and everything else is refused by name.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
from numpy.typing import NDArray

from wsal_bench.errors import DataError

# the module was renamed in numpy 2
_MULTIARRAY: Final = import_module(
    "numpy._core.multiarray" if hasattr(np, "_core") else "numpy.core.multiarray"
)


def _encode(text: object, encoding: object = "latin1") -> bytes:
    """How old pickles of Python 3 write bytes."""
    if not isinstance(text, str) or encoding != "latin1":
        raise pickle.UnpicklingError("bytes are written in another way than pickle writes them")
    return text.encode("latin1")


_ADMITTED: Final[Mapping[tuple[str, str], Callable[..., Any]]] = {
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("numpy.core.multiarray", "_reconstruct"): _MULTIARRAY._reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): _MULTIARRAY._reconstruct,
    ("numpy.core.multiarray", "scalar"): _MULTIARRAY.scalar,
    ("numpy._core.multiarray", "scalar"): _MULTIARRAY.scalar,
    ("_codecs", "encode"): _encode,
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

    def persistent_load(self, pid: Any) -> Any:
        """Nothing lies outside of the file."""
        raise pickle.UnpicklingError("it refers to something outside of the file")


def read_objects(path: Path) -> NDArray[Any]:
    """The array of an npy file, plain or of objects.

    Raises:
        DataError: the file is missing or broken, or its pickle asks for anything but arrays.
    """
    try:
        with path.open("rb") as file:
            return _read(file)
    except FileNotFoundError as error:
        raise DataError("file is missing", path=path) from error
    except pickle.UnpicklingError as error:
        raise DataError(
            f"is not read: {error}; only arrays, text and bytes are admitted in it", path=path
        ) from error
    except (OSError, EOFError, ValueError, TypeError, AttributeError, IndexError) as error:
        raise DataError(f"is no npy file, or a broken one ({error})", path=path) from error


def _read(file: IO[bytes]) -> NDArray[Any]:
    version = np.lib.format.read_magic(file)
    if version == (1, 0):
        shape, column_major, dtype = np.lib.format.read_array_header_1_0(file)
    else:
        shape, column_major, dtype = np.lib.format.read_array_header_2_0(file)
    if not dtype.hasobject:
        file.seek(0)
        return np.asarray(np.load(file, allow_pickle=False))
    loaded = _ArraysOnly(file, encoding="bytes").load()
    if not isinstance(loaded, np.ndarray):
        raise pickle.UnpicklingError(f"it holds a {type(loaded).__name__}, not an array")
    # numpy pickles the array itself with its shape; the header only repeats it
    return loaded.reshape(shape, order="F" if column_major else "C")


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
