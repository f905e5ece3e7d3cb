"""Searches the presets for a data set: the same number of random trials for every method.

Honest by construction:

* no test video of a leaderboard is seen. `simulated`: data seeds >= 100 only, leaderboards use 0 to
  9. `hapt`: three folds over the training people, each held out once;
* the winner is the trial with the best *weak* score: how well its video scores rank the held-out
  videos of each class (average precision over video labels). No boundary is looked at;
* the localization score of each trial (mAP 0.1:0.7, which does need boundaries) is written down
  beside it, so that everyone sees what choosing with boundaries would have changed;
* the first trial of a method is its preset as it stands, and counts.

Usage: scripts/tune [--data simulated|hapt] [--trials 12] [-j 2] [--methods mil,...] [--write]
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import re
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml

from wsal_bench import plugins
from wsal_bench.config import Layer, build, read_presets
from wsal_bench.data.folds import group_folds
from wsal_bench.evaluation import evaluate
from wsal_bench.evaluation.protocols import common
from wsal_bench.localization import localize
from wsal_bench.plugins.contract import Dataset, Method, Parent, Session, Task
from wsal_bench.plugins.truth_lock import truth_locked
from wsal_bench.training.trainable import TrainableMethod
from wsal_bench.types import Detections, GroundTruth, Video

ROOT = Path(__file__).parents[1]
RECORDS = ROOT / "scripts" / "tuning"
PRESETS = ROOT / "methods" / "wsal_methods" / "presets"
SEARCH_SEED = 2203  # of the random search itself


@dataclass(frozen=True)
class Log:
    """A number between two bounds, uniform in its logarithm, to two digits."""

    low: float
    high: float

    def draw(self, generator: np.random.Generator) -> float:
        """A value for one trial."""
        value = math.exp(generator.uniform(math.log(self.low), math.log(self.high)))
        return float(f"{value:.2g}")


@dataclass(frozen=True)
class Choice:
    """One of some values."""

    values: tuple[Any, ...]

    def draw(self, generator: np.random.Generator) -> Any:
        """A value for one trial."""
        return self.values[int(generator.integers(len(self.values)))]


Space = Mapping[str, Log | Choice]
COMMON_SPACE: Space = {
    "learning_rate": Log(3e-4, 3e-3),
    "weight_decay": Choice((5e-5, 5e-4)),
}
# what is searched besides; the number of trials, and so the budget, is the same for all
SPACES: dict[str, Space] = {
    "mil": {
        "dropout": Choice((0.3, 0.5, 0.7)),
        "topk_ratio": Choice((4, 8, 16)),
    },
    "attention-mil": {
        "dropout": Choice((0.3, 0.5, 0.7)),
        "topk_ratio": Choice((4, 8, 16)),
        "sparsity_weight": Log(3e-4, 3e-2),
    },
    "acm-net": {
        "dropout": Choice((0.3, 0.5, 0.7)),
        "instance_ratio": Choice((4, 8, 16)),
        "guide_weight": Log(3e-3, 5e-2),
        "sparsity_weight": Log(3e-4, 3e-2),
        "feature_weight": Log(1e-4, 4e-3),
    },
    "ftcl": {
        "fsd_weight": Log(0.2, 3.0),
        "lcs_weight": Log(0.02, 0.5),
        "lcs_threshold": Choice((0.8, 0.92, 0.98)),
        "fsd_length": Choice((5, 10)),
        "lcs_length": Choice((10, 30)),
    },
}


# what a method is tried on: data seeds of simulated data, folds over the groups of real ones
PARTS: Mapping[str, tuple[int, ...]] = {"simulated": (100, 101), "hapt": (0, 1, 2)}


@dataclass(frozen=True, eq=False)
class Part:
    """Videos to learn from, and videos to choose by.

    Args:
        train: with labels.
        held_out: without.
        truth: of the held-out videos; labels decide, boundaries are only written down.
    """

    train: Sequence[Video]
    held_out: Sequence[Video]
    truth: GroundTruth


@dataclass(frozen=True)
class Trial:
    """One training: a method with some options on one part of a data set."""

    data: str
    method: str
    number: int
    part: int
    options: dict[str, Any]
    parent_options: dict[str, Any] | None = None
    seed: int = 0


@dataclass(frozen=True)
class Outcome:
    """What a trial gave, as fractions."""

    trial: Trial
    weak: float
    boundaries: float
    seconds: float


def propose(method: str, trials: int) -> list[dict[str, Any]]:
    """The options of a method's trials; the first adds nothing to the preset as it stands."""
    generator = np.random.default_rng([SEARCH_SEED, sorted(SPACES).index(method)])
    space = {**COMMON_SPACE, **SPACES[method]}
    drawn = [{key: dial.draw(generator) for key, dial in space.items()} for _ in range(trials - 1)]
    return [{}, *drawn]


