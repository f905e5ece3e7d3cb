"""Speed of localization, as ratios within one run; absolute times are `scripts/bench`'s."""

from collections.abc import Callable
from time import process_time

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.benchmarks.figures import tell
from wsal_bench.evaluation import common, evaluate
from wsal_bench.localization import ProposalRecipe, localize
from wsal_bench.localization.recipe import ACM
from wsal_bench.localization.reference import reference_localize
from wsal_bench.timegrid import TimeGrid
from wsal_bench.types import Activations, Detections, GroundTruth, Proposals

Floats = NDArray[np.float64]


def wandering(generator: np.random.Generator, length: int, window: int = 15) -> np.ndarray:
    curve = np.convolve(
        generator.standard_normal(length + window - 1), np.ones(window) / 3, mode="valid"
    )
    return (1 / (1 + np.exp(-curve))).astype(np.float32)


def made_up(generator: np.random.Generator, length: int, classes: int = 1) -> Activations:
    return Activations(
        scores={"cas": np.stack([wandering(generator, length) for _ in range(classes)], axis=1)},
        gates={"attention": wandering(generator, length)},
        video_scores=np.ones(classes),
        times=TimeGrid(fps=25, stride=16).edges(length),
    )


def published_style(video: Activations, recipe: ProposalRecipe) -> Proposals:
    """The published pipeline in plain numpy, as its description goes and its authors wrote it.

    Whole arrays are interpolated and thresholded; runs are split where their steps do not follow
    each other; each is scored by itself through lists of its steps; NMS drops arrays of rivals.
    """
    step = video.times[1] / recipe.scale
    parts = []
    for label in np.flatnonzero(video.video_scores > recipe.classes.threshold):
        curves = {
            "cas": interpolated(video.scores["cas"][:, label], recipe.scale),
            "attention": interpolated(video.gates["attention"], recipe.scale),
        }
        found: list[list[float]] = []
        for entry in recipe.lists:
            for threshold in entry.thresholds:
                zeroed = curves[entry.gate].copy()
                zeroed[zeroed < threshold] = 0
                score = zeroed if entry.zero_below else curves[entry.score]
                steps = np.where(zeroed >= threshold)[0]
                found += scored_runs(score, steps, step, recipe)
        rows = np.asarray(found).reshape(-1, 3)
        rows = rows[plain_nms(rows, recipe.nms.threshold, recipe.nms.plus)]
        labels = np.full(len(rows), label)
        end = np.minimum(rows[:, 2], video.times[-1])
        parts.append(Proposals(rows[:, 1], end, labels, rows[:, 0]))
    return Proposals.concatenate(parts)


def interpolated(curve: NDArray[np.floating], scale: int) -> Floats:
    position = np.arange(0, len(curve), 1 / scale)
    right = np.clip(np.ceil(position).astype(int), 1, len(curve) - 1)
    slope = (curve[right] - curve[right - 1]).astype(np.float64)
    return np.asarray(slope * (position - (right - 1)) + curve[right - 1])


def scored_runs(
    score: Floats, steps: NDArray[np.integer], step: float, recipe: ProposalRecipe
) -> list[list[float]]:
    rows = []
    for run in np.split(steps, np.where(np.diff(steps) != 1)[0] + 1):
        if len(run) < recipe.min_steps:
            continue
        reach = recipe.inflation * len(run)
        left = max(0, int(run[0] - reach))
        right = min(len(score) - 1, int(run[-1] + reach))
        outer = [*range(left, int(run[0])), *range(int(run[-1]) + 1, right + 1)]
        around = np.mean(score[outer]) if outer else 0.0
        rows.append([np.mean(score[run]) - around, run[0] * step, (run[-1] + 1) * step])
    return rows


def plain_nms(rows: Floats, threshold: float, plus: float) -> list[int]:
    score, start, end = rows.T
    length = end - start + plus
    order = np.argsort(score, kind="stable")[::-1]
    kept = []
    while order.size:
        best, order = order[0], order[1:]
        kept.append(int(best))
        shared = np.minimum(end[best], end[order]) - np.maximum(start[best], start[order]) + plus
        shared = np.maximum(0.0, shared)
        order = order[shared / (length[best] + length[order] - shared) < threshold]
    return kept


def best_of(rounds: int, *runs: Callable[[], object]) -> list[float]:
    """CPU seconds of the fastest of some rounds, for each of the runs in turn."""
    seconds = [[0.0] * rounds for _ in runs]
    for i in range(rounds):
        for which, run in enumerate(runs):
            begin = process_time()
            run()
            seconds[which][i] = process_time() - begin
    return [min(each) for each in seconds]


def test_plain_numpy_cuts_a_long_video_in_the_same_way() -> None:
    for seed in range(3):
        video = made_up(np.random.default_rng(seed), 750)
        ours, theirs = localize(video, ACM), published_style(video, ACM)
        assert (ours.score == theirs.score).all()
        np.testing.assert_allclose(ours.start, theirs.start, rtol=1e-12)


@pytest.mark.measured
def test_a_long_video_is_cut_far_faster_than_by_its_definition_and_by_plain_numpy() -> None:
    videos = [made_up(np.random.default_rng(seed), 750) for seed in range(20)]
    assert sum(len(entry.thresholds) for entry in ACM.lists) == 19
    seconds = best_of(
        4,
        lambda: [localize(video, ACM) for video in videos],
        lambda: [reference_localize(video, ACM) for video in videos[:2]],
        lambda: [published_style(video, ACM) for video in videos[:4]],
    )
    fast, definition, plain = seconds[0] / 20, seconds[1] / 2, seconds[2] / 4
    tell(
        f"a video of 750 snippets, 19 thresholds: {1e3 * fast:.2f} ms; its definition "
        f"{1e3 * definition:.1f} ms, {definition / fast:.0f} x; plain numpy {1e3 * plain:.1f} ms, "
        f"{plain / fast:.0f} x"
    )
    assert definition > 60 * fast
    assert plain > 16 * fast


@pytest.mark.measured
def test_a_pass_over_a_test_set_costs_less_than_a_tenth_of_its_cutting_in_plain_numpy() -> None:
    generator = np.random.default_rng(0)
    # about the lengths of THUMOS14's test videos: median 252 snippets, a tenth are cut to 750
    lengths = np.clip(np.exp(generator.normal(np.log(252), 0.85, 210)), 14, 750).astype(int)
    videos = {f"video {i}": made_up(generator, int(n)) for i, n in enumerate(lengths)}
    truth = made_up_truth(generator, videos)

    def our_pass() -> object:
        cut = {name: localize(video, ACM) for name, video in videos.items()}
        return evaluate(truth, Detections.from_proposals(cut, ("action",)), common("benchmark"))

    some = list(videos.values())[::10]
    ours, plain = best_of(3, our_pass, lambda: [published_style(video, ACM) for video in some])
    tell(
        f"localization and evaluation of 210 videos: {ours:.3f} s; their cutting in plain numpy "
        f"{10 * plain:.2f} s, {10 * plain / ours:.0f} x"
    )
    assert 10 * plain > 10 * ours


def made_up_truth(generator: np.random.Generator, videos: dict[str, Activations]) -> GroundTruth:
    """Sixteen segments a video, as on THUMOS14."""
    video = np.repeat(np.arange(len(videos)), 16)
    ends = np.asarray([seen.times[-1] for seen in videos.values()])
    start = generator.random(len(video)) * ends[video]
    length = generator.exponential(4, len(video)) + 0.3
    return GroundTruth(
        video, start, start + length, np.zeros(len(video), int), tuple(videos), ("action",)
    )
