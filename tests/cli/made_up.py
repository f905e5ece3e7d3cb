"""A store of made-up runs, and plugins that need no training."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from click.testing import Result

from wsal_bench.api import Track
from wsal_bench.evaluation import Counts, Scores, common
from wsal_bench.running.cells import DataSpec, RunSpec
from wsal_bench.running.results import RunFiles

Cli = Callable[..., Result]


@dataclass(frozen=True)
class MadeUpStore:
    """A results folder to which runs are added by hand."""

    path: Path

    def add(
        self,
        method: str,
        mean_ap: float | None = 0.5,
        *,
        data_seed: int = 0,
        seed: int = 0,
        record: dict[str, Any] | None = None,
        **fields: Any,
    ) -> Path:
        """A run whose AP is `mean_ap` everywhere; None: a failed one. Returns its directory."""
        name, _, variant = method.partition(":")
        if name in ("floor", "ceiling"):
            name, variant = method, ""
        spec = RunSpec(
            method=name,
            variant=variant or None,
            method_version="1",
            config=fields.pop("config", {}),
            data=DataSpec("simulated", "simulated", "1", {}, seed=data_seed, seeded=True),
            track=Track(),
            seed=seed,
            preset="preset simulated",
            **fields,
        )
        files = RunFiles(self.path / spec.key)
        recipe = "common" if name == method and ":" in method else "own"
        if mean_ap is not None:
            rules = common("simulated")
            scores = Scores(
                rules, ("wave",), np.full((7, 1), mean_ap), Counts(1, 1, 0, 0, 0)
            ).to_json()
            path = files.scores(recipe, rules.name)
            path.parent.mkdir(parents=True)
            path.write_text(json.dumps(scores))
        files.directory.mkdir(parents=True, exist_ok=True)
        document = {
            "schema": "wsal-bench/record/1",
            "spec": spec.to_json(),
            "hash": spec.hash,
            "status": "failed" if mean_ap is None else "ok",
            "error": "loss fsd is nan at step 7" if mean_ap is None else None,
            "asked": True,
            "parameters": 12,
            "seconds": {"train": 2.0, "infer": 0.5},
            **(record or {}),
        }
        files.record.write_text(json.dumps(document))
        return files.directory

    def add_grid(self, method: str, mean_ap: float) -> None:
        """Three data seeds times two training seeds."""
        for data_seed in range(3):
            for seed in range(2):
                self.add(method, mean_ap, data_seed=data_seed, seed=seed)


TOY_METHOD = '''"""A toy: its scores are the features, more or less."""

import numpy as np

from wsal_bench import api
from wsal_bench.config import Config
from wsal_bench.localization import recipe
from wsal_bench.types import Activations


class Method(api.Method):
    class Config(Config):
        fsd_weight: float = 1.0  # how much of the features it sees
        lcs_weight: float = 1.0
        breaks: bool = False

    groups = ("toys",)
    variants = {"full": {}, "fsd": {"lcs_weight": 0.0}}
    controls = {"pairs": {"fsd_weight": 0.0, "lcs_weight": 0.0}}
    components = {"FSD": "fsd_weight", "LCS": "lcs_weight"}
    baseline = "pairs"
    axes = {"fsd_weight": (0.0, 0.5), "lcs_weight": (0.0, 1.0)}

    def fit(self, videos, session):
        if self.config.breaks:
            raise RuntimeError("it broke, as told")

    def activations(self, video):
        weight = self.config.fsd_weight + self.config.lcs_weight
        noise = np.random.default_rng(self.task.seed).random(video.features.shape)
        cas = weight * np.asarray(video.features, dtype=float) + noise
        return Activations({"cas": cas}, {}, cas.mean(0), video.grid.edges(video.num_snippets))

    @property
    def recipe(self):
        return recipe.COMMON
'''

TOY_DATASET = '''"""Eight videos in which a feature is 1 where an action is."""

import numpy as np

from wsal_bench import api
from wsal_bench.timegrid import TimeGrid
from wsal_bench.types import GroundTruth, Video, WeakVideo


class Dataset(api.Dataset):
    class_names = ("wave", "jump")
    feature_dim = 2
    seeded = True

    def videos(self, split):
        return [self._video(split, index) for index in range(4)]

    def _video(self, split, index):
        features = np.zeros((20, 2), dtype=np.float32)
        features[index + 2 : index + 7, index % 2] = 1
        name, grid = f"{split}{index}", TimeGrid(fps=1.0, stride=1.0)
        if split == "test":
            return Video(name, features, grid)
        labels = np.array([index % 2 == 0, index % 2 == 1], dtype=np.float32)
        return WeakVideo(name, features, grid, labels=labels)

    def _truth(self, split, variant):
        index = np.arange(4)
        names = tuple(f"{split}{i}" for i in range(4))
        return GroundTruth(index, index + 2.0, index + 7.0, index % 2, names, self.class_names)
'''


def write_toys(folder: Path) -> Path:
    """A folder for `--plugins` with the method `toy` and the data set `toy-data`."""
    for name, text in (("methods/toy.py", TOY_METHOD), ("datasets/toy_data.py", TOY_DATASET)):
        path = folder / name
        path.parent.mkdir(parents=True)
        path.write_text(text)
    return folder
