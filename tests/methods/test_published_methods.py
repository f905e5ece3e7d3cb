"""Methods against numbers of their authors' published code, in float64.

With WSAL_BENCH_GOLDEN=DIR the files are those in DIR/methods.
"""

import sys
from pathlib import Path

import numpy as np
import pytest

from tests.golden_files import VARIABLE, golden_cases, golden_files
from tests.methods.published.agreement import differences, published_methods, worst
from wsal_bench.config import build, read_presets

TOLERANCE = 1e-8
GROUPS = ("eval_", "train_", "loss_", "grad_")
KNOWN = set(published_methods())


@pytest.mark.parametrize("path", golden_cases("methods", "*.npz", KNOWN))
def test_outputs_losses_and_gradients_agree(path: Path) -> None:
    found = differences(path)
    assert {key: value for key, value in found.items() if not value <= TOLERANCE} == {}
    for beginning in GROUPS:
        assert any(key.startswith(beginning) for key in found), beginning


@pytest.mark.parametrize("stem", sorted(KNOWN))
def test_every_method_has_its_file(stem: str) -> None:
    assert (Path(__file__).parents[1] / "golden" / "methods" / f"{stem}.npz").is_file()


SHRUNK = {"cas_hidden", "filter_hidden", "attention_hidden"} | {
    "num_snippets",
    "num_similar",
    "magnitude_margin",
}
FORMS = {"cola-anet12": "activitynet12", "ham-net-anet": "activitynet12"}  # else thumos14


@pytest.mark.parametrize("stem", sorted(KNOWN))
def test_presets_are_what_the_published_code_ran_with(stem: str) -> None:
    published, form = published_methods()[stem], FORMS.get(stem, "thumos14")
    with np.load(Path(__file__).parents[1] / "golden" / "methods" / f"{stem}.npz") as content:
        options = published.options(dict(content))
    module = Path(str(sys.modules[published.method.__module__].__file__))
    preset = read_presets(module.parent / "presets" / f"{module.stem}.yaml")[form]
    config = build(published.method.Config, [preset.layer], owner=stem).to_json()
    if stem == "ham-net-anet":
        assert config.pop("smoothing") == config["num_snippets"] // 5 // 2 * 2 + 1
    shared = {name for name in options if name in config} - SHRUNK
    assert {name: config[name] for name in shared} == {name: options[name] for name in shared}


@pytest.mark.parametrize("key", ["loss_total", "grad_classifier.bias", "eval_logits"])
def test_a_wrong_number_would_be_found(tmp_path: Path, key: str) -> None:
    source = Path(__file__).parents[1] / "golden" / "methods" / "wtalc.npz"
    with np.load(source) as content:
        golden = dict(content)
    golden[key] = golden[key] * (1 + 1e-6)
    np.savez(tmp_path / "wtalc.npz", **golden)
    off = {
        name: value
        for name, value in differences(tmp_path / "wtalc.npz").items()
        if value > TOLERANCE
    }
    assert set(off) == {key}
    assert off[key] == pytest.approx(1e-6, rel=1e-3)
    assert max(vars(worst(tmp_path / "wtalc.npz")).values()) == off[key]


def test_files_of_ones_own_are_taken_and_none_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    (missing,) = golden_cases("methods", "*.npz", KNOWN)
    assert "there is no folder" in str(missing)
    (tmp_path / "methods").mkdir()
    with pytest.raises(FileNotFoundError, match=r"no file \*\.npz in"):
        golden_files("methods", "*.npz")
    for name in ("wtalc", "of-tomorrow"):
        (tmp_path / "methods" / f"{name}.npz").touch()
    unknown, known = golden_cases("methods", "*.npz", KNOWN)
    assert "the suite has no method of-tomorrow" in str(unknown)
    assert "skip" not in str(known)
