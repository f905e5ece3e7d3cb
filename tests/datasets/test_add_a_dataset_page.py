"""What docs/add-a-dataset.md shows works as it stands there."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from wsal_bench import plugins
from wsal_bench.cli.app import app
from wsal_bench.data.description import Description, read
from wsal_bench.testing import check_dataset

PAGE = Path(__file__).parents[2] / "docs" / "add-a-dataset.md"
SHOWN = {"data": "this runs:", "list": "two-tones", "run": "mAP"}
"""What each command of the page prints among other things."""


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)


def block(language: str) -> str:
    (found,) = blocks(language)
    return found


@pytest.fixture
def plugin_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    import wsal_datasets

    (tmp_path / "datasets").mkdir()
    monkeypatch.setenv(plugins.PLUGIN_FOLDERS, str(tmp_path))
    folder = str(tmp_path / "datasets")
    monkeypatch.setattr(wsal_datasets, "__path__", [*wsal_datasets.__path__, folder])
    yield tmp_path / "datasets"
    sys.modules.pop("wsal_datasets.two_tones", None)


def test_the_example_description_is_right_and_shows_every_key(tmp_path: Path) -> None:
    path = tmp_path / "dataset.yaml"
    path.write_text(block("yaml"))
    description = read(path)
    assert description.group_of("S12_tea", path) == "S12"
    assert (description.fps, description.stride, description.overhang) == (25, 16, 5)
    assert description.model_fields_set == set(Description.model_fields)


def test_the_example_plugin_conforms(plugin_folder: Path) -> None:
    (plugin_folder / "two_tones.py").write_text(block("python"))
    assert plugins.available("datasets")["two-tones"].summary.startswith("Two tones in noise")
    assert check_dataset("two-tones") == []
    kind = plugins.load("datasets", "two-tones")
    dataset = kind.open(None, kind.Config(noise=0), 0)
    video, truth = dataset.videos("test")[3], dataset.ground_truth("test")
    loud = np.flatnonzero(video.features[:, 1] > 1)
    assert truth.start[3] == loud[0] * 0.64 and truth.end[3] == (loud[-1] + 1) * 0.64


@pytest.fixture
def commands(tmp_path: Path) -> list[list[str]]:
    """Those of the page, and in the folder what it tells a reader to have."""
    plugin = tmp_path / "myplugins" / "datasets" / "two_tones.py"
    plugin.parent.mkdir(parents=True)
    plugin.write_text(block("python"))
    commands = [
        shlex.split(line, comments=True) for text in blocks("sh") for line in text.splitlines()
    ]
    assert [command[:2] for command in commands] == [
        ["wsal-bench", "data"],
        ["wsal-bench", "run"],
        ["wsal-bench", "list"],
        ["wsal-bench", "run"],
    ]
    return commands


def test_the_commands_run_in_small(
    commands: list[list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All in this process, and what trains does so for an epoch."""
    monkeypatch.chdir(tmp_path)
    for command in commands:
        smaller = ["--quick", "--set", "mil.epochs=1"] if command[1] == "run" else []
        done = CliRunner().invoke(app, [*command[1:], *smaller])
        assert done.exit_code == 0, done.stderr
        assert SHOWN[command[1]] in done.stdout


@pytest.mark.slow
def test_the_commands_run(commands: list[list[str]], tmp_path: Path) -> None:
    for command in commands:
        smaller = ["--quick"] if command[1] == "run" else []
        python = [sys.executable, "-c", "from wsal_bench.cli import main; main()"]
        done = subprocess.run(
            [*python, *command[1:], *smaller], cwd=tmp_path, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        assert SHOWN[command[1]] in done.stdout
        if command[1] == "data":  # now as the page says: replaced by features of one's own
            shutil.rmtree(tmp_path / "mydata")
            write_features(tmp_path / "mydata")


def write_features(folder: Path) -> None:
    database = {}
    for split, subset in (("train", "validation"), ("test", "test")):
        names = [f"S{number}{split}" for number in (1, 2)]
        (folder / split).mkdir(parents=True)
        (folder / f"split_{split}.txt").write_text("\n".join(names))
        for name, label in zip(names, ("HighJump", "Billiards"), strict=True):
            np.save(folder / split / f"{name}.npy", np.ones((20, 4), np.float16))
            segment = {"segment": [2.0, 5.0], "label": label}
            database[name] = {"subset": subset, "annotations": [segment]}
    (folder / "gt.json").write_text(json.dumps({"database": database}))
    here = block("yaml").replace("root: ../features", "root: .").replace("^(S\\d+)", "^(.*)$")
    (folder / "dataset.yaml").write_text(here)
