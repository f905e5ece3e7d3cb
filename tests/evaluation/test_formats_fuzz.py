"""Whatever stands in a file, a reader gives a value or one clear error."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.evaluation.test_formats import some_detections
from tests.evaluation.test_formats_truth import some_truth
from tests.examples import examples
from wsal_bench.errors import DataError, UsageError
from wsal_bench.evaluation.formats import (
    detections_from_json,
    detections_from_npz,
    detections_to_npz,
    truth_from_json,
    truth_from_npz,
    truth_to_npz,
)

# more for a long run by hand: WSAL_FUZZ=100000 pytest tests/evaluation/test_formats_fuzz.py
EXAMPLES = int(os.environ.get("WSAL_FUZZ", "50"))
FUZZ = settings(
    examples(EXAMPLES),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

numbers = (
    st.integers(-5, 50)
    | st.floats()
    | st.integers()
    | st.sampled_from(["1.5", "nan", "x", "", True, None, 10**400, "9" * 400])
)
keys = st.sampled_from(["segment", "label", "score", "subset", "duration", "annotations", "é"])
anything = st.recursive(
    st.none() | st.booleans() | numbers | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)
segments = st.lists(numbers, min_size=1, max_size=3) | anything
rows = (
    st.fixed_dictionaries(
        {"segment": segments, "label": st.sampled_from(["A", "B"]) | anything, "score": numbers}
    )
    | anything
)
videos = (
    st.fixed_dictionaries(
        {"subset": st.sampled_from(["test", "train"]) | anything},
        optional={"annotations": st.lists(rows, max_size=4) | anything, "duration": numbers},
    )
    | st.lists(rows, max_size=4)
    | anything
)
tables = st.dictionaries(st.text(max_size=3), videos, max_size=4) | anything
documents = st.fixed_dictionaries({}, optional={"database": tables, "results": tables}) | anything


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A document as text, maybe cut off, maybe with a few bytes changed."""
    text = json.dumps(draw(documents)).encode()
    if draw(st.booleans()):
        text = text[: draw(st.integers(0, len(text)))]
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(st.binary(max_size=2)) + text[at + draw(st.integers(0, 2)) :]
    return text


def read_all(path: Path) -> list[Any]:
    found: list[Any] = []
    for read in (
        truth_from_json,
        detections_from_json,
        lambda path: truth_from_json(path, "test", strict=False),
        lambda path: detections_from_json(path, ("A",), strict=False),
    ):
        try:
            found.append(read(path))
        except (DataError, UsageError) as error:
            assert error.path == str(path)
            assert error.message
            found.append(None)
    return found


@FUZZ
@given(damaged())
def test_any_json_is_read_or_refused_in_one_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file.json"
    path.write_bytes(content)
    quick = read_all(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("wsal_bench.evaluation._quick.read_truth", lambda content: None)
        patch.setattr("wsal_bench.evaluation._quick.read_detections", lambda content: None)
        careful = read_all(path)
    for one, other in zip(quick, careful, strict=True):
        assert (one is None) == (other is None)  # the readers accept the same files
        if one is not None:
            assert one.start.tolist() == other.start.tolist()
            assert one.label.tolist() == other.label.tolist()
            assert one.class_names == other.class_names
            assert one.video_ids == other.video_ids


@FUZZ
@given(st.data())
def test_a_damaged_npz_is_read_or_refused_in_one_sentence(
    tmp_path: Path, data: st.DataObject
) -> None:
    path = tmp_path / "file.npz"
    truth = data.draw(st.booleans())
    truth_to_npz(some_truth(), path) if truth else detections_to_npz(some_detections(), path)
    content = path.read_bytes()
    cut = data.draw(st.integers(0, len(content)))
    at = data.draw(st.integers(0, len(content)))
    changed = content[:at] + data.draw(st.binary(min_size=1, max_size=3)) + content[at + 2 :]
    path.write_bytes(data.draw(st.sampled_from([content[:cut], changed])))
    for read in (truth_from_npz, detections_from_npz):
        try:
            read(path)
        except DataError as error:
            assert error.path == str(path)
