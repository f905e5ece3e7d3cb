"""`wsal-bench rescore` and `wsal-bench audit` against files and runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.made_up import Cli

VIDEO = "video_test_0001235"
TRUTH = {
    "database": {
        VIDEO: {
            "subset": "test",
            "annotations": [{"segment": [50.0, 55.5], "label": "PoleVault"}],
        }
    }
}


def found(start: float) -> dict[str, Any]:
    row = {"segment": [start, 56.32], "label": "PoleVault", "score": 1.018}
    return {"results": {VIDEO: [row]}}


@pytest.fixture
def files(tmp_path: Path) -> Path:
    for name, content in (("gt", TRUTH), ("a", found(44.8)), ("b", found(50.0))):
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    return tmp_path


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seeds of two methods with different recipes, hardly trained."""
    from click.testing import CliRunner

    from wsal_bench.cli.app import app

    folder = tmp_path_factory.mktemp("store") / "results"
    line = "run --methods mil,acm-net --datasets simulated --quick --seeds 0,1 --set mil.epochs=1"
    line += " --set acm-net.epochs=1 --results"
    done = CliRunner().invoke(app, [*line.split(), str(folder)])
    assert done.exit_code == 0, done.output
    return folder


def test_rescore_prints_a_row_for_every_protocol_and_draws(cli: Cli, files: Path) -> None:
    out = files / "out"
    arguments = (files / "a.json", files / "b.json", "--truth", files / "gt.json", "--out", out)
    done = cli("rescore", *arguments)
    assert done.exit_code == 0, done.stderr
    assert done.stdout.count("thumos14/common|") == 2
    assert "thumos14/ftcl-2022: no number, " in done.stdout
    assert sorted(path.name for path in out.iterdir()) == ["rescored.png", "rescored.svg"]
    as_json = json.loads(cli("rescore", *arguments[:-2], "--json").stdout)
    assert as_json["schema"] == "wsal-bench/rescore/1"
    assert [one["num_detections"] for one in as_json["data"]["detections"]] == [1, 1]
    csv = cli("rescore", *arguments[:-2], "--csv", "--protocols", "um-2021,common").stdout
    assert len(csv.splitlines()) == 5


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["a.json"], 2, "nothing says what is true"),
        (["nosuch.json", "--truth", "gt.json"], 3, "no such file of detections"),
        (["nosuch", "--truth", "gt.json"], 2, "no run and no file of detections 'nosuch'"),
        (["a.json", "--ambiguous", "x.txt"], 2, "belong to --truth"),
        (["a.json", "--truth", "gt.json", "--protocols", "um-2012"], 2, "no protocol 'um-2012'"),
        (["a.json", "--truth", "gt.json", "--protocols", "ftcl-2022"], 2, "none of the protocols"),
        (["a.json", "--truth", "gt.json", "--subset", "no"], 2, "subset"),
        (["a.json", "--truth", "gt.json", "--json", "--csv"], 2, "two forms"),
        (["a.json", "--truth", "missing.json"], 3, "missing.json"),
    ],
)
def test_rescore_refuses_what_it_cannot_score(
    cli: Cli, files: Path, arguments: list[str], code: int, message: str
) -> None:
    full = [str(files / text) if text.endswith((".json", ".txt")) else text for text in arguments]
    done = cli("rescore", *full)
    assert done.exit_code == code, done.output
    assert message in done.output and "Traceback" not in done.output


def test_detections_of_no_known_data_set_need_its_name(cli: Cli, files: Path) -> None:
    for name in ("gt.json", "a.json"):
        path = files / name
        path.write_text(path.read_text().replace(VIDEO, "v1"))
    arguments = ("rescore", files / "a.json", "--truth", files / "gt.json")
    done = cli(*arguments)
    assert done.exit_code == 2 and "--dataset" in done.stderr
    done = cli(*arguments, "--dataset", "mine")
    assert done.exit_code == 0 and "mine/common" in done.stdout


def test_audit_of_files_says_what_the_protocol_makes(cli: Cli, files: Path) -> None:
    pair = (files / "a.json", files / "b.json", "--truth", files / "gt.json")
    done = cli("audit", *pair, "--protocol-b", "thumos14/um-2021", "--json")
    assert done.exit_code == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["schema"] == "wsal-bench/audit/2"
    data = document["data"]
    assert data["protocol"]["value"] == pytest.approx(0.0)  # one video: both rules are the same
    assert data["difference"] == pytest.approx(data["detections"]["value"]) and data["verdict"]
    text = cli("audit", *pair, "--dataset", "mine").stdout
    assert "Parts of the difference" in text and "mine/common" in text


def test_an_earlier_version_has_a_name_wherever_protocols_have(cli: Cli, files: Path) -> None:
    pair = (files / "a.json", "--truth", files / "gt.json")
    unsure = files / "unsure.txt"
    unsure.write_text(f"{VIDEO} 0 1\n")
    names = ("--protocols", "common,common@v1,official@v1")
    found = cli("rescore", *pair, "--ambiguous", unsure, *names, "--json")
    assert found.exit_code == 0, found.stderr
    rows = json.loads(found.stdout)["data"]["detections"][0]["rows"]
    assert [(row["protocol"], row["version"]) for row in rows] == [
        ("thumos14/common", 2),
        ("thumos14/common@v1", 1),
        ("thumos14/official@v1", 1),
    ]
    done = cli("eval", files / "gt.json", files / "a.json", "--protocol", "thumos14/common@v1")
    assert done.exit_code == 0 and "thumos14/common@v1" in done.stdout
    shown = cli("show", "thumos14/official").stdout
    assert "version: 2" in shown and "earlier: thumos14/official@v1" in shown
    assert "version: 1" in cli("show", "thumos14/official@v1").stdout
    assert "headline: 0.1:0.7" in cli("show", "hapt/common@v1").stdout
    done = cli("show", "hapt/common@v3")
    assert done.exit_code == 2 and "version 2 is current" in done.stderr


