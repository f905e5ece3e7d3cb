"""Speed of localization, as a ratio within one run; absolute times are `scripts/bench`'s."""

from collections.abc import Callable
from time import perf_counter

import numpy as np

from tests.localization.plain_reference import plain_nms, plain_propose
from wsal_bench.localization import localize
from wsal_bench.localization.recipe import ACM
from wsal_bench.timegrid import TimeGrid
from wsal_bench.types import Activations


def wandering(generator: np.random.Generator, length: int) -> np.ndarray:
    curve = np.convolve(generator.standard_normal(length + 6), np.ones(7), mode="valid")
    return (1 / (1 + np.exp(-curve))).astype(np.float32)


def best_of(times: int, run: Callable[[], object]) -> float:
    """Seconds of the fastest of some runs."""
    seconds = []
    for _ in range(times):
        begin = perf_counter()
        run()
        seconds.append(perf_counter() - begin)
    return min(seconds)


def test_whole_arrays_are_at_least_three_times_as_fast_as_a_loop_over_proposals() -> None:
    generator = np.random.default_rng(0)
    video = Activations(
        scores={"cas": np.stack([wandering(generator, 100) for _ in range(2)], axis=1)},
        gates={"attention": wandering(generator, 100)},
        video_scores=np.ones(2),
        times=TimeGrid(fps=25, stride=16).edges(100),
    )
    fast = best_of(5, lambda: localize(video, ACM))
    slow = best_of(3, lambda: plain_nms(plain_propose(video, ACM), ACM.nms.threshold, 1.0))
    print(f"localize: {1e3 * fast:.2f} ms, loop: {1e3 * slow:.2f} ms a video")  # noqa: T201
    assert slow > 3 * fast
