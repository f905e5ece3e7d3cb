"""Truth and detections as files: the JSON of ActivityNet, and npz columns.

Truth is `{"database": {video: {"subset", "duration", "annotations": [{"segment", "label"}]}}}`,
detections are `{"results": {video: [{"segment", "label", "score"}]}}`; segments in seconds.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from wsal_bench.evaluation._columns import read_columns
from wsal_bench.evaluation._reading import Labels, Place, Remarks, read_bytes, read_table
from wsal_bench.evaluation._truth_file import (
    truth_from_json,
    truth_from_npz,
    truth_to_json,
    truth_to_npz,
    with_ambiguous,
)
from wsal_bench.files import replacing
from wsal_bench.types import Detections

__all__ = [
    "detections_from_json",
    "detections_from_npz",
    "detections_to_json",
    "detections_to_npz",
    "truth_from_json",
    "truth_from_npz",
    "truth_to_json",
    "truth_to_npz",
    "with_ambiguous",
]

_COLUMNS = ("video", "start", "end", "label", "score")
_NAMES = ("video_ids", "class_names")
_KIND = "file of detections"


def detections_from_json(
    path: str | Path,
    class_names: Sequence[str] | None = None,
    video_ids: Sequence[str] = (),
    *,
    strict: bool = True,
    notes: list[str] | None = None,
) -> Detections:
    """The detections of a results file, in file order.

    Args:
        path: the file.
        class_names: the classes there may be; None: the labels of the file, in order of first
            appearance.
        video_ids: videos to name first; those of the file that are not among them follow.
        strict: refuse segments that end before their start, which the evaluator may count as
            hits (0 / 0).
        notes: gets a sentence about what is unusual in the file and no mistake.

    Raises:
        DataError: the file cannot be read or is wrong inside.
    """
    path = Path(path)
    content = read_bytes(path, _KIND)
    detections = _read_quickly(content, Labels(class_names), video_ids, strict)
    if detections is not None:
        return detections
    remarks = Remarks()
    detections = _read_carefully(content, path, Labels(class_names), video_ids, strict, remarks)
    if remarks.strings and notes is not None:
        notes.append(f"{path}: {remarks.strings:,} numbers are written as strings")
    return detections


def _read_quickly(
    content: bytes, labels: Labels, video_ids: Sequence[str], strict: bool
) -> Detections | None:
    """None where anything is out of the ordinary."""
    from wsal_bench.evaluation._quick import read_detections

    results = read_detections(content)
    if results is None:
        return None
    rows = [row for part in results.values() for row in part]
    label = labels.indices(row.label for row in rows)
    borders = np.array([row.segment for row in rows], dtype=np.float64).reshape(-1, 2)
    score = np.array([row.score for row in rows], dtype=np.float64)
    if label is None or (strict and (borders[:, 1] < borders[:, 0]).any()):
        return None
    videos = {name: index for index, name in enumerate(dict.fromkeys((*video_ids, *results)))}
    counts = [len(part) for part in results.values()]
    return Detections(
        video=np.repeat(np.array([videos[name] for name in results], dtype=np.int64), counts),
        start=borders[:, 0].copy(),
        end=borders[:, 1].copy(),
        label=np.array(label, dtype=np.int64),
        score=score,
        video_ids=tuple(videos),
        class_names=labels.names,
    )


def _read_carefully(
    content: bytes,
    path: Path,
    labels: Labels,
    video_ids: Sequence[str],
    strict: bool,
    remarks: Remarks,
) -> Detections:
    results = read_table(content, path, "results", _KIND)
    videos = {name: index for index, name in enumerate(dict.fromkeys((*video_ids, *results)))}
    columns: dict[str, list[float]] = {name: [] for name in _COLUMNS}
    for video, entry in results.items():
        place = Place(path, video, remarks)
        for row in place.rows(entry):
            segment = place.segment(row)
            if strict and segment.end < segment.start:
                raise place.error(
                    f"detection ends at {segment.end:g} s, before its start {segment.start:g}"
                )
            columns["video"].append(videos[video])
            columns["start"].append(segment.start)
            columns["end"].append(segment.end)
            columns["label"].append(labels.index(place, place.label(row)))
            columns["score"].append(place.number(row.get("score"), "score"))
    return Detections(
        video=np.array(columns["video"], dtype=np.int64),
        start=np.array(columns["start"], dtype=np.float64),
        end=np.array(columns["end"], dtype=np.float64),
        label=np.array(columns["label"], dtype=np.int64),
        score=np.array(columns["score"], dtype=np.float64),
        video_ids=tuple(videos),
        class_names=labels.names,
    )


def detections_to_json(detections: Detections, path: str | Path) -> None:
    """Writes a results file that ActivityNet's evaluators read; atomically.

    Rows come grouped by video. Their order inside a video is kept, and with it the order of equal
    scores, unless videos were interleaved.

    Raises:
        DataError: the file cannot be written.
    """
    results: dict[str, list[dict[str, Any]]] = {name: [] for name in detections.video_ids}
    # 64-bit values print without loss, whatever the columns' dtype
    columns = (np.asarray(getattr(detections, name)).tolist() for name in _COLUMNS)
    for video, start, end, label, score in zip(*columns, strict=True):
        row = {"label": detections.class_names[label], "segment": [start, end], "score": score}
        results[detections.video_ids[video]].append(row)
    document = {"version": "wsal-bench/detections/1", "external_data": {}, "results": results}
    with replacing(Path(path)) as file:
        file.write(json.dumps(document, allow_nan=False).encode())


def detections_to_npz(detections: Detections, path: str | Path) -> None:
    """Writes the columns and names as they are; atomically, without pickle.

    Equal detections give equal bytes.

    Raises:
        DataError: the file cannot be written.
    """
    arrays: dict[str, Any] = {name: getattr(detections, name) for name in _COLUMNS}
    arrays |= {name: np.array(getattr(detections, name), dtype=np.str_) for name in _NAMES}
    with replacing(Path(path)) as file:
        np.savez(file, **arrays)


def detections_from_npz(path: str | Path) -> Detections:
    """The detections that `detections_to_npz` wrote.

    Raises:
        DataError: the file cannot be read, or does not hold detections.
    """
    return read_columns(Path(path), "detections", _COLUMNS, _NAMES, Detections)
