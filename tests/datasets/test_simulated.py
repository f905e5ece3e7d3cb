"""The embedded data set: what its numbers are, what its dials do, and that a seed is a data set."""

import time
from typing import Any

import numpy as np
import pytest

from wsal_bench.config import Layer, build
from wsal_bench.errors import UsageError
from wsal_bench.types import WeakVideo
from wsal_datasets._simulated import SimulatedDataset
from wsal_datasets.simulated import Dataset
from wsal_datasets.simulated_order import Dataset as OrderDataset

PINNED: dict[str, list[float]] = {
    "start": [2.0, 5.2, 13.2],
    "end": [4.0, 11.3, 17.5],
    "label": [0, 0, 0],
    "features": [0.0, 0.0, 0.0, 0.0, 0.0, 0.27305],
}
SMALL = {"num_train": 30, "num_test": 10, "feature_dim": 16}


def drawn(seed: int = 0, **options: Any) -> SimulatedDataset:
    config = build(Dataset.Config, [Layer("test", options)], owner="simulated")
    dataset = Dataset.open(None, config, seed)
    assert isinstance(dataset, SimulatedDataset)
    return dataset


@pytest.fixture(scope="module")
def whole() -> SimulatedDataset:
    return drawn()


def foreground(dataset: SimulatedDataset) -> float:
    return float(np.mean([video.foreground.mean() for video in dataset.simulated["train"]]))


def lengths(dataset: SimulatedDataset) -> Any:
    truth = dataset.ground_truth("train")
    return truth.end - truth.start


def test_the_train_split_has_the_published_statistics(whole: SimulatedDataset) -> None:
    videos = whole.simulated["train"]
    rows = np.concatenate([video.features for video in videos])
    action = np.concatenate([video.foreground for video in videos])
    context = np.concatenate([video.context for video in videos])
    norm = np.linalg.norm(rows, axis=1)
    snippets = [video.num_snippets for video in videos]
    truth = whole.ground_truth("train")
    assert len(videos) == 120 and len(whole.simulated["test"]) == 80
    assert (round(np.mean(snippets)), min(snippets), max(snippets)) == (107, 39, 250)
    assert len(truth) / len(videos) == pytest.approx(6.2, abs=0.05)
    assert np.median(lengths(whole)) == pytest.approx(3.2, abs=0.05)
    assert np.log(lengths(whole)).std() == pytest.approx(0.58, abs=0.01)
    assert foreground(whole) == pytest.approx(0.34, abs=0.01)
    assert np.mean([v.context.mean() for v in videos]) == pytest.approx(0.26, abs=0.01)
    assert (rows == 0).mean() == pytest.approx(0.57, abs=0.01)
    assert np.mean([np.linalg.norm(v.features, axis=1).mean() for v in videos]) == pytest.approx(
        25 * np.sqrt(128 / 2048), abs=1e-3
    )
    assert norm[action > 0.5].mean() == pytest.approx(6.27, abs=0.02)
    assert norm[context > 0.5].mean() == pytest.approx(6.66, abs=0.02)
    assert norm[(context <= 0.5) & (action <= 0.5)].mean() == pytest.approx(5.96, abs=0.02)


@pytest.mark.parametrize("seed", [1, 2])
def test_other_seeds_are_alike(seed: int) -> None:
    other = drawn(seed)
    videos = other.simulated["train"]
    assert 85 < np.mean([video.num_snippets for video in videos]) < 130
    assert 4 < len(other.ground_truth("train")) / len(videos) < 9
    assert 0.25 < foreground(other) < 0.45
    assert 0.18 < np.mean([video.context.mean() for video in videos]) < 0.32


def test_version_1_draws_these_numbers(whole: SimulatedDataset) -> None:
    # a change that moves them raises `version`: stored results must not be mixed with new ones
    truth = whole.ground_truth("test")
    features = whole.videos("test")[0].features[:]
    assert Dataset.version == "1"
    assert truth.start[:3].tolist() == PINNED["start"]
    assert truth.end[:3].tolist() == PINNED["end"]
    assert truth.label[:3].tolist() == PINNED["label"]
    assert features[5, :6] == pytest.approx(PINNED["features"], abs=1e-4)


def test_a_seed_is_a_data_set() -> None:
    one, same, other = drawn(3, **SMALL), drawn(3, **SMALL), drawn(4, **SMALL)
    assert np.array_equal(one.videos("test")[9].features[:], same.videos("test")[9].features[:])
    assert np.array_equal(lengths(one), lengths(same))
    assert not np.array_equal(lengths(one), lengths(other))


