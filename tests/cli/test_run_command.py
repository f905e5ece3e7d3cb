"""`wsal-bench run` and `ablate` with plugins that need no training."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from tests.cli.made_up import Cli


@pytest.fixture
def run(cli: Cli, toys: Path, tmp_path: Path) -> Any:
    """A command on the toys, with its results in a folder of its own."""

    def invoke(command: str, *arguments: str) -> Result:
        where = ("--plugins", toys, "--datasets", "toy-data", "--results", tmp_path / "results")
        quickly = () if "-j" in arguments else ("--in-process",)
        return cli(command, *where, *quickly, *arguments)

    return invoke


def cells(result: Result) -> list[dict[str, Any]]:
    document = json.loads(result.stdout)
    assert document["schema"] == "wsal-bench/run/1"
    found: list[dict[str, Any]] = document["data"]["cells"]
    return found


def test_the_result_is_a_table_on_stdout_and_the_plan_comes_first_on_stderr(
    run: Any, tmp_path: Path
) -> None:
    result = run("run", "--methods", "toy", "--seeds", "0-1")
    assert result.exit_code == 0, result.stderr
    assert "mAP 0.1:0.7" in result.stdout
    assert "toy:full" in result.stdout
    lines = result.stderr.splitlines()
    assert lines[0].split()[:3] == ["method", "data", "set"]
    assert lines[5].split()[:6] == ["toy:full", "toy-data", "0", "0-1", "2", "0"]
    # two seeds of three reference rows and two variants
    assert "10 cells, 10 to make, 1 at once" in lines[7]
    assert "[10/10]" in result.stderr
    assert "floor" not in "".join(lines[8:])
    assert lines[-1].startswith("10 new, 0 stored, 0 failed in ")
    assert lines[-1].endswith(f"next: wsal-bench leaderboard --results {tmp_path / 'results'}")


def test_a_plan_of_many_cells_is_a_line_for_each_method(run: Any) -> None:
    result = run("run", "--methods", "toy:*", "--seeds", "0-6,9", "--dry-run")
    lines = result.stdout.splitlines()
    assert len(lines) == 2 + 6 + 1
    assert lines[-1].startswith("48 cells, 48 to make, 1 at once; protocol toy-data/common")
    assert all("0-6,9" in line for line in lines[2:-1])


def test_the_document_has_the_fields_of_a_cell(run: Any) -> None:
    found = cells(run("run", "--methods", "toy:full", "--json"))
    assert [cell["method"] for cell in found] == [
        "floor:random",
        "floor:constant",
        "ceiling:oracle",
        "toy:full",
    ]
    cell = found[-1]
    assert cell["status"] == "ok"
    assert len(cell["map"]) == len(cell["tiou"]) == 7
    assert cell["average"] in cell["averages"]
    assert set(cell["seconds"]) == {"train", "infer", "localize", "evaluate"}
    assert (Path(cell["directory"]) / "record.json").exists()
    assert (cell["dataset"], cell["protocol"], cell["seed"]) == ("toy-data", "toy-data/common", 0)


def test_finished_cells_are_skipped_and_overwrite_does_them_again(run: Any) -> None:
    run("run", "--methods", "toy:full")
    again = cells(run("run", "--methods", "toy:full", "--json"))
    assert {cell["status"] for cell in again} == {"skipped"}
    anew = cells(run("run", "--methods", "toy:full", "--json", "--overwrite"))
    assert anew[-1]["status"] == "ok"


def test_a_failed_cell_is_said_the_others_go_on_and_the_exit_code_is_4(run: Any) -> None:
    result = run("run", "--methods", "toy", "--set", "toy:fsd.breaks=true", "--json")
    assert result.exit_code == 4
    status = {cell["method"]: cell["status"] for cell in cells(result)}
    assert (status["toy:full"], status["toy:fsd"]) == ("ok", "failed")
    assert "FAILED" in result.stderr
    assert "it broke, as told" in result.stderr
    assert "Traceback" not in result.stderr
    failed = next(cell for cell in cells(result) if cell["status"] == "failed")
    assert 'toy.py, line 26, in fit: raise RuntimeError("it broke, as told"))' in failed["error"]
    assert f"log: {failed['directory']}/log.txt" in result.stderr
    assert "--pdb" in result.stderr.splitlines()[-1]


def test_debug_prints_the_traceback_of_a_worker(cli: Cli, toys: Path, tmp_path: Path) -> None:
    result = cli(
        *("--debug", "run", "--plugins", toys, "--datasets", "toy-data", "--methods", "toy:full"),
        *("--set", "toy.breaks=true", "--results", tmp_path),
    )
    assert result.exit_code == 4
    assert "Traceback (most recent call last)" in result.stderr
    assert 'RuntimeError("it broke, as told")' in result.stderr


def test_pdb_stops_in_the_frame_that_failed(toys: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from wsal_bench.cli import main; main()"]
    command += ["run", "--plugins", str(toys), "--datasets", "toy-data", "--methods", "toy:full"]
    command += ["--set", "toy.breaks=true", "--results", str(tmp_path), "--pdb"]
    done = subprocess.run(
        command, input="p self.config.breaks, 40 + 2\nq\n", capture_output=True, text=True
    )
    assert done.returncode == 4, done.stderr
    assert "(True, 42)" in done.stdout
    (record,) = tmp_path.glob("toy-data/toy-full/*/seed0/record.json")
    assert json.loads(record.read_text())["isolated"] is False


def test_pdb_and_json_are_not_for_the_same_reader(run: Any) -> None:
    result = run("run", "--methods", "toy", "--pdb", "--json")
    assert result.exit_code == 2
    assert "--pdb talks on stdout" in json.loads(result.stdout)["error"]["message"]


def test_a_dry_run_prints_the_cells_and_makes_nothing(run: Any, tmp_path: Path) -> None:
    result = run("run", "--methods", "toy:*", "--dry-run")
    assert result.exit_code == 0
    assert "toy:pairs" in result.stdout
    document = json.loads(run("run", "--methods", "toy:*", "--dry-run", "--json").stdout)
    assert document["schema"] == "wsal-bench/plan/1"
    assert [cell["method"] for cell in document["data"]["cells"][3:]] == [
        "toy:full",
        "toy:fsd",
        "toy:pairs",
    ]
    assert not (tmp_path / "results").exists()


def test_a_quick_run_says_that_it_ranks_nothing(run: Any) -> None:
    assert "ranks nothing" in run("run", "--methods", "toy:full", "--quick").stderr


@pytest.mark.parametrize(
    ("arguments", "exit_code", "says"),
    [
        (("--methods", "tyo"), 2, "did you mean 'toy'"),
        (("--methods", "toy:fds"), 2, "did you mean 'fsd'"),
        (("--methods", "toy", "--set", "toy.fsd_wieght=1"), 2, "did you mean 'fsd_weight'"),
        (("--methods", "toy", "--set", "nonsense"), 2, "NAME.KEY=VALUE"),
        (("--methods", "toy", "--seeds", "a"), 2, "no seed"),
        (("--methods", "toy", "--device", "gpu"), 2, "no device"),
        (("--methods", "toy", "--protocol", "thumos"), 2, "does not fit"),
        (("--methods", "toy", "--recipe", "commn"), 2, "did you mean 'common'"),
        (("--methods", "toy", "--config", "nowhere.yaml"), 3, "no such file"),
        (("--methods", "toy", "--device", "cuda:99"), 6, "CUDA device"),
    ],
)
def test_mistakes_are_one_sentence_before_anything_trains(
    arguments: tuple[str, ...], exit_code: int, says: str, run: Any, tmp_path: Path
) -> None:
    result = run("run", *arguments)
    assert result.exit_code == exit_code, result.stderr
    assert says in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "results").exists()


def test_a_results_folder_that_is_a_file_is_an_error_about_files(
    cli: Cli, toys: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    result = cli(
        *("run", "--plugins", toys, "--datasets", "toy-data", "--methods", "toy"),
        *("--results", tmp_path / "file"),
    )
    assert result.exit_code == 3, result.stderr


def test_the_ablation_compares_variants_with_the_control(run: Any) -> None:
    result = run("ablate", "toy", "--seeds", "0,1")
    assert result.exit_code == 0, result.stderr
    lines = {line.split("|")[1].strip(): line for line in result.stdout.splitlines() if "|" in line}
    assert set(lines) >= {"toy:full", "toy:fsd", "toy:pairs"}
    assert lines["toy:full"].count("✓") == 2
    assert lines["toy:fsd"].count("✓") == 1
    assert lines["toy:pairs"].count("✓") == 0
    assert "the control was named before" in result.stdout


def test_the_ablation_takes_what_is_stored_and_can_run_nothing(run: Any) -> None:
    empty = json.loads(run("ablate", "toy", "--render-only", "--json").stdout)
    (study,) = empty["data"]["ablations"]
    assert {row["mean"] for row in study["rows"]} == {None}
    first = run("ablate", "toy", "--json")
    again = run("ablate", "toy", "--render-only", "--json")
    assert first.stdout == again.stdout
    (study,) = json.loads(again.stdout)["data"]["ablations"]
    assert study["rows"][0]["difference"]["num_comparisons"] == 2
    assert study["rows"][0]["std"] is None


def test_axes_are_crossed_and_every_point_is_a_row(run: Any) -> None:
    result = run("ablate", "toy", "--axes", "fsd_weight,lcs_weight", "--json")
    assert result.exit_code == 0, result.stderr
    (study,) = json.loads(result.stdout)["data"]["ablations"]
    assert [row["options"] for row in study["rows"]] == [
        {"fsd_weight": 0.0, "lcs_weight": 0.0},
        {"fsd_weight": 0.0, "lcs_weight": 1.0},
        {"fsd_weight": 0.5, "lcs_weight": 0.0},
        {"fsd_weight": 0.5, "lcs_weight": 1.0},
        {"fsd_weight": 0.0, "lcs_weight": 0.0},  # the control
    ]
    assert all(row["mean"] is not None for row in study["rows"])


def test_an_axis_that_the_method_does_not_declare_is_refused(run: Any) -> None:
    result = run("ablate", "toy", "--axes", "fds_weight")
    assert result.exit_code == 2
    assert "did you mean 'fsd_weight'" in result.stderr


def test_ablation_files_are_written_in_all_forms(run: Any, tmp_path: Path) -> None:
    assert run("ablate", "toy", "--out", str(tmp_path / "out"), "--format", "all").exit_code == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "ablation-toy-toy-data.csv",
        "ablation-toy-toy-data.json",
        "ablation-toy-toy-data.md",
        "ablation-toy-toy-data.tex",
    ]
