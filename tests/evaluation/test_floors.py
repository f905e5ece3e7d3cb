import numpy as np
import pytest

from wsal_bench.errors import DataError
from wsal_bench.evaluation.floors import FLOORS, covered_share
from wsal_bench.localization import localize
from wsal_bench.localization.recipe import COMMON
from wsal_bench.timegrid import TimeGrid
from wsal_bench.types import Activations, GroundTruth, Video

SECONDS = TimeGrid(fps=10, stride=10)


def video(name: str = "v", length: int = 8, grid: TimeGrid = SECONDS) -> Video:
    # features that no reference row may look at
    return Video(name, np.full((length, 1), np.nan), grid)


def truth_of(*segments: tuple[float, float, int]) -> GroundTruth:
    """Truth of video v (the second of two) among the classes a, b and c."""
    rows = [(0, 0.0, 1.0, 2), *((1, *segment) for segment in segments)]
    index, start, end, label = (np.asarray(column) for column in zip(*rows, strict=True))
    return GroundTruth(index, start, end, label, ("u", "v"), ("a", "b", "c"))


def make(name: str, truth: GroundTruth, seed: int = 0) -> Activations:
    return FLOORS[name].make(video(), truth, np.random.default_rng(seed))


def test_names_tell_floors_from_ceilings() -> None:
    assert list(FLOORS) == ["floor:random", "floor:constant", "ceiling:oracle"]
    assert all(name == floor.name for name, floor in FLOORS.items())
    assert all(floor.name.startswith(f"{floor.kind}:") for floor in FLOORS.values())


@pytest.mark.parametrize("name", FLOORS)
def test_each_knows_the_true_labels_of_its_own_video_only(name: str) -> None:
    made = make(name, truth_of((1, 2, 0), (3, 4, 1)))
    assert made.video_scores.tolist() == [1, 1, 0]
    assert made.scores["cas"].shape == (8, 3)
    np.testing.assert_allclose(made.times, np.arange(9.0))


def test_the_oracle_says_the_share_of_each_snippet_that_a_class_covers() -> None:
    cas = make("ceiling:oracle", truth_of((1.5, 3.25, 0), (6, 9, 1))).scores["cas"]
    np.testing.assert_allclose(cas[:, 0], [0, 0.5, 1, 0.25, 0, 0, 0, 0])
    np.testing.assert_allclose(cas[:, 1], [0, 0, 0, 0, 0, 0, 1, 1])
    assert not cas[:, 2].any()


def test_instances_of_one_class_in_one_snippet_do_not_add_up() -> None:
    share = covered_share(video(), truth_of((0, 0.5, 0), (0.25, 0.5, 0), (0.75, 2, 0)))
    np.testing.assert_allclose(share[:, 0], [0.5, 1, 0, 0, 0, 0, 0, 0])


def test_the_oracle_follows_the_videos_own_grid() -> None:
    late = video(length=3, grid=TimeGrid(fps=10, stride=20, offset=1.0))
    np.testing.assert_allclose(covered_share(late, truth_of((2, 5, 0)))[:, 0], [0.5, 1, 0])


def test_the_oracle_finds_every_instance() -> None:
    segments = ((1, 3, 0), (5, 7, 0), (2, 6, 1))
    found = localize(make("ceiling:oracle", truth_of(*segments)), COMMON)
    for start, end, label in segments:
        shared = np.minimum(found.end, end) - np.maximum(found.start, start)
        tiou = shared / (np.maximum(found.end, end) - np.minimum(found.start, start))
        assert tiou[found.label == label].max() > 0.6


def test_a_constant_is_one_proposal_as_long_as_the_video_for_each_true_class() -> None:
    found = localize(make("floor:constant", truth_of((1, 2, 0), (3, 4, 2))), COMMON)
    assert found.label.tolist() == [0, 2]
    assert found.start.tolist() == [0, 0]
    np.testing.assert_allclose(found.end, [8, 8])


def test_random_scores_come_from_the_generator_alone() -> None:
    truth = truth_of((1, 2, 0))
    first, again, other = (make("floor:random", truth, seed).scores["cas"] for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).all()
    assert first.min() >= 0 and first.max() < 1


@pytest.mark.parametrize("name", ["floor:constant", "ceiling:oracle"])
def test_the_others_draw_nothing(name: str) -> None:
    generator = np.random.default_rng(3)
    FLOORS[name].make(video(), truth_of((1, 2, 0)), generator)
    assert generator.random() == np.random.default_rng(3).random()


@pytest.mark.parametrize("name", FLOORS)
def test_a_video_without_action_has_no_labels(name: str) -> None:
    assert not make(name, truth_of()).video_scores.any()


@pytest.mark.parametrize("name", FLOORS)
def test_a_video_that_the_truth_does_not_know_is_refused(name: str) -> None:
    with pytest.raises(DataError, match="the truth does not know video 'w'"):
        FLOORS[name].make(video("w"), truth_of((1, 2, 0)), np.random.default_rng(0))
