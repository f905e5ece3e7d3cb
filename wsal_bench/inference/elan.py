"""A video's segments as a document of ELAN: a tier per class, the scores as annotations.

Annotations of a tier must not overlap in ELAN: what overlaps a better one of its class goes to a
tier of its own, `<class> (2)`.
"""

from __future__ import annotations

from xml.etree import ElementTree as Xml

from wsal_bench.inference.stream import VideoSegments
from wsal_bench.report.timeline import rows_of

_ROOT = {
    "AUTHOR": "wsal-bench",
    "DATE": "1970-01-01T00:00:00+00:00",  # equal segments, equal bytes
    "FORMAT": "3.0",
    "VERSION": "3.0",
    "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
    "xsi:noNamespaceSchemaLocation": "http://www.mpi.nl/tools/elan/EAFv3.0.xsd",
}
_KIND = "segment"  # the linguistic type of all tiers


def elan_document(found: VideoSegments) -> str:
    """An .eaf document; times in whole milliseconds."""
    document = Xml.Element("ANNOTATION_DOCUMENT", _ROOT)
    Xml.SubElement(document, "HEADER", {"MEDIA_FILE": "", "TIME_UNITS": "milliseconds"})
    slots = Xml.SubElement(document, "TIME_ORDER")
    tiers = _tiers(found)
    names = _slots([_milliseconds(found, row) for part in tiers.values() for row in part])
    for time, name in names.items():
        Xml.SubElement(slots, "TIME_SLOT", {"TIME_SLOT_ID": name, "TIME_VALUE": str(time)})
    number = 0
    for tier, rows in tiers.items():
        element = Xml.SubElement(document, "TIER", {"LINGUISTIC_TYPE_REF": _KIND, "TIER_ID": tier})
        for row in rows:
            number += 1
            _annotate(element, found, row, number, names)
    Xml.SubElement(
        document,
        "LINGUISTIC_TYPE",
        {"GRAPHIC_REFERENCES": "false", "LINGUISTIC_TYPE_ID": _KIND, "TIME_ALIGNABLE": "true"},
    )
    Xml.indent(document)
    text = Xml.tostring(document, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _annotate(
    tier: Xml.Element, found: VideoSegments, row: int, number: int, slots: dict[int, str]
) -> None:
    start, end = _milliseconds(found, row)
    annotation = Xml.SubElement(
        Xml.SubElement(tier, "ANNOTATION"),
        "ALIGNABLE_ANNOTATION",
        {
            "ANNOTATION_ID": f"a{number}",
            "TIME_SLOT_REF1": slots[start],
            "TIME_SLOT_REF2": slots[end],
        },
    )
    score = Xml.SubElement(annotation, "ANNOTATION_VALUE")
    score.text = f"{found.segments.score[row]:.3f}"


def _slots(spans: list[tuple[int, int]]) -> dict[int, str]:
    """Names of all times, in order of time."""
    times = sorted({time for span in spans for time in span})
    return {time: f"ts{number}" for number, time in enumerate(times, 1)}


def _tiers(found: VideoSegments) -> dict[str, list[int]]:
    """Rows by tier, in order of time; classes in order of their best segment."""
    rows = found.segments
    tiers: dict[str, list[int]] = {}
    for label in dict.fromkeys(rows.label.tolist()):
        mine = [index for index in range(len(rows)) if rows.label[index] == label]
        # in milliseconds: rounding may push neighbours together
        spans = [_milliseconds(found, index) for index in mine]
        starts, ends = zip(*spans, strict=True)
        for index, row in zip(mine, rows_of(starts, ends, 0.0), strict=True):
            name = found.class_names[label]
            tiers.setdefault(f"{name} ({row + 1})" if row else name, []).append(index)
    return {name: sorted(part, key=lambda row: rows.start[row]) for name, part in tiers.items()}


def _milliseconds(found: VideoSegments, row: int) -> tuple[int, int]:
    start = max(0, round(1000 * float(found.segments.start[row])))
    return start, max(start + 1, round(1000 * float(found.segments.end[row])))