def test_more_test_videos_change_no_train_video() -> None:
    few, many = drawn(**SMALL), drawn(**SMALL | {"num_test": 20})
    for one, same in zip(few.videos("train"), many.videos("train"), strict=True):
        assert np.array_equal(one.features[:], same.features[:])


def test_labels_are_the_classes_that_happen() -> None:
    dataset = drawn(**SMALL, co_occurrence=1.0)
    truth = dataset.ground_truth("train")
    two = 0
    for number, video in enumerate(dataset.videos("train")):
        assert isinstance(video, WeakVideo) and video.labels.dtype == np.float32
        shown = set(truth.label[truth.video == number].tolist())
        assert set(np.flatnonzero(video.labels).tolist()) == shown
        two += len(shown) == 2
    assert two > 10


def test_test_videos_carry_no_label_and_features_are_shared_read_only() -> None:
    video = drawn(**SMALL).videos("test")[0]
    assert not isinstance(video, WeakVideo)
    assert (video.grid.fps, video.grid.stride, video.grid.snippet_seconds) == (25, 16, 0.64)
    features = video.features[:]
    assert features.dtype == np.float32
    with pytest.raises(ValueError, match="read-only"):
        features[0] = 1.0


@pytest.mark.parametrize("seed", range(5))
def test_segments_are_tenths_of_a_second_inside_their_video_and_apart(seed: int) -> None:
    for split in ("train", "test"):
        truth = drawn(seed, **SMALL).ground_truth(split)
        assert np.array_equal(np.round(truth.start, 1), truth.start)
        assert np.array_equal(np.round(truth.end, 1), truth.end)
        assert (truth.start >= 0).all() and (truth.end > truth.start).all()
        assert (truth.end <= truth.durations[truth.video]).all()
        assert set(truth.video.tolist()) == set(range(len(truth.video_ids)))
        following = truth.video[1:] == truth.video[:-1]
        assert (truth.start[1:] - truth.end[:-1])[following].min() > 0.1


def test_the_dials_turn_what_they_say() -> None:
    usual = drawn(**SMALL)
    assert np.median(lengths(drawn(**SMALL, log_length=2.0))) > 1.5 * np.median(lengths(usual))
    assert foreground(drawn(**SMALL, log_gap=0.0)) > foreground(usual) + 0.1
    single = drawn(**SMALL, co_occurrence=0.0).videos("train")
    assert {v.labels.sum() for v in single if isinstance(v, WeakVideo)} == {1.0}
    quiet = drawn(**SMALL, noise=0.0).videos("train")[0].features[:]
    loud = usual.videos("train")[0].features[:]
    assert np.abs(np.diff(quiet, axis=0)).mean() < 0.5 * np.abs(np.diff(loud, axis=0)).mean()


def test_partners_differ_in_the_order_of_their_atoms_only() -> None:
    dataset = drawn(
        subaction_weight=0, class_weight=0, atom_weight=1, action_weight=0, feature_dim=8
    )
    world = dataset.world(np.random.default_rng(0))
    scene = 0.4 * world.scene
    assert np.array_equal(world.parts[0], world.parts[1][::-1])
    assert np.allclose(world.action, scene)
    assert not np.allclose(world.parts[0], world.parts[2])


@pytest.mark.parametrize("kind", [Dataset, OrderDataset])
def test_the_quick_size_is_small_and_odd_numbers_of_classes_work(kind: type[Dataset]) -> None:
    dataset = kind.open(None, kind.Config(**(kind.quick or {})), 0)
    assert (len(dataset.videos("train")), len(dataset.videos("test"))) == (40, 20)
    assert len(dataset.class_names) == 5 and dataset.feature_dim == 48
    assert dataset.class_names[4] == "class-04" and dataset.preset == "simulated"


@pytest.mark.measured
def test_it_takes_about_a_second_of_cpu() -> None:
    # ten times what it took when written: a quadratic loop would not pass
    start = time.process_time()
    assert drawn(7).videos("train")
    assert time.process_time() - start < 2.0


def test_the_card_says_that_a_ranking_does_not_carry_over() -> None:
    assert "does not predict the ranking on THUMOS14" in Dataset.card


@pytest.mark.parametrize(
    ("options", "said"),
    [({"nois": 1}, "did you mean 'noise'"), ({"noise": -1}, "simulated.noise = -1"),
     ({"num_classes": 1}, "simulated.num_classes = 1"),
     ({"co_occurrence": 2}, "simulated.co_occurrence = 2")],
)  # fmt: skip
def test_a_wrong_dial_is_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        drawn(**options)
