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

from wsal_bench.inference.elan import elan_document
from wsal_bench.inference.stream import VideoSegments

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
    """A whole document for each video; see `elan`."""

    def video(self, found: VideoSegments) -> str:
        """The document."""
        return elan_document(found)


FORMS: Final[Mapping[str, type[Form]]] = MappingProxyType(
    {
        "json": JsonForm,
        "csv": CsvForm,
        "activitynet": ActivityNetForm,
        "via": ViaForm,
        "elan": ElanForm,
    }
)


def _csv(rows: Any) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, allow_nan=False, ensure_ascii=False)