def run(trial: Trial) -> Outcome:
    """Trains and scores one trial."""
    torch.set_num_threads(1)
    started = time.perf_counter()
    part = open_part(trial.data, trial.part)
    values = Scored(fit(trial, part), part).values()
    return Outcome(trial, *values, round(time.perf_counter() - started, 1))


def fit(trial: Trial, part: Part) -> Method:
    """The trial's method, trained on its part, after its parents."""
    parents: dict[str, Parent] = {}
    shared: dict[str, Any] = {}
    kind = plugins.load("methods", trial.method)
    for name, artifact in kind.needs.items():
        mine = replace(trial, method=artifact.method, options=trial.parent_options or {})
        parent = train(mine, part)
        if not isinstance(parent, TrainableMethod):
            raise TypeError(f"{artifact.method} has no checkpoint")
        parents[name] = Parent(weights=parent.trained.state_dict())
        shared = {field: getattr(parent.config, field) for field in artifact.shared}
    return train(replace(trial, options={**shared, **trial.options}), part, parents)


def open_part(data: str, number: int) -> Part:
    """Development data; never what leaderboards are scored on."""
    kind: type[Dataset] = plugins.load("datasets", data)
    if not kind.seeded:
        dataset = kind.open(None, kind.Config(), 0)
        videos: Any = dataset.videos("train")
        fold = group_folds(videos, len(PARTS[data]))[number]
        names = {video.video_id for video in fold.held_out}
        return Part(fold.train, fold.plain, dataset.ground_truth("train").only(names))
    if number < 100:
        raise ValueError(f"data seed {number} belongs to leaderboards; search on 100 and above")
    dataset = kind.open(None, kind.Config(), number)
    return Part(dataset.videos("train"), dataset.videos("test"), dataset.ground_truth("test"))


def train(trial: Trial, part: Part, parents: Mapping[str, Parent] | None = None) -> Method:
    """A method with its preset and the trial's options, trained with the trial's seed."""
    name = trial.method
    kind: type[Method] = plugins.load("methods", name)
    preset = read_presets(plugins.presets_path(plugins.available("methods")[name]))[trial.data]
    layers = [preset.layer, Layer("trial", trial.options)]
    width = part.train[0].features.shape[1]
    task = Task(width, part.truth.class_names, seed=trial.seed)
    method = kind(build(kind.Config, layers, owner=name), task, parents)
    videos: Any = part.train
    with truth_locked():
        method.fit(videos, Session())
    return method


class Scored:
    """What a trained method finds in the held-out videos.

    Args:
        method: trained.
        part: whose held-out videos are looked at, once.
    """

    def __init__(self, method: Method, part: Part) -> None:
        self._truth = part.truth
        with truth_locked():
            found = {video.video_id: method.activations(video) for video in part.held_out}
        self._scores = {name: one.video_scores for name, one in found.items()}
        self._proposals = {name: localize(one, method.recipe) for name, one in found.items()}

    def values(self, without: str | None = None) -> tuple[float, float]:
        """The weak score and, for the record, the localization score.

        Args:
            without: a group of videos that is left out; None scores all.
        """
        groups = zip(self._truth.video_ids, self._truth.groups, strict=True)
        truth = self._truth.only([name for name, group in groups if group != without])
        labels = np.zeros((len(truth.video_ids), len(truth.class_names)), bool)
        labels[truth.video, truth.label] = True
        scores = np.stack([self._scores[name] for name in truth.video_ids])
        proposals = {name: self._proposals[name] for name in truth.video_ids}
        detections = Detections.from_proposals(proposals, truth.class_names)
        found = evaluate(truth, detections, common("development")).headline
        return ranking_ap(scores, labels), found


def ranking_ap(scores: np.ndarray, labels: np.ndarray) -> float:
    """Mean over classes of the average precision with which scores rank the videos."""
    values = []
    for column in np.flatnonzero(labels.any(0)):
        hits = labels[np.argsort(-scores[:, column], kind="stable"), column]
        precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
        values.append(precision[hits].mean())
    return float(np.mean(values))


