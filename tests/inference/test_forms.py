"""What is written of segments, form by form."""

from __future__ import annotations

import csv
import io
import json
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsal_bench.errors import DataError, UsageError
from wsal_bench.evaluation.formats import detections_from_json
from wsal_bench.inference.forms import FORMS
from wsal_bench.inference.places import check_place, form_name, open_place
from wsal_bench.inference.stream import VideoSegments, wanted
from wsal_bench.types import Activations, Proposals

NAMES = ('jump "high"', "run & <walk>")


def video(name: str, *rows: tuple[float, float, int, float]) -> VideoSegments:
    columns = [np.array(column) for column in zip(*rows, strict=True)] if rows else None
    segments = (
        Proposals.empty()
        if columns is None
        else Proposals(columns[0], columns[1], columns[2].astype(np.int64), columns[3])
    )
    said = Activations({"cas": np.zeros((2, 2))}, {}, np.array([0.25, 0.5]), np.arange(3.0))
    return VideoSegments(name, 2.0, 2, NAMES, said, segments)


TWO = (
    video("a", (0.0, 1.5, 1, 0.9), (0.5, 2.0, 1, 0.8), (1.5, 2.0, 0, 0.25)),
    video("b,c"),
)


def text(form: str, *videos: VideoSegments, facts: dict[str, Any] | None = None) -> str:
    writer = FORMS[form](facts or {})
    return writer.begin() + "".join(map(writer.video, videos)) + writer.end()


def test_json_is_one_document_with_sorted_keys() -> None:
    facts = {"method": "mil", "class_names": list(NAMES), "top_k": None}
    written = text("json", *TWO, facts=facts)
    document = json.loads(written)
    assert document["schema"] == "wsal-bench/segments/1"
    assert list(document["data"]) == ["class_names", "method", "top_k", "videos"]
    first, second = document["data"]["videos"]
    assert first["segments"][1] == {"label": NAMES[1], "start": 0.5, "end": 2.0, "score": 0.8}
    assert first["video_scores"] == {NAMES[0]: 0.25, NAMES[1]: 0.5}
    assert (second["video"], second["segments"], second["duration"]) == ("b,c", [], 2.0)
    assert json.loads(text("json"))["data"]["videos"] == []


def test_csv_has_a_row_for_each_segment() -> None:
    rows = list(csv.DictReader(io.StringIO(text("csv", *TWO))))
    assert [row["score"] for row in rows] == ["0.900000", "0.800000", "0.250000"]
    assert rows[2] == {
        "video": "a", "start": "1.500", "end": "2.000", "label": NAMES[0], "score": "0.250000"
    }  # fmt: skip


def test_the_results_file_is_read_by_the_evaluator(tmp_path: Path) -> None:
    (tmp_path / "d.json").write_text(text("activitynet", *TWO))
    found = detections_from_json(tmp_path / "d.json")
    assert found.video_ids == ("a", "b,c") and found.score.tolist() == [0.9, 0.8, 0.25]
    assert [found.class_names[label] for label in found.label] == [NAMES[1], NAMES[1], NAMES[0]]


def test_via_rows_hold_json_in_their_fields() -> None:
    lines = [line for line in text("via", *TWO).splitlines() if not line.startswith("#")]
    rows = list(csv.reader(lines))
    assert len(rows) == 3
    assert json.loads(rows[0][1]) == ["a"] and json.loads(rows[0][3]) == [0.0, 1.5]
    assert json.loads(rows[0][5]) == {"1": NAMES[1], "2": "0.900000"}


def tiers(document: str) -> dict[str, list[tuple[int, int]]]:
    root = Xml.fromstring(document)
    times = {
        slot.attrib["TIME_SLOT_ID"]: int(slot.attrib["TIME_VALUE"])
        for slot in root.iter("TIME_SLOT")
    }
    return {
        tier.attrib["TIER_ID"]: [
            (times[one.attrib["TIME_SLOT_REF1"]], times[one.attrib["TIME_SLOT_REF2"]])
            for one in tier.iter("ALIGNABLE_ANNOTATION")
        ]
        for tier in root.iter("TIER")
    }


