"""A trained run on `tiny`, and the features of its test videos as files."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from tests.running.toys import PLUGINS, request
from wsal_bench.cli.app import app
from wsal_bench.evaluation.formats import truth_to_json
from wsal_bench.plugins import PLUGIN_FOLDERS
from wsal_bench.running.cells import RunSpec
from wsal_bench.running.datasource import Catalog
from wsal_bench.running.results import RunFiles, read_record
from wsal_bench.running.runner import run


@dataclass(frozen=True)
class Stored:
    """A run and what its data set gave, as files.

    Args:
        results: the store.
        directory: of the run.
        features: a folder with an npy file for each test video.
        truth: of the test videos, in the form of ActivityNet.
    """

    results: Path
    directory: Path
    features: Path
    truth: Path


@pytest.fixture
def toys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PLUGIN_FOLDERS, str(PLUGINS))


@pytest.fixture(scope="session")
def trained_once(tmp_path_factory: pytest.TempPathFactory) -> Stored:
    root = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(PLUGIN_FOLDERS, str(PLUGINS))
        (cell,) = run(request(root / "results", "toy"))
        directory = Path(cell.directory)
        spec = RunSpec.from_json(read_record(RunFiles(directory).record)["spec"])
        dataset = Catalog().dataset(spec.data)
        (root / "features").mkdir()
        for video in dataset.videos("test"):
            np.save(root / "features" / f"{video.video_id}.npy", video.features[:])
        truth_to_json(dataset.ground_truth("test"), root / "truth.json")
    return Stored(root / "results", directory, root / "features", root / "truth.json")


@pytest.fixture
def stored(trained_once: Stored, toys: None) -> Stored:
    """The run, for tests that change nothing of it."""
    return trained_once


@pytest.fixture
def cli() -> Callable[..., Result]:
    """Runs the command line in this process; stdout and stderr are kept apart."""

    def invoke(*arguments: object) -> Result:
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    return invoke


@pytest.fixture
def copied(stored: Stored, tmp_path: Path) -> Stored:
    """A copy of the run, to be spoilt."""
    results = tmp_path / "results"
    shutil.copytree(stored.results, results)
    return replace(
        stored, results=results, directory=results / stored.directory.relative_to(stored.results)
    )