def search(
    data: str, method: str, trials: int, jobs: int, parent: dict[str, Any] | None
) -> list[Outcome]:
    """All trials of a method, `jobs` at once."""
    options = propose(method, trials)
    todo = [
        Trial(data, method, number, part, values, parent)
        for number, values in enumerate(options)
        for part in PARTS[data]
    ]
    context = multiprocessing.get_context("spawn")
    outcomes = []
    with ProcessPoolExecutor(jobs, mp_context=context) as pool:
        for future in as_completed([pool.submit(run, trial) for trial in todo]):
            outcome = future.result()
            outcomes.append(outcome)
            print(
                f"{method} trial {outcome.trial.number} part {outcome.trial.part}: "
                f"weak {outcome.weak:.3f}, boundaries {outcome.boundaries:.3f}, "
                f"{outcome.seconds} s, {outcome.trial.options}",
                file=sys.stderr,
                flush=True,
            )
    return sorted(outcomes, key=lambda item: (item.trial.number, item.trial.part))


def best(outcomes: Sequence[Outcome], by: str) -> int:
    """The trial with the highest mean over the parts; the earliest among equals."""
    numbers = sorted({outcome.trial.number for outcome in outcomes})
    means = [
        np.mean([getattr(item, by) for item in outcomes if item.trial.number == number])
        for number in numbers
    ]
    return numbers[int(np.argmax(means))]


def summary(outcomes: Sequence[Outcome], number: int) -> dict[str, Any]:
    """Options and mean scores of one trial."""
    mine = [outcome for outcome in outcomes if outcome.trial.number == number]
    return {
        "trial": number,
        "options": mine[0].trial.options,
        "weak": float(np.mean([item.weak for item in mine])),
        "boundaries": float(np.mean([item.boundaries for item in mine])),
    }


def write_preset(data: str, method: str, options: Mapping[str, Any], trials: int) -> None:
    """Puts the winner's options, and how they were found, into the data set's block of presets."""
    path = PRESETS / f"{method.replace('-', '_')}.yaml"
    text = path.read_text(encoding="utf-8")
    block = re.search(rf"^{data}:.*?(?=^\S|\Z)", text, re.MULTILINE | re.DOTALL)
    if block is None:
        raise ValueError(f"{path} has no block `{data}:`")
    values = {**yaml.safe_load(block.group())[data], **options}
    found = {"by": "weak", "trials": trials, "folds": len(PARTS[data])}
    found |= {key: text for key, text in values.pop("found", {}).items() if key == "remark"}
    lines = [f"{data}:  # made by scripts/tune; see scripts/tuning/{data}.json"]
    lines.append(f"  found: {json.dumps(found)}")
    lines += [f"  {key}: {value}" for key, value in values.items()]
    path.write_text(text.replace(block.group(), "\n".join(lines) + "\n"), encoding="utf-8")


def main() -> None:
    """Searches, writes the record and, with --write, the presets."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--methods", default=",".join(SPACES))
    parser.add_argument("--trials", type=int, default=12)
    parser.add_argument("--data", default="simulated", choices=sorted(PARTS))
    parser.add_argument("-j", "--jobs", type=int, default=2)
    parser.add_argument("--write", action="store_true", help="put the winners into the presets")
    arguments = parser.parse_args()
    data = arguments.data
    path = RECORDS / f"{data}.json"
    record = json.loads(path.read_text()) if path.exists() else {}
    for method in arguments.methods.split(","):
        parent = None
        if plugins.load("methods", method).needs:
            parent = record.get("acm-net", {}).get("chosen", {}).get("options")
        outcomes = search(data, method, arguments.trials, arguments.jobs, parent)
        chosen = best(outcomes, "weak")
        record[method] = {
            "budget": {"trials": arguments.trials, "parts": PARTS[data], "seed": 0},
            "space": {k: asdict(v) for k, v in {**COMMON_SPACE, **SPACES[method]}.items()},
            "selection": "weak: average precision of video scores on held-out video labels",
            "chosen": summary(outcomes, chosen),
            "with_boundaries_one_would_have_chosen": summary(
                outcomes, best(outcomes, "boundaries")
            ),
            "as_it_stood": summary(outcomes, 0),
            "parent_options": parent,
            "outcomes": [asdict(outcome) for outcome in outcomes],
        }
        path.write_text(json.dumps(record, indent=1, sort_keys=True) + "\n")
        print(f"{method}: {record[method]['chosen']}")
        if arguments.write:
            write_preset(data, method, record[method]["chosen"]["options"], arguments.trials)


if __name__ == "__main__":
    main()
