"""Every registered plugin conforms, and the kit notices those that do not."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from tests.datasets.made_up_store import stored_data_sets, write_made_up
from wsal_bench import plugins
from wsal_bench.api import Dataset, Method, Session, Split
from wsal_bench.config import Config
from wsal_bench.data.places import VARIABLE
from wsal_bench.localization.recipe import COMMON, ProposalRecipe
from wsal_bench.testing import Finding, check_dataset, check_method
from wsal_bench.timegrid import TimeGrid
from wsal_bench.training.hooks import Progress, TrainableConfig, as_array
from wsal_bench.training.trainable import TrainableMethod
from wsal_bench.types import Activations, Batch, FloatArray, GroundTruth, Video, WeakVideo

NEED_A_PATH = {"folder", "imported"}


@pytest.mark.parametrize("name", sorted(plugins.available("methods")))
def test_every_method_conforms(name: str) -> None:
    assert check_method(name) == []


@pytest.mark.parametrize("name", sorted(set(plugins.available("datasets")) - NEED_A_PATH))
def test_every_data_set_conforms(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    for needed in {name, "thumos14"} & set(stored_data_sets()):  # simulated-thumos has its truth
        write_made_up(needed, tmp_path)
    assert check_dataset(name) == []


def test_an_imported_data_set_conforms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    write_made_up("gtea", tmp_path).rename(tmp_path / "mine")
    assert check_dataset("imported:mine") == []


def test_a_folder_data_set_conforms(tmp_path: Path) -> None:
    database: dict[str, Any] = {}
    for split in ("train", "test"):
        (tmp_path / split).mkdir()
        names = [f"{split}-{index}" for index in range(2)]
        (tmp_path / f"split_{split}.txt").write_text("\n".join(names))
        for index, name in enumerate(names):
            features = np.random.default_rng(index).random((10, 4), dtype=np.float32)
            np.save(tmp_path / split / f"{name}.npy", features)
            label = ("run", "jump")[index]
            segment = {"segment": [0.5, 2.0 + index], "label": label}
            database[name] = {"subset": split, "annotations": [segment]}
    (tmp_path / "gt.json").write_text(json.dumps({"database": database}))
    (tmp_path / "dataset.yaml").write_text(
        "name: mine\nfps: 25\nstride: 16\npreset: small\nsubsets: {train: train, test: test}\n"
    )
    assert check_dataset(f"folder:{tmp_path}") == []


class MeanScore(Method):
    """Scores each snippet by its likeness to the mean feature of a class."""

    recipe: ProposalRecipe = COMMON

    def fit(self, videos: Sequence[WeakVideo], session: Session) -> None:
        """Learns one mean feature per class."""
        rows = np.stack([np.asarray(video.features[:]).mean(0) for video in videos])
        labels = np.stack([video.labels for video in videos])
        self.means = labels.T @ rows / labels.sum(0)[:, None]

    def activations(self, video: Video) -> Activations:
        """Likeness to each mean."""
        cas = np.asarray(video.features[:]) @ self.means.T
        times = video.grid.edges(video.num_snippets)
        return Activations({"cas": cas}, {}, cas.mean(0), times)


class MutatesItsInput(MeanScore):
    """Normalises the caller's labels in place, and with them those of the methods after it."""

    def fit(self, videos: Sequence[WeakVideo], session: Session) -> None:
        """Divides in place."""
        for video in videos:
            np.divide(video.labels, video.labels.sum(), out=video.labels)
        super().fit(videos, session)


class IgnoresTheSeed(MeanScore):
    """Starts from noise that nobody can repeat."""

    def fit(self, videos: Sequence[WeakVideo], session: Session) -> None:
        """Adds noise of an unseeded generator."""
        super().fit(videos, session)
        self.means = self.means + np.random.default_rng().random(self.means.shape)


class ReturnsNaN(MeanScore):
    """Divides zero by zero somewhere."""

    def activations(self, video: Video) -> Activations:
        """One snippet is NaN."""
        found = super().activations(video)
        cas = np.array(found.scores["cas"])
        cas[0] = np.nan
        return Activations({"cas": cas}, {}, found.video_scores, found.times)


class WrongShape(MeanScore):
    """Keeps its background column."""

    def activations(self, video: Video) -> Activations:
        """One class too many."""
        found = super().activations(video)
        cas = np.pad(found.scores["cas"], ((0, 0), (0, 1)))
        return Activations({"cas": cas}, {}, np.pad(found.video_scores, (0, 1)), found.times)


class ReadsTheTruth(MeanScore):
    """Peeks into the boundaries of the embedded data set."""

    def fit(self, videos: Sequence[WeakVideo], session: Session) -> None:
        """Asks the data set for what no method may know."""
        kind = plugins.load("datasets", "simulated")
        kind.open(None, kind.Config(**kind.quick), 0).ground_truth("train")
        super().fit(videos, session)


class ReadsTheTruthFile(MeanScore):
    """Looks for the truth beside the feature files."""

    def fit(self, videos: Sequence[WeakVideo], session: Session) -> None:
        """Opens gt.json where the features lie."""
        features = videos[0].features
        assert isinstance(features, np.memmap) and features.filename is not None
        (Path(features.filename).parent / "gt.json").read_text()
        super().fit(videos, session)


class KnowsNames(MeanScore):
    """Lets the video's name decide."""

    def activations(self, video: Video) -> Activations:
        """Adds the length of the name."""
        found = super().activations(video)
        video_scores = found.video_scores + len(video.video_id)
        return Activations(found.scores, {}, video_scores, found.times)


