import json
import stat
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wsal_bench.errors import DataError, UsageError
from wsal_bench.evaluation.formats import (
    detections_from_json,
    detections_from_npz,
    detections_to_json,
    detections_to_npz,
    truth_from_json,
)
from wsal_bench.types import Detections


def write(folder: Path, document: object) -> Path:
    path = folder / "file.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


def video(subset: str, *segments: tuple[str, Any], **more: Any) -> dict[str, Any]:
    annotations = [{"label": label, "segment": segment} for label, segment in segments]
    return {"subset": subset, "annotations": annotations, **more}


def truth_file(folder: Path, **videos: Any) -> Path:
    return write(folder, {"database": videos})


def test_truth_is_read_in_file_order_with_strings_and_without_durations(tmp_path: Path) -> None:
    path = truth_file(
        tmp_path,
        w=video("test", ("jump", ["1.5", "2.5"]), ("run", [3, 4])),
        other=video("spare"),
        v=video("test", ("jump", [0, 1]), duration=9),
        silent={"subset": "test"},
    )
    truth = truth_from_json(path)
    assert truth.video_ids == ("w", "v", "silent")
    assert truth.class_names == ("jump", "run")
    assert truth.video.tolist() == [0, 0, 1]
    assert truth.start.tolist() == [1.5, 3.0, 0.0]
    assert truth.end.tolist() == [2.5, 4.0, 1.0]
    assert truth.label.tolist() == [0, 1, 0]
    np.testing.assert_array_equal(truth.durations, [np.nan, 9.0, np.nan])


def test_given_classes_keep_their_order_and_refuse_others(tmp_path: Path) -> None:
    path = truth_file(tmp_path, v=video("test", ("jump", [0, 1])))
    truth = truth_from_json(path, class_names=("run", "jump"))
    assert (truth.class_names, truth.label.tolist()) == (("run", "jump"), [1])
    with pytest.raises(DataError, match=r"file.json: video 'v': unknown class 'jump'.*'jumps'"):
        truth_from_json(path, class_names=("jumps",))


def test_several_subsets_with_truth_must_be_chosen_from(tmp_path: Path) -> None:
    path = truth_file(
        tmp_path, v=video("train", ("A", [0, 1])), w=video("test", ("B", [0, 1])), u=video("spare")
    )
    with pytest.raises(UsageError, match=r"name one of: train, test$"):
        truth_from_json(path)
    assert truth_from_json(path, "test").class_names == ("B",)
    with pytest.raises(UsageError, match="no subset 'tset'; did you mean 'test'"):
        truth_from_json(path, "tset")


def test_a_file_without_any_true_segment_says_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no subset has a true segment"):
        truth_from_json(truth_file(tmp_path, v=video("test")))


@pytest.mark.parametrize("segment", [[3, 3], [4, 3]])
def test_a_true_segment_must_end_after_its_start(tmp_path: Path, segment: list[float]) -> None:
    path = truth_file(tmp_path, v=video("test", ("A", segment)))
    with pytest.raises(DataError, match=r"file.json: video 'v': .* ends at 3 s, not after"):
        truth_from_json(path)
    assert len(truth_from_json(path, strict=False)) == 1


COLUMNS = ("video", "start", "end", "label", "score")
BAD_SEGMENTS = [None, 5, "1 2", [1], [1, 2, 3], [1, "two"], [1, None], [True, 2], [1, "nan"]]


@pytest.mark.parametrize("segment", BAD_SEGMENTS)
def test_a_segment_that_is_not_two_numbers_is_named(tmp_path: Path, segment: Any) -> None:
    path = truth_file(tmp_path, v=video("test", ("A", segment)))
    with pytest.raises(DataError, match=r"file.json: video 'v': (segment|start|end) .* not"):
        truth_from_json(path)
    row = {"label": "A", "segment": segment, "score": 1}
    path = write(tmp_path, {"results": {"v": [row]}})
    with pytest.raises(DataError, match=r"file.json: video 'v': (segment|start|end) .* not"):
        detections_from_json(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not JSON"),
        ("", "is not JSON"),
        ("\0\x80", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("[]", "has no object"),
        ('{"version": 1}', "has no object"),
        ('{"database": [], "results": []}', "has no object"),
        ('{"database": {"v": []}, "results": {"v": 3}}', "video 'v': its"),
        ('{"database": {"v": {"subset": 3}}, "results": {"v": [3]}}', "video 'v': its"),
    ],
)
def test_a_file_of_another_kind_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = write(tmp_path, text)
    for read in (truth_from_json, detections_from_json):
        with pytest.raises(DataError, match=f"file.json: .*{message}"):
            read(path)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    for read in (truth_from_json, detections_from_json, detections_from_npz):
        with pytest.raises(DataError, match=r"absent: .* cannot be read"):
            read(tmp_path / "absent")
        with pytest.raises(DataError, match="is a folder, not a file"):
            read(tmp_path)


def results(folder: Path, **change: Any) -> Path:
    row = {"label": "jump", "segment": [0, 1], "score": 0.5, **change}
    return write(folder, {"results": {"v": [row]}})


