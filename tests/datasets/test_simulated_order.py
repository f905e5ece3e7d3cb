"""The positive control: order tells the classes apart, and nothing else does.

An oracle that is given the true instances says of two of them whether they show the same class. Its
threshold is learnt on pairs of the train split; half of the pairs show the same class, so chance is
one half.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from wsal_bench.api import Split
from wsal_bench.config import Layer, build
from wsal_bench.errors import UsageError
from wsal_datasets._simulated import SimulatedDataset
from wsal_datasets._simulation import stepping
from wsal_datasets.simulated_order import Dataset

NUM_PAIRS = 300
Floats = NDArray[np.float64]
Score = Callable[[Floats, Floats], float]


def drawn(seed: int = 0, **options: Any) -> SimulatedDataset:
    config = build(Dataset.Config, [Layer("test", options)], owner="simulated-order")
    dataset = Dataset.open(None, config, seed)
    assert isinstance(dataset, SimulatedDataset)
    return dataset


def dtw(first: Floats, second: Floats) -> float:
    """Minus the cost of the best monotone alignment, hard dynamic time warping."""
    cost = 1.0 - first @ second.T
    total = np.full((len(first) + 1, len(second) + 1), np.inf)
    total[0, 0] = 0.0
    for i, j in np.ndindex(*cost.shape):
        total[i + 1, j + 1] = cost[i, j] + min(total[i, j], total[i, j + 1], total[i + 1, j])
    return -float(total[-1, -1]) / (len(first) + len(second))


def lcs(first: Floats, second: Floats) -> float:
    """Longest common subsequence: a cosine above 0.5 is a match and counts as much as it is."""
    match = first @ second.T
    total = np.zeros((len(first) + 1, len(second) + 1))
    for i, j in np.ndindex(*match.shape):
        skipped = max(total[i, j + 1], total[i + 1, j])
        total[i + 1, j + 1] = total[i, j] + match[i, j] if match[i, j] > 0.5 else skipped
    return float(total[-1, -1]) / min(len(first), len(second))


def bag(first: Floats, second: Floats) -> float:
    """Cosine of the means: what can be known without order."""
    one, other = first.mean(axis=0), second.mean(axis=0)
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


class Oracle:
    """Knows the true instances of a data set."""

    def __init__(self, dataset: SimulatedDataset) -> None:
        train = dataset.simulated["train"]
        self.mean = np.concatenate([video.features for video in train]).mean(axis=0)
        self.dataset = dataset

    def accuracy(self, score: Score, *, shuffled: bool) -> float:
        """Share of test pairs that are told right."""
        values, same = self._scored("train", score, shuffled)
        threshold = max(values, key=lambda value: float(((values >= value) == same).mean()))
        values, same = self._scored("test", score, shuffled)
        return float(((values >= threshold) == same).mean())

    def _scored(self, split: Split, score: Score, shuffled: bool) -> tuple[Floats, Any]:
        rng = np.random.default_rng(0)
        known = self._instances(split)
        values: list[float] = []
        same: list[bool] = []
        while len(values) < NUM_PAIRS:
            one, other = (known[int(index)] for index in rng.integers(len(known), size=2))
            alike = one["label"] == other["label"]
            # pairs of one video share its style; an equal number of both kinds
            if one["video"] == other["video"] or alike != (len(values) % 2 == 0):
                continue
            rows = other["rows"]
            candidate = rows[rng.permutation(len(rows))] if shuffled else rows
            values.append(score(one["rows"], candidate))
            same.append(alike)
        return np.array(values), np.array(same)

    def _instances(self, split: Split) -> list[dict[str, Any]]:
        found = []
        for number, video in enumerate(self.dataset.simulated[split]):
            centres = (np.arange(video.num_snippets) + 0.5) * 0.64
            for one in video.instances:
                inside = (centres > one.start) & (centres < one.end)
                rows = video.features[inside].astype(np.float64) - self.mean
                rows /= np.linalg.norm(rows, axis=1, keepdims=True)
                found.append({"video": number, "label": one.label, "rows": rows})
        return [one for one in found if len(one["rows"]) > 1]


@pytest.fixture(scope="module", params=[0, 1])
def oracle(request: pytest.FixtureRequest) -> Oracle:
    return Oracle(drawn(request.param))


@pytest.mark.parametrize("aligner", [dtw, lcs])
def test_an_oracle_aligner_beats_its_shuffled_self(oracle: Oracle, aligner: Score) -> None:
    ordered = oracle.accuracy(aligner, shuffled=False)
    shuffled = oracle.accuracy(aligner, shuffled=True)
    print(f"{aligner.__name__}: ordered {ordered:.3f}, shuffled {shuffled:.3f}")  # noqa: T201
    assert ordered >= shuffled + 0.10
    assert ordered > 0.75 and shuffled < 0.60


def test_without_order_the_classes_are_alike(oracle: Oracle) -> None:
    assert oracle.accuracy(bag, shuffled=False) < 0.60


def test_every_class_is_another_order_of_the_same_atoms() -> None:
    world = drawn().world(np.random.default_rng(0))
    first = {atom.tobytes() for atom in world.parts[0]}
    orders = {tuple(atom.tobytes() for atom in parts) for parts in world.parts}
    assert all({atom.tobytes() for atom in parts} == first for parts in world.parts)
    assert len(orders) == len(world.parts) == 10
    assert not world.scene.any() and (world.action == world.action[0]).all()
    assert (world.log_length == world.log_length[0]).all()


def test_how_long_a_sub_action_lasts_says_nothing_about_its_place() -> None:
    rng = np.random.default_rng(0)
    progress = (np.arange(60) + 0.5) / 60
    shares = np.mean([stepping(rng, progress, 4).mean(axis=0) for _ in range(4000)], axis=0)
    assert shares == pytest.approx([0.25] * 4, abs=0.006)


def test_sub_actions_come_one_after_the_other() -> None:
    shares = stepping(np.random.default_rng(1), np.linspace(0, 1, 40), 4)
    places = shares.argmax(axis=1)
    assert np.array_equal(shares.sum(axis=1), np.ones(40))
    assert places[0] == 0 and places[-1] == 3 and set(np.diff(places).tolist()) == {0, 1}


def test_more_classes_than_orders_are_refused() -> None:
    with pytest.raises(UsageError, match="3 atoms have 6 orders, fewer than 10"):
        drawn(num_atoms=3)
    with pytest.raises(UsageError, match="4 atoms have 24 orders, fewer than 25"):
        drawn(num_classes=25)
    assert len(drawn(num_classes=6, num_atoms=3, num_train=6, num_test=6).class_names) == 6
