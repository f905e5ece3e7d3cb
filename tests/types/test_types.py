import numpy as np
import pytest

from wsal_bench.timegrid import TimeGrid
from wsal_bench.types import Activations, Detections, GroundTruth, Proposals, Video, WeakVideo

GRID = TimeGrid(25, 16)


def truth() -> GroundTruth:
    return GroundTruth(
        video=np.array([0, 1, 1]),
        start=np.array([0.0, 1.0, 2.0]),
        end=np.array([1.0, 2.0, 3.0]),
        label=np.array([0, 1, 0]),
        video_ids=("a", "b"),
        class_names=("run", "jump"),
        durations=np.array([5.0, 6.0]),
        ambiguous=np.array([[1.0, 0.5, 0.7]]),
    )


def test_a_video_is_its_own_group_unless_told_otherwise() -> None:
    assert Video("v", np.zeros((3, 2)), GRID).group == "v"
    assert Video("v", np.zeros((3, 2)), GRID, "person 1").group == "person 1"


@pytest.mark.parametrize("shape", [(0, 2), (3,), (3, 0)])
def test_features_without_snippets_or_columns_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"features must be \[T, D\]"):
        Video("v", np.zeros(shape), GRID)


def test_labels_are_zeros_and_ones() -> None:
    with pytest.raises(ValueError, match="zeros and ones"):
        WeakVideo("v", np.zeros((3, 2)), GRID, labels=np.array([0.0, 0.5]))


def test_activations_must_fit_their_times() -> None:
    fine = {"cas": np.zeros((2, 3))}
    Activations(fine, {"attention": np.zeros(2)}, np.zeros(3), np.array([0.0, 1.0, 2.0]))
    with pytest.raises(ValueError, match="score 'cas' must be"):
        Activations(fine, {}, np.zeros(4), np.array([0.0, 1.0, 2.0]))
    with pytest.raises(ValueError, match="times must increase"):
        Activations(fine, {}, np.zeros(3), np.array([0.0, 1.0, 1.0]))
    with pytest.raises(ValueError, match="not finite"):
        Activations({"cas": np.full((2, 3), np.nan)}, {}, np.zeros(3), np.arange(3.0))


def test_a_proposal_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(ValueError, match=r"proposal 1 ends at 1.000 s, not after its start 2.000"):
        Proposals(np.array([0.0, 2.0]), np.array([1.0, 1.0]), np.zeros(2, int), np.zeros(2))


def test_detections_follow_the_order_of_the_videos() -> None:
    one = Proposals(np.array([0.0]), np.array([1.0]), np.array([1]), np.array([0.5]))
    found = Detections.from_proposals({"a": one, "b": Proposals.empty(), "c": one}, ("x", "y"))
    assert found.video.tolist() == [0, 2]
    assert found.video_ids == ("a", "b", "c")


def test_truth_of_some_videos_keeps_class_indices_and_moves_video_indices() -> None:
    part = truth().only(["b"])
    assert part.video.tolist() == [0, 0]
    assert part.label.tolist() == [1, 0]
    assert part.durations.tolist() == [6.0]
    assert part.ambiguous.tolist() == [[0.0, 0.5, 0.7]]
    assert part.groups == ("b",)


def test_an_index_outside_the_names_is_refused() -> None:
    with pytest.raises(ValueError, match=r"column label must lie in 0\.\.0"):
        GroundTruth(np.array([0]), np.zeros(1), np.ones(1), np.array([1]), ("a",), ("run",))


def test_arrays_of_a_video_cannot_be_written_and_are_not_copied() -> None:
    features, labels = np.zeros((4, 2), np.float32), np.array([1.0, 0.0], np.float32)
    video = WeakVideo("v", features, TimeGrid(25, 16), labels=labels, points=np.zeros((1, 2)))
    for array in (video.features, video.labels, video.points):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1  # type: ignore[index]
    features[0, 0] = 5  # whoever made them may
    assert video.features[0, 0] == 5
