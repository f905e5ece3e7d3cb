"""Truth in every format, shortcuts of the values, and what a reader must not let pass."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.evaluation.test_formats import (
    assert_same,
    results,
    some_detections,
    truth_file,
    video,
    write,
)
from wsal_bench.errors import DataError
from wsal_bench.evaluation.formats import (
    detections_from_json,
    detections_from_npz,
    detections_to_json,
    detections_to_npz,
    truth_from_json,
    truth_from_npz,
    truth_to_json,
    truth_to_npz,
    with_ambiguous,
)
from wsal_bench.types import GroundTruth


def some_truth() -> GroundTruth:
    return GroundTruth(
        video=np.array([0, 0, 2]),
        start=np.array([0.1, 1 / 3, 2.0]),
        end=np.array([1.0, 2.0, 3.0]),
        label=np.array([1, 0, 1]),
        video_ids=("ü", "empty", "v"),
        class_names=("run", "jump"),
        durations=np.array([9.0, np.nan, 3.5]),
        groups=("one", "one", "two"),
        ambiguous=np.array([[2.0, 0.5, 0.75]]),
    )


def test_truth_goes_to_npz_and_back_exactly(tmp_path: Path) -> None:
    truth_to_npz(some_truth(), tmp_path / "t.npz")
    back = truth_from_npz(tmp_path / "t.npz")
    for name, value in vars(some_truth()).items():
        np.testing.assert_array_equal(getattr(back, name), value)
    with pytest.raises(DataError, match=r"t.npz: not a file of detections"):
        detections_from_npz(tmp_path / "t.npz")


def test_truth_goes_to_json_and_back_exactly(tmp_path: Path) -> None:
    truth_to_json(some_truth(), tmp_path / "t.json", "held-out")
    back = truth_from_json(tmp_path / "t.json", "held-out", class_names=("run", "jump"))
    for name in ("video", "start", "end", "label", "video_ids", "class_names", "durations"):
        np.testing.assert_array_equal(getattr(back, name), getattr(some_truth(), name))


def test_detections_have_the_same_shortcuts(tmp_path: Path) -> None:
    detections_to_json(some_detections(), tmp_path / "d.json")
    detections_to_npz(some_detections(), tmp_path / "d.npz")
    assert_same(detections_from_npz(tmp_path / "d.npz"), some_detections())
    known = ("run", "jump")
    assert_same(
        detections_from_json(tmp_path / "d.json", class_names=known),
        some_detections(),
    )


def test_an_npz_of_detections_is_no_truth(tmp_path: Path) -> None:
    detections_to_npz(some_detections(), tmp_path / "d.npz")
    with pytest.raises(DataError, match="not a file of truth"):
        truth_from_npz(tmp_path / "d.npz")
    truth_to_npz(some_truth(), tmp_path / "t.npz")
    assert len(truth_from_npz(tmp_path / "t.npz")) == 3


ROW = '{"label": "A", "segment": [0, 1], "score": 0.5}'


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (f'{{"results": {{"v": [{ROW}], "w": [], "v": [{ROW}]}}}}', "v"),
        (f'{{"results": {{"v": [{ROW}]}}, "results": {{"w": [{ROW}]}}}}', "results"),
        ('{"results": {"v": [{"segment": [0, 1], "score": 0, "score": 1}]}}', "score"),
    ],
)
def test_a_repeated_key_is_refused_by_name(tmp_path: Path, text: str, key: str) -> None:
    with pytest.raises(DataError, match=f"file.json: .* has '{key}' twice in one object"):
        detections_from_json(write(tmp_path, text))


def test_a_repeated_video_of_the_truth_is_refused_by_name(tmp_path: Path) -> None:
    entry = json.dumps(video("test", ("A", [0, 1])))
    path = write(tmp_path, f'{{"database": {{"v": {entry}, "v": {entry}}}}}')
    with pytest.raises(DataError, match="truth has 'v' twice"):
        truth_from_json(path)


def test_a_truncated_file_names_the_line(tmp_path: Path) -> None:
    for read in (truth_from_json, detections_from_json):
        with pytest.raises(DataError, match=r"file.json: .* is not JSON \(.*line 3 column"):
            read(write(tmp_path, '{"results":\n{"v": [\n{"label": "A", "segm'))


def test_numbers_in_strings_are_counted(tmp_path: Path) -> None:
    notes: list[str] = []
    truth_from_json(truth_file(tmp_path, v=video("test", ("A", ["0", "1"]))), notes=notes)
    detections_from_json(results(tmp_path, score="0.5"), notes=notes)
    assert [note.split(": ")[1] for note in notes] == [
        "2 numbers are written as strings",
        "1 numbers are written as strings",
    ]
    detections_from_json(results(tmp_path), notes=notes)
    assert len(notes) == 2


def test_both_readers_see_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    detections_to_json(some_detections(), tmp_path / "d.json")
    truth_to_json(some_truth(), tmp_path / "t.json")
    quick = detections_from_json(tmp_path / "d.json"), truth_from_json(tmp_path / "t.json")
    read_by = "wsal_bench.evaluation._quick.{}"
    for name in ("read_detections", "read_truth"):
        monkeypatch.setattr(read_by.format(name), lambda content: None)
    careful = detections_from_json(tmp_path / "d.json"), truth_from_json(tmp_path / "t.json")
    assert_same(quick[0], careful[0])
    for name, value in vars(quick[1]).items():
        np.testing.assert_array_equal(getattr(careful[1], name), value)


def test_ambiguous_stretches_are_those_of_the_truths_videos(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("v  1.0 2.5\nelsewhere 0 1\n\n\u00fc\t0 1\n", encoding="utf-8")
    notes: list[str] = []
    truth = with_ambiguous(some_truth(), tmp_path / "a.txt", notes)
    assert truth.ambiguous.tolist() == [[2.0, 1.0, 2.5], [0.0, 0.0, 1.0]]
    assert "1 ambiguous stretches are in videos outside the truth" in notes[0]
