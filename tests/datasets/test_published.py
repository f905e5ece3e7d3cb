"""THUMOS14 and the other published data sets: cards, and THUMOS14's real annotation."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.cli.made_up import Cli
from tests.datasets.made_up_store import write_made_up
from wsal_bench.data.index import read_index, write_index
from wsal_bench.data.looking import open_dataset
from wsal_bench.data.places import VARIABLE
from wsal_bench.evaluation import names as protocol_names
from wsal_bench.running.coverage import Coverage
from wsal_datasets.thumos14 import MIS_ANNOTATED, Dataset, Thumos14Config

SHARED = Path(__file__).parents[2].parent / "shared" / "data" / "thumos14"
needs_annotation = pytest.mark.skipif(
    not SHARED.is_dir(), reason="needs THUMOS14's annotation in shared/data/thumos14"
)


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "data"))
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


@pytest.mark.parametrize("name", ["thumos14", "activitynet12", "activitynet13"])
def test_the_protocols_of_a_data_set_exist(name: str, root: Path) -> None:
    write_made_up(name, root)
    protocols = open_dataset(name).protocols
    assert protocols
    assert set(protocols) <= set(protocol_names())


@pytest.mark.parametrize("name", ["thumos14", "activitynet12", "activitynet13", "gtea", "beoid"])
def test_a_card_is_shown_without_any_file(cli: Cli, name: str) -> None:
    done = cli("show", name)
    assert done.exit_code == 0, done.stderr
    assert "card:" in done.stdout


def test_the_split_is_part_of_the_track(root: Path) -> None:
    write_made_up("thumos14", root)
    assert Dataset(Thumos14Config(split="212")).track.split_variant == "212"
    assert Dataset(Thumos14Config(label_source="metadata")).track.label_source == "metadata"


@needs_annotation
@pytest.mark.parametrize("split", ["210", "212"])
def test_thumos14_comes_from_the_published_annotation(cli: Cli, tmp_path: Path, split: str) -> None:
    source = tmp_path / "Thumos14reduced"
    annotation = SHARED / "Thumos14reduced-Annotations"
    shutil.copytree(annotation, source / "Thumos14reduced-Annotations")
    durations = np.load(annotation / "duration.npy").reshape(-1)
    features = np.empty(len(durations), dtype=object)
    for number, seconds in enumerate(durations):
        features[number] = np.full((int(seconds * 25 / 16) + 1, 2), number, np.float32)
    np.save(source / "Thumos14reduced-I3D-JOINTFeatures.npy", features, allow_pickle=True)
    gt412 = SHARED / "gt412.json"
    done = cli("data", "import", source, "--as", "thumos14", "--truth", f"gt412={gt412}")
    assert done.exit_code == 0, done.stderr
    assert "gt412.json is gt412: 200 + 212 videos" in done.stdout
    dataset = Dataset(Thumos14Config(split=split))
    train, test = dataset.videos("train"), dataset.videos("test")
    assert (len(train), len(test)) == (200, int(split))
    truth = dataset.ground_truth("test")
    assert (len(truth.video_ids), len(truth)) == {"210": (210, 3311), "212": (212, 3358)}[split]
    assert len(dataset.ground_truth("train")) == 3007
    assert len(truth.ambiguous) > 80
    assert ({video.video_id for video in test} >= MIS_ANNOTATED) == (split == "212")
    # a video's rows hold its number in the published arrays: none is another's
    names = [name.decode() for name in np.load(annotation / "videoname.npy")]
    for video in (*train, *test):
        assert np.all(video.features[:] == names.index(video.video_id))


@needs_annotation
def test_labels_of_whole_videos_differ_from_those_of_segments_for_some_videos(
    cli: Cli, tmp_path: Path
) -> None:
    annotation = SHARED / "Thumos14reduced-Annotations"
    source = tmp_path / "src"
    shutil.copytree(annotation, source)
    features = np.empty(412, dtype=object)
    for number, seconds in enumerate(np.load(annotation / "duration.npy").reshape(-1)):
        features[number] = np.zeros((int(seconds * 25 / 16) + 1, 1), np.float16)
    np.save(source / "Thumos14reduced-I3D-JOINTFeatures.npy", features, allow_pickle=True)
    assert cli("data", "import", source, "--as", "thumos14").exit_code == 0
    labels = [
        np.stack([v.labels for v in Dataset(Thumos14Config(label_source=kind)).videos("train")])  # type: ignore[attr-defined]
        for kind in ("truth", "metadata")
    ]
    assert 0 < (labels[0] != labels[1]).any(1).sum() < 20


@needs_annotation
def test_the_known_truth_files_are_those_in_use() -> None:
    for known in Dataset.facts.truth_files:
        content = (SHARED / f"{known.name}.json").read_bytes()
        assert hashlib.sha256(content).hexdigest() == known.sha256


def test_videos_of_the_published_list_that_are_not_there_are_counted(root: Path) -> None:
    write_made_up("thumos14", root)  # four test videos of 210
    assert Coverage.of(open_dataset("thumos14"), "default") == Coverage(4, 4, left_out=206)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("gtea", Coverage(3, 3, left_out=1)),
        ("activitynet12", Coverage(4, 4, missed=1, left_out=2379)),
    ],
)
def test_videos_of_the_truth_without_features_are_left_out_or_missed(
    name: str, expected: Coverage, root: Path
) -> None:
    place = write_made_up(name, root)
    index = read_index(place)
    *kept, last = index.videos["test"]
    rows = np.load(place / "test.npy")[: last.first]
    np.save(place / "test.npy", rows)
    write_index(place, index.model_copy(update={"videos": {**index.videos, "test": tuple(kept)}}))
    assert Coverage.of(open_dataset(name), "default") == expected
