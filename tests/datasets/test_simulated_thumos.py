"""Simulated features on given timelines: the truth is the file's, the look is `simulated`'s."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wsal_bench.api import SPLITS
from wsal_bench.data.places import VARIABLE
from wsal_bench.errors import DataError
from wsal_bench.evaluation import evaluate
from wsal_bench.evaluation.floors import oracle_activations
from wsal_bench.evaluation.protocols import common
from wsal_bench.localization import localize
from wsal_bench.localization.recipe import COMMON
from wsal_bench.types import Detections
from wsal_datasets.simulated import Looks
from wsal_datasets.simulated_thumos import Dataset

SHARED = Path(__file__).parents[2].parent / "shared" / "data" / "thumos14"
DIVE = {"segment": [1.0, 4.2], "label": "Diving"}
DATABASE: dict[str, Any] = {
    "video_validation_1": {"subset": "validation", "duration": 12.8, "annotations": [DIVE, DIVE]},
    "video_validation_2": {
        "subset": "validation",
        "annotations": [{"segment": ["3.0", "6.1"], "label": "Shotput"}],
    },
    "video_test_0000270": {"subset": "test", "duration": 9.0, "annotations": [DIVE]},
    "video_test_0000004": {"subset": "test", "duration": 2.0, "annotations": [DIVE]},
}


def opened(folder: Path, seed: int = 0) -> Dataset:
    path = folder / "gt.json"
    path.write_text(json.dumps({"database": DATABASE}))
    dataset = Dataset.open(path, Looks(feature_dim=16), seed)
    assert isinstance(dataset, Dataset)
    return dataset


def test_the_truth_is_the_files_without_doubles_and_mis_annotated_videos(tmp_path: Path) -> None:
    dataset = opened(tmp_path)
    assert len(dataset.class_names) == 20
    train, test = dataset.ground_truth("train"), dataset.ground_truth("test")
    assert train.video_ids == ("video_validation_1", "video_validation_2")
    assert test.video_ids == ("video_test_0000004",)
    assert (train.start.tolist(), train.end.tolist()) == ([1.0, 3.0], [4.2, 6.1])
    assert [dataset.class_names[label] for label in train.label] == ["Diving", "Shotput"]


def test_videos_last_as_the_truth_says_and_until_their_last_instance(tmp_path: Path) -> None:
    dataset = opened(tmp_path)
    lengths = {v.video_id: v.num_snippets for split in SPLITS for v in dataset.videos(split)}
    assert lengths == {
        "video_validation_1": 20,  # 12.8 s
        "video_validation_2": 10,  # no duration: 6.1 + 0.3 s
        "video_test_0000004": 8,  # the file says 2 s, but the last instance ends at 4.2
    }


def test_a_data_seed_is_a_data_set_on_the_same_timelines(tmp_path: Path) -> None:
    first, again, other = opened(tmp_path), opened(tmp_path), opened(tmp_path, seed=1)
    assert np.array_equal(
        first.videos("train")[0].features[:], again.videos("train")[0].features[:]
    )
    assert not np.array_equal(
        first.videos("train")[0].features[:], other.videos("train")[0].features[:]
    )
    assert first.fingerprint() == other.fingerprint()


def test_without_a_truth_it_says_where_to_get_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    with pytest.raises(DataError, match=r"write simulated-thumos:gt\.json, or import thumos14"):
        Dataset.open(None, Looks(), 0)


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs THUMOS14's truth in shared/data/thumos14")
def test_the_real_timelines_are_those_of_thumos14() -> None:
    dataset = Dataset.open(SHARED / "gt412.json", Looks(feature_dim=2), 0)
    train, test = dataset.ground_truth("train"), dataset.ground_truth("test")
    assert (len(train.video_ids), len(train)) == (200, 3007)
    assert (len(test.video_ids), len(test)) == (210, 3311)
    truth, unused = dataset.ground_truth("test"), np.random.default_rng(0)
    oracle = {
        video.video_id: localize(oracle_activations(video, truth, unused), COMMON)
        for video in dataset.videos("test")
    }
    found = Detections.from_proposals(oracle, truth.class_names)
    assert evaluate(truth, found, common("simulated-thumos")).headline > 0.88
