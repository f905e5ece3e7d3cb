"""Folds over people: each is held out once and never in both parts."""

import numpy as np
import pytest

from wsal_bench.data.folds import group_folds
from wsal_bench.errors import UsageError
from wsal_bench.timegrid import TimeGrid
from wsal_bench.types import WeakVideo


def videos(people: int) -> list[WeakVideo]:
    """Two videos of each person."""
    return [
        WeakVideo(
            f"{person}-{number}",
            np.zeros((2, 3), np.float32),
            TimeGrid(25, 16),
            f"person-{person}",
            labels=np.array([1.0, 0.0]),
        )
        for person in range(people)
        for number in range(2)
    ]


def test_every_group_is_held_out_once_and_in_no_fold_on_both_sides() -> None:
    folds = group_folds(videos(7), 3)
    held_out = [{video.group for video in fold.held_out} for fold in folds]
    assert sorted(len(groups) for groups in held_out) == [2, 2, 3]
    assert len(set().union(*held_out)) == 7
    for fold, groups in zip(folds, held_out, strict=True):
        assert not groups & {video.group for video in fold.train}
        assert len(fold.train) + len(fold.held_out) == 14


def test_folds_do_not_depend_on_the_order_of_the_videos() -> None:
    first = group_folds(videos(6), 2)
    second = group_folds(videos(6)[::-1], 2)
    for one, other in zip(first, second, strict=True):
        assert {v.video_id for v in one.held_out} == {v.video_id for v in other.held_out}


def test_inference_sees_held_out_videos_without_labels() -> None:
    assert not any(isinstance(video, WeakVideo) for video in group_folds(videos(4), 2)[0].plain)


@pytest.mark.parametrize("number", [0, 1, 5])
def test_more_folds_than_groups_or_fewer_than_two_are_refused(number: int) -> None:
    with pytest.raises(UsageError, match="of 4 groups; 2 to 4 are possible"):
        group_folds(videos(4), number)
