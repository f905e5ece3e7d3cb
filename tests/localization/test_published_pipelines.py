"""From recorded network outputs to segments, against what the authors' published code cuts.

`describe` of each method makes activations of the recorded outputs, its own recipe the segments.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from tests.golden_files import golden_cases
from tests.localization.published_acm import interpolate, published_acm
from wsal_bench.api import Activations, Batch, Task, TrainableMethod
from wsal_bench.localization import localize, propose
from wsal_bench.localization.proposals import class_scores
from wsal_bench.localization.recipe import recipe
from wsal_bench.localization.sequences import snippets
from wsal_bench.timegrid import TimeGrid
from wsal_bench.types import Proposals
from wsal_methods import bas_net, cola, ham_net, um, w_talc

TOLERANCE = 1e-12
Video = dict[str, Any]
Rows = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Recorded:
    """A method with the published settings, and recorded outputs of its network."""

    kind: type[TrainableMethod]
    config: Any
    outputs: Any

    @property
    def method(self) -> TrainableMethod:
        return self.kind(self.config, Task(3, tuple("abcdef")))

    def activations(self, stored: int, num_snippets: int) -> Activations:
        """What `describe` makes of them; `stored` snippets were sampled down."""
        times = TimeGrid(fps=25, stride=16).edges(stored, num_snippets)
        batch = Batch(
            features=torch.zeros(1, num_snippets, 3),
            lengths=torch.tensor([num_snippets]),
            labels=torch.zeros(1, 6),
            times=torch.from_numpy(times)[None],
            indices=torch.zeros(1, dtype=torch.long),
        )
        return self.method.describe(self.outputs, batch)


def tensor(values: Any) -> Tensor:
    """A batch of one video, in double precision."""
    return torch.tensor(values, dtype=torch.float64)[None]


def shared(settings: dict[str, Any], *lists: str) -> dict[str, Any]:
    """Options that are called alike in all Configs; `lists` of thresholds keep their names."""
    return {
        "class_threshold": settings["class_threshold"],
        "inflation": settings["outer_inner_lambda"],
        "class_bonus": settings["class_score_weight"],
        **{name: settings[name] for name in lists},
    }


def of_bas_net(video: Video, settings: dict[str, Any]) -> Recorded:
    config = bas_net.BaSNetConfig(
        class_threshold=settings["class_threshold"], nms_threshold=settings["nms_threshold"]
    )
    logits = tensor(video["cas_supp"])
    branch = bas_net.Branch(logits, tensor(video["score_supp"]))
    outputs = bas_net.Outputs(logits[:, :, 0], branch, branch)
    return Recorded(bas_net.Method, config, outputs)


def of_w_talc(video: Video, settings: dict[str, Any]) -> Recorded:
    logits = tensor(video["logits"])
    outputs = w_talc.Outputs(logits, logits, logits.mean(1))
    config = w_talc.WTALCConfig(class_threshold=settings["class_threshold"])
    return Recorded(w_talc.Method, config, outputs)


def of_um(video: Video, settings: dict[str, Any]) -> Recorded:
    config = um.UMConfig(
        **shared(settings, "cas_thresholds", "magnitude_thresholds", "nms_threshold"),
        action_ratio=settings["r_act"],
        background_ratio=settings["r_bkg"],
    )
    features = tensor(video["features"])
    mask = torch.ones(features.shape[:2])
    outputs = um.um_outputs(features, tensor(video["cas_logits"]), mask, config)
    return Recorded(um.Method, config, outputs)


def of_cola(video: Video, settings: dict[str, Any]) -> Recorded:
    config = cola.CoLAConfig(
        **shared(settings, "cas_thresholds", "actionness_thresholds", "nms_threshold"),
        easy_ratio=settings["r_easy"],
    )
    cas = tensor(video["cas"])
    return Recorded(cola.Method, config, cola.cola_outputs(cas, cas, cas[:, :, 0], config))


def of_ham_net(video: Video, settings: dict[str, Any]) -> Recorded:
    config = ham_net.HAMConfig(
        **shared(settings, "attention_thresholds", "nms_sigma"), topk_ratio=settings["rat"]
    )
    attention = tensor(video["attention"])
    outputs = ham_net.HAMOutputs(tensor(video["logits"]), attention, attention)
    return Recorded(ham_net.Method, config, outputs)


METHODS: dict[str, Callable[[Video, dict[str, Any]], Recorded]] = {
    "wtalc": of_w_talc,
    "bas-net": of_bas_net,
    "um": of_um,
    "cola": of_cola,
    "ham-net": of_ham_net,
}
CASES = golden_cases("pipelines", "*.json", set(METHODS))
LENGTH_OF = ("features", "cas", "cas_supp", "logits")  # the first of them that a file has is [T, .]
NORMALISED = {"cas_normalised": "cas", "actionness_normalised": "actionness"}


def rows_of(found: Proposals) -> Rows:
    """[P, 4] label, score, start, end."""
    return np.stack([found.label, found.score, found.start, found.end], axis=1)


def expected_rows(by_class: dict[str, list[list[float]]]) -> Rows:
    """The same of a file, class after class."""
    rows = [row for label in sorted(by_class, key=int) for row in by_class[label]]
    return np.asarray(rows, dtype=np.float64).reshape(-1, 4)


def clear_rows(rows: Rows, video: Video, settings: dict[str, Any]) -> Rows:
    """Without rows that meet an ambiguous stretch: here the protocol drops them, not the recipe."""
    for name, *borders in settings.get("ambiguous_video_start_s_end_s", []):
        if name == video["name_id"]:
            first, stop = (round(1.5625 * float(border)) for border in borders)
            snippet = rows[:, 2:] * 1.5625
            rows = rows[(snippet[:, 0] >= stop) | (snippet[:, 1] <= first)]
    return rows


@pytest.mark.parametrize("path", CASES)
def test_the_published_settings_are_those_of_our_recipe(path: Path) -> None:
    document = json.loads(path.read_text(encoding="utf-8"))
    settings = document["settings"]
    rule = METHODS[path.stem](document["videos"][0], settings).method.recipe
    assert not rule.name.endswith("-adjusted")
    assert rule.scale == settings["upsampling"]
    assert rule.min_steps == settings["minimum_run"]
    assert rule.nms.plus == settings.get("nms_plus", 0)
    for entry in rule.lists:
        assert entry.class_bonus == settings["class_score_weight"]
        cuts = f"{entry.gate}_thresholds"
        assert cuts not in settings or list(entry.thresholds) == settings[cuts]


@pytest.mark.parametrize("path", CASES)
def test_segments_before_and_after_nms_are_the_published_ones(path: Path) -> None:
    document = json.loads(path.read_text(encoding="utf-8"))
    settings = document["settings"]
    for video in document["videos"]:
        recorded = METHODS[path.stem](video, settings)
        num_snippets = len(next(video[name] for name in LENGTH_OF if name in video))
        given = recorded.activations(video["stored_snippets"], num_snippets)
        rule = recorded.method.recipe
        scores = video.get("video_scores", video.get("class_scores"))
        if scores is not None:
            close(class_scores(given, rule), scores, f"scores of {video['name']}")
        classes = np.asarray(video["classes"], dtype=np.int64)
        for key, name in NORMALISED.items():
            if key in video:
                stretched = snippets(name, given, rule, classes).T
                close(stretched, np.asarray(video[key]).reshape(num_snippets, -1), key)
        for stage, cut in (("proposals", propose), ("detections", localize)):
            found = rows_of(cut(given, rule))
            if stage == "detections":
                found = clear_rows(found, video, settings)
            close(found, expected_rows(video[stage]), f"{stage} of {video['name']}")


def close(found: NDArray[Any], expected: Any, what: str) -> None:
    assert found.shape == np.shape(expected), what
    np.testing.assert_allclose(found, expected, rtol=0, atol=TOLERANCE, err_msg=what)


ACM_CASES: list[Video] = json.loads(
    (Path(__file__).parents[1] / "golden" / "acm_postprocess.json").read_text(encoding="utf-8")
)


def acm_video(
    cas: NDArray[Any], attention: NDArray[Any], video_scores: NDArray[Any], num_snippets: int
) -> Activations:
    times = TimeGrid(fps=25, stride=16).edges(num_snippets, len(cas))
    return Activations({"cas": cas}, {"attention": attention}, video_scores, times)


@pytest.mark.parametrize("case", ACM_CASES, ids=range(len(ACM_CASES)))
def test_segments_of_acm_net_are_the_published_ones(case: Video) -> None:
    cas, attention, scores = map(np.asarray, (case["cas"], case["attention"], case["video_scores"]))
    given = acm_video(cas, attention, scores, case["vid_len"])
    for stage, cut in (("proposals_before_nms", propose), ("final", localize)):
        expected = expected_rows(
            {label: [[int(label), *row] for row in rows] for label, rows in case[stage].items()}
        )
        found = rows_of(cut(given, recipe("acm-net")))
        np.testing.assert_allclose(found, expected, rtol=0, atol=TOLERANCE)


def smooth(generator: np.random.Generator, length: int) -> NDArray[np.float32]:
    """A random curve that wanders over [0, 1], like a trained network's."""
    curve = np.convolve(generator.standard_normal(length + 4), np.ones(5), mode="valid")
    return (1 / (1 + np.exp(-curve))).astype(np.float32)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_transcription_interpolates_with_the_bits_of_scipy(dtype: type) -> None:
    interpolation = pytest.importorskip("scipy.interpolate", reason="scipy is not installed")
    values: NDArray[Any] = np.random.default_rng(1).standard_normal(50).astype(dtype)
    line = interpolation.interp1d(np.arange(50), values, fill_value="extrapolate")
    assert (line(np.arange(0, 50, 1 / 20)) == interpolate(values)).all()


