"""Every command of the documentation runs as it stands there."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from tests.data.made_up import write_acm, write_per_video
from tests.datasets.test_hapt import write_archive, zipped
from wsal_bench.cli.app import app
from wsal_bench.data.places import VARIABLE
from wsal_bench.running.settings import Settings

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
# the page on data sets has a test of its own beside the tests of data sets
RUN_HERE = [page for page in PAGES if page.name != "add-a-dataset.md"]
DEMO = (ROOT / "scripts" / "demo").read_text().replace('"$results"', "results/demo").splitlines()


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)


def commands(page: Path) -> list[str]:
    lines = "\n".join(blocks(page, "sh")).replace("\\\n", " ").splitlines()
    return [line.split("  #")[0].strip() for line in lines if line.startswith("wsal-bench")]


def in_the_demo(command: str) -> bool:
    """The long runs: the same line stands in `scripts/demo`."""
    return command in DEMO


def prepare(folder: Path) -> None:
    """What the pages tell a reader to have: their own method files, features, detections."""
    for page in RUN_HERE:
        for text in re.findall(r"[Ss]ave (?:this )?as `(.*?)`", page.read_text()):
            code = page.read_text().split(f"`{text}`", 1)[1]
            file = folder / text
            file.parent.mkdir(parents=True, exist_ok=True)
            found = re.search(r"```(?:python|yaml)\n(.*?)```", code, re.DOTALL)
            assert found, f"{page.name}: no code after {text}"
            file.write_text(found.group(1))
    data = folder / "my-data"
    segment = {"segment": [0.5, 3.0], "label": "run"}
    database = {}
    for split in ("train", "test"):
        (data / split).mkdir(parents=True)
        names = [f"{split}-{index}" for index in range(4)]
        (data / f"split_{split}.txt").write_text("\n".join(names))
        for index, name in enumerate(names):
            features = np.random.default_rng(index).random((20, 8), dtype=np.float32)
            np.save(data / split / f"{name}.npy", features)
            label = ("run", "jump")[index % 2]
            database[name] = {"subset": split, "annotations": [{**segment, "label": label}]}
    (data / "dataset.yaml").write_text(
        "name: my-data\nfps: 25\nstride: 16\npreset: small\nsubsets: {train: train, test: test}\n"
    )
    for file in (data / "gt.json", folder / "gt.json"):
        file.write_text(json.dumps({"database": database}))
    results = {"test-0": [{**segment, "score": 0.9}]}
    for name in ("detections.json", "others.json"):
        (folder / name).write_text(json.dumps({"results": results}))
    prepare_downloads(folder)


def prepare_downloads(folder: Path) -> None:
    """Small forms of what docs/data.md and docs/hapt.md import."""
    truth = write_acm(folder / "Thumos14") / "gt.json"
    # one class in all videos: FTCL needs a pair that shows the same
    text = truth.read_text().replace('"run"', '"Diving"').replace('"jump"', '"Diving"')
    truth.write_text(text)
    write_per_video(folder / "my-features", "npz")
    zipped(write_archive(folder / "HAPT"))


def commands_to_run() -> list[str]:
    found = [line for page in RUN_HERE for line in commands(page) if not in_the_demo(line)]
    assert len(found) > 8
    return list(dict.fromkeys(found))


@pytest.mark.usefixtures("small_heap")  # `profile` is among them
def test_every_command_of_the_pages_runs_in_small(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All in this process, and what trains does so for an epoch."""
    prepare(tmp_path)
    in_small(tmp_path / "in_small.yaml", monkeypatch)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(VARIABLE, str(tmp_path / "data"))
    failures = []
    for command in commands_to_run():
        _, *arguments = shlex.split(command)
        smaller = SMALLER.get(arguments[0], ())
        done = CliRunner().invoke(app, [*arguments, *smaller])
        if done.exit_code:
            failures.append(f"{command}: {done.exit_code}\n{done.stderr[-2000:]}{done.exception}")
    assert failures == []


SMALLER = {
    "run": ("--config", "in_small.yaml"),
    "ablate": ("--config", "in_small.yaml"),
    "profile": ("--batch", "2", "--length", "5", "--repeats", "2"),
}


def in_small(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Options for all methods of the pages; those that a command does not train are ignored."""
    names = ("mil", "attention-mil", "acm-net", "ftcl", "linear-mil")
    file.write_text(json.dumps({name: {"epochs": 1} for name in names}))
    monkeypatch.setattr(Settings, "refuse_unused", lambda settings: None)


@pytest.mark.slow
def test_every_command_of_the_pages_runs(tmp_path: Path) -> None:
    prepare(tmp_path)
    env = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        VARIABLE: str(tmp_path / "data"),
    }
    failures = []
    for command in commands_to_run():
        done = subprocess.run(
            shlex.split(command), cwd=tmp_path, env=env, capture_output=True, text=True
        )
        if done.returncode:
            failures.append(f"{command}: {done.returncode}\n{done.stderr[-2000:]}")
    assert failures == []


def test_the_page_shows_what_the_demo_runs() -> None:
    shown = [line for line in commands(ROOT / "README.md") if in_the_demo(line)]
    assert shown == [line for line in DEMO if line.startswith("wsal-bench")]


def test_python_examples_of_the_pages_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare(tmp_path)
    monkeypatch.chdir(tmp_path)
    for page in PAGES:
        names = {"__name__": "example"}  # the examples of a page go on from each other
        for code in blocks(page, "python"):
            exec(compile(code, page.name, "exec"), names)


def test_links_between_the_pages_lead_somewhere() -> None:
    broken = [
        f"{page.name}: {target}"
        for page in PAGES
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text())
        if not (page.parent / target).exists()
    ]
    assert broken == []
