"""`wsal-bench list`, `show` and `doctor`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.made_up import Cli
from tests.running.toys import PLUGINS
from wsal_bench import plugins
from wsal_bench.cli import doctor
from wsal_bench.plugins import PLUGIN_FOLDERS
from wsal_bench.plugins.contract import Method


def data(cli: Cli, *arguments: object) -> Any:
    result = cli(*arguments, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)["data"]


def test_list_knows_plugins_protocols_and_recipes(cli: Cli, toys: Path) -> None:
    found = data(cli, "list", "--plugins", toys)
    assert set(found) == {"methods", "datasets", "protocols", "recipes"}
    (toy,) = [entry for entry in found["methods"] if entry["name"] == "toy"]
    assert (toy["variants"], toy["controls"]) == (["full", "fsd"], ["pairs"])
    assert toy["summary"].startswith("A toy")
    assert "simulated/common" in {entry["name"] for entry in found["protocols"]}
    assert {"own", "common"} <= {entry["name"] for entry in found["recipes"]}


def test_plugins_of_one_command_are_gone_in_the_next(cli: Cli, toys: Path) -> None:
    data(cli, "list", "methods", "--plugins", toys)
    assert "toy" not in {entry["name"] for entry in data(cli, "list", "methods")["methods"]}


def test_a_broken_plugin_is_a_warning_and_the_others_are_listed(cli: Cli, toys: Path) -> None:
    (toys / "methods" / "bad.py").write_text("def (")
    result = cli("list", "methods", "--plugins", toys)
    assert result.exit_code == 0
    assert "bad.py" in result.stderr
    assert "toy" in result.stdout


def test_show_reads_options_with_their_comments(cli: Cli, toys: Path) -> None:
    shown = data(cli, "show", "toy:fsd", "--plugins", toys)
    assert shown["options"][0] == {
        "name": "fsd_weight",
        "kind": "float",
        "default": "1.0",
        "comment": "how much of the features it sees",
        "inherited": "",
        "presets": {},
    }
    assert "fsd_weight: float = 1.0" in cli("show", "toy", "--plugins", toys).stdout


def test_a_comment_behind_an_option_is_not_the_next_ones(cli: Cli) -> None:
    options = {option["name"]: option for option in data(cli, "show", "acm-net")["options"]}
    assert options["class_threshold"]["comment"] == "ACM-Net code, as all below"
    assert options["cas_thresholds"]["comment"] == ""


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("ftcl", "method"),
        ("simulated", "dataset"),
        ("thumos14/common", "protocol"),
        ("acm", "recipe"),
        ("asm-loc", "recipe"),
    ],
)
def test_show_knows_what_a_name_stands_for(name: str, kind: str, cli: Cli) -> None:
    assert data(cli, "show", name)["kind"] == kind


def test_show_a_method_shows_the_recipe_of_its_name_too(cli: Cli) -> None:
    shown = data(cli, "show", "acm-net")
    assert (shown["kind"], shown["recipe"]["name"]) == ("method", "acm-net")
    assert shown["recipe"] == data(cli, "show", "acm")
    assert "recipe" not in data(cli, "show", "mil")


@pytest.mark.parametrize(
    ("name", "best"), [("ftlc", "ftcl"), ("simulatd", "simulated"), ("comon", "common")]
)
def test_show_suggests_the_nearest_name(name: str, best: str, cli: Cli) -> None:
    result = cli("show", name)
    assert result.exit_code == 2
    assert f"did you mean {best!r}" in result.stderr


def test_show_tells_inherited_options_and_the_card_of_a_data_set(cli: Cli) -> None:
    shown = data(cli, "show", "activitynet12")
    assert [option["name"] for option in shown["options"]] == ["label_source"]
    assert shown["options"][0]["comment"].startswith("where a training video's labels come from")
    assert "depends on when they were downloaded" in shown["card"]
    assert shown["protocols"][:2] == ["activitynet12/common", "activitynet12/official"]


def test_show_tells_what_is_published_about_a_data_set(cli: Cli) -> None:
    facts = data(cli, "show", "thumos14")["facts"]
    assert (facts["num_classes"], facts["fps"], facts["stride"]) == (20, 25.0, 16.0)
    assert facts["videos"] == {"train": [200], "test": [210, 212]}
    assert [file["name"] for file in facts["truth_files"]] == ["gt410", "gt412"]
    assert len(facts["truth_files"][0]["sha256"]) == 64
    shown = cli("show", "thumos14").stdout
    assert "every CliffDiving instance is annotated as Diving too" in shown
    assert "https://github.com/ispc-lab/ACM-Net" in shown


def test_doctor_looks_at_everything(cli: Cli, toys: Path, tmp_path: Path) -> None:
    found = data(cli, "doctor", "--plugins", toys, "--results", tmp_path / "a" / "b")
    assert found["ok"] is True
    names = {check["name"] for check in found["checks"]}
    assert {
        "python",
        "torch",
        "threads",
        "cuda",
        "results",
        "methods/toy",
        "datasets/toy-data",
    } <= names
    assert not (tmp_path / "a").exists()


def test_doctor_reports_a_plugin_that_cannot_be_imported_with_exit_code_5(
    cli: Cli, toys: Path
) -> None:
    (toys / "methods" / "toy.py").write_text("import nothing_of_that_name\nclass Method: ...\n")
    result = cli("doctor", "--plugins", toys, "--json")
    assert result.exit_code == 5
    checks = {check["name"]: check for check in json.loads(result.stdout)["data"]["checks"]}
    assert checks["methods/toy"]["ok"] is False
    assert "nothing_of_that_name" in checks["methods/toy"]["message"]
    assert checks["methods/ftcl"]["ok"] is True


def test_doctor_runs_the_conformance_kit(
    cli: Cli, toys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from wsal_bench import testing

    monkeypatch.setattr(testing, "check_method", lambda name: [f"{name} ignores the seed"])
    monkeypatch.setattr(testing, "check_dataset", lambda name: [])
    result = cli("doctor", "--plugin", "toy", "--plugins", toys)
    assert result.exit_code == doctor.FAILED == 5
    assert "FAIL  methods/toy: toy ignores the seed" in result.stdout
    result = cli("doctor", "--plugin", "toy-data", "--plugins", toys)
    assert result.exit_code == 0
    assert "ok    datasets/toy-data: conforms" in result.stdout


def test_doctor_suggests_the_nearest_plugin(cli: Cli) -> None:
    result = cli("doctor", "--plugin", "ftlc")
    assert result.exit_code == 2
    assert "did you mean 'ftcl'" in result.stderr


def test_a_recipe_is_shown_with_all_its_numbers(cli: Cli) -> None:
    shown = data(cli, "show", "common")
    assert (shown["nms"]["threshold"], shown["nms"]["plus"]) == (0.55, 0.0)
    assert [part["gate"] for part in shown["lists"]] == ["cas"]
    text = cli("show", "acm").stdout
    assert "  - gate: cas\n    thresholds: 0.15, " in text
    assert "  - gate: attention\n" in text


def test_the_line_about_a_recipe_counts_its_gate_lists(cli: Cli) -> None:
    text = cli("list", "recipes").stdout
    assert "1 gate list, " in text
    assert "2 gate lists, " in text


def test_a_recipe_says_its_rules_sources_and_needs(cli: Cli) -> None:
    listed = {entry["name"]: entry for entry in data(cli, "list", "recipes")["recipes"]}
    assert listed["case"]["cuts"] == "1 gate list, 9 thresholds, partial-soft NMS 0.4 +1 s"
    assert listed["case"]["sources"] == ["Qinying-Liu/CASE b7c34da"]
    assert listed["co2-net"]["needs"] == ["attention", "logits"]
    shown = data(cli, "show", "case")
    assert shown["in_words"] == listed["case"]["rules"]
    assert set(shown["needs"]) == {"selection", "video_scores"}
    text = cli("show", "case").stdout
    assert "\nin_words:\n  - classes: video score >= 0.25, else the best one\n" in text
    assert "\nquirks:\n  - the option `gamma` = 0.15" in text


@pytest.mark.parametrize("name", ["mil", "attention-mil", "acm-net", "ftcl", "toy"])
def test_show_lists_every_option_of_a_method(
    name: str, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PLUGIN_FOLDERS, str(PLUGINS))
    shown = json.loads(cli("show", name, "--json").stdout)["data"]["options"]
    kind: type[Method] = plugins.load("methods", name)
    assert [option["name"] for option in shown] == list(kind.Config.fields())
    assert all(option["default"] for option in shown)


def test_show_says_where_an_option_comes_from_and_what_presets_make_of_it(cli: Cli) -> None:
    shown = json.loads(cli("show", "ftcl", "--json").stdout)["data"]
    options = {option["name"]: option for option in shown["options"]}
    assert options["dropout"]["inherited"] == "ACMConfig"
    assert options["learning_rate"]["inherited"] == "TrainableConfig"
    assert options["epochs"]["inherited"] == ""
    assert options["epochs"]["presets"] == {"simulated": 5, "hapt": 1, "small": 10, "quick": 5}
    assert shown["found"]["simulated"]["budget"] == "chosen by video labels (12 trials, 2 folds)"
    text = cli("show", "ftcl").stdout
    assert "simulated 5, hapt 1, small 10, quick 5" in text
    assert "--lr; of TrainableConfig" in text
    assert "small: set by the preset's author" in text