@pytest.mark.parametrize("seed", range(25))
def test_float32_activations_give_the_bits_of_acm_nets_code(seed: int) -> None:
    generator = np.random.default_rng(seed)
    length = int(generator.integers(2, 60))
    num_snippets = length + int(generator.integers(0, 3)) * int(generator.integers(0, 400))
    cas = np.stack([smooth(generator, length) for _ in range(3)], axis=1)
    attention = smooth(generator, length)
    scores = generator.random(3).astype(np.float32) ** 2
    check_bits(cas, attention, scores, num_snippets)


@pytest.mark.parametrize("length", [700, 750])
def test_long_runs_are_summed_in_pairs_as_numpy_does(length: int) -> None:
    # means over thousands of steps: a plain running sum would differ in the last bits
    generator = np.random.default_rng(length)
    cas = (0.6 + 0.3 * generator.random((length, 1))).astype(np.float32)
    attention = (0.7 + 0.2 * generator.random(length)).astype(np.float32)
    attention[[3, -4]] = 0
    check_bits(cas, attention, np.ones(1, np.float32), 1000)


def check_bits(
    cas: NDArray[Any], attention: NDArray[Any], scores: NDArray[Any], num_snippets: int
) -> None:
    given = acm_video(cas, attention, scores, num_snippets)
    proposals, final = published_acm(cas, attention, scores, num_snippets)
    # the last step's end may round to a bit beyond the video's: it is cut
    final[:, 3] = np.minimum(final[:, 3], given.times[-1])
    np.testing.assert_array_equal(rows_of(propose(given, recipe("acm-net"))), proposals)
    np.testing.assert_array_equal(rows_of(localize(given, recipe("acm-net"))), final)
