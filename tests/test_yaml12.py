"""YAML 1.2's plain values, unique keys, one sentence for what is wrong."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsal_bench import yaml12
from wsal_bench.config import read_yaml
from wsal_bench.errors import DataError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1:30", "1:30"), ("yes", "yes"), ("no", "no"), ("on", "on"), ("010", "010"),
        ("1_000", "1_000"), ("2001-01-01", "2001-01-01"), ("0x10", "0x10"), ("=", "="),
        ("true", True), ("False", False), ("null", None), ("~", None), ("", None),
        ("0", 0), ("-7", -7), ("12", 12), ("1e-4", 1e-4), ("1.", 1.0), (".5", 0.5),
        ("-3.5E+2", -350.0), (".inf", float("inf")), ("[1, a, 1e2]", [1, "a", 100.0]),
        ("{a: {b: 010}}", {"a": {"b": "010"}}),
    ],
)  # fmt: skip
def test_plain_values_are_those_of_version_1_2(text: str, value: Any) -> None:
    read = yaml12.load(text)
    assert read == value and type(read) is type(value)


def test_a_key_that_stands_there_twice_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("mil:\n  epochs: 3\n  learning_rate: 1e-3\n  epochs: 4\n")
    with pytest.raises(DataError, match=r"c\.yaml: not YAML: line 4: 'epochs' stands there twice"):
        read_yaml(path)


@pytest.mark.parametrize(
    "text",
    ["a: [", "a: b: c", "? [1]\n: 2\n", "!!python/name:os.system", "a\n\tb: 1", "*x", "!!int a",
     "!!float x", "!!timestamp x", "\x00", "[" * 5000],
)  # fmt: skip
def test_what_is_no_yaml_is_one_sentence(text: str) -> None:
    with pytest.raises(ValueError) as caught:
        yaml12.load(text)
    assert str(caught.value) and "\n" not in str(caught.value)


@given(st.text(max_size=60))
def test_any_text_is_a_value_or_one_sentence(text: str) -> None:
    try:
        yaml12.load(text)
    except ValueError as error:
        assert "\n" not in str(error)
