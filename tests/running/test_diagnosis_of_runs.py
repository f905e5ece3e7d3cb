"""The diagnosis of every cell: beside its scores, made with them, in no hash."""

import json
import shutil
from pathlib import Path

import pytest

from tests.running.toys import numbers, request
from wsal_bench import files
from wsal_bench.evaluation.diagnosis import SCHEMA
from wsal_bench.running.events import Note
from wsal_bench.running.results import RunFiles
from wsal_bench.running.runner import run


def place_of(results: Path) -> RunFiles:
    (record,) = results.rglob("record.json")
    return RunFiles(record.parent)


def diagnosis_of(results: Path, recipe: str = "own") -> Path:
    return place_of(results).diagnosis(recipe, "tiny/common")


def test_every_run_has_a_diagnosis_with_what_the_activations_say(tmp_path: Path) -> None:
    (result,) = run(request(tmp_path, "toy"))
    document = json.loads(diagnosis_of(tmp_path).read_text())
    assert document["schema"] == SCHEMA
    data = document["data"]
    assert data["map"] == pytest.approx(list(result.map))
    assert [part["name"] for part in data["snippets"]] == ["cas"]
    assert 0 <= data["classification"]["map"] <= 1
    assert sum(map(sum, data["errors"]["slices"][0])) > 0


def test_reference_rows_and_methods_that_cut_segments_themselves_have_one_too(
    tmp_path: Path,
) -> None:
    run(request(tmp_path, "cutter", floors=True))
    found = {path.parts[-7] for path in tmp_path.rglob("diagnosis/*.json")}
    assert found == {"cutter", "floor-random", "floor-constant", "ceiling-oracle"}


def test_the_oracle_ceiling_knows_where_and_what(tmp_path: Path) -> None:
    run(request(tmp_path, "plain", floors=True))
    (path,) = tmp_path.rglob("ceiling-oracle/**/diagnosis/*.json")
    data = json.loads(path.read_text())["data"]
    assert data["snippets"][0]["map"] == 1.0 and data["classification"]["map"] == 1.0


def test_another_recipe_has_its_own(tmp_path: Path) -> None:
    run(request(tmp_path, "toy"))
    run(request(tmp_path, "toy", recipe="common"))
    assert diagnosis_of(tmp_path, "common").exists()


def test_a_run_of_an_older_version_stays_as_it_is(tmp_path: Path) -> None:
    run(request(tmp_path, "toy"))
    shutil.rmtree(diagnosis_of(tmp_path).parent)
    before = numbers(tmp_path)
    (again,) = run(request(tmp_path, "toy"))
    assert again.status == "skipped" and numbers(tmp_path) == before


def test_deleting_or_damaging_it_moves_no_number(tmp_path: Path) -> None:
    (first,) = run(request(tmp_path, "toy"))
    path = diagnosis_of(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole[:100])
    (second,) = run(request(tmp_path, "toy"))
    assert (second.status, second.map) == ("skipped", first.map)
    place_of(tmp_path).scores("own", "tiny/common").unlink()
    run(request(tmp_path, "toy"))
    assert path.read_bytes() == whole


def test_segments_that_are_cut_again_are_diagnosed_again(tmp_path: Path) -> None:
    run(request(tmp_path, "toy"))
    path = diagnosis_of(tmp_path)
    stale = path.with_name("other--rules.json")
    stale.write_text("{}")
    place_of(tmp_path).recipe("own").write_text("{}")
    run(request(tmp_path, "toy"))
    assert path.exists() and not stale.exists()


def test_damaged_activations_leave_a_diagnosis_of_the_segments(tmp_path: Path) -> None:
    run(request(tmp_path, "toy"))
    place = place_of(tmp_path)
    place.scores("own", "tiny/common").unlink()
    place.activations().write_bytes(b"nothing")
    notes: list[str] = []
    run(
        request(tmp_path, "toy"),
        lambda event: notes.append(event.message) if isinstance(event, Note) else None,
    )
    data = json.loads(diagnosis_of(tmp_path).read_text())["data"]
    assert data["snippets"] is None and data["classification"] is None
    assert any("diagnosed without them" in note for note in notes)


def test_a_run_that_is_killed_between_diagnosis_and_scores_goes_on_to_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(request(tmp_path / "whole", "toy"))

    class KilledError(BaseException):
        pass

    write = files.write_json

    def dies_at_scores(path: Path, document: object) -> None:
        if path.parent.name == "scores":
            raise KilledError
        write(path, document)

    monkeypatch.setattr(files, "write_json", dies_at_scores)
    with pytest.raises(KilledError):
        run(request(tmp_path / "killed", "toy"))
    assert list((tmp_path / "killed").rglob("diagnosis/*.json"))
    monkeypatch.undo()
    monkeypatch.setenv("WSAL_BENCH_PLUGINS", str(Path(__file__).parent / "plugins"))
    run(request(tmp_path / "killed", "toy"))
    assert numbers(tmp_path / "killed") == numbers(tmp_path / "whole")


def test_the_hash_does_not_know_of_it(tmp_path: Path) -> None:
    (result,) = run(request(tmp_path, "toy"))
    assert "diagnos" not in (Path(result.directory) / "spec.yaml").read_text()
