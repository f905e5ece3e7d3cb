from pathlib import Path

import pytest

from wsal_bench.config import (
    Config,
    Found,
    Layer,
    Preset,
    build,
    choose_preset,
    parse_override,
    read_presets,
    read_yaml,
)
from wsal_bench.errors import DataError, UsageError


class Options(Config):
    learning_rate: float = 1e-4
    epochs: int = 5


def test_later_layers_win() -> None:
    layers = [Layer("preset", {"epochs": 7}), Layer("--set", {"epochs": 9})]
    assert build(Options, layers, owner="mil") == Options(epochs=9)


def test_an_unknown_option_names_the_nearest_one_and_where_it_came_from() -> None:
    with pytest.raises(UsageError, match=r"mil has no option 'epoch' \(--set\).*'epochs'"):
        build(Options, [Layer("--set", {"epoch": 7})], owner="mil")


def test_a_value_of_the_wrong_kind_says_which_and_from_where() -> None:
    with pytest.raises(UsageError, match=r"mil.epochs = 'many' \(preset small\)"):
        build(Options, [Layer("preset small", {"epochs": "many"})], owner="mil")


@pytest.mark.parametrize("text", ["1e-3", "0.001", "1E-3"])
def test_numbers_in_any_notation_are_numbers(text: str) -> None:
    assert parse_override(f"mil.learning_rate={text}").value == pytest.approx(1e-3)


def test_an_override_may_name_one_variant() -> None:
    every, one = parse_override("ftcl.epochs=1"), parse_override("ftcl:fsd.epochs=2")
    assert (every.target, every.variant, every.key, every.value) == ("ftcl", None, "epochs", 1)
    assert (one.target, one.variant, one.key, one.value) == ("ftcl", "fsd", "epochs", 2)


@pytest.mark.parametrize("text", ["epochs=1", "ftcl.epochs", "=3", ".epochs=1", "ftcl.=1"])
def test_an_override_without_name_key_and_value_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"is not NAME\.KEY=VALUE"):
        parse_override(text)


def test_presets_skip_notes_and_refuse_other_shapes(tmp_path: Path) -> None:
    file = tmp_path / "mil.yaml"
    file.write_text("_source: tuned\nsimulated: {epochs: 3}\n")
    assert read_presets(file) == {"simulated": Preset("simulated", {"epochs": 3}, Found())}
    file.write_text("simulated: 3\n")
    with pytest.raises(DataError, match="preset 'simulated' must be a mapping"):
        read_presets(file)
    assert read_presets(tmp_path / "none.yaml") == {} == read_presets(None)


def test_a_preset_says_how_its_options_were_found(tmp_path: Path) -> None:
    file = tmp_path / "mil.yaml"
    file.write_text("a: {found: {by: weak, trials: 12, folds: 3}, lr: 1}\nb: {}\nc: {lr: 1}\n")
    presets = read_presets(file)
    assert presets["a"] == Preset("a", {"lr": 1}, Found("weak", trials=12, folds=3))
    assert presets["a"].found.budget == "chosen by video labels (12 trials, 3 folds)"
    assert presets["b"].found == Found("published")  # it changes nothing
    assert not presets["c"].found.known


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ("{by: me}", r"found.by = 'me'"),
        ("{by: 'boundaries:0'}", r"found.by = 'boundaries:0'"),
        ("{by: weak, trials: 0}", r"found.trials.* = 0"),
        ("{by: weak, trails: 3}", r"found.trails"),
        ("weak", r"preset 'a': found = 'weak'"),
    ],
)
def test_a_found_that_cannot_be_is_refused(tmp_path: Path, found: str, message: str) -> None:
    file = tmp_path / "mil.yaml"
    file.write_text(f"a: {{found: {found}}}\n")
    with pytest.raises(DataError, match=message) as caught:
        read_presets(file)
    assert caught.value.path == str(file)


def test_no_preset_can_be_called_published(tmp_path: Path) -> None:
    file = tmp_path / "mil.yaml"
    file.write_text("published: {lr: 1}\n")
    with pytest.raises(DataError, match="no preset can be called 'published'"):
        read_presets(file)


def test_a_method_without_the_preset_runs_on_its_defaults() -> None:
    presets = {"small": Preset("small", {"epochs": 3}, Found("author"))}
    assert choose_preset(presets, "quick", "small") is presets["small"]
    missing = choose_preset(presets, "quick", "mine")
    assert (missing.options, missing.found) == ({}, Found("published"))
    assert missing.origin == "defaults, no preset mine"
    assert choose_preset(presets, "published", "small").origin == "preset published"


@pytest.mark.parametrize(
    ("text", "message"), [("a: [", "not YAML"), ("- 1\n", "must be a mapping")]
)
def test_a_broken_yaml_file_is_named(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "x.yaml"
    file.write_text(text)
    with pytest.raises(DataError, match=message) as caught:
        read_yaml(file)
    assert caught.value.path == str(file)
