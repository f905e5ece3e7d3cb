"""A small data set in a folder, right in every way until a test breaks it."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from click.testing import CliRunner, Result

from tests.cli.made_up import Cli
from wsal_bench.cli.app import app
from wsal_bench.config import Config
from wsal_datasets.folder import Dataset


@dataclass
class Folder:
    """Two train and two test videos of 10 snippets of 1 second, D = 3; `open` writes the texts."""

    path: Path
    description: dict[str, Any] = field(
        default_factory=lambda: {
            "name": "mine",
            "fps": 25,
            "stride": 25,
            "subsets": {"train": "train", "test": "test"},
        }
    )
    truth: dict[str, Any] = field(default_factory=dict)
    lists: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for number, (split, video, label) in enumerate(
            [("train", "a1", "run"), ("train", "a2", "jump"), ("test", "b1", "run"),
             ("test", "b2", "jump")]
        ):  # fmt: skip
            self.lists.setdefault(split, []).append(video)
            segment = {"segment": [1.0, 3.0 + number], "label": label}
            # the duration is wrong on purpose: published ones are
            self.truth[video] = {"subset": split, "duration": 2.0, "annotations": [segment]}
            (self.path / split).mkdir(exist_ok=True)
            np.save(self.features(video), np.full((10, 3), number, np.float16))

    def features(self, video: str) -> Path:
        return self.path / ("train" if video.startswith("a") else "test") / f"{video}.npy"

    def segment(self, video: str, start: float, end: float, label: str = "run") -> None:
        self.truth[video]["annotations"] = [{"segment": [start, end], "label": label}]

    def write(self) -> None:
        (self.path / "dataset.yaml").write_text(yaml.safe_dump(self.description))
        (self.path / "gt.json").write_text(json.dumps({"database": self.truth}))
        for split, names in self.lists.items():
            (self.path / f"split_{split}.txt").write_text("\n".join(names) + "\n\n")

    def open(self) -> Dataset:
        self.write()
        dataset = Dataset.open(self.path, Config(), 0)
        assert isinstance(dataset, Dataset)
        return dataset


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


@pytest.fixture
def cli() -> Cli:
    """Runs the command line in this process."""

    def invoke(*arguments: object) -> Result:
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    return invoke