def test_audit_refuses_protocols_that_do_not_fit(cli: Cli, files: Path) -> None:
    pair = (files / "a.json", files / "b.json", "--truth", files / "gt.json")
    done = cli("audit", *pair, "--protocol-a", "thumos14/ftcl-2022")
    assert done.exit_code == 2 and "does not fit this truth" in done.stderr
    done = cli("audit", *pair, "--protocol-a", "thumos14/nothing")
    assert done.exit_code == 2 and "no protocol" in done.stderr


def test_audit_of_runs_knows_recipe_selection_and_seeds(cli: Cli, results: Path) -> None:
    (mil, _), (acm, _) = (
        sorted(results.glob(f"simulated/{name}/*/seed?")) for name in ("mil", "acm-net")
    )
    data = json.loads(cli("audit", mil, acm, "--json").stdout)["data"]
    assert data["selection"] == {"value": 0.0, "problem": None, "how": None}
    assert [data["seeds"][side]["num_seeds"] for side in "ab"] == [2, 2]
    spread = [data["seeds"][side]["std"] for side in "ab"]
    assert data["seeds"]["difference_std"] == pytest.approx(
        (spread[0] ** 2 + spread[1] ** 2) ** 0.5
    )
    two = [
        json.loads(cli("audit", run, run, "--json").stdout)["data"]["a"]["score"]
        for run in sorted(mil.parent.glob("seed?"))
    ]
    assert spread[0] == pytest.approx(abs(two[0] - two[1]) / 2**0.5)
    # MIL has no attention to cut: what is left of the difference where both are cut by `common`
    recipe = data["recipe"]
    assert recipe["scores"] is None and "common" in recipe["how"]
    left = recipe["common"][0] - recipe["common"][1]
    assert recipe["value"] == pytest.approx(data["difference"] - left, abs=1e-12)
    same = json.loads(cli("audit", mil, mil, "--json").stdout)["data"]
    assert (same["difference"], same["recipe"]["value"], same["protocol"]["value"]) == (0, 0, 0)
    own = same["recipe"]["scores"]  # each through its own recipe gives what was stored
    assert own["a_first"] == own["b_second"] == pytest.approx(same["a"]["score"], abs=1e-12)


def test_a_run_lends_its_truth_to_a_file_beside_it(cli: Cli, results: Path) -> None:
    (first, _) = sorted(results.glob("simulated/mil/*/seed?"))
    own = first / "recipes" / "own" / "detections.npz"
    done = cli("audit", first, own, "--json")
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["data"]["difference"] == 0.0
    done = cli("rescore", first)
    assert done.exit_code == 0 and "simulated/common" in done.stdout
    done = cli("rescore", first, "--recipe", "acm")
    assert done.exit_code == 2 and "no detections under the recipe 'acm-net'" in done.stderr


def test_audit_finds_all_seeds_and_what_they_make_of_a_name(cli: Cli, results: Path) -> None:
    (mil, other), (acm, _) = (
        sorted(results.glob(f"simulated/{name}/*/seed?")) for name in ("mil", "acm-net")
    )
    data = json.loads(cli("audit", mil, acm, "--json").stdout)["data"]
    assert [data[side]["num_seeds"] for side in "ab"] == [2, 2] and data["seeds"]["paired"] == 2
    spread = data["seeds"]["a"]
    assert data["a"]["score"] == pytest.approx(spread["mean"])
    assert spread["place"] == ("best" if spread["own"] > spread["mean"] else "worst")
    assert f"is the {spread['place']} of 2 seeds" in data["verdict"]
    two = json.loads(cli("audit", mil, other, "--json").stdout)["data"]
    assert two["seeds"]["one_method"] and "are one method with other seeds" in two["verdict"]
    assert two["difference"] == pytest.approx(2 * (spread["own"] - spread["mean"]))
    # a file that holds what a seed has found is that seed
    own = other / "recipes" / "own" / "detections.npz"
    found = json.loads(cli("audit", mil, own, "--json").stdout)["data"]
    assert found["seeds"]["one_method"] and found["difference"] == pytest.approx(two["difference"])


def test_audit_compares_seeds_of_all_data_seeds_that_both_have(
    cli: Cli, tmp_path: Path, results: Path
) -> None:
    import shutil

    store = tmp_path / "results"
    shutil.copytree(results, store)
    line = "run --methods mil --datasets simulated --quick --seeds 0 --data-seeds 1"
    done = cli(*line.split(), "--set", "mil.epochs=1", "--results", store)
    assert done.exit_code == 0, done.output
    mil, acm = (next(store.glob(f"simulated/{name}/*/seed0")) for name in ("mil", "acm-net"))
    found = json.loads(cli("audit", mil, acm, "--json").stdout)["data"]
    assert [found[side]["num_seeds"] for side in "ab"] == [2, 2]
    assert found["seeds"]["left_out"] == 1 and found["seeds"]["a"]["num_seeds"] == 3
