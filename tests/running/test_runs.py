"""Cells that run, are stored, found again, made again."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.running.toys import PLUGINS, numbers, request
from wsal_bench.errors import DataError
from wsal_bench.evaluation.floors import FLOORS
from wsal_bench.running.cells import RunRequest
from wsal_bench.running.events import (
    CellFinished,
    CellProgress,
    CellResult,
    CellStarted,
    Event,
    Note,
)
from wsal_bench.running.results import ResultStore, RunFiles, ScoreKey, open_run
from wsal_bench.running.runner import run, run_all


class Heard(list[Event]):
    """Listens to a run."""

    def __call__(self, event: Event) -> None:
        self.append(event)

    @property
    def notes(self) -> list[str]:
        return [event.message for event in self if isinstance(event, Note)]

    @property
    def started(self) -> list[str]:
        return [event.cell.spec.name for event in self if isinstance(event, CellStarted)]


def statuses(results: Sequence[CellResult]) -> dict[str, str]:
    return {result.method: result.status for result in results}


def files_of(result: CellResult) -> RunFiles:
    return RunFiles(Path(result.directory))


def test_a_run_leaves_everything_that_the_design_names(tmp_path: Path) -> None:
    (result,) = run(request(tmp_path, "toy"))
    place = files_of(result)
    assert place.directory.relative_to(tmp_path).parts[:2] == ("tiny", "toy")
    for path in (
        place.spec,
        place.record,
        place.log,
        place.history,
        place.activations(),
        place.detections("own"),
        place.scores("own", "tiny/common"),
        place.directory / "checkpoints" / "last.pt",
    ):
        assert path.stat().st_size > 0
    record = json.loads(place.record.read_text())
    assert record["status"] == "ok"
    assert record["parameters"] == 4 * 5 + 5 + 5 * 2 + 2
    assert record["history"]["epochs"] == 6
    assert record["paper"] == {"0.5": 12.5}
    assert len(record["source_digest"]) == 64
    assert record["environment"]["threads"] == 1
    assert record["seconds"]["train"] > 0


def test_a_result_is_what_the_command_line_prints(tmp_path: Path) -> None:
    (result,) = run(request(tmp_path, "plain", seeds=(5,), data_seeds=(2,)))
    document = json.loads(json.dumps(result.to_json()))
    assert (document["method"], document["dataset"]) == ("plain", "tiny")
    assert (document["seed"], document["data_seed"]) == (5, 2)
    assert document["status"] == "ok"
    assert document["average"] == "0.1:0.7"
    assert len(document["tiou"]) == len(document["map"]) == 7
    assert document["averages"]["0.1:0.7"] == pytest.approx(np.mean(document["map"]))
    assert set(document["seconds"]) == {"train", "infer", "localize", "evaluate"}


def test_many_processes_give_the_bytes_of_one(tmp_path: Path) -> None:
    one, many = tmp_path / "one", tmp_path / "many"
    names = ("child", "plain")
    here = run(request(one, *names, floors=True))
    there = run(request(many, *names, floors=True, jobs=2))
    assert [result.method for result in here] == [result.method for result in there]
    assert numbers(one) == numbers(many)
    assert len(numbers(one)) == 3 * 6 + 4 * 5  # three trained, plain and three floors without


@pytest.mark.parametrize("jobs", [1, 2])
def test_reading_ahead_gives_the_bytes_and_the_folders_of_a_run_without(
    tmp_path: Path, jobs: int
) -> None:
    plain, ahead = tmp_path / "plain", tmp_path / "ahead"
    run(request(plain, "child"))
    results = run(request(ahead, "child", jobs=jobs, num_workers=2))
    assert {result.status for result in results} == {"ok"}
    assert numbers(plain) == numbers(ahead)


def test_progress_and_results_of_workers_are_heard(tmp_path: Path) -> None:
    heard = Heard()
    run(request(tmp_path, "child:first", jobs=2), heard)
    epochs = [event.cell.spec.name for event in heard if isinstance(event, CellProgress)]
    assert epochs == ["toy"] * 6 + ["child:first"] * 4
    finished = [event for event in heard if isinstance(event, CellFinished)]
    assert [(event.result.method, event.cell.asked) for event in finished] == [
        ("toy", False),
        ("child:first", True),
    ]


@pytest.mark.parametrize("jobs", [1, 2])
def test_finished_cells_are_skipped(tmp_path: Path, jobs: int) -> None:
    first = run(request(tmp_path, "child", "plain", floors=True))
    heard = Heard()
    second = run(request(tmp_path, "child", "plain", floors=True, jobs=jobs), heard)
    assert set(statuses(second).values()) == {"skipped"}
    assert [result.map for result in first] == [result.map for result in second]
    assert heard.started == []
    assert heard.notes == []


def test_an_idle_parent_is_not_made_again(tmp_path: Path) -> None:
    run(request(tmp_path, "child"))
    (record,) = tmp_path.glob("tiny/toy/*/seed0/record.json")
    record.unlink()
    heard = Heard()
    run(request(tmp_path, "child"), heard)
    assert heard.started == []


def test_a_parent_gets_its_row_once_it_is_asked_for(tmp_path: Path) -> None:
    run(request(tmp_path, "child"))
    (file,) = tmp_path.glob("tiny/toy/*/seed0/record.json")
    assert json.loads(file.read_text())["asked"] is False
    assert statuses(run(request(tmp_path, "toy"))) == {"toy": "skipped"}
    assert json.loads(file.read_text())["asked"] is True


def test_overwrite_makes_what_was_asked_again(tmp_path: Path) -> None:
    run(request(tmp_path, "child:first"))
    before, heard = numbers(tmp_path), Heard()
    results = run(request(tmp_path, "child:first", overwrite=True), heard)
    assert statuses(results) == {"child:first": "ok"}
    assert heard.started == ["child:first"]
    assert numbers(tmp_path) == before


def test_another_recipe_or_protocol_trains_nothing(tmp_path: Path) -> None:
    run(request(tmp_path, "toy"))
    heard = Heard()
    (other,) = run(request(tmp_path, "toy", recipe="common"), heard)
    assert (other.status, other.recipe) == ("skipped", "common")
    assert heard.started == []
    (stored,) = ResultStore(tmp_path).records()
    assert set(stored.scores) == {
        ScoreKey("own", "tiny/common"),
        ScoreKey("common", "tiny/common"),
    }
    scores = stored.scores[ScoreKey("common", "tiny/common")]
    assert scores.mean_ap.tolist() == list(other.map)


def test_all_spellings_of_a_recipe_are_one_place_in_the_store(tmp_path: Path) -> None:
    (first,) = run(request(tmp_path, "toy", recipe="bas-net"))
    (again,) = run(request(tmp_path, "toy", recipe="basnet"))
    assert (first.status, again.status, again.map) == ("ok", "skipped", first.map)
    place = files_of(first)
    assert place.detections("bas-net") == place.detections("basnet")
    # as runs of before that spelling have it
    assert place.detections("bas-net").parent.name == "basnet"
    assert "bas-net" in {key.recipe for key in open_run(place.directory).scores}
    assert ScoreKey("basnet", "tiny/common") in open_run(place.directory).scores


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_recipe_that_does_not_fit_leaves_a_finished_cell_alone(tmp_path: Path, jobs: int) -> None:
    (first,) = run(request(tmp_path, "toy"))
    before, record = numbers(tmp_path), files_of(first).record.read_bytes()
    (other,) = run(request(tmp_path, "toy", recipe="acm", jobs=jobs))
    assert other.status == "failed"
    assert "attention" in str(other.error)
    assert (numbers(tmp_path), files_of(first).record.read_bytes()) == (before, record)
    heard = Heard()
    (again,) = run(request(tmp_path, "toy"), heard)
    assert (again.status, again.map, heard.started) == ("skipped", first.map, [])


def test_scores_stay_where_cutting_again_fails(tmp_path: Path) -> None:
    (first,) = run(request(tmp_path, "toy", recipe="common"))
    place = files_of(first)
    # as if an older `acm` had asked for less
    shutil.copytree(place.detections("common").parent, place.detections("acm").parent)
    before = numbers(tmp_path)
    (other,) = run(request(tmp_path, "toy", recipe="acm"))
    assert other.status == "failed"
    assert numbers(tmp_path) == before


def test_a_child_is_made_of_a_parent_whose_scoring_alone_failed(tmp_path: Path) -> None:
    run(request(tmp_path, "toy"))
    (child,) = run(request(tmp_path, "child:first", recipe="acm"))
    assert "attention" in str(child.error)
    assert "which it needs" not in str(child.error)


def test_a_method_that_cuts_by_itself_keeps_its_segments(tmp_path: Path) -> None:
    (own,) = run(request(tmp_path, "cutter"))
    (common,) = run(request(tmp_path, "cutter", recipe="common"))
    (again,) = run(request(tmp_path, "cutter"))
    (plain,) = run(request(tmp_path, "plain", recipe="common", sets=("plain.scale=1",)))
    assert own.map == again.map != common.map == plain.map
    assert (common.status, again.status) == ("skipped", "skipped")


def test_parents_hand_over_what_they_said_of_training_videos(tmp_path: Path) -> None:
    (result,) = run(request(tmp_path, "listener"))
    assert result.error is None
    (plain,) = run(request(tmp_path, "plain"))
    assert (plain.status, plain.map) == ("skipped", result.map)
    assert files_of(plain).activations("train").exists()


def test_reference_rows_frame_the_table(tmp_path: Path) -> None:
    results = run(request(tmp_path, "plain", floors=True, seeds=(0, 1)))
    headline = {(result.method, result.seed): result.averages["0.1:0.7"] for result in results}
    assert headline["ceiling:oracle", 0] == 1.0
    assert headline["floor:constant", 0] < headline["ceiling:oracle", 0]
    directory = tmp_path / "tiny" / "floor-random"
    said = sorted(path.read_bytes() for path in directory.rglob("activations.npz"))
    assert len(set(said)) == 2  # the training seed draws the scores
    assert {result.method for result in results} == {*FLOORS, "plain"}


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_failed_cell_is_recorded_and_the_others_go_on(tmp_path: Path, jobs: int) -> None:
    results = run(request(tmp_path, "moody", "plain", "orphan", jobs=jobs))
    assert statuses(results) == {"moody": "failed", "plain": "ok", "orphan": "failed"}
    moody, _, orphan = results
    place = PLUGINS / "methods" / "moody.py"
    line = place.read_text().split("raise ZeroDivisionError")[0].count("\n") + 1
    code = 'raise ZeroDivisionError("moody today")'
    said = f"ZeroDivisionError: moody today ({place}, line {line}, in fit: {code})"
    assert moody.error == said
    assert code in moody.trace
    assert "trace" not in moody.to_json()
    assert orphan.error == f"moody, which it needs, failed: {said}"
    record = json.loads(files_of(moody).record.read_text())
    assert record["error"]["type"] == "ZeroDivisionError"
    assert "moody.py" in record["error"]["traceback"]
    assert "ZeroDivisionError" in files_of(moody).log.read_text()
    store = ResultStore(tmp_path)
    assert [run.spec.method for run in store.records()] == ["plain"]
    assert [run.failed for run in store.records(include_failed=True)] == [True, True, False]


def test_a_loss_that_is_not_finite_fails_its_cell_with_step_and_term(tmp_path: Path) -> None:
    (result,) = run(request(tmp_path, "moody", sets=("moody.mood=nan",)))
    assert result.status == "failed"
    assert "'video' is nan in phase 0, epoch 2, step 0" in str(result.error)


def test_a_usage_error_inside_a_cell_fails_that_cell(tmp_path: Path) -> None:
    results = run(request(tmp_path, "moody", "plain", sets=("moody.mood=usage",)))
    assert statuses(results) == {"moody": "failed", "plain": "ok"}
    assert str(results[0].error).startswith("moody cannot learn from these videos (/")


@pytest.mark.parametrize("when", ["fit", "inference"])
def test_a_method_that_asks_for_the_truth_fails(tmp_path: Path, when: str) -> None:
    (result,) = run(request(tmp_path, "spy", sets=(f"spy.when={when}",)))
    assert str(result.error).startswith("the truth was asked for during training or inference (/")


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_error_of_the_listener_is_no_error_of_the_cell(tmp_path: Path, jobs: int) -> None:
    def listen(event: Event) -> None:
        if isinstance(event, CellProgress):
            raise BrokenPipeError("nobody reads")

    with pytest.raises(BrokenPipeError, match="nobody reads"):
        run(request(tmp_path, "toy", jobs=jobs), listen)
    assert not list(tmp_path.rglob("record.json"))
    (result,) = run(request(tmp_path, "toy"))
    assert result.status == "ok"


def test_a_failed_cell_is_tried_again(tmp_path: Path) -> None:
    run(request(tmp_path, "moody"))
    heard = Heard()
    run(request(tmp_path, "moody"), heard)
    assert heard.started == ["moody"]


def test_wrong_data_end_the_run_before_anything_trains(tmp_path: Path) -> None:
    heard = Heard()
    with pytest.raises(DataError, match="NaN"):
        run(request(tmp_path, "plain", sets=("tiny.nan=true",)), heard)
    assert heard.started == []


def damage_nothing(path: Path) -> None:
    path.unlink()


def damage_half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def damage_all(path: Path) -> None:
    path.write_bytes(b"\0" * 100)


@pytest.mark.parametrize("damage", [damage_nothing, damage_half, damage_all])
@pytest.mark.parametrize(
    ("name", "trains"),
    [("record.json", True), ("activations.npz", False), ("detections.npz", False)],
)
def test_what_is_damaged_is_made_again(
    tmp_path: Path, damage: Any, name: str, trains: bool
) -> None:
    (first,) = run(request(tmp_path, "toy"))
    before, heard = numbers(tmp_path), Heard()
    (path,) = tmp_path.rglob(name)
    damage(path)
    if name != "record.json":  # the scores stand between these files and whoever asks
        files_of(first).scores("own", "tiny/common").unlink()
    if name == "activations.npz":
        files_of(first).detections("own").unlink()
    (second,) = run(request(tmp_path, "toy"), heard)
    assert numbers(tmp_path) == before
    assert second.map == first.map
    assert not any(isinstance(event, CellProgress) for event in heard)  # nothing is learnt again
    assert bool(heard.notes) or damage is damage_nothing
    if trains:
        assert heard.started == ["toy"]


def test_damaged_final_weights_are_made_again_for_a_child(tmp_path: Path) -> None:
    run(request(tmp_path, "child:first"))
    before, heard = numbers(tmp_path), Heard()
    (weights,) = tmp_path.glob("tiny/toy/*/seed0/checkpoints/last.pt")
    damage_half(weights)
    (record,) = tmp_path.glob("tiny/child-first/*/seed0/record.json")
    record.unlink()
    run(request(tmp_path, "child:first"), heard)
    assert numbers(tmp_path) == before
    assert any("last.pt" in note for note in heard.notes)


def test_damaged_scores_are_made_again_and_said(tmp_path: Path) -> None:
    (first,) = run(request(tmp_path, "plain"))
    heard = Heard()
    damage_half(files_of(first).scores("own", "tiny/common"))
    (second,) = run(request(tmp_path, "plain"), heard)
    assert (second.status, second.map) == ("skipped", first.map)
    assert "scored again" in heard.notes[0]


def test_segments_of_another_recipe_of_that_name_are_cut_again(tmp_path: Path) -> None:
    (first,) = run(request(tmp_path, "plain", recipe="common"))
    recipe = files_of(first).recipe("common")
    recipe.write_text(recipe.read_text().replace("0.55", "0.5"))
    heard = Heard()
    (second,) = run(request(tmp_path, "plain", recipe="common"), heard)
    assert second.map == first.map
    assert "localized again" in heard.notes[0]
    assert "0.55" in recipe.read_text()


def test_a_changed_source_is_said(tmp_path: Path) -> None:
    (first,) = run(request(tmp_path, "plain"))
    record = json.loads(files_of(first).record.read_text())
    files_of(first).record.write_text(json.dumps(record | {"source_digest": "0" * 64}))
    heard = Heard()
    run(request(tmp_path, "plain"), heard)
    assert "source changed" in heard.notes[0]


def test_a_damaged_record_is_a_problem_of_the_store(tmp_path: Path) -> None:
    results = run(request(tmp_path, "plain", "toy"))
    damage_half(files_of(results[0]).record)
    store = ResultStore(tmp_path)
    assert [run.spec.method for run in store.records()] == ["toy"]
    assert [problem.directory for problem in store.problems()] == [files_of(results[0]).directory]


def test_several_requests_are_one_run(tmp_path: Path) -> None:
    requests: list[RunRequest] = [
        request(tmp_path, "plain", sets=(f"plain.scale={scale}",)) for scale in (1, 2, 1)
    ]
    results = run_all(requests)
    assert len(results) == 2
    assert len({result.directory for result in results}) == 2


def test_a_missing_store_is_empty(tmp_path: Path) -> None:
    assert ResultStore(tmp_path / "none").records() == []


def test_threads_are_set_for_the_cell_and_put_back(tmp_path: Path) -> None:
    import torch

    before = torch.get_num_threads()
    (result,) = run(request(tmp_path, "toy", threads=2, sets=("toy.epochs=1",)))
    assert json.loads(files_of(result).record.read_text())["environment"]["threads"] == 2
    assert torch.get_num_threads() == before
