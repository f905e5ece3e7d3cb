"""HAPT: the archive, its windows and bags, and the two data sets made of it."""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from wsal_bench.api import SPLITS
from wsal_bench.data.importing import Form, write_store
from wsal_bench.data.places import VARIABLE
from wsal_bench.errors import DataError
from wsal_datasets._hapt import bags_of, read_source
from wsal_datasets._hapt_archive import NAMES, Archive, Instance, Recording
from wsal_datasets._window_features import (
    RATE,
    STRIDE,
    Signal,
    feature_names,
    window_features,
)
from wsal_datasets.hapt import Dataset, HaptConfig
from wsal_datasets.hapt_dense import Dataset as Dense

ARCHIVE = Path(__file__).parents[2].parent / "shared" / "data" / "hapt" / "HAPT-RawData.zip"
SECONDS = 45


def write_archive(folder: Path, people: tuple[int, ...] = (1, 2)) -> Path:
    """One recording of 45 s a person: sits down from 5 to 8 s, stands up from 25 to 28 s."""
    (folder / "RawData").mkdir(parents=True)
    names = "\n".join(f"{number} {name}" for number, name in enumerate(NAMES, start=1))
    (folder / "activity_labels.txt").write_text(names)
    lines = []
    for experiment, person in enumerate(people, start=1):
        for activity, first, last in ((5, 0, 5), (7, 5, 8), (4, 8, 25), (8, 25, 28)):
            lines.append(f"{experiment} {person} {activity} {first * RATE + 1} {last * RATE}")
        for kind in ("acc", "gyro"):
            generator = np.random.default_rng(experiment)
            rows = generator.normal(size=(SECONDS * RATE, 3)) + (kind == "acc")
            name = f"{kind}_exp{experiment:02d}_user{person:02d}.txt"
            np.savetxt(folder / "RawData" / name, rows)
    (folder / "RawData" / "labels.txt").write_text("\n".join(lines) + "\n")
    return folder


def zipped(folder: Path) -> Path:
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*.txt")):
            archive.write(file, file.relative_to(folder), zipfile.ZIP_DEFLATED)
    return path


def test_a_zip_and_the_folder_that_it_came_from_give_the_same(tmp_path: Path) -> None:
    folder = write_archive(tmp_path / "hapt")
    for first, second in zip(
        read_source(folder).videos, read_source(zipped(folder)).videos, strict=True
    ):
        assert first.video_id == second.video_id
        assert np.array_equal(first.read(), second.read())


def test_bags_of_20_seconds_do_not_overlap_and_the_rest_is_dropped(tmp_path: Path) -> None:
    source = read_source(write_archive(tmp_path / "hapt"))
    assert [video.video_id for video in source.videos] == [
        "exp01_user01_00", "exp01_user01_01", "exp02_user02_00", "exp02_user02_01",
    ]  # fmt: skip
    assert [video.split for video in source.videos] == ["train", "train", "test", "test"]
    assert {video.read().shape for video in source.videos} == {(50, len(feature_names()))}
    assert [video.group for video in source.videos][::2] == ["person-01", "person-02"]


def test_segments_are_in_seconds_from_the_start_of_their_bag(tmp_path: Path) -> None:
    truth = read_source(write_archive(tmp_path / "hapt")).truths["default"]["train"]
    rows = zip(truth.video, truth.label, truth.start, truth.end, strict=True)
    assert [(int(v), NAMES[label], float(s), float(e)) for v, label, s, e in rows] == [
        (0, "STANDING", 0.0, 5.0),
        (0, "STAND_TO_SIT", 5.0, 8.0),
        (0, "SITTING", 8.0, 20.0),
        (1, "SITTING", 0.0, 5.0),
        (1, "SIT_TO_STAND", 5.0, 8.0),
    ]


def test_a_part_of_less_than_half_a_second_is_dropped() -> None:
    instances = (Instance(24, 1024, 6), Instance(1976, 2000, 7))
    bags = bags_of(Recording(1, 1, instances), np.zeros((100, 3), np.float32))
    assert [bag.segments for bag in bags] == [(Instance(24, 1000, 6),), ()]
    longer = (Instance(25, 1025, 6),)
    bags = bags_of(Recording(1, 1, longer), np.zeros((100, 3), np.float32))
    assert [bag.segments for bag in bags] == [(Instance(25, 1000, 6),), (Instance(0, 25, 6),)]