@pytest.mark.parametrize("score", [float("nan"), float("inf"), None, "high", [1]])
def test_a_score_that_is_not_a_number_is_named(tmp_path: Path, score: Any) -> None:
    with pytest.raises(DataError, match=r"file.json: video 'v': score .* is not a finite number"):
        detections_from_json(results(tmp_path, score=score))


def test_a_detection_of_an_unknown_class_gets_a_suggestion(tmp_path: Path) -> None:
    path = results(tmp_path, label="jmup")
    with pytest.raises(DataError, match=r"'v': unknown class 'jmup'; did you mean 'jump'"):
        detections_from_json(path, ("run", "jump"))
    assert detections_from_json(path).class_names == ("jmup",)


@pytest.mark.parametrize("label", [None, 3])
def test_a_label_must_be_a_name(tmp_path: Path, label: Any) -> None:
    with pytest.raises(DataError, match=r"'v': label .* is not a class name"):
        detections_from_json(results(tmp_path, label=label))


def test_a_detection_may_be_empty_but_not_inverted(tmp_path: Path) -> None:
    assert len(detections_from_json(results(tmp_path, segment=[2, 2]))) == 1
    inverted = results(tmp_path, segment=[2, 1])
    with pytest.raises(DataError, match="'v': detection ends at 1 s, before its start 2"):
        detections_from_json(inverted)
    assert len(detections_from_json(inverted, strict=False)) == 1


def test_known_videos_come_first_and_those_of_the_file_follow(tmp_path: Path) -> None:
    detections = detections_from_json(results(tmp_path), ("run", "jump"), ("a", "b"))
    assert detections.video_ids == ("a", "b", "v")
    assert (detections.video.tolist(), detections.label.tolist()) == ([2], [1])


def some_detections() -> Detections:
    return Detections(
        video=np.array([0, 0, 2]),
        start=np.array([0.1, 1 / 3, 2.0]),
        end=np.array([1.0, 2.0, 3.0]),
        label=np.array([1, 0, 1]),
        score=np.array([0.3, 0.1 + 0.2, 1e-300]),
        video_ids=("ü", "empty", "v"),
        class_names=("run", "jump"),
    )


def assert_same(left: Detections, right: Detections) -> None:
    assert (left.video_ids, left.class_names) == (right.video_ids, right.class_names)
    for name in COLUMNS:
        assert getattr(left, name).tolist() == getattr(right, name).tolist()


def test_detections_go_to_json_and_back_exactly(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    detections_to_json(some_detections(), path)
    assert_same(detections_from_json(path, ("run", "jump")), some_detections())


def test_detections_go_to_npz_and_back_exactly_and_always_as_the_same_bytes(
    tmp_path: Path,
) -> None:
    first, second = tmp_path / "first.npz", tmp_path / "second"
    detections_to_npz(some_detections(), first)
    detections_to_npz(some_detections(), second)
    assert_same(detections_from_npz(first), some_detections())
    assert first.read_bytes() == second.read_bytes()


def test_no_detection_survives_both_formats(tmp_path: Path) -> None:
    column, index = np.empty(0), np.empty(0, dtype=np.int64)
    none = Detections(index, column, column, index, column, (), ())
    detections_to_npz(none, tmp_path / "n")
    detections_to_json(none, tmp_path / "j")
    assert len(detections_from_npz(tmp_path / "n")) == 0
    assert len(detections_from_json(tmp_path / "j")) == 0


def test_an_npz_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    np.savez(path, video=np.zeros(3))
    with pytest.raises(DataError, match=r"x.npz: not a file of detections"):
        detections_from_npz(path)
    detections_to_npz(some_detections(), path)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(DataError, match=r"x.npz: not a file of detections"):
        detections_from_npz(path)
    np.save(tmp_path / "y.npy", np.zeros(3))
    with pytest.raises(DataError, match="not a file of detections"):
        detections_from_npz(tmp_path / "y.npy")


def test_a_pickle_is_never_opened(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    columns = {name: getattr(some_detections(), name) for name in COLUMNS}
    names = np.array(["run", "jump", "sit"], dtype=object)
    np.savez(path, allow_pickle=True, **columns, video_ids=names, class_names=names)
    with pytest.raises(DataError, match="not a file of detections"):
        detections_from_npz(path)


@pytest.mark.parametrize("save", [detections_to_json, detections_to_npz])
def test_a_failed_write_leaves_what_was_there(tmp_path: Path, save: Any) -> None:
    with pytest.raises(DataError, match="cannot be written"):
        save(some_detections(), tmp_path / "absent" / "file")
    (tmp_path / "folder").mkdir()
    with pytest.raises(DataError, match="folder: cannot be written"):
        save(some_detections(), tmp_path / "folder")
    path = tmp_path / "kept"
    path.write_text("old")
    broken = some_detections()
    object.__setattr__(broken, "score", np.array([object()] * 3))  # fails in the middle
    object.__setattr__(broken, "video_ids", (object(),))
    with pytest.raises((TypeError, IndexError, ValueError)):
        detections_to_json(broken, path)
    assert path.read_text() == "old"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["folder", "kept"]


def test_a_written_file_has_the_permissions_of_any_other(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    detections_to_npz(some_detections(), tmp_path / "x")
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("plain", "x")]
    assert modes[0] == modes[1]
