"""Well-formed files of truth and detections, read by a compiled reader straight into records.

Whatever is unusual (numbers written as strings, a repeated key, anything wrong) gives None, and the
careful reader in `_reading` takes over: it is slow, and says exactly what is wrong and where.
"""

from __future__ import annotations

import msgspec


class TrueSegment(msgspec.Struct, gc=False):
    """An annotation."""

    segment: tuple[float, float]
    label: str


class AnnotatedVideo(msgspec.Struct, gc=False):
    """A video of a truth file."""

    subset: str
    duration: float | None = None
    annotations: list[TrueSegment] = []


class FoundSegment(msgspec.Struct, gc=False):
    """A detection."""

    segment: tuple[float, float]
    label: str
    score: float


class _Truth(msgspec.Struct):
    database: dict[str, AnnotatedVideo]


class _Found(msgspec.Struct):
    results: dict[str, list[FoundSegment]]


def read_truth(content: bytes) -> dict[str, AnnotatedVideo] | None:
    """The videos of a truth file, or None where the careful reader must look."""
    try:
        if not content.isascii():
            content.decode()  # parts that are skipped below are not checked there
        database = msgspec.json.decode(content, type=_Truth).database
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    count = sum(len(video.annotations) for video in database.values())
    return database if _nothing_lost(content, count, "segment", "label") else None


def read_detections(content: bytes) -> dict[str, list[FoundSegment]] | None:
    """The videos of a results file, or None where the careful reader must look."""
    try:
        if not content.isascii():
            content.decode()  # parts that are skipped below are not checked there
        results = msgspec.json.decode(content, type=_Found).results
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    count = sum(map(len, results.values()))
    return results if _nothing_lost(content, count, "segment", "label", "score") else None


def _nothing_lost(content: bytes, count: int, *keys: str) -> bool:
    """Whether every key stands in the text as often as rows were read.

    A repeated key replaces what stood under it before without a word, so that rows are missing.
    """
    return all(content.count(f'"{key}"'.encode()) == count for key in keys)