class HiddenCounter(TrainableMethod):
    """Counts its steps where no checkpoint sees them."""

    Config = TrainableConfig
    recipe: ProposalRecipe = COMMON
    steps = 0

    def network(self) -> nn.Module:
        """One linear layer."""
        return nn.Linear(self.task.feature_dim, self.task.num_classes)

    def loss(self, outputs: Tensor, batch: Batch, progress: Progress) -> dict[str, Tensor]:
        """A loss that grows with each call."""
        self.steps += 1
        return {"mil": self.steps * (outputs.mean(1) - batch.labels).square().mean()}

    def describe(self, outputs: Tensor, batch: Batch) -> Activations:
        """The linear scores."""
        cas: FloatArray = as_array(outputs[0])
        return Activations({"cas": cas}, {}, cas.mean(0), as_array(batch.times[0]))


class HonestNetwork(HiddenCounter):
    """The same without a hidden counter."""

    def loss(self, outputs: Tensor, batch: Batch, progress: Progress) -> dict[str, Tensor]:
        """What must be known of time stands in `progress`."""
        return {"mil": (1 + progress.step) * (outputs.mean(1) - batch.labels).square().mean()}


class EveryHook(HonestNetwork):
    """Says something of each part of a step."""

    def optimizers(self, network: nn.Module) -> Sequence[Optimizer]:
        """One for the weight, one for the bias."""
        return [Adam([parameter], lr=1e-2) for parameter in network.parameters()]

    def learning_rate_factor(self, progress: Progress) -> float:
        """Falls."""
        return 1 - progress.fraction

    def clip_norm(self, progress: Progress) -> float:
        """At most one."""
        return 1.0

    def ema_decay(self, progress: Progress) -> float:
        """Half stays."""
        return 0.5

    def turn(self, progress: Progress) -> Sequence[int]:
        """In turns."""
        return [progress.update % 2]


class CountsInAHook(EveryHook):
    """Lets the rate fall with each call."""

    calls = 0

    def learning_rate_factor(self, progress: Progress) -> float:
        """Counts where no checkpoint sees it."""
        self.calls += 1
        return 1 / self.calls


class NeverItsTurn(EveryHook):
    """Forgets its second optimiser."""

    def turn(self, progress: Progress) -> Sequence[int]:
        """The first only."""
        return [0]


class NoRate(EveryHook):
    """Divides whole numbers."""

    def learning_rate_factor(self, progress: Progress) -> float:
        """Means to fall; is 0 from the beginning."""
        return int(progress.fraction)


def checks(findings: Sequence[Finding]) -> set[str]:
    return {finding.check for finding in findings}


@pytest.mark.parametrize("method", [MeanScore, HonestNetwork, EveryHook])
def test_a_method_that_does_as_it_should_has_no_finding(method: type[Method]) -> None:
    assert check_method(method) == []


@pytest.mark.parametrize(
    ("method", "rule"),
    [
        (MutatesItsInput, "leaves its input alone"),
        (IgnoresTheSeed, "obeys the seed, and nothing else"),
        (ReturnsNaN, "gives activations of the right shape, finite, in float32"),
        (WrongShape, "gives activations of the right shape, finite, in float32"),
        (ReadsTheTruth, "works without the truth"),
        (ReadsTheTruthFile, "works without the truth"),
        (KnowsNames, "says the same of a video whatever its name, order or company"),
        (HiddenCounter, "resumes as if it had not been stopped"),
        (CountsInAHook, "has hooks that say the right things of a step"),
        (NeverItsTurn, "has hooks that say the right things of a step"),
        (NoRate, "has hooks that say the right things of a step"),
    ],
)
def test_a_planted_fault_is_found(method: type[Method], rule: str) -> None:
    assert rule in checks(check_method(method))


class TinyData(Dataset):
    """Two videos of noise."""

    card = "Made up for a test."
    class_names = ("run",)
    feature_dim = 2

    def videos(self, split: Split) -> Sequence[Video]:
        """One of each kind."""
        features = np.zeros((4, 2), np.float32)
        if split == "test":
            return [Video("b", features, TimeGrid(1, 1))]
        return [WeakVideo("a", features, TimeGrid(1, 1), labels=np.ones(1))]

    def _truth(self, split: Split, variant: str) -> GroundTruth:
        name = "b" if split == "test" else "a"
        one = np.zeros(1, int)
        return GroundTruth(one, np.zeros(1), np.ones(1), one, (name,), ("run",))


class TellsLabels(TinyData):
    """Gives test videos their labels."""

    def videos(self, split: Split) -> Sequence[Video]:
        """The training kind for both."""
        return super().videos("train")


class GivesItsTruthAway(TinyData):
    """Overrides the door instead of the room behind it."""

    def ground_truth(self, split: Split, variant: str = "default") -> GroundTruth:
        """Goes round the lock."""
        unguarded = vars(TinyData)["_truth"].__wrapped__
        truth: GroundTruth = unguarded(self, split, variant)
        return truth


@pytest.mark.parametrize(
    ("dataset", "rule"),
    [
        (TellsLabels, "gives training videos with labels, test videos without"),
        (TellsLabels, "never cuts a group between the splits"),
        (GivesItsTruthAway, "keeps its truth while it is locked"),
    ],
)
def test_a_planted_fault_in_a_data_set_is_found(
    dataset: Callable[[Config], Dataset], rule: str
) -> None:
    assert rule in checks(check_dataset(lambda seed: dataset(Config())))


def test_a_data_set_that_does_as_it_should_has_no_finding() -> None:
    assert check_dataset(lambda seed: TinyData(Config())) == []


def test_the_kit_leaves_torch_as_it_was() -> None:
    threads, dtype = torch.get_num_threads(), torch.get_default_dtype()
    check_method(MeanScore)
    assert (torch.get_num_threads(), torch.get_default_dtype()) == (threads, dtype)
