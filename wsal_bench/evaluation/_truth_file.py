"""Truth as files: the JSON of ActivityNet, npz columns, lists of ambiguous stretches."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from wsal_bench.errors import DataError
from wsal_bench.evaluation._columns import read_columns
from wsal_bench.evaluation._reading import (
    Labels,
    Place,
    Remarks,
    Segment,
    choose_subset,
    read_bytes,
    read_table,
)
from wsal_bench.files import replacing
from wsal_bench.types import GroundTruth

_COLUMNS = ("video", "start", "end", "label", "durations", "ambiguous")
_NAMES = ("video_ids", "class_names", "groups")
_KIND = "truth"


def truth_from_json(
    path: str | Path,
    subset: str | None = None,
    *,
    class_names: Sequence[str] | None = None,
    strict: bool = True,
    notes: list[str] | None = None,
) -> GroundTruth:
    """The truth of one subset of an annotation file.

    Args:
        path: the file. Times may be numbers or strings; a duration may be absent.
        subset: None: the only one with a true segment.
        class_names: names and order of the classes; None: the labels of the subset, in order of
            first appearance.
        strict: refuse segments that do not end after their start.
        notes: gets a sentence about what is unusual in the file and no mistake.

    Returns:
        All videos of the subset, also those without a segment, in file order.

    Raises:
        UsageError: several subsets have truth and none is named, or there is no such subset.
        DataError: the file cannot be read or is wrong inside.
    """
    path = Path(path)
    content = read_bytes(path, _KIND)
    truth = _read_quickly(content, path, subset, Labels(class_names), strict)
    if truth is not None:
        return truth
    remarks = Remarks()
    truth = _read_carefully(content, path, subset, Labels(class_names), strict, remarks)
    if remarks.strings and notes is not None:
        notes.append(f"{path}: {remarks.strings:,} numbers are written as strings")
    return truth


def _read_quickly(
    content: bytes, path: Path, subset: str | None, labels: Labels, strict: bool
) -> GroundTruth | None:
    """None where anything is out of the ordinary."""
    from wsal_bench.evaluation._quick import read_truth

    database = read_truth(content)
    if database is None:
        return None
    sizes: dict[str, int] = {}
    for video in database.values():
        sizes[video.subset] = sizes.get(video.subset, 0) + len(video.annotations)
    chosen = choose_subset(path, subset, sizes)
    videos = {name: video for name, video in database.items() if video.subset == chosen}
    rows = [row for video in videos.values() for row in video.annotations]
    label = labels.indices(row.label for row in rows)
    borders = np.array([row.segment for row in rows], dtype=np.float64).reshape(-1, 2)
    durations = np.array(
        [np.nan if video.duration is None else video.duration for video in videos.values()]
    )
    if label is None or (strict and not (borders[:, 0] < borders[:, 1]).all()):
        return None
    counts = [len(video.annotations) for video in videos.values()]
    return GroundTruth(
        video=np.repeat(np.arange(len(videos)), counts),
        start=borders[:, 0].copy(),
        end=borders[:, 1].copy(),
        label=np.array(label, dtype=np.int64),
        video_ids=tuple(videos),
        class_names=labels.names,
        durations=durations if np.isfinite(durations).any() else np.empty(0),
    )


def _read_carefully(
    content: bytes, path: Path, subset: str | None, labels: Labels, strict: bool, remarks: Remarks
) -> GroundTruth:
    database = read_table(content, path, "database", _KIND)
    subsets = {video: _subset(Place(path, video), entry) for video, entry in database.items()}
    sizes = dict.fromkeys(subsets.values(), 0)
    for video, name in subsets.items():
        annotations = database[video].get("annotations")
        sizes[name] += len(annotations) if isinstance(annotations, list) else bool(annotations)
    chosen = choose_subset(path, subset, sizes)
    video_ids = tuple(video for video, name in subsets.items() if name == chosen)
    rows: list[tuple[int, int, Segment]] = []
    durations = np.full(len(video_ids), np.nan)
    for index, video in enumerate(video_ids):
        place, entry = Place(path, video, remarks), database[video]
        if entry.get("duration") is not None:
            durations[index] = place.number(entry["duration"], "duration")
        for row in place.rows(entry.get("annotations") or []):
            segment = place.segment(row)
            if strict and segment.end <= segment.start:
                raise place.error(
                    f"true segment ends at {segment.end:g} s, not after its start {segment.start:g}"
                )
            rows.append((index, labels.index(place, place.label(row)), segment))
    return GroundTruth(
        video=np.array([video for video, _, _ in rows], dtype=np.int64),
        start=np.array([segment.start for _, _, segment in rows], dtype=np.float64),
        end=np.array([segment.end for _, _, segment in rows], dtype=np.float64),
        label=np.array([label for _, label, _ in rows], dtype=np.int64),
        video_ids=video_ids,
        class_names=labels.names,
        durations=durations if np.isfinite(durations).any() else np.empty(0),
    )


def _subset(place: Place, entry: object) -> str:
    name = entry.get("subset") if isinstance(entry, dict) else None
    if not isinstance(name, str):
        raise place.error(f"its subset is {name!r}, not a name")
    return name


def truth_to_json(truth: GroundTruth, path: str | Path, subset: str = "test") -> None:
    """Writes an annotation file that ActivityNet's evaluators read; atomically.

    Rows come grouped by video; groups and ambiguous stretches have no place in the format.

    Raises:
        DataError: the file cannot be written.
    """
    database: dict[str, dict[str, Any]] = {}
    for index, name in enumerate(truth.video_ids):
        database[name] = {"subset": subset, "annotations": []}
        if len(truth.durations) and np.isfinite(truth.durations[index]):
            database[name]["duration"] = float(truth.durations[index])
    columns = (getattr(truth, name).tolist() for name in ("video", "start", "end", "label"))
    for video, start, end, label in zip(*columns, strict=True):
        row = {"label": truth.class_names[label], "segment": [start, end]}
        database[truth.video_ids[video]]["annotations"].append(row)
    document = {"version": "wsal-bench/truth/1", "taxonomy": [], "database": database}
    with replacing(Path(path)) as file:
        file.write(json.dumps(document, allow_nan=False).encode())


def truth_to_npz(truth: GroundTruth, path: str | Path) -> None:
    """Writes columns and names as they are; atomically, without pickle.

    Raises:
        DataError: the file cannot be written.
    """
    arrays: dict[str, Any] = {name: getattr(truth, name) for name in _COLUMNS}
    arrays |= {name: np.array(getattr(truth, name), dtype=np.str_) for name in _NAMES}
    with replacing(Path(path)) as file:
        np.savez(file, **arrays)


def truth_from_npz(path: str | Path) -> GroundTruth:
    """The truth that `truth_to_npz` wrote.

    Raises:
        DataError: the file cannot be read, or does not hold truth.
    """
    return read_columns(Path(path), "truth", _COLUMNS, _NAMES, GroundTruth)


def with_ambiguous(
    truth: GroundTruth, path: str | Path, notes: list[str] | None = None
) -> GroundTruth:
    """The truth with the stretches of a file like THUMOS14's `Ambiguous_test.txt`.

    Args:
        truth: the true segments.
        path: lines `video start end`, seconds, any space between.
        notes: gets a sentence about lines of other videos.

    Raises:
        DataError: the file cannot be read, a line is wrong, or no line is about a video of
            the truth.
    """
    path = Path(path)
    try:
        lines = read_bytes(path, "list of ambiguous stretches").decode().splitlines()
    except UnicodeDecodeError as error:
        raise DataError(f"list of ambiguous stretches is not text ({error})", path=path) from error
    index = {name: position for position, name in enumerate(truth.video_ids)}
    rows, others = [], 0
    for number, line in enumerate(lines, start=1):
        parts = line.split()
        if not parts:
            continue
        if len(parts) != 3:
            raise DataError(
                f"line {number}: {line.strip()!r} is not a video, a start and an end", path=path
            )
        place = Place(path, parts[0])
        segment = Segment(place.number(parts[1], "start"), place.number(parts[2], "end"))
        if segment.end < segment.start:
            raise place.error(f"line {number} ends at {parts[2]} s, before its start {parts[1]}")
        if parts[0] in index:
            rows.append((float(index[parts[0]]), segment.start, segment.end))
        else:
            others += 1
    if not rows:
        raise DataError(
            f"none of its {others} stretches is in a video of the truth",
            hint="lines look like: video_test_0000278  0.0 1.4",
            path=path,
        )
    if others and notes is not None:
        notes.append(f"{path}: {others:,} ambiguous stretches are in videos outside the truth")
    return replace(truth, ambiguous=np.array(rows, dtype=np.float64))