def test_windows_of_a_signal_at_rest_are_finite_and_tell_posture() -> None:
    still = Signal(np.tile([1.0, 0.0, 0.0], (200, 1)), np.zeros((200, 3)))
    features = window_features(still)
    assert features.shape == (200 // STRIDE, len(feature_names()))
    assert np.isfinite(features).all()
    columns = dict(zip(feature_names(), features[5], strict=True))
    assert columns["gravity-x:mean"] == pytest.approx(1.0, abs=1e-6)
    assert columns["body-x:std"] == pytest.approx(0.0, abs=1e-6)
    assert columns["body-x*body-y"] == pytest.approx(0.0, abs=1e-6)


def test_an_oscillation_of_3_hertz_lies_in_its_band() -> None:
    time = np.arange(500) / RATE
    rotation = np.zeros((500, 3))
    rotation[:, 1] = np.sin(2 * np.pi * 3.0 * time)
    features = window_features(Signal(np.zeros((500, 3)), rotation))
    columns = dict(zip(feature_names(), features[12], strict=True))
    assert columns["rotation-y:centroid"] == pytest.approx(3.0, abs=0.3)
    bands = [columns[f"rotation-y:band-{band}"] for band in ("0-2", "2-5", "5-10", "10-25")]
    assert int(np.argmax(bands)) == 1
    assert columns["rotation-y:std"] == pytest.approx(np.sqrt(0.5), abs=0.02)


def test_a_steady_turn_has_its_slope() -> None:
    rotation = np.zeros((500, 3))
    rotation[:, 0] = np.arange(500) / RATE * 0.5
    features = window_features(Signal(np.zeros((500, 3)), rotation))
    columns = dict(zip(feature_names(), features[12], strict=True))
    assert columns["rotation-x:slope"] == pytest.approx(0.5, abs=1e-5)


def test_features_are_standardised_by_training_people_alone(tmp_path: Path) -> None:
    folder = write_archive(tmp_path / "hapt")
    first = read_source(folder).videos[0].read()
    path = folder / "RawData" / "gyro_exp02_user02.txt"
    np.savetxt(path, 100.0 * np.loadtxt(path))  # a test person
    assert np.array_equal(read_source(folder).videos[0].read(), first)


def _labels(text: str) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        (folder / "RawData" / "labels.txt").write_text(text)

    return write


def _without(name: str) -> Callable[[Path], None]:
    return lambda folder: next(folder.rglob(name)).unlink()


def _word(folder: Path) -> None:
    (folder / "RawData" / "acc_exp01_user01.txt").write_text("1.0 2.0 three\n")


def _lengths(folder: Path) -> None:
    np.savetxt(folder / "RawData" / "gyro_exp01_user01.txt", np.zeros((1500, 3)))


def _nan(folder: Path) -> None:
    (folder / "RawData" / "acc_exp01_user01.txt").write_text("1.0 nan 3.0\n")


def _bytes(folder: Path) -> None:
    (folder / "activity_labels.txt").write_bytes(b"\xff\xfe")


def _names(folder: Path) -> None:
    (folder / "activity_labels.txt").write_text("1 RUN")


def _twice(folder: Path) -> None:
    (folder / "copy").mkdir()
    (folder / "copy" / "labels.txt").write_text("1 1 5 1 50")


def _tiny(folder: Path) -> None:
    _labels("1 1 5 1 5\n")(folder)
    for kind in ("acc", "gyro"):
        np.savetxt(folder / "RawData" / f"{kind}_exp01_user01.txt", np.zeros((5, 3)))


def _test_people_only(folder: Path) -> None:
    text = (folder / "RawData" / "labels.txt").read_text().splitlines()
    _labels("\n".join(line for line in text if line.startswith("2 ")))(folder)


def _short(folder: Path) -> None:
    for kind in ("acc", "gyro"):
        np.savetxt(folder / "RawData" / f"{kind}_exp01_user01.txt", np.zeros((1000, 3)))


@pytest.mark.parametrize(
    ("breaks", "said"),
    [
        (_without("labels.txt"), "is not the HAPT archive.*looked for RawData/labels.txt"),
        (_without("gyro_exp02_user02.txt"), "lacks gyro_exp02_user02.txt"),
        (_labels("1 1 13 1 50\n"), r"line 1: \[1, 1, 13, 1, 50\] is not experiment"),
        (_labels("1 1 5 50 1\n"), r"line 1: \[1, 1, 5, 50, 1\]"),
        (_labels("1 1 5 1\n"), r"has shape \(1, 4\), not \[N, 5\]"),
        (_word, "acc_exp01_user01.txt: is no table of numbers"),
        (_lengths, "has 2250 samples of acceleration and 1500 of rotation"),
        (_nan, "acc_exp01_user01.txt: holds numbers that are not finite"),
        (_bytes, "activity_labels.txt: cannot be read"),
        (_names, "activity_labels.txt names"),
        (_twice, "has two files called labels.txt"),
        (_tiny, "has 5 samples, fewer than the filter needs"),
        (_labels("1 1 5 1.5 50\n"), "labels.txt: holds numbers that are not whole"),
        (_test_people_only, "has no recording of a training person"),
        (_short, "labelled up to sample 1400, but has 1000"),
    ],
)
def test_an_archive_that_is_wrong_is_refused(
    tmp_path: Path, breaks: Callable[[Path], None], said: str
) -> None:
    folder = write_archive(tmp_path / "hapt")
    breaks(folder)
    with pytest.raises(DataError, match=said):
        read_source(folder)


def test_a_damaged_member_of_the_zip_is_named(tmp_path: Path) -> None:
    path = zipped(write_archive(tmp_path / "hapt"))
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        begin = archive.getinfo("RawData/acc_exp01_user01.txt").header_offset
    data[begin + 200 : begin + 260] = bytes(60)
    path.write_bytes(bytes(data))
    with pytest.raises(DataError, match=r"acc_exp01_user01\.txt: (cannot be read|is no table)"):
        read_source(path)


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.zip").write_text("hello")
    with pytest.raises(DataError, match="is no zip archive and no folder"):
        Archive(tmp_path / "text.zip")
    with pytest.raises(DataError, match="no such file or folder"):
        Archive(tmp_path / "none.zip")


@pytest.fixture
def imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "data"))
    (tmp_path / "data").mkdir()
    source = read_source(write_archive(tmp_path / "hapt"))
    write_store(source, tmp_path / "data" / "hapt", Form("hapt", RATE, STRIDE))


