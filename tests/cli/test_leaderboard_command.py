"""`wsal-bench leaderboard` on a store of made-up runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.made_up import Cli, MadeUpStore
from wsal_bench.config import Found
from wsal_bench.running.cells import Need


@pytest.fixture
def full(store: MadeUpStore) -> MadeUpStore:
    store.add_grid("mil", 0.25)
    store.add_grid("ftcl:full", 0.5)
    store.add("floor:random", 0.1)
    return store


def board(cli: Cli, store: MadeUpStore, *arguments: str) -> dict[str, Any]:
    result = cli("leaderboard", "--results", store.path, "--out", "-", "--json", *arguments)
    assert result.exit_code == 0, result.stderr
    (found,) = json.loads(result.stdout)["data"]["leaderboards"]
    assert isinstance(found, dict)
    return found


def test_it_writes_all_four_forms_and_prints_the_first(
    cli: Cli, full: MadeUpStore, tmp_path: Path
) -> None:
    out = tmp_path / "boards"
    result = cli("leaderboard", "--results", full.path, "--out", out)
    assert result.exit_code == 0
    assert sorted(path.name for path in out.iterdir()) == [
        "simulated.csv",
        "simulated.json",
        "simulated.md",
        "simulated.tex",
    ]
    assert result.stdout == (out / "simulated.md").read_text()
    assert "**50.0 ± 0.0**" in result.stdout


@pytest.mark.parametrize(
    ("form", "begins"), [("md", "# simulated"), ("csv", "name,kind"), ("latex", r"\begin{table}")]
)
def test_one_form_goes_to_stdout_and_to_no_file(
    cli: Cli,
    full: MadeUpStore,
    form: str,
    begins: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    result = cli("leaderboard", "--results", full.path, "--out", "-", "--format", form)
    assert result.stdout.startswith(begins)
    assert not Path("leaderboards").exists()


def test_a_terminal_gets_a_table_and_a_pipe_markdown(
    cli: Cli, full: MadeUpStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ("leaderboard", "--results", full.path, "--out", "-")
    piped = cli(*arguments).stdout
    monkeypatch.setattr("wsal_bench.cli.output.is_terminal", lambda stream: True)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    shown = cli(*arguments).stdout
    assert "|" in piped and "|" not in shown
    assert "\nftcl:full     50.0 ± 0.0  50.0" in shown
    assert cli(*arguments, "--format", "md").stdout == piped


def test_columns_are_chosen_by_name_and_wide_shows_all(cli: Cli, full: MadeUpStore) -> None:
    arguments = ("leaderboard", "--results", full.path, "--out", "-")
    heading = cli(*arguments, "--columns", "0.5,train").stdout.splitlines()[2]
    assert [cell.strip() for cell in heading.split("|")[1:-1]] == ["method", "@0.5", "train s"]
    assert "parameters" in cli(*arguments, "--wide").stdout.splitlines()[2]
    for wrong, message in (
        (("--columns", "trian"), "did you mean 'train'"),
        (("--columns", "n", "--wide"), "--wide shows all columns"),
    ):
        result = cli(*arguments, *wrong)
        assert result.exit_code == 2
        assert message in result.stderr


def test_what_a_record_says_reaches_no_terminal_as_a_command(cli: Cli, full: MadeUpStore) -> None:
    full.add("acm-net", None, seed=5, record={"error": "\x1b[2J<b>gone"})
    page = cli("leaderboard", "--results", full.path, "--out", "-").stdout
    assert "\x1b" not in page and r"\\x1b[2J&lt;b&gt;gone" in page


def test_rows_are_ranked_and_floors_stand_apart(cli: Cli, full: MadeUpStore) -> None:
    found = board(cli, full)
    assert found["ranking"] is True
    assert [row["name"] for row in found["rows"]] == ["ftcl:full", "mil"]
    assert [row["name"] for row in found["references"]] == ["floor:random"]
    assert (found["rows"][0]["num_data_seeds"], found["rows"][0]["num_seeds"]) == (3, 2)


def test_quick_runs_never_stand_beside_others(cli: Cli, full: MadeUpStore) -> None:
    full.add("fast", 0.9, quick=True)
    assert "fast" not in {row["name"] for row in board(cli, full)["rows"]}
    found = board(cli, full, "--quick")
    assert (found["quick"], found["ranking"]) == (True, False)
    assert [row["name"] for row in found["rows"]] == ["fast"]


def test_a_store_of_quick_runs_only_has_a_table_that_is_stamped(
    cli: Cli, store: MadeUpStore, tmp_path: Path
) -> None:
    store.add("fast", 0.9, quick=True)
    result = cli("leaderboard", "--results", store.path, "--out", tmp_path / "o", "--plot")
    assert result.exit_code == 0
    assert result.stdout.startswith("# simulated (QUICK; not a ranking)")
    names = {path.name for path in (tmp_path / "o").iterdir()}
    assert names == {f"simulated-quick.{end}" for end in ("md", "csv", "json", "tex", "svg", "png")}
    for path in (tmp_path / "o").iterdir():
        assert path.suffix == ".png" or "quick" in path.read_text().lower()


def test_one_preset_alone_may_be_shown(cli: Cli, full: MadeUpStore) -> None:
    searched, published = Found("weak", trials=12), Found("published")
    full.add("mine", 0.4, found=(published,))
    full.add("late", 0.4, found=(published, searched))
    found = board(cli, full, "--preset", "published")
    assert [row["name"] for row in found["rows"]] == ["mine"]
    none = cli("leaderboard", "--results", full.path, "--out", "-", "--preset", "other")
    assert none.exit_code == 2
    assert "and the preset other" in none.stderr


def test_a_parent_that_nobody_asked_for_gives_no_row(cli: Cli, full: MadeUpStore) -> None:
    full.add("acm-net", 0.9, record={"asked": False})
    assert "acm-net" not in {row["name"] for row in board(cli, full)["rows"]}


def test_failed_cells_are_listed(cli: Cli, full: MadeUpStore) -> None:
    full.add("acm-net", None, seed=5)
    assert board(cli, full)["failures"] == [
        {"name": "acm-net", "data_seed": 0, "seed": 5, "error": "loss fsd is nan at step 7"}
    ]


def test_a_damaged_record_is_said_and_the_others_stay(cli: Cli, full: MadeUpStore) -> None:
    directory = full.add("zzz", 0.9)
    (directory / "record.json").write_text('{"schema": "wsal-b')
    result = cli("leaderboard", "--results", full.path, "--out", "-")
    assert result.exit_code == 0
    assert str(directory) in result.stderr
    assert "zzz" not in result.stdout
    assert "mil" in result.stdout


def test_damaged_scores_are_a_failed_cell_and_the_others_stay(cli: Cli, full: MadeUpStore) -> None:
    directory = full.add("zzz", 0.9)
    next(directory.rglob("simulated--common.json")).write_text("{")
    found = board(cli, full)
    assert [row["name"] for row in found["rows"]] == ["ftcl:full", "mil"]
    assert "cannot be read" in found["failures"][0]["error"]


def test_rows_of_other_options_are_named_by_them(cli: Cli, store: MadeUpStore) -> None:
    store.add("mil", 0.1, config={"epochs": 5})
    store.add("mil", 0.2, config={"epochs": 9})
    assert [row["name"] for row in board(cli, store)["rows"]] == [
        "mil [epochs=5]",
        "mil [epochs=9]",
    ]


def test_the_papers_number_is_quoted_beside_the_published_variant_only(
    cli: Cli, store: MadeUpStore
) -> None:
    for name in ("mil", "ftcl:full", "ftcl:pairs"):
        store.add(name, record={"paper": {"0.1:0.7": 43.6}})
    quoted = {row["name"]: row["paper"] for row in board(cli, store)["rows"]}
    assert quoted == {"mil": {"0.1:0.7": 43.6}, "ftcl:full": {"0.1:0.7": 43.6}, "ftcl:pairs": {}}


def test_options_set_by_hand_on_a_parent_count_for_the_child(cli: Cli, store: MadeUpStore) -> None:
    parent = store.add("acm-net", 0.1, by_hand=("acm-net.epochs=5",))
    key = parent.relative_to(store.path).as_posix()
    need = Need("acm-net", "checkpoint", (), parent.parent.name, key)
    store.add("ftcl:full", 0.2, needs={"start": need})
    assert {row["name"] for row in board(cli, store)["by_hand"]} == {"acm-net", "ftcl:full"}


def test_runs_on_several_data_seeds_are_one_row_though_their_parents_differ(
    cli: Cli, store: MadeUpStore
) -> None:
    for data_seed in range(2):
        parent = store.add("acm-net", 0.1, data_seed=data_seed, config={"epochs": 5})
        key = parent.relative_to(store.path).as_posix()
        need = Need("acm-net", "checkpoint", (), parent.parent.name, key)
        store.add("ftcl:full", 0.2, data_seed=data_seed, needs={"start": need})
    rows = {row["name"]: row for row in board(cli, store)["rows"]}
    assert set(rows) == {"acm-net", "ftcl:full"}
    assert rows["ftcl:full"]["num_data_seeds"] == 2


def test_an_unknown_data_set_or_protocol_is_a_mistake_of_the_user(
    cli: Cli, full: MadeUpStore
) -> None:
    for arguments in (("--dataset", "simulatd"), ("--protocol", "thumos14/common")):
        result = cli("leaderboard", "--results", full.path, "--out", "-", *arguments)
        assert result.exit_code == 2
        assert "did you mean" in result.stderr or "simulated/common" in result.stderr


def test_a_picture_is_drawn_when_asked_for(cli: Cli, full: MadeUpStore, tmp_path: Path) -> None:
    out = tmp_path / "boards"
    assert cli("leaderboard", "--results", full.path, "--out", out, "--plot").exit_code == 0
    assert (out / "simulated.svg").read_text().startswith("<?xml")
    assert (out / "simulated.png").exists()


def test_an_unwritable_folder_is_an_error_about_files(
    cli: Cli, full: MadeUpStore, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    result = cli("leaderboard", "--results", full.path, "--out", tmp_path / "file" / "boards")
    assert result.exit_code == 3
    assert "cannot be made" in result.stderr


def test_list_runs_has_a_line_for_each(cli: Cli, full: MadeUpStore) -> None:
    document = json.loads(cli("list", "runs", "--results", full.path, "--json").stdout)
    runs = document["data"]["runs"]
    assert len(runs) == 13
    assert {run["method"] for run in runs} == {"mil", "ftcl:full", "floor:random"}
    assert {run["mAP"] for run in runs if run["method"] == "mil"} == {0.25}


def test_a_run_is_shown_by_its_directory_or_its_hash(cli: Cli, store: MadeUpStore) -> None:
    directory = store.add("mil", 0.25)
    key = directory.relative_to(store.path)
    for name in (directory, directory.parent.name[:6], key, "simulated/mil"):
        shown = json.loads(cli("show", name, "--results", store.path, "--json").stdout)["data"]
        assert (shown["kind"], shown["spec"]["method"]) == ("run", "mil")
        assert shown["scores"]["own simulated/common"]["averages"]["0.1:0.7"] == 0.25


def test_a_hash_of_several_seeds_is_refused_with_all_of_them(cli: Cli, store: MadeUpStore) -> None:
    directory = store.add("mil", 0.25)
    store.add("mil", 0.25, seed=1)
    result = cli("show", directory.parent.name, "--results", store.path)
    assert result.exit_code == 2
    assert "simulated/mil@0.0, simulated/mil@0.1" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--recipe", "comon"), "did you mean 'common'"),
        (("--recipe", "common"), "no method on 'simulated' has scores"),
        (("--recipe", "acm"), "nothing is written"),
        (("--protocol", "simulated/comon"), "did you mean 'simulated/common'"),
    ],
)
def test_a_table_without_a_scored_method_is_a_mistake_and_writes_nothing(
    cli: Cli, full: MadeUpStore, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    out = tmp_path / "boards"
    result = cli("leaderboard", "--results", full.path, "--out", out, *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert not out.exists()


def test_failed_cells_alone_make_no_table(cli: Cli, store: MadeUpStore, tmp_path: Path) -> None:
    store.add("mil", None)
    result = cli("leaderboard", "--results", store.path, "--out", tmp_path / "boards")
    assert result.exit_code == 2
    assert "failed runs: 1" in result.stderr
    assert not (tmp_path / "boards").exists()


def test_floors_alone_are_a_table(cli: Cli, store: MadeUpStore) -> None:
    store.add("floor:random", 0.1)
    assert [row["name"] for row in board(cli, store)["references"]] == ["floor:random"]


def test_files_go_beside_the_runs_unless_another_folder_is_named(
    cli: Cli, full: MadeUpStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for _ in range(2):  # the files are no runs
        assert cli("leaderboard", "--results", full.path).exit_code == 0
    assert (full.path / "leaderboards" / "simulated.md").exists()
    assert not Path("leaderboards").exists()


def test_list_runs_marks_quick_runs_and_no_others(cli: Cli, store: MadeUpStore) -> None:
    store.add("mil")
    store.add("fast", quick=True)
    lines = cli("list", "runs", "--results", store.path).stdout.strip().splitlines()
    fast, mil = sorted(lines[-2:])
    assert fast.endswith("ok (quick)")
    assert mil.split() == ["simulated/mil@0.0", "50.0", "ok"]


def test_remarks_stand_below_the_table_and_in_the_document(cli: Cli, store: MadeUpStore) -> None:
    store.add("mil", seed=0)
    said = "Options were chosen by video labels."
    done = cli("leaderboard", "--results", store.path, "--out", "-", "--remark", said)
    assert done.exit_code == 0, done.stderr
    assert f"- {said}\n" in done.stdout
    as_json = cli("leaderboard", "--results", store.path, "--out", "-", "--remark", said, "--json")
    assert json.loads(as_json.stdout)["data"]["leaderboards"][0]["remarks"] == [said]