def test_elan_has_a_tier_per_class_in_milliseconds() -> None:
    document = text("elan", TWO[0])
    assert tiers(document) == {
        NAMES[1]: [(0, 1500)],
        f"{NAMES[1]} (2)": [(500, 2000)],  # it overlaps the better one
        NAMES[0]: [(1500, 2000)],
    }
    values = [part.text for part in Xml.fromstring(document).iter("ANNOTATION_VALUE")]
    assert values == ["0.900", "0.800", "0.250"]
    assert tiers(text("elan", TWO[1])) == {}
    slots = [part.attrib["TIME_VALUE"] for part in Xml.fromstring(document).iter("TIME_SLOT")]
    assert slots == ["0", "500", "1500", "2000"]  # each time once, in order


spans = st.tuples(st.floats(0, 5), st.floats(0.0001, 3), st.integers(0, 1), st.floats(0, 1))


@given(st.lists(spans, max_size=12))
def test_annotations_of_an_elan_tier_never_overlap(found: list[tuple[Any, ...]]) -> None:
    rows = [(start, start + length, label, score) for start, length, label, score in found]
    by_tier = tiers(text("elan", video("a", *rows)))
    assert sum(map(len, by_tier.values())) == len(rows)
    for part in by_tier.values():
        assert all(start < end for start, end in part)
        assert all(one[1] <= other[0] for one, other in pairwise(part))


def test_the_best_segments_above_a_threshold_are_wanted() -> None:
    rows = video("a", (0, 1, 0, 0.2), (1, 2, 0, 0.9), (2, 3, 0, 0.5), (3, 4, 1, 0.5)).segments
    assert wanted(rows, None, None).start.tolist() == [1, 2, 3, 0]
    assert wanted(rows, 2, None).start.tolist() == [1, 2]
    assert wanted(rows, None, 0.5).start.tolist() == [1, 2, 3]
    assert wanted(rows, 1, 0.95).start.tolist() == []


def test_the_form_is_told_by_option_or_ending() -> None:
    assert form_name(None, "-", as_json=False) == "csv"
    assert form_name(None, "-", as_json=True) == "json"
    assert form_name(None, "x/y.EAF", as_json=True) == "elan"
    assert form_name("via", "y.csv", as_json=False) == "via"
    with pytest.raises(UsageError, match="both go to stdout"):
        form_name("csv", "-", as_json=True)
    with pytest.raises(UsageError, match=r"nothing tells the form of y\.txt"):
        form_name(None, "y.txt", as_json=False)


def test_places_that_cannot_hold_the_outcome_are_refused(tmp_path: Path) -> None:
    for out in ("-", "all.eaf"):
        with pytest.raises(UsageError, match="2 ELAN documents do not fit"):
            check_place("elan", out, 2)
        check_place("elan", out, 1)
    check_place("elan", str(tmp_path), 2)
    with pytest.raises(UsageError, match="is a folder"):
        check_place("csv", str(tmp_path), 2)


def test_a_file_is_there_only_when_all_is_written(tmp_path: Path) -> None:
    path = tmp_path / "new" / "out.csv"
    writer = FORMS["csv"]({})
    with pytest.raises(RuntimeError), open_place(writer, str(path), print) as write:
        write(TWO[0])
        raise RuntimeError("it died")
    assert list(path.parent.iterdir()) == []
    with open_place(writer, str(path), print) as write:
        write(TWO[0])
    assert path.read_text() == text("csv", TWO[0])


def test_elan_documents_go_to_a_folder(tmp_path: Path) -> None:
    with open_place(FORMS["elan"]({}), str(tmp_path / "eaf"), print) as write:
        for one in (video("a"), video("b")):
            write(one)
    assert sorted(path.name for path in (tmp_path / "eaf").iterdir()) == ["a.eaf", "b.eaf"]


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    out = str(tmp_path / "file" / "out.csv")
    with pytest.raises(DataError, match="cannot be made"), open_place(FORMS["csv"]({}), out, print):
        pass
