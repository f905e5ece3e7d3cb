"""Segments as text, video after video: what is written never depends on what is still to come.

json          the document `wsal-bench/segments/1`, one line a video
csv           video,start,end,label,score
activitynet   a results file, as `wsal-bench eval --detections` and ActivityNet's code read it
via           a CSV as VGG Image Annotator 3 exports temporal segments
elan          an .eaf file for each video
"""

from __future__ import annotations

import csv
import io
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from wsal_bench.inference.stream import VideoSegments
from wsal_bench.report.timeline import rows_of

SCHEMA: Final = "wsal-bench/segments/1"


class Form(ABC):
    """A text in three parts: `begin`, then `video` for each, then `end`.

    Args:
        facts: what is the same for all videos, as plain JSON values.
    """

    def __init__(self, facts: Mapping[str, Any]) -> None:
        self.facts = facts
        self.num_videos = 0

    def begin(self) -> str:
        """What stands before the first video."""
        return ""

    @abstractmethod
    def video(self, found: VideoSegments) -> str:
        """The text of a video; called once for each, in order."""

    def end(self) -> str:
        """What stands after the last video."""
        return ""


class JsonForm(Form):
    """One document; a line for each video."""

    def begin(self) -> str:
        """Up to the list of videos, whose key sorts behind those of the facts."""
        lines = [f'    "{key}": {_json(value)},\n' for key, value in sorted(self.facts.items())]
        return '{\n  "data": {\n' + "".join(lines) + '    "videos": ['

    def video(self, found: VideoSegments) -> str:
        """A line."""
        rows = found.segments
        document = {
            "video": found.video_id,
            "duration": found.duration,
            "num_snippets": found.num_snippets,
            "video_scores": dict(
                zip(found.class_names, found.activations.video_scores.tolist(), strict=True)
            ),
            "segments": [
                {
                    "label": found.class_names[int(rows.label[index])],
                    "start": float(rows.start[index]),
                    "end": float(rows.end[index]),
                    "score": float(rows.score[index]),
                }
                for index in range(len(rows))
            ],
        }
        comma = "," if self.num_videos else ""
        self.num_videos += 1
        return f"{comma}\n      {_json(document)}"

    def end(self) -> str:
        """The schema."""
        return f'\n    ]\n  }},\n  "schema": "{SCHEMA}"\n}}\n'


class ActivityNetForm(Form):
    """A results file."""

    def begin(self) -> str:
        """Up to the first video."""
        return '{"version": "wsal-bench", "external_data": {}, "results": {'

    def video(self, found: VideoSegments) -> str:
        """A line."""
        rows = found.segments
        listed = [
            {
                "label": found.class_names[int(rows.label[index])],
                "score": float(rows.score[index]),
                "segment": [float(rows.start[index]), float(rows.end[index])],
            }
            for index in range(len(rows))
        ]
        comma = "," if self.num_videos else ""
        self.num_videos += 1
        return f"{comma}\n{_json(found.video_id)}: {_json(listed)}"

    def end(self) -> str:
        """Closes it."""
        return "\n}}\n"


class CsvForm(Form):
    """A row for each segment."""

    def begin(self) -> str:
        """The heading."""
        return "video,start,end,label,score\n"

    def video(self, found: VideoSegments) -> str:
        """Its rows; none where there is no segment."""
        rows = found.segments
        return _csv(
            [
                found.video_id,
                f"{rows.start[index]:.3f}",
                f"{rows.end[index]:.3f}",
                found.class_names[int(rows.label[index])],
                f"{rows.score[index]:.6f}",
            ]
            for index in range(len(rows))
        )


class ViaForm(Form):
    """Temporal segments of VIA 3; the attribute 1 is the class, 2 the score."""

    def begin(self) -> str:
        """The comment lines of an export of VIA: what the attributes are, what the columns."""
        attributes = {
            number: {
                "aname": name,
                "anchor_id": "FILE1_Z2_XY0",  # a stretch of time of one file
                "type": 1,
                "desc": name,
                "options": {},
                "default_option_id": "",
            }
            for number, name in (("1", "label"), ("2", "score"))
        }
        return (
            "# Exported by wsal-bench\n"
            f"# ATTRIBUTES = {_json(attributes)}\n"
            "# CSV_HEADER = metadata_id,file_list,flags,temporal_coordinates,spatial_coordinates,"
            "metadata\n"
        )

    def video(self, found: VideoSegments) -> str:
        """Its rows; the file is called as the features are, without an ending."""
        rows = found.segments
        return _csv(
            [
                f"{found.video_id}_{index + 1}",
                _json([found.video_id]),
                "0",
                _json([round(float(rows.start[index]), 3), round(float(rows.end[index]), 3)]),
                "[]",
                _json(
                    {
                        "1": found.class_names[int(rows.label[index])],
                        "2": f"{rows.score[index]:.6f}",
                    }
                ),
            ]
            for index in range(len(rows))
        )


class ElanForm(Form):
    """A whole document for each video: a tier per class, the scores as annotations.

    Annotations of a tier must not overlap in ELAN: what overlaps a better one of its class goes
    to a tier of its own, `<class> (2)`.
    """

    def video(self, found: VideoSegments) -> str:
        """The document; times in whole milliseconds."""
        from xml.etree import ElementTree as Xml

        document = Xml.Element(
            "ANNOTATION_DOCUMENT",
            {
                "AUTHOR": "wsal-bench",
                "DATE": "1970-01-01T00:00:00+00:00",  # equal segments, equal bytes
                "FORMAT": "3.0",
                "VERSION": "3.0",
                "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
                "xsi:noNamespaceSchemaLocation": "http://www.mpi.nl/tools/elan/EAFv3.0.xsd",
            },
        )
        Xml.SubElement(document, "HEADER", {"MEDIA_FILE": "", "TIME_UNITS": "milliseconds"})
        slots = Xml.SubElement(document, "TIME_ORDER")
        tiers = _tiers(found)
        names = _slots([_milliseconds(found, row) for part in tiers.values() for row in part])
        for time, name in names.items():
            Xml.SubElement(slots, "TIME_SLOT", {"TIME_SLOT_ID": name, "TIME_VALUE": str(time)})
        number = 0
        for tier, rows in tiers.items():
            element = Xml.SubElement(
                document, "TIER", {"LINGUISTIC_TYPE_REF": "segment", "TIER_ID": tier}
            )
            for row in rows:
                number += 1
                start, end = _milliseconds(found, row)
                annotation = Xml.SubElement(
                    Xml.SubElement(element, "ANNOTATION"),
                    "ALIGNABLE_ANNOTATION",
                    {
                        "ANNOTATION_ID": f"a{number}",
                        "TIME_SLOT_REF1": names[start],
                        "TIME_SLOT_REF2": names[end],
                    },
                )
                score = Xml.SubElement(annotation, "ANNOTATION_VALUE")
                score.text = f"{found.segments.score[row]:.3f}"
        Xml.SubElement(
            document,
            "LINGUISTIC_TYPE",
            {
                "GRAPHIC_REFERENCES": "false",
                "LINGUISTIC_TYPE_ID": "segment",
                "TIME_ALIGNABLE": "true",
            },
        )
        Xml.indent(document)
        text = Xml.tostring(document, encoding="unicode")
        return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


FORMS: Final[Mapping[str, type[Form]]] = MappingProxyType(
    {
        "json": JsonForm,
        "csv": CsvForm,
        "activitynet": ActivityNetForm,
        "via": ViaForm,
        "elan": ElanForm,
    }
)


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


def _csv(rows: Any) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, allow_nan=False, ensure_ascii=False)
