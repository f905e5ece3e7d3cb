"""Truth and detections as files: the JSON of ActivityNet, and npz columns.

Truth is `{"database": {video: {"subset", "duration", "annotations": [{"segment", "label"}]}}}`,
detections are `{"results": {video: [{"segment", "label", "score"}]}}`; segments in seconds.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from wsal_bench.errors import DataError, UsageError, did_you_mean
from wsal_bench.evaluation._reading import Place, Segment, read_table, replacing
from wsal_bench.types import Detections, GroundTruth

_COLUMNS = ("video", "start", "end", "label", "score")
_NAMES = ("video_ids", "class_names")


def truth_from_json(
    path: str | Path,
    subset: str | None = None,
    *,
    class_names: Sequence[str] | None = None,
    strict: bool = True,
) -> GroundTruth:
    """The truth of one subset of an annotation file.

    Args:
        path: the file. Times may be numbers or strings; a duration may be absent.
        subset: None: the only one with a true segment.
        class_names: names and order of the classes; None: the labels of the subset, in order of
            first appearance.
        strict: refuse segments that do not end after their start.

    Returns:
        All videos of the subset, also those without a segment, in file order.

    Raises:
        UsageError: several subsets have truth and none is named, or there is no such subset.
        DataError: the file cannot be read or is wrong inside.
    """
    path = Path(path)
    database = read_table(path, "database", "truth")
    subsets = {video: _subset(Place(path, video), entry) for video, entry in database.items()}
    chosen = _choose_subset(path, subset, subsets, database)
    video_ids = tuple(video for video, name in subsets.items() if name == chosen)
    labels = _Labels(class_names)
    rows: list[tuple[int, int, Segment]] = []
    durations = np.full(len(video_ids), np.nan)
    for index, video in enumerate(video_ids):
        place, entry = Place(path, video), database[video]
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


def detections_from_json(
    path: str | Path,
    class_names: Sequence[str] | None = None,
    video_ids: Sequence[str] = (),
    *,
    strict: bool = True,
) -> Detections:
    """The detections of a results file, in file order.

    Args:
        path: the file.
        class_names: the classes there may be; None: the labels of the file, in order of first
            appearance.
        video_ids: videos to name first; those of the file that are not among them follow.
        strict: refuse segments that end before their start, which the evaluator may count as
            hits (0 / 0).

    Raises:
        DataError: the file cannot be read or is wrong inside.
    """
    path = Path(path)
    results = read_table(path, "results", "file of detections")
    videos = {name: index for index, name in enumerate(dict.fromkeys((*video_ids, *results)))}
    labels = _Labels(class_names)
    columns: dict[str, list[float]] = {name: [] for name in _COLUMNS}
    for video, entry in results.items():
        place = Place(path, video)
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
    path = Path(path)
    try:
        # opened here: numpy leaves the file open where it is no archive
        with path.open("rb") as file:
            archive = np.load(file, allow_pickle=False)
            arrays: dict[str, Any] = {name: archive[name] for name in _COLUMNS}
            arrays |= {name: tuple(archive[name].tolist()) for name in _NAMES}
        return Detections(**arrays)
    except OSError as error:
        raise DataError(f"detections cannot be read ({error})", path=path) from error
    except (KeyError, IndexError, ValueError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"not a file of detections ({error})", path=path) from error


class _Labels:
    """Class names and their indices: given, or met in order."""

    def __init__(self, given: Sequence[str] | None) -> None:
        self._index = {name: index for index, name in enumerate(given or ())}
        self._closed = given is not None

    def index(self, place: Place, name: str) -> int:
        """The index of a class; a new one gets the next where no names were given."""
        if self._closed and name not in self._index:
            raise place.error(f"unknown class {name!r}", did_you_mean(name, self._index))
        return self._index.setdefault(name, len(self._index))

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._index)


def _subset(place: Place, entry: object) -> str:
    name = entry.get("subset") if isinstance(entry, dict) else None
    if not isinstance(name, str):
        raise place.error(f"its subset is {name!r}, not a name")
    return name


def _choose_subset(
    path: Path, subset: str | None, subsets: dict[str, str], database: dict[str, Any]
) -> str:
    if subset is not None:
        if subset not in subsets.values():
            raise UsageError(
                f"no subset {subset!r}", hint=did_you_mean(subset, set(subsets.values())), path=path
            )
        return subset
    with_truth = dict.fromkeys(
        name for video, name in subsets.items() if database[video].get("annotations")
    )
    if not with_truth:
        raise DataError("no subset has a true segment", path=path)
    if len(with_truth) > 1:
        raise UsageError(
            "several subsets have truth", hint=f"name one of: {', '.join(with_truth)}", path=path
        )
    return next(iter(with_truth))
