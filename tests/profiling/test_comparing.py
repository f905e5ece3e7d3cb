"""Profiles are compared by their ratios against the definition."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from wsal_bench.errors import DataError, GateError
from wsal_bench.profiling.comparing import SCHEMA, compare, read_rows


def row(ratio: float | None, **fields: Any) -> dict[str, Any]:
    known = {"kernel": "fsd_score", "backend": "torch", "device": "cpu", "dtype": "float32"}
    size = {"batch": 16, "length": 30, "dim": None, "pass": "forward"}
    return {**known, **size, "reference_ratio": ratio, **fields}


def test_a_ratio_may_fall_by_the_share_and_not_by_more() -> None:
    assert compare([row(100.0)], [row(80.0)], 0.2).worse == ()
    worse = compare([row(100.0)], [row(79.0)], 0.2)
    assert worse.worse == (
        "fsd_score torch cpu float32 B=16 L=30 forward: 79 times the reference, was 100",
    )
    with pytest.raises(GateError, match="fsd_score torch cpu float32 B=16 L=30 forward"):
        worse.enforce()


def test_rows_of_one_side_are_listed_and_fail_nothing_where_others_were_compared() -> None:
    old = [row(9.0), row(9.0, length=5), row(None, length=64)]
    new = [row(9.0), row(9.0, length=10), row(None, length=64)]
    found = compare(old, new, 0.2)
    assert [name.split("L=")[1] for name in found.only_old] == ["5 forward"]
    assert [name.split("L=")[1] for name in found.only_new] == ["10 forward"]
    assert [name.split("L=")[1] for name in found.without_ratio] == ["64 forward"]
    assert found.lines()[0] == "compared 1 rows, 0 worse"
    found.enforce()


def test_a_comparison_of_nothing_does_not_pass() -> None:
    with pytest.raises(GateError, match="no row"):
        compare([row(9.0, length=5)], [row(9.0)], 0.2).enforce()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{", "not JSON"),
        ("[]", "schema is None"),
        ({"schema": "wsal-bench/run/1", "data": {}}, "schema is 'wsal-bench/run/1'"),
        ({"schema": SCHEMA, "data": {}}, "data.rows is missing"),
        ({"schema": SCHEMA, "data": {"rows": [{"kernel": "x"}]}}, "row 0 lacks backend"),
        ({"schema": SCHEMA, "data": {"rows": [3]}}, "row 0 lacks kernel"),
        ({"schema": SCHEMA, "data": {"rows": [row(-1.0)]}}, "reference_ratio is -1.0"),
    ],
)
def test_a_broken_or_foreign_file_is_named(content: Any, says: str, tmp_path: Path) -> None:
    path = tmp_path / "old.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    with pytest.raises(DataError, match=says) as error:
        read_rows(path)
    assert error.value.path == str(path)
