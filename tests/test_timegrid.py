import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsal_bench.timegrid import TimeGrid

GRIDS = st.builds(
    TimeGrid,
    fps=st.sampled_from([10.0, 15.0, 23.976, 25.0, 29.97, 30.0]),
    stride=st.sampled_from([1.0, 2.5, 4.0, 16.0]),
    offset=st.sampled_from([0.0, 0.32, -1.0]),
)


def test_a_snippet_of_16_frames_at_25_fps_lasts_64_hundredths_of_a_second() -> None:
    grid = TimeGrid(25, 16)
    assert grid.snippet_seconds == 0.64
    assert grid.edges(3).tolist() == [0.0, 0.64, 1.28, 1.92]
    assert grid.index(1.28) == 2
    assert grid.index(1.27999) == 1


@given(GRIDS, st.integers(0, 5000))
def test_a_moment_inside_a_snippet_leads_back_to_it(grid: TimeGrid, index: int) -> None:
    middle = (grid.seconds(index) + grid.seconds(index + 1)) / 2
    assert grid.index(middle) == index


@given(GRIDS, st.integers(1, 3000))
def test_the_last_border_is_the_duration(grid: TimeGrid, num: int) -> None:
    edges = grid.edges(num)
    assert len(edges) == num + 1
    assert edges[-1] == pytest.approx(grid.offset + grid.duration(num), rel=1e-14)
    assert (np.diff(edges) > 0).all()


def test_samples_cut_the_same_stretch_into_equal_parts() -> None:
    edges = TimeGrid(25, 16).edges(10, num_samples=4)
    assert edges == pytest.approx([0, 1.6, 3.2, 4.8, 6.4], abs=1e-15)


@pytest.mark.parametrize(("fps", "stride"), [(0, 16), (25, 0), (float("nan"), 1), (25, -1)])
def test_a_grid_that_does_not_move_forward_is_refused(fps: float, stride: float) -> None:
    with pytest.raises(ValueError, match="must be a positive number"):
        TimeGrid(fps, stride)
