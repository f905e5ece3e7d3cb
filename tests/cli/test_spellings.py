"""Options are spelled alike in all commands, and what was typed before goes on working."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from tests.cli.made_up import Cli, MadeUpStore
from tests.cli.test_boundary import environment
from wsal_bench.cli.app import app
from wsal_bench.errors import UsageError
from wsal_bench.running.settings import Settings

VIDEO = "video_test_0001235"
SEGMENT = {"segment": [50.0, 55.5], "label": "PoleVault"}


def commands(
    group: click.Group = app, trail: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, (*trail, name))
        else:
            yield (*trail, name), command


def test_no_command_shows_an_older_spelling() -> None:
    shown = {
        f"{' '.join(trail)} {spelling}": option.help or ""
        for trail, command in commands()
        for option in command.params
        if isinstance(option, click.Option) and not option.hidden
        for spelling in option.opts
    }
    assert len(shown) > 100
    assert not [name for name in shown if name.split()[-1] in ("--dataset", "--csv", "--plugin")]
    # pictures alone are --plot; --out is what else is written
    assert not [
        name for name, text in shown.items() if name.endswith(" --out") and "pictures" in text
    ]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    truth = {"database": {VIDEO: {"subset": "test", "annotations": [SEGMENT]}}}
    found = {"results": {VIDEO: [{**SEGMENT, "score": 0.5}]}}
    (tmp_path / "gt.json").write_text(json.dumps(truth))
    (tmp_path / "found.json").write_text(json.dumps(found))
    return tmp_path


@pytest.mark.parametrize("option", ["--datasets", "--dataset"])
def test_a_leaderboard_takes_data_sets_in_both_spellings(
    option: str, cli: Cli, store: MadeUpStore
) -> None:
    store.add("mil")
    given = ("leaderboard", "--results", store.path, "--out", "-", option)
    assert cli(*given, "simulated").exit_code == 0
    wrong = cli(*given, "simulated,Hapt")
    assert wrong.exit_code == 2
    assert "'Hapt'" in wrong.stderr
    assert option == "--datasets" or cli(*given, "simulated", option, "simulated").exit_code == 0


def test_a_leaderboard_is_drawn_beside_its_table_or_into_a_folder(
    cli: Cli, store: MadeUpStore, tmp_path: Path
) -> None:
    store.add("mil")
    folder = tmp_path / "pictures"
    given = ("leaderboard", "--results", store.path, "--out")
    assert cli(*given, "-", "--plot", folder).exit_code == 0
    assert (folder / "simulated.svg").exists()
    assert cli(*given, tmp_path / "tables", "--plot").exit_code == 0
    assert (tmp_path / "tables" / "simulated.svg").exists()
    refused = cli(*given, "-", "--plot")
    assert refused.exit_code == 2
    assert "--plot DIR" in refused.stderr


@pytest.mark.parametrize("option", ["--plot", "--out"])
def test_pictures_go_where_either_spelling_says(option: str, cli: Cli, files: Path) -> None:
    pair = ("eval", files / "gt.json", files / "found.json")
    assert cli(*pair, "--diagnose", option, files / "a").exit_code == 0
    assert list((files / "a").glob("*.png"))
    arguments = ("rescore", files / "found.json", "--truth", files / "gt.json", option, files / "b")
    assert cli(*arguments).exit_code == 0
    assert list((files / "b").glob("*.png"))


def test_a_form_is_chosen_with_format(cli: Cli, files: Path) -> None:
    arguments = ("rescore", files / "found.json", "--truth", files / "gt.json")
    new = cli(*arguments, "--format", "csv").stdout
    assert new.startswith("detections,")
    assert new == cli(*arguments, "--csv").stdout != cli(*arguments, "--format", "md").stdout


def test_eval_knows_a_data_set_by_its_videos(cli: Cli, files: Path) -> None:
    pair = ("eval", files / "gt.json", files / "found.json", "--json")

    def rules(*arguments: object) -> str:
        done = cli(*pair, *arguments)
        assert done.exit_code == 0, done.stderr
        return str(json.loads(done.stdout)["data"]["protocol"])

    assert rules() == "thumos14/common"
    assert rules("--datasets", "mine") == "mine/common"
    assert rules("--protocol", "mine/common") == "mine/common"
    both = cli(*pair, "--datasets", "mine", "--protocol", "mine/common")
    assert both.exit_code == 2
    upper = cli(*pair, "--datasets", "THUMOS14")
    assert (upper.exit_code, "did you mean 'thumos14'?" in upper.stdout) == (2, True)


def test_a_file_of_options_serves_runs_of_other_methods_too(tmp_path: Path) -> None:
    file = tmp_path / "options.yaml"
    file.write_text("mil: {epochs: 1}\nftcl:fsd: {epochs: 2}\nsimulated: {noise: 1}\n")
    settings = Settings.read((), file)
    assert [dict(layer.values) for layer in settings.layers("mil")] == [{"epochs": 1}]
    settings.refuse_unused()


@pytest.mark.parametrize(
    ("text", "best"),
    [("MIL: {epochs: 1}", "mil"), ("ftcl:fds: {epochs: 1}", "ftcl"), ("hapd: {x: 1}", "hapt")],
)
def test_a_file_with_options_for_nothing_is_refused(text: str, best: str, tmp_path: Path) -> None:
    (tmp_path / "options.yaml").write_text(text)
    settings = Settings.read((), tmp_path / "options.yaml")
    settings.layers("mil")
    with pytest.raises(UsageError, match=f"nor any method or data set; did you mean '{best}'"):
        settings.refuse_unused()


def test_an_option_that_was_set_for_nothing_in_the_run_is_refused() -> None:
    settings = Settings.read(("ftcl.epochs=1",), None)
    settings.layers("mil")
    with pytest.raises(UsageError, match="not in this run"):
        settings.refuse_unused()


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        ((), "Commands:\n  run "),
        (("help",), "Commands:\n  run "),
        (("help", "run"), "Usage: wsal-bench run "),
        (("help", "data", "import"), "Usage: wsal-bench data import "),
        (("data",), "Usage: wsal-bench data "),
        (("profile",), "Usage: wsal-bench profile "),
    ],
)
def test_help_is_where_one_looks_for_it(arguments: tuple[str, ...], shown: str, cli: Cli) -> None:
    done = cli(*arguments)
    assert done.exit_code == 0
    assert shown in done.stdout


def test_help_of_what_is_not_there_proposes_a_command(cli: Cli) -> None:
    done = cli("help", "Runn")
    assert done.exit_code == 2
    assert "did you mean 'run'?" in done.stderr


def test_python_runs_the_package() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "wsal_bench", "--version"],
        capture_output=True,
        text=True,
        check=False,
        env=environment(),
    )
    assert (done.returncode, done.stdout[:11]) == (0, "wsal-bench "), done.stderr
