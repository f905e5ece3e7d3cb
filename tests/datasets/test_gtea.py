"""Real video features through `folder`, where they are at hand."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from wsal_bench.api import Dataset as AnyDataset
from wsal_bench.config import Config
from wsal_datasets.folder import Dataset

GTEA = Path(__file__).parents[2].parent / "shared" / "data" / "gtea"

pytestmark = pytest.mark.skipif(
    not GTEA.is_dir(), reason="needs the GTEA features in shared/data/gtea beside the checkout"
)


@pytest.fixture(scope="module")
def gtea(tmp_path_factory: pytest.TempPathFactory) -> AnyDataset:
    folder = tmp_path_factory.mktemp("gtea")
    (folder / "dataset.yaml").write_text(
        f"name: gtea\nroot: {GTEA}\nfps: 15\nstride: 1\npreset: small\ngroup: '^(S\\d)'\n"
        "subsets: {train: train, test: test}\n"
    )
    return Dataset.open(folder, Config(), 0)


def test_all_135_videos_are_there(gtea: AnyDataset) -> None:
    train, test = gtea.videos("train"), gtea.videos("test")
    assert (len(train), len(test), gtea.feature_dim) == (96, 39, 128)
    assert train[0].features[:].shape == (225, 128)
    assert train[0].duration == pytest.approx(15.0)


def test_the_classes_are_the_ten_actions(gtea: AnyDataset) -> None:
    assert gtea.class_names == (
        "close", "fold", "open", "pour", "put", "scoop", "shake", "spread", "stir", "take",
    )  # fmt: skip


def test_subject_1_is_left_out_of_training(gtea: AnyDataset) -> None:
    assert {video.group for video in gtea.videos("train")} == {"S2", "S3", "S4"}
    assert {video.group for video in gtea.videos("test")} == {"S1"}
    assert gtea.preset == "small"


def test_the_truth_is_that_of_the_file(gtea: AnyDataset) -> None:
    truth = gtea.ground_truth("test")
    assert truth.video_ids[0] == "S1_Cheese_C1_00" and len(truth) == 156
    names = [truth.class_names[label] for label in truth.label[:3]]
    assert names == ["take", "take", "open"]
    assert truth.end[:3].tolist() == [4.7333, 11.4, 15.0]
    assert np.all(truth.end <= truth.durations[truth.video] + 1 / 15)
    assert Counter(truth.groups) == {"S1": 39}
