"""dataset.yaml: what may stand in it, and what is said of what may not."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from wsal_bench.data.description import find, read
from wsal_bench.errors import DataError

RIGHT: dict[str, Any] = {
    "name": "mine",
    "fps": 25,
    "stride": 16,
    "subsets": {"train": "validation", "test": "test"},
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "dataset.yaml"


def written(path: Path, **changes: Any) -> Path:
    path.write_text(yaml.safe_dump(RIGHT | changes))
    return path


@pytest.mark.parametrize(
    ("text", "value"),
    [("1/15", 1 / 15), ("30000/1001", 30000 / 1001), ("1 / 4", 0.25), (2, 2.0), (0.5, 0.5),
     ("1e-1", 0.1)],
)  # fmt: skip
def test_fps_and_stride_are_numbers_or_fractions(path: Path, text: object, value: float) -> None:
    description = read(written(path, fps=text, stride=text))
    assert (description.fps, description.stride) == (value, value)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"fps": 0}, "dataset.fps = 0"),
        ({"fps": "1/0"}, "a fraction such as 1/15"),
        ({"stride": "fast"}, "a fraction such as 1/15"),
        ({"stride": True}, "a fraction such as 1/15"),
        ({"fps": float("nan")}, "dataset.fps"),
        ({"name": "../up"}, "dataset.name"),
        ({"subsets": {"train": "a"}}, "must be {train: NAME, test: NAME}"),
        ({"subsets": {"trian": "a", "test": "b"}}, "did you mean 'train'"),
        ({"subsets": "all"}, "must be {train: NAME, test: NAME}"),
        ({"classes": []}, "at least one"),
        ({"classes": ["run", "run"]}, "different names"),
        ({"group": "^S"}, "round brackets"),
        ({"group": "(S"}, "not a regular expression"),
        ({"overhang": -1}, "dataset.overhang = -1"),
    ],
)
def test_a_wrong_value_is_refused(path: Path, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(DataError) as caught:
        read(written(path, **changes))
    assert said in str(caught.value) and caught.value.path == str(path)
    assert "\n" not in str(caught.value)


def test_an_unknown_key_gets_a_suggestion(path: Path) -> None:
    with pytest.raises(DataError, match=r"no option 'strid' .*did you mean 'stride'"):
        read(written(path, strid=16))


@pytest.mark.parametrize("key", sorted(RIGHT))
def test_a_missing_key_is_named_with_all_that_are_needed(path: Path, key: str) -> None:
    rest = {name: value for name, value in RIGHT.items() if name != key}
    path.write_text(yaml.safe_dump(rest))
    with pytest.raises(DataError, match=f"'{key}' is missing; needed: name, fps, stride, subsets"):
        read(path)


def test_a_folder_means_the_description_in_it(path: Path) -> None:
    written(path)
    assert find(path.parent) == find(path) == path


def test_a_folder_without_a_description_is_said(path: Path) -> None:
    with pytest.raises(DataError, match=r"dataset\.yaml: no such file; folder:PATH needs"):
        find(path.parent)


def test_a_path_that_leads_nowhere_is_said(path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere: no such file"):
        find(path.parent / "nowhere")