@pytest.mark.usefixtures("imported")
def test_hapt_knows_the_six_transitions_only() -> None:
    dataset = Dataset(HaptConfig())
    assert dataset.class_names == (
        "STAND_TO_SIT", "SIT_TO_STAND", "SIT_TO_LIE", "LIE_TO_SIT", "STAND_TO_LIE", "LIE_TO_STAND",
    )  # fmt: skip
    labels = [video.labels.tolist() for video in dataset.videos("train")]  # type: ignore[attr-defined]
    assert labels == [[1, 0, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0]]
    assert dataset.ground_truth("test").start.tolist() == [5.0, 5.0]
    assert dataset.videos("train")[0].grid.snippet_seconds == pytest.approx(0.4)


@pytest.mark.usefixtures("imported")
def test_hapt_dense_knows_all_twelve_activities() -> None:
    dataset = Dense(HaptConfig())
    assert dataset.class_names == NAMES
    assert len(dataset.ground_truth("train")) == 5
    assert "Ill-posed by design" in dataset.card


def test_bags_without_an_action_are_left_out_unless_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "data"))
    (tmp_path / "data").mkdir()
    folder = write_archive(tmp_path / "hapt")
    lines = (folder / "RawData" / "labels.txt").read_text().splitlines()
    (folder / "RawData" / "labels.txt").write_text("\n".join(lines[:-1]))  # 2 stays seated
    write_store(read_source(folder), tmp_path / "data" / "hapt", Form("hapt", RATE, STRIDE))
    assert [v.video_id for v in Dataset(HaptConfig()).videos("test")] == ["exp02_user02_00"]
    every = Dataset(HaptConfig(empty_test_bags=True))
    assert [v.video_id for v in every.videos("test")] == ["exp02_user02_00", "exp02_user02_01"]
    assert every.ground_truth("test").video_ids == ("exp02_user02_00", "exp02_user02_01")


@pytest.mark.skipif(not ARCHIVE.is_file(), reason="needs the HAPT archive in shared/data/hapt")
def test_the_real_archive_makes_a_weak_localization_task_of_thumos_shape(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    source = read_source(ARCHIVE)
    write_store(source, tmp_path / "hapt", Form("hapt", RATE, STRIDE))
    dataset = Dataset(HaptConfig())
    truths = [dataset.ground_truth(split) for split in SPLITS]
    assert len(source.videos) == 1093
    assert [len(truth.video_ids) for truth in truths] == [278, 118]
    labels = Counter(
        (split, video) for split, truth in enumerate(truths)
        for video, _ in set(zip(truth.video.tolist(), truth.label.tolist(), strict=True))
    )  # fmt: skip
    assert np.mean(list(labels.values())) == pytest.approx(1.015, abs=0.001)
    foreground = sum(float((truth.end - truth.start).sum()) for truth in truths)
    assert foreground / (396 * 20) == pytest.approx(0.17, abs=0.005)
    people = {group for truth in truths for group in truth.groups}
    assert len(people) == 30
    assert not set(truths[0].groups) & set(truths[1].groups)


def test_a_changed_file_of_the_unpacked_archive_is_noticed(tmp_path: Path) -> None:
    folder = write_archive(tmp_path / "hapt")
    before = {video.stamp for video in read_source(folder).videos}
    path = next(folder.rglob("acc_*.txt"))
    path.write_text(path.read_text() + "0 0 1\n")
    gyro = path.with_name(path.name.replace("acc", "gyro"))
    gyro.write_text(gyro.read_text() + "0 0 0\n")
    after = {video.stamp for video in read_source(folder).videos}
    assert len(before) == len(after) == 1
    assert before != after
