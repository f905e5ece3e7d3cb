"""Arrays in annotations, and the checks that values make when they are made."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating[Any]]
IntArray = NDArray[np.integer[Any]]


def check_ndim(name: str, value: Any, ndim: int) -> tuple[int, ...]:
    """The shape of an array that must have this many dimensions."""
    shape: tuple[int, ...] = np.shape(value)
    if len(shape) != ndim:
        raise ValueError(f"{name} must have {ndim} dimensions, not shape {shape}")
    return shape


def check_finite(name: str, value: Any) -> None:
    """Refuses NaN and infinities."""
    if not np.isfinite(value).all():
        raise ValueError(f"{name} holds values that are not finite")


def check_columns(table: Any, *names: str) -> None:
    """Refuses columns of a table that are no vectors of one length."""
    lengths = {name: check_ndim(name, getattr(table, name), 1)[0] for name in names}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"columns differ in length: {lengths}")


def check_segments(table: Any) -> None:
    """Refuses scored segments that are not finite or do not end after their start."""
    for name in ("start", "end", "score"):
        check_finite(name, getattr(table, name))
    bad = np.flatnonzero(table.end <= table.start)
    if len(bad):
        row = int(bad[0])
        raise ValueError(
            f"proposal {row} ends at {table.end[row]:.3f} s, not after its start "
            f"{table.start[row]:.3f}"
        )


def check_indices(table: Any) -> None:
    """Refuses indices of videos and classes that name none, and times that are not finite."""
    for name, names in (("video", table.video_ids), ("label", table.class_names)):
        column = getattr(table, name)
        if len(column) and not (column.min() >= 0 and column.max() < len(names)):
            raise ValueError(f"column {name} must lie in 0..{len(names) - 1}")
    for name in ("start", "end"):
        check_finite(name, getattr(table, name))


def read_only(value: Any, *names: str) -> None:
    """Puts a read-only view in the place of each of these fields that is an array."""
    for name in names:
        array = getattr(value, name)
        if isinstance(array, np.ndarray) and array.flags.writeable:
            view = array.view()
            view.flags.writeable = False
            object.__setattr__(value, name, view)
