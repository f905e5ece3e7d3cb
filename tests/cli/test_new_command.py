"""`wsal-bench new`: what it writes runs and conforms; what it refuses, it says why."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.cli.made_up import Cli
from wsal_bench import plugins

KINDS = ("method", "dataset")


@pytest.mark.parametrize("kind", KINDS)
def test_what_it_writes_conforms_and_the_next_commands_are_told(
    kind: str, cli: Cli, tmp_path: Path
) -> None:
    mine = tmp_path / "my plugins"
    result = cli("new", kind, "my_idea", "--plugins", mine)
    assert result.exit_code == 0, result.stderr
    file = mine / f"{kind}s" / "my_idea.py"
    first, *commands = result.stdout.splitlines()
    assert str(file) in first
    assert commands[0] == f"wsal-bench doctor --plugins '{mine}' --check my-idea"
    assert commands[1].startswith(f"wsal-bench run --plugins '{mine}' --{kind}s my-idea")
    checked = cli("doctor", "--plugins", mine, "--check", "my-idea")
    assert checked.stdout == f"ok    {kind}s/my-idea: conforms\n"
    text = file.read_text()
    assert "@" not in text.replace("@dataclass", "")
    assert max(map(len, text.replace(str(mine), "mine").splitlines())) <= 100
    assert all(command in text for command in commands)


def test_what_stands_in_comments_works_too(cli: Cli, tmp_path: Path) -> None:
    cli("new", "method", "my-idea", "--plugins", tmp_path)
    file = tmp_path / "methods" / "my_idea.py"
    code = re.sub(
        r"^    # (?=(    )?\w+ (= |\w+\()|    return)", "    ", file.read_text(), flags=re.M
    )
    for name in ("variants = {", "axes = {", "def ema_decay(", "def learning_rate_factor("):
        assert f"\n    {name}" in code
    file.write_text(code)
    checked = cli("doctor", "--plugins", tmp_path, "--check", "my-idea")
    assert checked.stdout == "ok    methods/my-idea: conforms\n"
    listed = json.loads(cli("list", "methods", "--plugins", tmp_path, "--json").stdout)
    (mine,) = [one for one in listed["data"]["methods"] if one["name"] == "my-idea"]
    assert (mine["variants"], mine["controls"]) == (["full", "dense"], ["plain"])


def test_one_json_document_says_the_same(cli: Cli, tmp_path: Path) -> None:
    found = json.loads(cli("new", "dataset", "mine", "--plugins", tmp_path, "--json").stdout)
    assert found["schema"] == "wsal-bench/new/1"
    assert found["data"]["path"] == str(tmp_path / "datasets" / "mine.py")
    assert found["data"]["name"] == "mine" and len(found["data"]["next"]) == 2


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_overwritten(kind: str, cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / f"{kind}s" / "mine.py"
    file.parent.mkdir()
    file.write_text("MINE = 1\n")
    (file.parent / "other").mkdir()
    for name in ("mine", "other"):
        result = cli("new", kind, name, "--plugins", tmp_path)
        assert result.exit_code == 3
        assert f"{name}" in result.stderr and "nothing is overwritten" in result.stderr
    assert file.read_text() == "MINE = 1\n"
    assert [path.name for path in file.parent.iterdir() if path.is_file()] == ["mine.py"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("metod", "x"), "no command 'new metod'; did you mean 'method'?"),
        (("method", "My Idea.py"), "did you mean 'my-idea'?"),
        (("method", "3d_net"), "did you mean 'my-3d-net'?"),
        (("dataset", "class"), "no word of Python; my-idea would be one"),
        (("method", "größe"), "'größe' can be no name"),
        (("method", "a" * 300), "at most 60 letters"),
        (("method", "../up"), "did you mean 'up'?"),
        (("method", "mil"), "there is 'mil' already, in "),
        (("method", "baseline"), "'baseline' stands for something else"),
        (("method", "floor"), "'floor' stands for something else"),
        (("dataset", "simulated_order"), "there is 'simulated-order' already"),
    ],
)
def test_a_name_that_cannot_be_is_refused(
    arguments: tuple[str, str], message: str, cli: Cli, tmp_path: Path
) -> None:
    result = cli("new", *arguments, "--plugins", tmp_path / "mine")
    assert result.exit_code == 2
    assert message in result.stderr
    assert not (tmp_path / "mine").exists()


def test_a_folder_that_cannot_be_made_is_said(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "methods").write_text("")
    result = cli("new", "method", "mine", "--plugins", tmp_path)
    assert result.exit_code == 3
    assert "cannot be made" in result.stderr


def test_a_folder_that_no_docstring_can_hold_is_left_out(cli: Cli, tmp_path: Path) -> None:
    mine = tmp_path / 'a"""\\b'
    assert cli("new", "method", "mine", "--plugins", mine).exit_code == 0
    text = (mine / "methods" / "mine.py").read_text()
    compile(text, "mine.py", "exec")
    assert "--plugins DIR --check mine" in text


def test_the_templates_are_in_the_package() -> None:
    folder = Path(plugins.__file__).parents[1] / "cli" / "templates"
    assert {path.name for path in folder.iterdir()} == {"method.txt", "dataset.txt"}
