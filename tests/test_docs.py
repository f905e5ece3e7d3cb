"""Every command of the documentation runs as it stands there."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.data.made_up import write_acm, write_per_video
from tests.datasets.test_hapt import write_archive, zipped
from wsal_bench.cli.app import app
from wsal_bench.data.places import VARIABLE

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
    shutil.copytree(ROOT / "examples", folder / "examples")
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
    names = ("mil", "attention-mil", "acm-net", "ftcl")
    for file, known in (("in_small.yaml", names), ("mine_in_small.yaml", (*names, *MINE))):
        (tmp_path / file).write_text(json.dumps({name: {"epochs": 1} for name in known}))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(VARIABLE, str(tmp_path / "data"))
    failures = []
    for command in commands_to_run():
        _, *arguments = shlex.split(command)
        smaller = SMALLER.get(arguments[0], ())
        if "--plugins" in arguments:
            smaller = tuple(word.replace("in_small", "mine_in_small") for word in smaller)
        done = CliRunner().invoke(app, [*arguments, *smaller])
        if done.exit_code:
            failures.append(f"{command}: {done.exit_code}\n{done.stderr[-2000:]}{done.exception}")
    assert failures == []


MINE = ("linear-mil", "steady-mil")
"""Methods of docs/add-a-method.md, which only a command with `--plugins` knows."""
SMALLER = {
    "run": ("--config", "in_small.yaml"),
    "ablate": ("--config", "in_small.yaml"),
    "profile": ("--batch", "2", "--length", "5", "--repeats", "2"),
}


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


def test_each_page_makes_folders_of_its_own() -> None:
    """Pages may be carried out one after the other: a template is never written over another."""
    made = [line for page in PAGES for line in commands(page) if " data template " in line]
    assert len(made) >= 3
    assert len(made) == len(set(made))
