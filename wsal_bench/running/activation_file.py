"""Activations of many videos in one npz file: columns, video after video."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from wsal_bench.errors import DataError
from wsal_bench.files import read_npz, write_npz
from wsal_bench.types import Activations, FloatArray

_SCORES, _GATES = "scores.", "gates."


def write_activations(path: Path, activations: Mapping[str, Activations]) -> None:
    """Writes activations by video name, atomically and without loss.

    Raises:
        ValueError: no video, or videos whose scores and gates differ in name, dtype or classes.
        DataError: the file cannot be written.
    """
    if not activations:
        raise ValueError("there are no activations to write")
    rows = [_columns(value) for value in activations.values()]
    first = _kinds(rows[0])
    for video_id, row in zip(activations, rows, strict=True):
        if _kinds(row) != first:
            raise ValueError(
                f"activations of video {video_id!r} are {_kinds(row)}, of the first {first}"
            )
    arrays = {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}
    arrays["video_ids"] = np.array(list(activations), dtype=np.str_)
    arrays["lengths"] = np.array([len(value.times) - 1 for value in activations.values()])
    write_npz(path, arrays)


def read_activations(path: Path) -> dict[str, Activations]:
    """The activations that `write_activations` wrote, by video name in its order.

    Raises:
        DataError: the file is missing, damaged or something else.
    """
    arrays = read_npz(path, "activations")
    try:
        return _split(arrays)
    except (KeyError, IndexError, ValueError, TypeError) as error:
        raise DataError(f"not a file of activations ({error})", path=path) from error


def _columns(value: Activations) -> dict[str, FloatArray]:
    return {
        **{_SCORES + name: np.asarray(part) for name, part in value.scores.items()},
        **{_GATES + name: np.asarray(part) for name, part in value.gates.items()},
        "video_scores": np.asarray(value.video_scores)[None],
        "times": np.asarray(value.times),
    }


def _kinds(row: Mapping[str, FloatArray]) -> dict[str, str]:
    """What must be equal in all videos: concatenation would silently change the rest."""
    return {name: f"{part.dtype}{list(part.shape[1:])}" for name, part in row.items()}


def _split(arrays: dict[str, Any]) -> dict[str, Activations]:
    names = arrays.pop("video_ids").tolist()
    lengths = arrays.pop("lengths")
    borders = np.cumsum(lengths)[:-1]
    parts = {
        "video_scores": list(arrays.pop("video_scores")),
        "times": np.split(arrays.pop("times"), np.cumsum(lengths + 1)[:-1]),
        **{name: np.split(column, borders) for name, column in arrays.items()},
    }
    return {
        video_id: Activations(
            scores=_named(parts, _SCORES, index),
            gates=_named(parts, _GATES, index),
            video_scores=parts["video_scores"][index],
            times=parts["times"][index],
        )
        for index, video_id in enumerate(names)
    }


def _named(parts: Mapping[str, Any], prefix: str, index: int) -> dict[str, Any]:
    return {
        name.removeprefix(prefix): part[index]
        for name, part in parts.items()
        if name.startswith(prefix)
    }
